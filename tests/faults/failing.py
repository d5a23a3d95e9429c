"""The API, made to fail at a point: `python -m tests.faults.failing wake`, `threads` or `line:SEED`.

wake: by SIGKILL instead of sending a wake-up, so after the commit of what it was for. line: at a random line of the code that answers requests.
threads: no new thread as long as there is a file NO_THREADS in its home, since the limit of processes does not bind root.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import threading
from pathlib import Path
from types import FrameType
from typing import Any

from backend import serve

CODE = ("/backend/store/", "/backend/routes/", "/backend/deps.py", "/backend/sweeper.py", "/backend/events.py")


NO_THREADS = "no-threads"


def without_threads() -> None:
    start, mark = threading.Thread.start, Path(os.environ["DEPTHBOARD_HOME"]) / NO_THREADS

    def start_unless(thread: threading.Thread) -> None:
        if mark.exists():
            raise RuntimeError("can't start new thread")
        start(thread)

    threading.Thread.start = start_unless  # type: ignore[method-assign]


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Countdown:
    """A trace function that dies at the nth line of the API's own code, whichever thread runs it."""

    def __init__(self, lines: int) -> None:
        self.left = lines

    def __call__(self, frame: FrameType, event: str, _argument: Any) -> Any:
        if event == "call":
            return self if any(part in frame.f_code.co_filename for part in CODE) else None
        if event == "line":
            self.left -= 1
            if self.left <= 0:
                print(f"dies at {frame.f_code.co_filename}:{frame.f_lineno}", flush=True)
                die()
        return self


def main(how: str) -> None:
    if how == "wake":
        serve.wake = die  # type: ignore[assignment]
    elif how == "threads":
        without_threads()
    else:
        lines = random.Random(how).randrange(500, 12_000)
        threading.settrace(Countdown(lines))
    sys.argv[1:] = []
    serve.main()


if __name__ == "__main__":
    main(sys.argv[1])
