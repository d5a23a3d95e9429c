"""The history: what was acknowledged, one JSON line each, appended by any process of a test.

An entry is written after the answer arrived; `began` and `at` are CLOCK_MONOTONIC seconds, one clock for all processes of this machine. Kinds:
claimed, begun, points, evaluation, checkpoint, renewed, finished (acknowledged writes of an attempt), refused (409 stale), event (heard on the live stream).
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Entry = dict[str, Any]
WRITES = frozenset({"begun", "points", "evaluation", "checkpoint", "renewed", "finished"})


class History:
    """An append-only log that several processes may write at once: each entry is one write to a file opened with O_APPEND."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def add(self, kind: str, began: float | None = None, **what: Any) -> None:
        now = time.monotonic()
        entry = {"kind": kind, "began": now if began is None else began, "at": now, **what}
        line = json.dumps(entry).encode() + b"\n"
        if os.write(self._file, line) != len(line):
            raise OSError(f"the history {self.path} could not be written whole")

    def entries(self) -> list[Entry]:
        return list(read(self.path))

    def close(self) -> None:
        os.close(self._file)


def read(path: Path) -> Iterator[Entry]:
    """The entries in the order they were written. A last line that a kill cut short was never acknowledged to anyone."""
    for line in path.read_bytes().splitlines(keepends=True):
        if line.endswith(b"\n"):
            yield json.loads(line)


def value_of(run: int, attempt: int, steps: NDArray[np.int64]) -> NDArray[np.float64]:
    """What an actor logs at these steps: tells run, attempt and step apart, so that a point in a wrong place shows."""
    return (run * 1_000_003.0 + attempt * 10_007.0 + steps) / 1024.0
