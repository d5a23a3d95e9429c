"""The rows of the table: what is measured, and what it must reach."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """`most`: the limit in the row's own unit (less is better). `times`: how many times better than a peer it must be."""

    key: str
    title: str
    unit: str
    more_is_better: bool = False
    most: float | None = None
    times: Mapping[str, float] = field(default_factory=dict)


RATE = "points/s"

ROWS = (
    Row("log-1", "log(), 1 client", RATE, True, times={"trackio": 2}),
    Row("log-4", "log(), 4 clients", RATE, True),
    Row("post-1", "log() to a server, 1 client", RATE, True),
    Row("post-4", "log() to a server, 4 clients", RATE, True),
    Row("bulk-1", "bulk endpoint, 1 client", RATE, True, times={"trackio": 2, "mlflow": 80}),
    Row("bulk-4", "bulk endpoint, 4 clients", RATE, True, times={"trackio": 2, "mlflow": 80}),
    Row("disk", "on disk after compaction", "bytes/point", most=12),
    Row("file", "the database's file, free pages too", "bytes/point"),
    Row("curves", "50 curves × 1,000, warm", "ms", most=25),
    Row("figure", "the same as a finished figure", "ms", most=80),
    Row("long", "8 curves × 100,000, min and max kept", "ms", most=60),
    Row("page", "page of 50 of 10,000 runs", "ms", most=10),
    Row("live", "log() returned → visible", "ms", most=20),
    Row("pictures", "160 depth samples of 20 runs", "ms", most=150),
    Row("start", "start to first answer", "s", most=1),
    Row("memory", "memory idle", "MB", most=120),
)
