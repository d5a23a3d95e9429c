"""A person's own training script as a run, in five lines:

import depthboard
run = depthboard.start(experiment="my study", name="l1, my network", params={"loss": "l1", "lr": 1e-3})
for step in range(1000):
    run.log({"train/loss": loss, "val/rmse": rmse}, step=step)
run.log_depth("frame 12", prediction, target=gt, rgb=image, step=999)
run.finish()

Everything goes to a spool on this machine first (depthboard.spool); a thread sends it on. The training never waits for the
API: while that is down, the spool grows, and `depthboard sync` sends what a script left behind.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import json
import math
import os
import re
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Literal

from depthboard import maps, spool
from depthboard.errors import Conflict, InvalidInput, Misconfigured
from depthboard.protocol import MAX_STEP
from depthboard.sender import Sender
from depthboard.sending import LIVE, SENDING
from depthboard.settings import get_settings
from depthboard.spool import About, End, Spool

RUN_ID = re.compile(r"[\w:-]{1,64}(\.\w{1,64})?", re.ASCII)
UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
WRITER = re.compile(r"[\w:-]{1,30}", re.ASCII)
MAIN = "main"
FINISH_SECONDS = 30.0

Ended = Literal["finished", "failed", "cancelled"]
Parts = tuple[Spool, Sender, threading.Thread]


def start(
    *,
    experiment: str,
    name: str,
    params: Mapping[str, Any] | None = None,
    run_id: str | None = None,
    writer: str = MAIN,
    resume: str | None = None,
    first_step: int | None = None,
    url: str | None = None,
) -> Run:
    """Begin a run. Returns at once, whether or not the API answers.

    `params` are shown, filtered and sorted by; of loss, encoder, train_size, batch_size, seed, steps the pages make use
    (epochs and images are counted with train_size and batch_size). Several processes write one run when they name the same
    `run_id` (any text that is nobody else's; DEPTHBOARD_RUN does the same) and each its `writer`; the one called main ends
    it. `resume` takes the run_id of an earlier run and goes on with it: what that logged from `first_step` on (by default the first
    step logged now) no longer counts.

    Raises InvalidInput, and Misconfigured where the spool's folder cannot be made. From then on nothing that goes wrong with it stops the training.
    """
    for field, value in (("experiment", experiment), ("name", name)):
        _check_name(field, value)
    if not WRITER.fullmatch(writer):
        raise InvalidInput(f"{writer!r:.80} is no writer.", field="writer", remedy="Use at most 30 letters and digits.")
    if resume is not None and writer != MAIN:
        raise InvalidInput(
            "one process resumes a run, as its writer main.", field="resume", remedy="Give the others its run_id."
        )
    run_id = _run_id(run_id or get_settings().run or None, resume)
    about = About(
        url=(url or get_settings().url).rstrip("/"),
        identity=_hash("run", run_id.partition(".")[0]),
        token=_hash("attempt", run_id),
        writer=f"{writer}:{secrets.token_hex(4)}",
        experiment=experiment,
        name=name,
        params=_plain(params or {}),
        host=socket.gethostname()[:200],
        started=time.time(),
        joined=writer != MAIN,
        resume=resume is not None or (writer != MAIN and "." in run_id),  # it may be the first of a resumed run
        first_step=first_step,
    )
    return Run(run_id, about)


class Run:
    """A run that this script writes. Also a context: left by an exception, the run has failed with its words."""

    def __init__(self, run_id: str, about: About) -> None:
        self.run_id = run_id
        """Other processes join the run by it, and a later script resumes it."""
        self._about = about
        self._forget()
        self._ended = False
        self._maps = 0
        self._broke: tuple[Ended | None, str] = (None, "")
        self._open()

    def _forget(self) -> None:
        """As long as nothing was logged in this process."""
        self._sending: Parts | None = None
        self._tried, self._lost, self._told = -math.inf, 0, False
        self._opening = threading.Lock()
        self._write: Callable[[Mapping[str, Any], int, float], None] = self._first_write

    def _open(self) -> None:
        """The spool, and the thread that sends it. Raises Misconfigured."""
        folder = get_settings().spool / secrets.token_hex(8)
        written = Spool(folder, self._about, _say)
        LIVE.add(folder)
        try:
            sender = Sender(folder, self._about, _say, written)
            thread = sender.start()
        except Exception as error:
            LIVE.discard(folder)
            written.close()
            spool.remove(folder)
            if isinstance(error, OSError):
                raise spool.unusable(folder, error) from error
            raise
        written.dropped = self._lost
        self._sending = written, sender, thread
        _watch(self)
        self._write = written.log

    def _parts(self) -> Parts | None:
        """None in a forked child whose spool cannot be made now, which is said once: its training goes on, and a later call
        tries again.
        """
        if self._sending is None:
            with self._opening:  # of several threads that log first one makes the spool, and the others wait for it
                if self._sending is None and time.monotonic() > self._tried + spool.RETRY_SECONDS:
                    self._try()
        return self._sending

    def _try(self) -> None:
        self._tried = time.monotonic()
        try:
            self._open()
        except Misconfigured as error:
            if not self._told:
                _say(f"{error} What process {os.getpid()} logs is lost until then.")
            self._told = True

    @property
    def number(self) -> int | None:
        """The run's number in the dashboard; None until the API has answered."""
        parts = self._parts()
        known = None if parts is None else parts[1].run
        return None if known is None else known.run_id

    @property
    def cancelled(self) -> bool:
        """Whether a person asked for its end: leave the loop and call `finish`."""
        parts = self._parts()
        known = None if parts is None else parts[1].run
        return known is not None and known.cancel_requested

    def log(self, values: Mapping[str, Any], *, step: int, wall: float | None = None) -> None:
        """Keep numbers of one step; NaN and infinities too. They are safe on this machine when it returns.

        Raises InvalidInput naming the key for a value that is no number.
        """
        if self._ended:
            raise Conflict("this run has been finished.", remedy="Log before run.finish().")
        if wall is not None and not math.isfinite(wall):
            raise InvalidInput(f"{wall!r} is no time.", field="wall", remedy="Give seconds since the epoch.")
        if values:
            self._write(values, step, time.time() if wall is None else wall)

    def log_depth(
        self, name: str, depth: object, *, step: int, target: object | None = None, rgb: object | None = None
    ) -> None:
        """Keep a depth map, its ground truth and photograph: arrays or tensors of one size, depth in metres, not finite or
        not above 0 where there is none. The same `name` over the steps is one row of the viewer. Raises InvalidInput.
        """
        if self._ended:
            raise Conflict("this run has been finished.", remedy="Log before run.finish().")
        _check_name("name", name)
        content = maps.shown(name, _check_step(step), depth, target, rgb)
        if (parts := self._parts()) is None:
            return
        written, sender, _ = parts
        self._maps += 1
        try:
            maps.write(written.folder / "depth" / f"{self._maps:08d}.npz", content)
        except OSError as error:
            written.hold_map(content, error)
        sender.hurry()

    def flush(self, timeout: float = FINISH_SECONDS) -> bool:
        """Wait until what was logged before is acknowledged by the API; False where it was not within `timeout` seconds."""
        if (parts := self._parts()) is None:
            return False
        written, sender, _ = parts
        end, due = time.monotonic() + timeout, written.count
        sender.hurry()
        with sender.moved:
            while sender.acked + 1 < due and not sender.done and time.monotonic() < end:
                sender.moved.wait(min(0.05, max(0.0, end - time.monotonic())))
        return sender.acked + 1 >= due

    def finish(self, status: Ended | None = None, reason: str = "", *, timeout: float = FINISH_SECONDS) -> bool:
        """End the run, and wait up to `timeout` seconds until everything is sent; whether it was. What is left is sent by
        `depthboard sync`. Without a status it is finished, or cancelled where a person asked for that.
        """
        if (parts := self._parts()) is None:
            self._ended = True
            _say_lost(self._lost)
            return False
        written, sender, thread = parts
        if not self._ended:
            self._ended = True
            status = status or ("cancelled" if self.cancelled else "finished")
            reason = reason or ("cancelled by a person" if status == "cancelled" else "")
            sender.ended = End(status, reason, time.time())
            written.end(sender.ended)
        sender.hurry()
        thread.join(timeout)
        _say_lost(written.dropped, written.dropped_maps)
        _OPEN.discard(self)
        if thread.is_alive():
            _say(f"not everything is sent; it is kept in {written.folder}, and `depthboard sync` sends it later.")
            return False
        written.close()
        LIVE.discard(written.folder)
        return not written.folder.exists()

    def __enter__(self) -> Run:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish(*_end_of(error))

    def _in_child(self) -> None:
        """After a fork the child is another writer of the same run, from the moment when it logs something."""
        self._about = spool.joined(self._about, f"{self._about.writer.partition(':')[0]}-{os.getpid()}")
        self._maps = 0
        self._forget()  # with the lock, which a thread of the parent may have held

    def _first_write(self, values: Mapping[str, Any], step: int, wall: float) -> None:
        parts = self._parts()
        if parts is None:
            self._lost += 1
        else:
            parts[0].log(values, step, wall)

    def _at_exit(self) -> None:
        if not self._ended:
            self.finish(*self._broke)


def _run_id(run_id: str | None, resume: str | None) -> str:
    for field, given in (("run_id", run_id), ("resume", resume)):
        if given is not None and not RUN_ID.fullmatch(given):
            raise InvalidInput(
                f"{given!r:.80} is no run_id.", field=field, remedy="Use at most 64 letters, digits, `_`, `-` and `:`."
            )
    if resume is not None:
        return f"{resume.partition('.')[0]}.{secrets.token_hex(8)}"
    return run_id or secrets.token_hex(16)


def _check_name(field: str, value: object) -> None:
    if not isinstance(value, str) or not value.strip() or len(value) > 200 or UNFIT.search(value):
        raise InvalidInput(
            f"{value!r:.80} is no name.", field=field, remedy="Use 1 to 200 visible characters on one line."
        )


def _check_step(step: object) -> int:
    whole = spool.whole(step)
    if not 0 <= whole <= MAX_STEP:
        raise InvalidInput(f"step {whole} is not between 0 and {MAX_STEP}.", field="step")
    return whole


def _hash(kind: str, text: str) -> str:
    return hashlib.sha256(f"depthboard {kind} {text}".encode()).hexdigest()


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    """As JSON: numbers of NumPy and torch as numbers, what JSON does not know as its text."""

    def other(value: Any) -> Any:
        return value.item() if hasattr(value, "item") and getattr(value, "size", 1) == 1 else str(value)

    try:
        return dict(json.loads(json.dumps({str(name): value for name, value in params.items()}, default=other)))
    except (TypeError, ValueError, RecursionError, AttributeError) as error:
        raise InvalidInput(f"they cannot be written as JSON ({error}).", field="params") from error


def _end_of(error: BaseException | None) -> tuple[Ended | None, str]:
    """(status, reason) of a script that ended by this."""
    if error is None or (isinstance(error, SystemExit) and error.code in (None, 0)):
        return None, ""
    if isinstance(error, KeyboardInterrupt):
        return "cancelled", "interrupted by a person"
    return "failed", f"{type(error).__name__}: {error}"[:10_000]


def _say(words: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # of a script whose output nobody takes any more
        print(f"depthboard: {words}", file=sys.stderr, flush=True)


def _say_lost(rows: int, maps: int = 0) -> None:
    lost = [f"{count} {what}" for count, what in ((rows, "rows"), (maps, "depth maps")) if count]
    if lost:
        _say(f"{' and '.join(lost)} were lost: the disk was full, and memory did not hold them.")


# --- what happens to the runs of this process when it ends or forks ---------------------------------------------------

_OPEN: set[Run] = set()
_installed = False


def _watch(run: Run) -> None:
    global _installed
    _OPEN.add(run)
    if not _installed:
        _installed = True
        atexit.register(_at_exit)
        os.register_at_fork(after_in_child=_in_child)
        sys.excepthook = _noting(sys.excepthook)


def _noting(hook: Any) -> Any:
    def note(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        for run in list(_OPEN):
            run._broke = _end_of(error)
        hook(kind, error, trace)

    return note


def _at_exit() -> None:
    for run in list(_OPEN):
        run._at_exit()


def _in_child() -> None:
    LIVE.clear()
    SENDING.clear()
    for run in list(_OPEN):
        run._in_child()
    _OPEN.clear()
