"""One attempt, supervised: the training runs in a fresh interpreter and a process group of its own; this side renews the lease, passes the log on, cancels, fences and finishes.

Evidence for each rule: killing a worker does not kill its training, so a guard between the two does (worker.guard); a worker that cannot renew kills its
training before the lease ends, so that no two attempts train at once.
"""

from __future__ import annotations

import contextlib
import ipaddress
import logging
import os
import platform
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from depthboard.client import RunWriter
from depthboard.errors import DepthboardError, StaleAttempt
from depthboard.protocol import Claim, Finish, LogText, Progress
from depthboard.settings import Settings
from depthboard.status import RunStatus
from worker.environment import training_environment
from worker.guard import END
from worker.orphans import VARIABLE, Mark, end_attempt
from worker.outcome import Watch, outcome
from worker.stop import EXIT_STOPPED

T = TypeVar("T")

GRACE_SECONDS = 30.0
END_SECONDS = 2.0
FENCE_SHARE = 0.8
TIMEOUT_SHARE = 0.08
NEAR_SECONDS = 1.0
"""A lease is renewed at least this often where the API is on this host: so long may a wish to cancel wait."""
LOG_PIECE = 500_000
LOG_BEHIND = 4 * LOG_PIECE
"""Of what was printed since the last look, no more is passed on: the API keeps two million characters."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Leave:
    """How the worker's trainings shall end: `stopping` after a checkpoint, `hurry` at once."""

    stopping: threading.Event = field(default_factory=threading.Event)
    hurry: threading.Event = field(default_factory=threading.Event)


@dataclass
class _Attempt:
    claim: Claim
    settings: Settings
    mark: Mark
    folder: Path
    guard: subprocess.Popen[bytes]
    writer: RunWriter
    leave: Leave
    watch: Watch = field(default_factory=Watch)


def supervise(claim: Claim, settings: Settings, leave: Leave, gpus: str | None = None) -> bool:
    """Run one claimed attempt to its end, on `gpus` (as CUDA_VISIBLE_DEVICES names them) where the host has some.

    False where no training can be started here now: the run is given back, and uses up no attempt.
    """
    mark, writer = Mark.new(claim.run_id, claim.attempt), _writer(claim, settings)
    try:
        folder = _folder(claim, settings, mark)
        guard = _launch(folder, _environment(settings, mark, gpus))
    except OSError as error:  # a full disk, or no more processes or files to be had
        reason = f"the worker on {platform.node()} could not start its training ({error})"
        log.error("run %s: %s", claim.run_id, reason)
        with contextlib.suppress(DepthboardError):
            writer.finish(Finish(status=RunStatus.queued, reason=reason, retry=True))
        writer.api.close()
        shutil.rmtree(settings.home / "attempts" / str(mark), ignore_errors=True)
        return False
    attempt = _Attempt(claim, settings, mark, folder, guard, writer, leave)
    try:
        while _alive(attempt):
            _look(attempt)
    finally:
        _end(attempt)
    writer.api.close()
    if attempt.watch.fenced:
        log.warning("run %s attempt %s is no longer ours", claim.run_id, claim.attempt)
    else:
        _finish(attempt)
    shutil.rmtree(folder, ignore_errors=True)
    return True


def _writer(claim: Claim, settings: Settings) -> RunWriter:
    """With one short try each: a hung API must not keep this side from fencing or cancelling a training."""
    timeout = max(0.5, TIMEOUT_SHARE * claim.lease_seconds)
    return RunWriter(claim.run_id, claim.token, settings.url, timeout=timeout, patience=0)


def _folder(claim: Claim, settings: Settings, mark: Mark) -> Path:
    """With the claim, whose token is for this user alone."""
    folder = settings.home / "attempts" / str(mark)
    folder.mkdir(mode=0o700, parents=True)
    claim_file = folder / "claim.json"
    claim_file.touch(mode=0o600)
    claim_file.write_text(claim.model_dump_json())
    return folder


