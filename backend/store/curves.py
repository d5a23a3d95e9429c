"""Curves: what attempts logged. A batch is kept as a chunk when it comes (ingest); later chunks become one row a curve (compaction).

Readers get both together, without what older attempts logged at or after the step from which a later one went on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import and_, null, select
from sqlalchemy.orm import Session

from backend.store.columns import (
    Columns,
    join,
    thin,
    unpack_blocks,
    unpack_columns,
    unpack_steps,
    unpack_values,
    unpack_walls,
)
from backend.store.tables import Attempt, Axis, Chunk, Curve, Run
from backend.store.tables import Sequence as Numbered

SUMMARY_POINTS = 4000
"""Points of a long curve's summary: whoever asks for at most so many gets them without the curve being read."""
MANY = 500
ARRIVAL = (Chunk.arrival, Chunk.writer, Chunk.first_seq)
"""The order of an attempt's chunks: of two values at one step the one that came later counts, whoever wrote it."""

Place = tuple[int, int, str, int]
"""Run, attempt, key and axis of a compacted curve."""

Pieces = dict[tuple[int, str], list[Columns]]


def read(session: Session, run_id: int, keys: Sequence[str] | None = None, after_step: int = -1) -> dict[str, Columns]:
    """The run's curves by key (all keys for None), steps above `after_step`: of every step the newest attempt's value."""
    found = read_many(session, [run_id], keys, after_step)
    return {key: columns for (_, key), columns in found.items()}


def read_many(
    session: Session,
    run_ids: Sequence[int],
    keys: Sequence[str] | None = None,
    after_step: int = -1,
    most: int | None = None,
    *,
    walls: bool = True,
    until: int | None = None,
) -> dict[tuple[int, str], Columns]:
    """(run, key) -> its curve, as `read`, up to the step `until`; of at most about `most` points where that is given.

    Without `walls` wall times are not unpacked: they may be NaN.
    """
    found: dict[tuple[int, str], Columns] = {}
    for start in range(0, len(run_ids), MANY):
        some = run_ids[start : start + MANY]
        pieces: Pieces = defaultdict(list)
        cuts = cuts_of(session, some)
        # A summary is of the whole curve: a stretch of it is read in full.
        _add_curves(session, pieces, some, keys, after_step, most if until is None else None, cuts, walls)
        _add_chunks(session, pieces, some, keys, after_step, cuts)
        for place, columns in pieces.items():
            whole = _between(join(columns), -1, None if until is None else until + 1)
            if len(whole):
                found[place] = whole if most is None else thin(whole, most)
    return dict(sorted(found.items()))


def lengths(session: Session, run_ids: Sequence[int], key: str) -> dict[int, int]:
    """Run -> how many points its curve has, without the curve being read; of an attempt that was cut a step counts as one."""
    found: dict[int, int] = defaultdict(int)
    for start in range(0, len(run_ids), MANY):
        some = run_ids[start : start + MANY]
        cuts = cuts_of(session, some)
        held = select(Curve.run_id, Curve.attempt, Curve.n, Curve.first_step, Curve.last_step)
        for run_id, attempt, n, first, last in session.execute(held.where(Curve.run_id.in_(some), Curve.key == key)):
            cut = cuts.get((run_id, attempt), last + 1)
            found[run_id] += n if cut > last else max(0, min(n, cut - first))
        chunks: Pieces = defaultdict(list)
        _add_chunks(session, chunks, some, [key], -1, cuts)
        for (run_id, _), pieces in chunks.items():
            found[run_id] += sum(map(len, pieces))
    return dict(found)


def cuts_of(session: Session, run_ids: Sequence[int]) -> dict[tuple[int, int], int]:
    """(run, attempt) -> the first step of it that no longer counts, for attempts that a later one cut; 0 when that began
    from scratch.
    """
    rows = session.execute(
        select(Attempt.run_id, Attempt.attempt, Attempt.resumed_from)
        .join(Run, Run.id == Attempt.run_id)
        .where(Attempt.run_id.in_(run_ids), Run.attempt > 1)
        .order_by(Attempt.run_id, Attempt.attempt.desc())
    ).all()
    cuts: dict[tuple[int, int], int] = {}
    lowest: dict[int, int] = {}
    for run_id, attempt, resumed_from in rows:
        if run_id in lowest:
            cuts[run_id, attempt] = lowest[run_id]
        lowest[run_id] = min(lowest.get(run_id, resumed_from or 0), resumed_from or 0)
    return cuts


