"""Sends a spool to the API, from wherever it was acknowledged to, until all of it is there.

`Sending` is what both ways have in common: the thread of a script that runs (`depthboard.sender`), and `send`, which takes what scripts left
behind, for `depthboard sync` and for a script that goes on where another ended.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from depthboard import maps, spool
from depthboard.client import Api
from depthboard.errors import Conflict, DepthboardError, InvalidInput, SequenceGap, Unavailable
from depthboard.protocol import Begin, Finish, PointsAnswer, Renewal, RenewalAnswer, ScriptDepth, ScriptRun, ScriptStart
from depthboard.spool import About, Spool
from depthboard.status import RunStatus
from depthboard.tail import PIECE, Tail, Taken, take, unreadable

FIRST_WAIT, LONGEST_WAIT = 0.2, 10.0
OLDER_SECONDS = 5.0
"""How long an older spool of the same run is tried again before the newer one goes on without it."""
ENDS = (RunStatus.finished, RunStatus.failed, RunStatus.cancelled)
BROKE_OFF = "the script ended without run.finish(): killed, or its machine went down."

Say = Callable[[str], None]


class Refused(Exception):
    """The API will never take this spool; the reason is the message."""


class Unreadable(Refused):
    """What stands in the spool is no row of a script; the message names it."""


UNSENT = (Refused, DepthboardError, OSError, ValueError)
"""What keeps one spool from being sent, and says nothing of the others."""


class Sending:
    """One spool on its way. `live` is the writing side where the script still runs in this process."""

    def __init__(
        self, folder: Path, about: About, say: Say, live: Spool | None = None, *, nested: bool = False
    ) -> None:
        self.folder, self.about, self.live, self.say = folder, about, live, say
        self._nested = nested
        self.run: ScriptRun | None = None
        self.done = False
        self.moved = threading.Condition()
        self._api = Api(about.url, token=about.token, timeout=30.0)
        self._tail = Tail(folder)
        self.acked = self._tail.seq - 1
        self._heard = 0.0
        self._wanted: int | None = None
        try:
            self._sets = self._tail.sets() if live is None else live.sets
        except Exception:
            self._close()
            raise

    def all_there_is(self) -> int:
        """Send the rows and maps that are there; returns how many requests that took."""
        requests = 0
        before = self.acked
        while self._told() and self._rows():
            requests += 1
        requests += self.acked > before
        for path, content in self._maps():
            message = self._message(path, content)
            if message is not None:
                self._send("depth", message)
                self._forget_map(path, content)
                requests += 1
        return requests

    def _told(self) -> bool:
        """The API knows of the run, and has heard lately that its script is there."""
        if self.run is None:
            self._start()
        elif time.monotonic() > self._heard + self.run.renew_seconds:
            self._renew(self.run)
        return True

    def _start(self) -> None:
        if self.about.resume and not self._nested:  # who sends this one for another has sent the older ones
            self._send_older()
        sent = ScriptStart(
            identity=self.about.identity,
            experiment=self.about.experiment,
            name=self.about.name,
            params=self.about.params,
            host=self.about.host,
            started=self.about.started,
            resume=self.about.resume,
        )
        run = ScriptRun.model_validate(self._request("/api/scripts", sent))
        if self.live is not None and not self.about.joined:
            if run.status.final:
                raise Refused(f"run {run.run_id} of this run_id is {run.status} already; say resume= to go on with it.")
            self.say(f"run {run.run_id}, {self.about.url}/runs/{run.run_id}")
        self.run, self._heard = run, time.monotonic()

    def _renew(self, run: ScriptRun) -> None:
        """Say that the script is there, and hear whether it shall stop. A run that was deleted is not begun anew."""
        answer = RenewalAnswer.model_validate(self._send("renewals", Renewal()))
        self.run = run.model_copy(update={"cancel_requested": answer.cancel_requested})
        self._heard = time.monotonic()

    def _send_older(self) -> None:
        """What older attempts of this run left here goes first: afterwards it would be refused."""
        own = self.about
        self._send_first(lambda it: it.identity == own.identity and it.token != own.token and it.age < own.age)

    def _send_first(self, chosen: Callable[[About], bool]) -> None:
        """Send these others of the same folder; whatever is wrong with one of them does not keep this one back."""
        for folder, about in left_behind(self.folder.parent):
            if folder != self.folder and chosen(about):
                with contextlib.suppress(Exception):
                    send(folder, about, self.say, OLDER_SECONDS, nested=True)

    def _rows(self) -> bool:
        """Send one batch; whether more was there."""
        data = self._data()
        taken = self._take(data)
        if taken.rows:
            if not self._taken_in(taken):
                return True
            self._tail.move(taken.next_seq, self._tail.place + taken.used)
            return taken.used < len(data) or len(data) == PIECE
        return self.live is not None and self._rows_held(self.live)

    def _take(self, data: bytes) -> Taken:
        """Raises Unreadable for numbers that no script logs."""
        try:
            return take(data, self._sets, self._tail.seq)
        except ValidationError as error:
            why = error.errors()[0]["msg"]
            raise Unreadable(f"row {self._tail.seq}, or one of those behind it, cannot be read ({why}).") from error

    def _data(self) -> bytes:
        return self._tail.data(None if self.live is None else self.live.whole)

    def _rows_held(self, live: Spool) -> bool:
        """The same of rows that wait in memory, which come behind those of the file."""
        data, seq = live.waiting(PIECE)
        taken = take(data, self._sets, seq)
        if not taken.rows or self._data():
            return bool(taken.rows)  # they went to the file in this moment
        if not self._taken_in(taken):
            return True
        live.release(seq, taken.used, taken.rows)
        return taken.used < len(data)

    def _taken_in(self, taken: Taken) -> bool:
        """Whether the API holds these rows now; not where it wants earlier ones first. Raises Refused where these are gone."""
        if taken.next_seq - 1 <= self.acked:
            return True
        if taken.first_seq > self.acked + 1 == self._wanted:  # otherwise the rows before were sent from memory
            raise Refused(f"it expects row {self.acked + 1}, which is no longer here.")
        self._begin(taken)
        try:
            answer = PointsAnswer.model_validate(self._send("points", taken.points(self.about.writer)))
        except SequenceGap as gap:
            self._go_back(gap)
            return False
        self._hold(answer.last_seq)
        return True

    def _go_back(self, gap: SequenceGap) -> None:
        """The API holds less than it acknowledged, as after a restored backup: send from there again."""
        self._wanted = gap.expected or 0
        self.acked = self._wanted - 1
        self._tail.rewind()

    def _hold(self, last_seq: int) -> None:
        """The API holds the rows up to this one."""
        with self.moved:
            self.acked = max(self.acked, last_seq)
            self.moved.notify_all()

    def _begins(self, taken: Taken) -> bool:
        """Whether these are the first rows of a resumed run."""
        return taken.first_seq == 0 and self.about.resume and not self.about.joined

    def _begin(self, taken: Taken) -> None:
        """Say from which step on a resumed run is logged anew, before its first rows."""
        if self._begins(taken):
            lowest = min(int(block.steps.min()) for block in taken.blocks)
            self._send("begin", Begin(resumed_from=lowest if self.about.first_step is None else self.about.first_step))

    def _maps(self) -> list[tuple[Path, dict[str, Any] | None]]:
        """Files of maps in the order in which they were logged, then those that found no room on the disk."""
        files: list[tuple[Path, dict[str, Any] | None]] = [(p, None) for p in sorted(self.folder.glob("depth/*.npz"))]
        return files + [(self.folder, content) for content in (self.live.maps if self.live is not None else ())]

    def _forget_map(self, path: Path, content: dict[str, Any] | None) -> None:
        if content is None:
            path.unlink(missing_ok=True)
        elif self.live is not None:
            self.live.maps.pop(0)

    def _message(self, path: Path, content: dict[str, Any] | None) -> ScriptDepth | None:
        """None for a map that cannot be read or sent: it is set aside, so that what follows it is sent."""
        try:
            return maps.message(maps.read(path) if content is None else content)
        except Exception as error:  # whatever NumPy makes of a damaged file
            aside = self.folder.parent / f"{self.folder.name}-{path.name}.bad"
            kept = f"it is kept as {aside}" if content is None else "it is left out"
            self.say(f"a depth map cannot be read ({type(error).__name__}: {error}); {kept}.")
            if content is None:
                path.rename(aside)
            else:
                self._forget_map(path, content)
            return None

    def _finish(self, end: spool.End, last: Taken | None = None) -> None:
        if not self.about.joined:
            self._send_first(lambda it: it.token == self.about.token)
            points = last and last.points(self.about.writer)
            status, reason = RunStatus(end.status), end.reason[:10_000]
            self._send("finish", Finish(status=status, reason=reason, wall=end.wall, points=points))
            if last is not None:
                self._hold(last.next_seq - 1)
        self.done = True
        spool.remove(self.folder)

    def _send(self, what: str, body: Any) -> Any:
        assert self.run is not None
        return self._request(f"/api/runs/{self.run.run_id}/{what}", body)

    def _request(self, path: str, body: Any) -> Any:
        """Raises Unavailable for what may pass, SequenceGap, and Refused for what will not."""
        try:
            return self._api.json("POST", path, body)
        except (Unavailable, SequenceGap):
            raise
        except (InvalidInput, Conflict) as error:
            raise Refused(str(error)) from error
        except DepthboardError as error:
            raise Unavailable(str(error)) from error
        except ValueError as error:
            raise Unavailable(f"what answers at {self.about.url} is no Depthboard API ({error}).") from error

    def _refuse(self, why: Refused) -> None:
        self.done, reason = True, str(why)
        words = "kept as it is" if isinstance(why, Unreadable) else "kept; the API refuses what it holds"
        self.say(f"{self.folder} is {words}: {reason}")
        with contextlib.suppress(OSError):
            spool.save(self.folder, "refused", {"reason": reason})

    def _close(self) -> None:
        self._tail.close()
        self._api.close()


class LeftBehind(Sending):
    """The spool of a script that is gone."""

    def drain(self, patience: float) -> int:
        """Send all of it, trying for `patience` seconds in vain; returns the rows sent. Raises Unavailable, Refused."""
        end = time.monotonic() + patience
        wait, first = FIRST_WAIT, self._tail.seq
        try:
            while True:
                try:
                    self.all_there_is()
                    self._check_rest()
                    self._finish(self._end_of_file())
                    return max(0, self._tail.seq - first)
                except Unavailable:
                    if time.monotonic() + wait > end:
                        raise
                    time.sleep(wait)
                    wait = min(2 * wait, LONGEST_WAIT)
                except Refused as error:
                    self._refuse(error)
                    raise
        finally:
            self._close()

    def _check_rest(self) -> None:
        """Behind the last row there is nothing but the beginning of one, which a kill cut off. Raises Unreadable."""
        seq = unreadable(self._data(), self._sets, self._tail.seq)
        if seq is not None:
            raise Unreadable(f"row {seq} cannot be read, and neither can what follows it.")

    def _end_of_file(self) -> spool.End:
        """How it ended by its own words, or else that it broke off."""
        with contextlib.suppress(ValueError):
            said = spool.read(self.folder, "end.json", spool.End)
            if said is not None and said.status in ENDS:
                return said
        return spool.End(RunStatus.failed, BROKE_OFF, (self.folder / "rows").stat().st_mtime)


def left_behind(home: Path, strange: Say | None = None) -> list[tuple[Path, About]]:
    """The spools in a folder, the oldest first; those that were refused are left out, and so are those of which nobody can
    tell whose they are: `strange` is told of each.
    """
    found = []
    for folder in home.glob("*/"):
        try:
            about = spool.read(folder, "run.json", About)
        except ValueError as error:
            if strange is not None:
                strange(f"{folder} is left as it is: {error} Send it with a newer depthboard, or delete it.")
            continue
        if about is not None and not os.path.exists(folder / "refused"):
            found.append((folder, about))
    return sorted(found, key=lambda pair: pair[1].age)


def send(folder: Path, about: About, say: Say, patience: float, *, nested: bool = False) -> int | None:
    """Send a spool unless somebody writes or sends it; returns the rows sent. Raises Unavailable, Refused."""
    mine = object()
    if folder in LIVE or SENDING.setdefault(folder, mine) is not mine:
        return None
    try:
        held = spool.lock(folder)
        if held is None:
            return None
        try:
            return LeftBehind(folder, about, say, nested=nested).drain(patience)
        finally:
            os.close(held)
    finally:
        SENDING.pop(folder, None)


LIVE: set[Path] = set()
"""Spools that this process writes: its own locks would not tell."""
SENDING: dict[Path, object] = {}
"""Spools that this process sends for scripts that are gone; closing a second lock of its own would free the first."""
