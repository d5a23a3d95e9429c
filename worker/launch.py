"""The training: `python -m worker.launch FOLDER PARENT_PID [RANK]`. It has a guard that outlives it (worker.guard), stops cleanly on SIGTERM, and leaves its reason in a file when it fails."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from depthboard.errors import DepthboardError, Misconfigured, SequenceGap
from depthboard.process import die_with_parent
from worker.guard import guarded
from worker.orphans import Mark
from worker.stop import EXIT_AGAIN, EXIT_LATER, EXIT_STOPPED, Stop

if TYPE_CHECKING:
    from depthboard.protocol import Claim

# What the guard needs is light; the rest is loaded after it was parted from the training.


def main(folder: Path, parent: int, rank: int = 0) -> int:
    if rank > 0:
        die_with_parent(parent)
        return follow(folder, rank)
    mark = Mark.read(folder.name)
    if mark is None:
        raise Misconfigured(f"{folder} is no folder of an attempt.")
    stop = Stop()
    return guarded(parent, mark, folder / "log.txt", stop.ask, lambda: lead(folder, stop))


def follow(folder: Path, rank: int) -> int:
    """Another process of a run over several: the first one hears of signals and tells it when to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return _told(folder, lambda: _follow(folder, rank))


def _follow(folder: Path, rank: int) -> NoReturn:
    from worker.attempt import join_attempt

    join_attempt(_claim(folder), folder, rank)
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(
        0
    )  # it records nothing, and gloo's threads may abort a process that ends slowly: that would count as killed


def lead(folder: Path, stop: Stop) -> int:
    """Train the claim in the folder; what ended it is the exit code and, if it failed, a sentence in reason.txt."""
    return _told(folder, lambda: _lead(folder, stop))


def _lead(folder: Path, stop: Stop) -> int:
    from worker.attempt import run_attempt

    return 0 if run_attempt(_claim(folder), folder, stop) else EXIT_STOPPED


def _claim(folder: Path) -> Claim:
    from depthboard.protocol import Claim

    return Claim.model_validate_json((folder / "claim.json").read_text())


def _told(folder: Path, train: Callable[[], int]) -> int:
    """The last line of defence: whatever ends a training is told to the researcher."""
    try:
        return train()
    except Exception as error:
        traceback.print_exc()
        with contextlib.suppress(OSError), (folder / "reason.txt").open("x") as file:
            file.write(reason_of(error))  # of several processes the first to fail knows why
        from worker.artifacts import OutOfReach
        from worker.checkpoint import Unwritten

        if isinstance(error, Unwritten | SequenceGap):
            return EXIT_AGAIN
        return EXIT_LATER if isinstance(error, OutOfReach) else 1


def reason_of(error: Exception) -> str:
    """One sentence for the researcher."""
    if isinstance(error, SequenceGap):
        return f"the record holds less than it had acknowledged, as after a restored backup ({error.message})"
    if isinstance(error, DepthboardError):
        return str(error)
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return f"out of memory: the host gave the training no more ({error}). Take a smaller budget.batch_size, or fewer slots on this host."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"the disk is full ({error}). Make room, and retry the run: it goes on from its last checkpoint."
    return f"{type(error).__name__}: {error}. The log has the details."


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *map(int, sys.argv[2:])))