def counts(session: Session, run_id: int, after: int = -1) -> dict[str, int]:
    """Key -> how many values were logged at steps above `after` and count: what a thinned curve stands for."""
    cuts, found = cuts_of(session, [run_id]), dict[str, int]()
    cut_off: list[tuple[str, Place]] = []
    columns = (Curve.key, Curve.attempt, Curve.axis, Curve.n, Curve.first_step, Curve.last_step)
    for key, attempt, axis, n, first, last in session.execute(select(*columns).where(Curve.run_id == run_id)):
        cut = cuts.get((run_id, attempt))
        if first > after and (cut is None or last < cut):
            found[key] = found.get(key, 0) + n
        else:
            cut_off.append((key, (run_id, attempt, key, axis)))
    axes = _axes(session, {(run_id, attempt, axis) for _, (_, attempt, _, axis) in cut_off}, False) if cut_off else {}
    steps = [(key, place[1], axes[run_id, place[1], place[3]][0]) for key, place in cut_off]
    for attempt, body in session.execute(select(Chunk.attempt, Chunk.body).where(Chunk.run_id == run_id)):
        steps += [(key, attempt, block.steps) for block in unpack_blocks(body) for key in block.keys]
    for key, attempt, of_piece in steps:
        below = cuts.get((run_id, attempt))
        kept = (of_piece > after) & (of_piece < below if below is not None else True)
        found[key] = found.get(key, 0) + int(np.count_nonzero(kept))
    return found


def newest(session: Session, run_id: int, keys: Sequence[str]) -> dict[str, tuple[float | None, int]]:
    """Key -> its value at its highest step, and that step, of what counts."""
    found = read(session, run_id, keys) if keys else {}
    return {key: (float(columns.values[-1]), int(columns.steps[-1])) for key, columns in found.items()}


def _add_curves(
    session: Session,
    pieces: Pieces,
    run_ids: Sequence[int],
    keys: Sequence[str] | None,
    after: int,
    most: int | None,
    cuts: dict[tuple[int, int], int],
    walls: bool,
) -> None:
    summed = most is not None and most <= SUMMARY_POINTS and after < 0
    query = select(Curve.run_id, Curve.key, Curve.attempt, Curve.axis, Curve.last_step, Curve.summary.is_not(None))
    query = query.where(Curve.run_id.in_(run_ids), Curve.last_step > after).order_by(Curve.run_id, Curve.attempt)
    if keys is not None:
        query = query.where(Curve.key.in_(keys))
    short: list[Place] = []
    long: list[Place] = []
    for run_id, key, attempt, axis, last_step, has_summary in session.execute(query):
        cut = cuts.get((run_id, attempt))
        whole = cut is None or last_step < cut
        (long if summed and has_summary and whole else short).append((run_id, attempt, key, axis))
    found = _summaries(session, long) | _whole(session, short, walls)
    for (run_id, attempt, key, _), columns in sorted(found.items(), key=lambda item: item[0]):
        pieces[run_id, key].append(_between(columns, after, cuts.get((run_id, attempt))))


def _summaries(session: Session, places: list[Place]) -> dict[Place, Columns]:
    if not places:
        return {}
    query = select(Curve.run_id, Curve.attempt, Curve.key, Curve.axis, Curve.summary).where(*_among(places))
    wanted = set(places)
    rows = [(tuple(place), summary) for *place, summary in session.execute(query)]
    return {place: unpack_columns(summary) for place, summary in rows if place in wanted and summary is not None}


def _whole(session: Session, places: list[Place], with_walls: bool) -> dict[Place, Columns]:
    if not places:
        return {}
    wanted = set(places)
    axes = _axes(session, {(run_id, attempt, axis) for run_id, attempt, _, axis in places}, with_walls)
    found = {}
    query = select(Curve.run_id, Curve.attempt, Curve.key, Curve.axis, Curve.values).where(*_among(places))
    for run_id, attempt, key, axis, values in session.execute(query):
        if (run_id, attempt, key, axis) in wanted:
            found[run_id, attempt, key, axis] = Columns(*axes[run_id, attempt, axis], unpack_values(values))
    return found


