"""How an attempt ended, told from its exit and from what was asked of it."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from depthboard.protocol import Finish
from depthboard.status import RunStatus
from worker.stop import EXIT_AGAIN, EXIT_LATER, EXIT_STOPPED


@dataclass
class Watch:
    """What the supervisor remembers between two looks at its attempt. Times are of the monotonic clock."""

    renewed: float = field(default_factory=time.monotonic)
    progressed: float = field(default_factory=time.monotonic)
    progress_seen: int = 0
    progress_told: int = 0
    asked_to_stop: float | None = None
    cancelled: bool = False
    paused: bool = False
    fenced: bool = False
    unheard: bool = False
    hung: float | None = None
    log_sent: int = 0


def outcome(code: int, folder: Path, watch: Watch) -> Finish:
    """The last message of an attempt whose guard ended with `code`, 128 + n for a training that signal n killed."""
    if code == 0:
        return Finish(status=RunStatus.finished, exit_code=code, step=_ended_early(folder))
    if watch.cancelled:
        return Finish(status=RunStatus.cancelled, reason="cancelled by a person", exit_code=code)
    if watch.hung is not None:
        reason = f"it made no progress for {watch.hung:.0f} s (DEPTHBOARD_STALL_KILL_SECONDS) and was killed"
        return Finish(status=RunStatus.failed, reason=reason, exit_code=code, retry=True)
    if watch.asked_to_stop is not None or code == EXIT_STOPPED:  # whoever sent the signal
        why = "its experiment was paused or deleted" if watch.paused else "the worker was shut down"
        return Finish(status=RunStatus.queued, reason=why, exit_code=code)
    if code < 0 or code > 128:
        return Finish(status=RunStatus.failed, reason=_killed(code), exit_code=code, retry=True)
    reason = "the training ended without a reason; its log may say more"
    with contextlib.suppress(OSError):
        reason = (folder / "reason.txt").read_text(errors="replace")[:10_000] or reason
    if code == EXIT_LATER:
        return Finish(status=RunStatus.queued, reason=reason, exit_code=code, retry=True)
    return Finish(status=RunStatus.failed, reason=reason, exit_code=code, retry=code == EXIT_AGAIN)


def _ended_early(folder: Path) -> int | None:
    """The step at which the budget's clock ended the run; None for a run that went through."""
    file = folder / "ended.json"
    return int(json.loads(file.read_text())["step"]) if file.is_file() else None


def _killed(code: int) -> str:
    number = code - 128 if code > 128 else -code
    if number == signal.SIGKILL:
        return "its training was killed by SIGKILL: by a person, or by Linux because the host's memory was full"
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"its training was ended by {name}; its log may say more"
