"""One attempt, supervised: the training runs in a fresh interpreter and a process group of its own; this side renews the lease, passes the log on, cancels, fences and finishes.

Evidence for each rule: killing a worker does not kill its training, so the child dies with its parent (worker.launch) and its group is killed as one; a worker that
cannot renew kills its training before the lease ends, so that no two attempts train at once.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from depthboard.client import RunWriter
from depthboard.errors import DepthboardError, StaleAttempt, Unavailable
from depthboard.protocol import Claim, Finish, LogText, Progress
from depthboard.settings import Settings
from depthboard.status import RunStatus
from worker.environment import training_environment
from worker.gpus import visible_gpus

EXIT_STOPPED = 75
GRACE_SECONDS = 30.0
FENCE_SHARE = 0.8
TIMEOUT_SHARE = 0.08
LOG_PIECE = 500_000

log = logging.getLogger(__name__)


@dataclass
class _Watch:
    """What the supervisor remembers between two looks at its attempt."""

    renewed: float = field(default_factory=time.monotonic)
    asked_to_stop: float | None = None
    cancelled: bool = False
    fenced: bool = False
    log_sent: int = 0


def supervise(claim: Claim, settings: Settings, stopping: threading.Event, gpu: str | None = None) -> None:
    """Run one claimed attempt to its end, on `gpu` where the host has several. `stopping` gives the run back to the queue after a checkpoint."""
    folder = settings.home / "attempts" / f"{claim.run_id}-{claim.attempt}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    claim_file = folder / "claim.json"
    claim_file.touch(mode=0o600)
    claim_file.write_text(claim.model_dump_json())
    # One short try each while the training runs: a hung API must not keep this side from fencing or cancelling it.
    writer = RunWriter(
        claim.run_id, claim.token, settings.url, timeout=max(0.5, TIMEOUT_SHARE * claim.lease_seconds), patience=0
    )
    watch = _Watch()
    with (folder / "log.txt").open("wb") as output:
        child = subprocess.Popen(
            [sys.executable, "-m", "worker.launch", str(folder), str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=_environment(settings, claim, gpu),
        )
        try:
            while _alive(child, settings.renew_seconds):
                _look(claim, folder, child, writer, watch, stopping)
        finally:
            _kill(child, signal.SIGKILL)
    writer.api.close()
    if watch.fenced:
        log.warning("run %s attempt %s is no longer ours", claim.run_id, claim.attempt)
    else:
        closing = RunWriter(claim.run_id, claim.token, settings.url, patience=claim.lease_seconds)
        _finish(child.returncode, folder, closing, watch)
        closing.api.close()
    shutil.rmtree(folder, ignore_errors=True)


def _environment(settings: Settings, claim: Claim, gpu: str | None) -> dict[str, str]:
    """The child's environment. A run over several GPUs sees all of them."""
    if gpu is not None and claim.config.engine.processes > 1:
        gpu = ",".join(visible_gpus())
    return {
        **training_environment(settings.threads, gpu),
        "DEPTHBOARD_HOME": str(settings.home),
        "DEPTHBOARD_API_URL": settings.url,
        "DEPTHBOARD_ATTEMPT": f"{claim.run_id}-{claim.attempt}",
        "PYTHONUNBUFFERED": "1",
    }


def _alive(child: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait up to `seconds` for the child's end."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(seconds)
    return child.poll() is None


def _look(
    claim: Claim,
    folder: Path,
    child: subprocess.Popen[bytes],
    writer: RunWriter,
    watch: _Watch,
    stopping: threading.Event,
) -> None:
    try:
        asked = time.monotonic()  # the lease runs from when the API heard us, at the earliest now
        answer = writer.renew(_progress(folder))
        watch.renewed = asked
        watch.cancelled |= answer.cancel_requested
        _send_log(folder, writer, watch)
    except StaleAttempt:
        watch.fenced = True
    except DepthboardError as error:
        log.warning("run %s: not renewed (%s)", claim.run_id, error)
        watch.fenced = time.monotonic() - watch.renewed > FENCE_SHARE * claim.lease_seconds
    if watch.fenced:
        _kill(child, signal.SIGKILL)
    elif watch.cancelled or stopping.is_set():
        _ask_to_stop(child, watch)


def _ask_to_stop(child: subprocess.Popen[bytes], watch: _Watch) -> None:
    if watch.asked_to_stop is None:
        watch.asked_to_stop = time.monotonic()
        _kill(child, signal.SIGTERM)
    elif time.monotonic() - watch.asked_to_stop > GRACE_SECONDS:
        _kill(child, signal.SIGKILL)


def _kill(child: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal the whole group: data loaders and other grandchildren go with the training."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, number)


def _progress(folder: Path) -> Progress | None:
    with contextlib.suppress(OSError, ValueError):
        return Progress.model_validate_json((folder / "progress.json").read_text())
    return None


def _send_log(folder: Path, writer: RunWriter, watch: _Watch) -> bool:
    """Send the next piece of the log; False when there is none."""
    with (folder / "log.txt").open("rb") as file:
        file.seek(watch.log_sent)
        data = file.read(LOG_PIECE)
    if len(data) < LOG_PIECE and (end := data.rfind(b"\n")) >= 0:
        data = data[: end + 1]  # whole lines, and so whole characters
    if data:
        writer.log(LogText(offset=watch.log_sent, text=data.decode("utf-8", "replace").replace("\x00", "\ufffd")))
        watch.log_sent += len(data)
    return bool(data)


def _finish(code: int, folder: Path, writer: RunWriter, watch: _Watch) -> None:
    try:
        with contextlib.suppress(Unavailable):
            writer.renew(_progress(folder))
        while _send_log(folder, writer, watch):
            pass
        if (finish := _outcome(code, folder, watch)) is not None:
            writer.finish(finish)
    except StaleAttempt:
        log.warning("%s: finished after its lease had ended; another attempt has the run", folder.name)
    except DepthboardError as error:
        log.error("%s: the end could not be recorded: %s", folder.name, error)


def _ended_early(folder: Path) -> int | None:
    """The step at which the budget's clock ended the run; None for a run that went through."""
    file = folder / "ended.json"
    return int(json.loads(file.read_text())["step"]) if file.is_file() else None


def _outcome(code: int, folder: Path, watch: _Watch) -> Finish | None:
    """How the attempt ended; None leaves it to the lease, so that a killed training is tried again."""
    if code == 0:
        return Finish(status=RunStatus.finished, exit_code=code, step=_ended_early(folder))
    if watch.cancelled:
        return Finish(status=RunStatus.cancelled, reason="cancelled by a person", exit_code=code)
    if watch.asked_to_stop is not None or code == EXIT_STOPPED:  # whoever sent the signal
        return Finish(status=RunStatus.queued, reason="the worker was shut down", exit_code=code)
    if code < 0:
        return None
    reason = "the training ended without a reason; its log may say more"
    with contextlib.suppress(OSError):
        reason = (folder / "reason.txt").read_text(errors="replace")[:10_000]
    return Finish(status=RunStatus.failed, reason=reason, exit_code=code)