def _launch(folder: Path, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    with (folder / "log.txt").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "worker.launch", str(folder), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
        )


def _environment(settings: Settings, mark: Mark, gpus: str | None) -> dict[str, str]:
    return {
        **training_environment(settings.threads, gpus),
        "DEPTHBOARD_HOME": str(settings.home),
        "DEPTHBOARD_API_URL": settings.url,
        VARIABLE: str(mark),
        "PYTHONUNBUFFERED": "1",
    }


def renew_seconds(claim: Claim, settings: Settings) -> float:
    """How often to renew a lease, and so to hear of a wish to cancel."""
    seconds = min(settings.renew_seconds, claim.renew_seconds)
    return min(seconds, NEAR_SECONDS) if _is_here(settings.url) else seconds


def _is_here(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _alive(attempt: _Attempt) -> bool:
    """Wait for the guard's end until it is time to look again, or to fence, or until everybody is in a hurry."""
    end = min(
        time.monotonic() + renew_seconds(attempt.claim, attempt.settings), _fence_at(attempt.claim, attempt.watch)
    )
    while attempt.guard.poll() is None:
        if time.monotonic() >= end or attempt.leave.hurry.wait(0.05):
            return True
    return False


def _look(attempt: _Attempt) -> None:
    watch = attempt.watch
    if attempt.leave.hurry.is_set():
        watch.asked_to_stop = time.monotonic()
        _end(attempt)
        return
    _note_progress(attempt)
    folder, writer, seen = attempt.folder, attempt.writer, watch.progress_seen
    moved = _progress(folder) if seen != watch.progress_told else None

    def also() -> None:
        watch.progress_told = seen
        try:
            _send_log(folder, writer, watch)
        except OSError as error:  # a disk that does not answer, no more files to be had: no reason to end a training
            log.warning("run %s: its log cannot be read (%s)", attempt.claim.run_id, error)

    _renew(attempt.claim, writer, watch, also, moved)
    if watch.fenced or watch.hung is not None:
        _end(attempt)
    elif watch.cancelled or watch.paused or attempt.leave.stopping.is_set():
        _ask_to_stop(attempt)


def _note_progress(attempt: _Attempt) -> None:
    """Whether the training moved since the last look, and if not, for how long: it touches its file while it trains and evaluates."""
    watch, limit = attempt.watch, attempt.settings.stall_kill_seconds
    with contextlib.suppress(OSError):
        seen = (attempt.folder / "progress.json").stat().st_mtime_ns
        if seen != watch.progress_seen:
            watch.progress_seen, watch.progressed = seen, time.monotonic()
    still = time.monotonic() - watch.progressed
    if limit and still > limit:
        watch.hung = still


def hold(claim: Claim, settings: Settings, leave: Leave, ready: Callable[[], T | None]) -> T | None:
    """Keep a claimed run until `ready` gives what its training needs; None when it was cancelled, given back or lost meanwhile."""
    watch, writer = Watch(), _writer(claim, settings)
    waits = Progress(step=0)  # no step that would show, but said: what waits for its turn has not stalled
    while (given := ready()) is None:
        _renew(claim, writer, watch, lambda: None, waits)
        if watch.fenced:
            break
        if watch.cancelled or watch.paused or leave.stopping.is_set():
            with contextlib.suppress(DepthboardError):
                writer.finish(outcome(EXIT_STOPPED, Path(), watch))
            break
        leave.stopping.wait(renew_seconds(claim, settings))
    writer.api.close()
    return given


def _renew(
    claim: Claim, writer: RunWriter, watch: Watch, also: Callable[[], object], at: Progress | None = None
) -> None:
    """Hear what the API wants, and write `also` what there is to write."""
    if time.monotonic() >= _fence_at(claim, watch):
        watch.fenced = True
        return
    try:
        asked = time.monotonic()  # the lease runs from when the API heard us, at the earliest now
        answer = writer.renew(at)
        watch.renewed = asked
        if watch.unheard:
            log.info("run %s: the API answers again", claim.run_id)
        watch.unheard = False
        watch.cancelled |= answer.cancel_requested
        watch.paused |= answer.pause_requested
        also()
    except StaleAttempt:
        watch.fenced = True
    except DepthboardError as error:
        if not watch.unheard:
            log.warning("run %s: not renewed (%s)", claim.run_id, error)
        watch.unheard = True
        watch.fenced = time.monotonic() >= _fence_at(claim, watch)


def _fence_at(claim: Claim, watch: Watch) -> float:
    """When a training that could not renew its lease must end; a request that is under way then takes TIMEOUT_SHARE more."""
    return watch.renewed + FENCE_SHARE * claim.lease_seconds


def _ask_to_stop(attempt: _Attempt) -> None:
    watch = attempt.watch
    if watch.asked_to_stop is None:
        watch.asked_to_stop = time.monotonic()
        with contextlib.suppress(ProcessLookupError):
            attempt.guard.send_signal(signal.SIGTERM)
    elif time.monotonic() - watch.asked_to_stop > GRACE_SECONDS:
        _end(attempt)


def _end(attempt: _Attempt) -> None:
    """Have the guard kill all of the attempt, or else kill it, with it the training, and whatever carries the attempt's mark."""
    if attempt.guard.poll() is None:
        attempt.guard.send_signal(END)
        with contextlib.suppress(subprocess.TimeoutExpired):
            attempt.guard.wait(END_SECONDS)
        attempt.guard.kill()
        attempt.guard.wait()
    if not end_attempt(attempt.mark):
        log.error("run %s: some of its processes cannot be killed; see DEPTHBOARD_ATTEMPT", attempt.claim.run_id)


def _progress(folder: Path) -> Progress | None:
    with contextlib.suppress(OSError, ValueError):
        return Progress.model_validate_json((folder / "progress.json").read_text())
    return None


def _send_log(folder: Path, writer: RunWriter, watch: Watch) -> bool:
    """Send the next piece of the log; False when there is none."""
    with (folder / "log.txt").open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size - watch.log_sent > LOG_BEHIND:
            watch.log_sent = size - LOG_BEHIND
        file.seek(watch.log_sent)
        data = file.read(LOG_PIECE)
    if len(data) < LOG_PIECE and (end := data.rfind(b"\n")) >= 0:
        data = data[: end + 1]  # whole lines, and so whole characters
    if data:
        writer.log(LogText(offset=watch.log_sent, text=data.decode("utf-8", "replace").replace("\x00", "\ufffd")))
        watch.log_sent += len(data)
    return bool(data)


def _finish(attempt: _Attempt) -> None:
    """Tell the end, for as long as the lease may last; in a hurry once, and the lease tells it otherwise."""
    claim, folder = attempt.claim, attempt.folder
    patience = 0.0 if attempt.leave.hurry.is_set() else claim.lease_seconds
    writer = RunWriter(claim.run_id, claim.token, attempt.settings.url, timeout=10.0, patience=patience)
    try:
        _tell_last(attempt, writer)
        writer.finish(outcome(attempt.guard.returncode, folder, attempt.watch))
    except StaleAttempt:
        log.warning("%s: finished after its lease had ended; another attempt has the run", folder.name)
    except DepthboardError as error:
        log.error("%s: the end could not be recorded: %s", folder.name, error)
    finally:
        writer.api.close()


def _tell_last(attempt: _Attempt, writer: RunWriter) -> None:
    """The last progress and what is left of the log. What the API does not take of it does not keep the end from it. Raises StaleAttempt."""
    folder, watch = attempt.folder, attempt.watch

    def log_to_the_end() -> None:
        while not attempt.leave.hurry.is_set() and _send_log(folder, writer, watch):
            pass

    for tell in (lambda: writer.renew(_progress(folder)), log_to_the_end):
        try:
            tell()
        except StaleAttempt:
            raise
        except (DepthboardError, OSError, ValueError) as error:
            log.warning("%s: %s", folder.name, error)
