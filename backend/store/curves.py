"""Curves: every logged step of every key, kept as compressed columns, one row a key and accepted batch."""

from __future__ import annotations

import math
import zlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.store import outbox
from backend.store.lease import check_step, cuts_of, owned, rewind
from backend.store.tables import Attempt, Curve, Run
from depthboard.protocol import Point, Points

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LOSS_PREFIX = "train/loss"


@dataclass(frozen=True)
class Columns:
    """One curve: steps rising, wall time in seconds since the epoch, values with NaN and infinities."""

    steps: Ints
    walls: Floats
    values: Floats


def append(session: Session, run_id: int, token: str, batch: Points) -> int:
    """Keep the points that are new; returns the highest sequence number held. Raises StaleAttempt.

    A batch sent again adds nothing. One that would leave a gap is not kept: the answer says where to begin.
    """
    run = owned(session, run_id, token)
    attempt = session.get_one(Attempt, (run.id, run.attempt))
    known = attempt.last_seq + 1 - batch.first_seq
    if known < 0 or known >= len(batch.points):
        return attempt.last_seq
    points = batch.points[known:]
    check_step(run, max(point.step for point in points))
    rewind(session, run, min(point.step for point in points))
    first_seq = attempt.last_seq + 1
    session.execute(insert(Curve), [_row(run, first_seq, key, found) for key, found in _by_key(points).items()])
    attempt.last_seq += len(points)
    run.step = min(max(run.step, points[-1].step), run.steps)
    if run.diverged_at is None:
        run.diverged_at = _first_not_finite(points)
    outbox.add(session, "points", run_id=run.id, step=run.step, images_per_second=run.images_per_second)
    return attempt.last_seq


def _by_key(points: Sequence[Point]) -> dict[str, list[tuple[int, float, float]]]:
    by_key: dict[str, list[tuple[int, float, float]]] = defaultdict(list)
    for point in points:
        for key, value in point.values.items():
            by_key[key].append((point.step, point.wall, value))
    return by_key


def _row(run: Run, first_seq: int, key: str, found: list[tuple[int, float, float]]) -> dict[str, object]:
    steps, walls, values = zip(*found, strict=True)
    return {
        "run_id": run.id,
        "attempt": run.attempt,
        "first_seq": first_seq,
        "key": key,
        "n": len(found),
        "first_step": min(steps),
        "last_step": max(steps),
        "steps": _pack(np.array(steps, dtype="<i8")),
        "walls": _pack(np.array(walls, dtype="<f8")),
        "values": _pack(np.array(values, dtype="<f8")),
    }


def _pack(column: NDArray[np.generic]) -> bytes:
    return zlib.compress(column.tobytes(), 6)


def _first_not_finite(points: Sequence[Point]) -> int | None:
    for point in points:
        if any(not math.isfinite(v) for key, v in point.values.items() if key.startswith(LOSS_PREFIX)):
            return point.step
    return None


def read(session: Session, run_id: int, keys: Sequence[str] | None = None, after_step: int = -1) -> dict[str, Columns]:
    """The run's curves by key (all keys for None), steps above `after_step`: of every step the newest attempt's value.

    What an older attempt logged beyond the checkpoint that the next one went on from is left out.
    """
    query = (
        select(Curve.key, Curve.attempt, Curve.steps, Curve.walls, Curve.values)
        .where(Curve.run_id == run_id, Curve.last_step > after_step)
        .order_by(Curve.key, Curve.attempt, Curve.first_seq)
    )
    if keys is not None:
        query = query.where(Curve.key.in_(keys))
    cuts = cuts_of(session, run_id)
    pieces: dict[str, list[Columns]] = defaultdict(list)
    for key, attempt, steps, walls, values in session.execute(query):
        piece = Columns(_ints(steps), _floats(walls), _floats(values))
        pieces[key].append(_between(piece, after_step, cuts.get(attempt)))
    joined = {key: _join(found) for key, found in pieces.items()}
    return {key: columns for key, columns in joined.items() if len(columns.steps)}


def _ints(packed: bytes) -> Ints:
    return np.frombuffer(zlib.decompress(packed), dtype="<i8").astype(np.int64, copy=False)


def _floats(packed: bytes) -> Floats:
    return np.frombuffer(zlib.decompress(packed), dtype="<f8").astype(np.float64, copy=False)


def _between(piece: Columns, after: int, upto: int | None) -> Columns:
    keep = piece.steps > after
    if upto is not None:
        keep &= piece.steps <= upto
    return Columns(piece.steps[keep], piece.walls[keep], piece.values[keep])


def _join(pieces: list[Columns]) -> Columns:
    """In order of steps; of values at the same step the last one written."""
    steps = np.concatenate([p.steps for p in pieces])
    walls = np.concatenate([p.walls for p in pieces])
    values = np.concatenate([p.values for p in pieces])
    # The first occurrence in the reversed array is the last one written.
    unique, first = np.unique(steps[::-1], return_index=True)
    last = len(steps) - 1 - first
    return Columns(unique, walls[last], values[last])


def thin(columns: Columns, most: int) -> Columns:
    """At most `most` points (and the two ends): of every stretch the smallest and the largest value, and whatever is
    not finite.

    What is seen of a curve at that width stays: no peak is lost. Up to `most` further points that are not finite are
    kept.
    """
    n = len(columns.steps)
    if n <= most:
        return columns
    buckets = max(1, (most - 2) // 2)
    edges = np.linspace(0, n, buckets + 1).round().astype(np.int64)[:-1]
    finite = np.isfinite(columns.values)
    low = np.where(finite, columns.values, np.inf)
    high = np.where(finite, columns.values, -np.inf)
    ends = np.append(edges[1:], n)
    kept = [np.array([0, n - 1]), np.flatnonzero(~finite)[:most]]
    for start, end in zip(edges, ends, strict=True):
        kept.append(np.array([start + low[start:end].argmin(), start + high[start:end].argmax()]))
    index = np.unique(np.concatenate(kept))
    return Columns(columns.steps[index], columns.walls[index], columns.values[index])
