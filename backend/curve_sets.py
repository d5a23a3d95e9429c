"""Curves of several runs as one answer: columns of JSON, or of little-endian float64.

The binary form: the four bytes `DBC1`; the length of the header, uint32; the header, JSON padded with spaces so that what
follows begins at a multiple of 8; then for every curve of the header, one after another, its `columns` one after another,
`n` float64 each. NaN and infinities stand as they are. The browser's Float64Array and NumPy's frombuffer read it in place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.answers import name_of
from backend.store import curves
from backend.store.columns import Columns
from backend.store.tables import Run

Axis = Literal["step", "epoch", "images_seen", "wall"]
BINARY = "application/vnd.depthboard.curves"
MAGIC = b"DBC1"
MANY = 500


@dataclass(frozen=True)
class Wanted:
    """Which keys (None: all), with which x columns, how many points of each at most, and after which step."""

    keys: list[str] | None
    axes: tuple[Axis, ...]
    most: int | None
    after: int


@dataclass(frozen=True)
class Drawn:
    """A curve, and what turns its steps into images and epochs."""

    run_id: int
    key: str
    columns: Columns
    batch_size: int
    train_size: int

    def axis(self, name: Axis) -> NDArray[Any]:
        match name:
            case "step":
                return self.columns.steps
            case "images_seen":
                return self.columns.steps * self.batch_size
            case "epoch":
                images = self.columns.steps * self.batch_size
                return images / self.train_size if self.train_size else np.zeros(len(images))
            case "wall":
                return self.columns.walls


def gather(session: Session, runs: list[int], wanted: Wanted) -> list[Drawn]:
    """The curves in the order of `runs`, then of their keys."""
    walls = "wall" in wanted.axes
    found = curves.read_many(session, runs, wanted.keys, wanted.after, wanted.most, walls=walls)
    sizes: dict[int, tuple[int, int]] = {}
    for start in range(0, len(runs), MANY):
        some = select(Run.id, Run.batch_size, Run.train_size).where(Run.id.in_(runs[start : start + MANY]))
        sizes |= {run_id: (batch, train) for run_id, batch, train in session.execute(some)}
    order = {run_id: i for i, run_id in reversed(list(enumerate(runs)))}
    return [
        Drawn(run_id, key, found[run_id, key], *sizes[run_id])
        for run_id, key in sorted(found, key=lambda place: (order[place[0]], place[1]))
        if run_id in sizes
    ]


def as_json(found: list[Drawn], axes: tuple[Axis, ...]) -> bytes:
    """CurveSet: what is not finite is null, and `nonfinite` says what it was."""
    shown = [
        {
            "run": curve.run_id,
            "key": curve.key,
            **{name: curve.axis(name) for name in axes},
            "value": curve.columns.values,
            "nonfinite": nonfinite(curve.columns.values),
        }
        for curve in found
    ]
    return orjson.dumps({"curves": shown}, option=orjson.OPT_SERIALIZE_NUMPY)


def nonfinite(values: NDArray[np.float64]) -> list[tuple[int, str]]:
    odd = np.flatnonzero(~np.isfinite(values))
    return [(int(i), name_of(float(values[i]))) for i in odd]


def as_binary(found: list[Drawn], axes: tuple[Axis, ...]) -> bytes:
    rows = [{"run": curve.run_id, "key": curve.key, "n": len(curve.columns)} for curve in found]
    header = orjson.dumps({"columns": [*axes, "value"], "curves": rows})
    header += b" " * (-(len(MAGIC) + 4 + len(header)) % 8)
    parts = [MAGIC, len(header).to_bytes(4, "little"), header]
    for curve in found:
        parts += [np.ascontiguousarray(curve.axis(name), "<f8").tobytes() for name in axes]
        parts.append(np.ascontiguousarray(curve.columns.values, "<f8").tobytes())
    return b"".join(parts)