def _axes(
    session: Session, used: set[tuple[int, int, int]], with_walls: bool
) -> dict[tuple[int, int, int], tuple[Any, Any]]:
    """Steps and wall times; the same steps, which most runs of an experiment have, are unpacked once."""
    walls = Axis.walls if with_walls else null()
    query = select(Axis.run_id, Axis.attempt, Axis.number, Axis.steps, walls)
    unpacked: dict[bytes, Any] = {}
    axes: dict[tuple[int, int, int], tuple[Any, Any]] = {}
    for run_id, attempt, number, steps, packed in session.execute(query.where(Axis.run_id.in_({u[0] for u in used}))):
        if (run_id, attempt, number) in used:
            if steps not in unpacked:
                unpacked[steps] = unpack_steps(steps)
            times = np.full(len(unpacked[steps]), np.nan) if packed is None else unpack_walls(packed)
            axes[run_id, attempt, number] = (unpacked[steps], times)
    return axes


def state(session: Session, run_ids: Sequence[int]) -> tuple[object, ...]:
    """What the curves of these runs follow from, in short: equal means the same curves."""
    parts: list[object] = []
    for start in range(0, len(run_ids), MANY):
        some = run_ids[start : start + MANY]
        for query in (
            select(Run.id, Run.batch_size, Run.train_size, Run.attempt).where(Run.id.in_(some)).order_by(Run.id),
            select(Attempt.run_id, Attempt.attempt, Attempt.resumed_from)
            .where(Attempt.run_id.in_(some))
            .order_by(Attempt.run_id, Attempt.attempt),
            select(Numbered.run_id, Numbered.attempt, Numbered.writer, Numbered.last_seq)
            .where(Numbered.run_id.in_(some))
            .order_by(Numbered.run_id, Numbered.attempt, Numbered.writer),
        ):
            parts.append([tuple(row) for row in session.execute(query)])
    return tuple(parts)


def _among(places: Iterable[Place]) -> tuple[Any, Any]:
    """Of these runs and keys; a few curves too many where the keys of the runs differ."""
    runs, keys = {p[0] for p in places}, {p[2] for p in places}
    return Curve.run_id.in_(runs), Curve.key.in_(keys) if len(keys) <= MANY else and_(True)


def _add_chunks(
    session: Session,
    pieces: Pieces,
    run_ids: Sequence[int],
    keys: Sequence[str] | None,
    after: int,
    cuts: dict[tuple[int, int], int],
) -> None:
    query = (
        select(Chunk.run_id, Chunk.attempt, Chunk.body)
        .where(Chunk.run_id.in_(run_ids), Chunk.last_step > after)
        .order_by(Chunk.run_id, Chunk.attempt, *ARRIVAL)
    )
    wanted = None if keys is None else set(keys)
    for run_id, attempt, body in session.execute(query):
        for key, piece in of_chunk(body, wanted):
            pieces[run_id, key].append(_between(piece, after, cuts.get((run_id, attempt))))


def of_chunk(body: bytes, wanted: set[str] | None = None) -> list[tuple[str, Columns]]:
    """(key, its values in the order in which they were logged) for the keys of a chunk; of `wanted` alone where given."""
    several: dict[str, list[tuple[Any, Columns]]] = defaultdict(list)
    for block in unpack_blocks(body):
        for i, key in enumerate(block.keys):
            if wanted is None or key in wanted:
                several[key].append((block.rows, Columns(block.steps, block.walls, block.values[:, i])))
    return [(key, _in_order(found)) for key, found in several.items()]


def _in_order(found: list[tuple[Any, Columns]]) -> Columns:
    if len(found) == 1:
        return found[0][1]
    order = np.argsort(np.concatenate([rows for rows, _ in found]), kind="stable")
    parts = [columns for _, columns in found]
    return Columns(
        np.concatenate([p.steps for p in parts])[order],
        np.concatenate([p.walls for p in parts])[order],
        np.concatenate([p.values for p in parts])[order],
    )


def _between(piece: Columns, after: int, cut: int | None) -> Columns:
    """Steps above `after` and below `cut`."""
    if after < 0 and cut is None:
        return piece
    keep = piece.steps > after
    if cut is not None:
        keep &= piece.steps < cut
    return piece.at(keep)
