"""The wish that a training stops."""

from __future__ import annotations

import os
import threading

EXIT_STOPPED = 75
EXIT_LATER = 69
"""The store of checkpoints was out of reach: nothing was trained, and another time it may be."""
EXIT_AGAIN = 73
"""What may go well from the last checkpoint on: this one could not be written, or the record went back behind what it had acknowledged."""


class Interrupted(Exception):
    """The wish came in the middle of an evaluation."""


class Stop(threading.Event):
    """Until the attempt has made a step of its own nothing is lost by ending at once; from then on the training looks here between batches."""

    def __init__(self) -> None:
        super().__init__()
        self.moved = False

    def ask(self) -> None:
        """In the thread that trains: as a handler of signals."""
        self.set()
        if not self.moved:
            os._exit(EXIT_STOPPED)

    def check(self) -> None:
        """Raises Interrupted when the wish is there."""
        if self.is_set():
            raise Interrupted
