"""The training child: `python -m worker.launch FOLDER PARENT_PID`. It dies with its supervisor, stops cleanly on SIGTERM, and leaves its reason in a file when it fails."""

from __future__ import annotations

import signal
import sys
import threading
import traceback
from pathlib import Path
from types import FrameType

from depthboard.errors import DepthboardError
from depthboard.process import die_with_parent
from depthboard.protocol import Claim
from worker.supervise import EXIT_STOPPED


def main(folder: Path, parent: int) -> int:
    die_with_parent(parent)
    stop = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        from worker.attempt import run_attempt  # torch is heavy: signals are in place before it loads

        claim = Claim.model_validate_json((folder / "claim.json").read_text())
        done = run_attempt(claim, folder, stop)
    except Exception as error:  # the last line of defence: whatever ends a training is told to the researcher
        traceback.print_exc()
        (folder / "reason.txt").write_text(reason_of(error))
        return 1
    return 0 if done else EXIT_STOPPED


def reason_of(error: Exception) -> str:
    """One sentence for the researcher."""
    if isinstance(error, DepthboardError):
        return str(error)
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return f"out of memory: lower budget.batch_size or the input size. {str(error).partition(chr(10))[0][:300]}".strip()
    return f"{type(error).__name__}: {error}. The log has the details."


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
