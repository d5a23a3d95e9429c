"""What is measured of each side. A side serves its record from a temporary folder and offers some pieces: a piece is a function that
measures one block and returns its number."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from pathlib import Path

Piece = Callable[[], float]


class NotThere(Exception):
    """A piece that this side cannot be asked for, with the reason."""


class Side:
    """`pieces` by the key of the row (bench.tracking.rows); `notes` say what a piece does where it is not the row's own title;
    `server_log` is where its servers write.
    """

    name: str
    pieces: Mapping[str, Piece]
    notes: Mapping[str, str]
    server_log: Path

    def last_words(self) -> str:
        """The last line of its servers' log."""
        lines = self.server_log.read_text(errors="replace").strip().splitlines() if self.server_log.is_file() else []
        return lines[-1] if lines else ""

    def stop(self) -> None:
        """End what was started for it."""
        raise NotImplementedError


def milliseconds(call: Callable[[], object], times: int = 5) -> float:
    """The median of several calls after one that warms up."""
    call()
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - began))
    return statistics.median(taken)


def rate(runs: int, keys: int, steps: int, seconds: float) -> float:
    """Points a second: every value of every key at every step is a point."""
    return runs * keys * steps / seconds
