"""The training child: `python -m worker.launch FOLDER PARENT_PID [RANK]`. It dies with its supervisor, stops cleanly on SIGTERM, and leaves its reason in a file when it fails."""

from __future__ import annotations

import contextlib
import signal
import sys
import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from depthboard.errors import DepthboardError
from depthboard.process import die_with_parent
from depthboard.protocol import Claim
from worker.supervise import EXIT_STOPPED


def main(folder: Path, parent: int, rank: int = 0) -> int:
    die_with_parent(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    return lead(folder) if rank == 0 else follow(folder, rank)


def follow(folder: Path, rank: int) -> int:
    """Another process of a run over several: the first one hears of signals and tells it when to end."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    return _told(folder, lambda: _follow(folder, rank))


def _follow(folder: Path, rank: int) -> int:
    from worker.attempt import join_attempt

    join_attempt(Claim.model_validate_json((folder / "claim.json").read_text()), folder, rank)
    return 0


def lead(folder: Path) -> int:
    """Train the claim in the folder; what ended it is the exit code and, if it failed, a sentence in reason.txt."""
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    return _told(folder, lambda: _lead(folder, stop))


def _lead(folder: Path, stop: threading.Event) -> int:
    from worker.attempt import run_attempt  # torch is heavy: signals are in place before it loads

    claim = Claim.model_validate_json((folder / "claim.json").read_text())
    return 0 if run_attempt(claim, folder, stop) else EXIT_STOPPED


def _told(folder: Path, train: Callable[[], int]) -> int:
    """The last line of defence: whatever ends a training is told to the researcher."""
    try:
        return train()
    except Exception as error:
        traceback.print_exc()
        with contextlib.suppress(FileExistsError), (folder / "reason.txt").open("x") as file:
            file.write(reason_of(error))  # of several processes the first to fail knows why
        return 1


def reason_of(error: Exception) -> str:
    """One sentence for the researcher."""
    if isinstance(error, DepthboardError):
        return str(error)
    return f"{type(error).__name__}: {error}. The log has the details."


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *map(int, sys.argv[2:])))
