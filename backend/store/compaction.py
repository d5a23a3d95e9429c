"""Compaction: the chunks of a run become one row a curve, so that reading one costs no more than it must.

The work is done on what was read before; the transaction that writes checks that nobody else did it meanwhile.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from backend.store.columns import (
    Columns,
    join,
    pack_columns,
    pack_steps,
    pack_values,
    pack_walls,
    thin,
    unpack_steps,
    unpack_values,
    unpack_walls,
)
from backend.store.curves import ARRIVAL, SUMMARY_POINTS, of_chunk
from backend.store.session import Database
from backend.store.tables import Axis, Chunk, Curve, Run
from depthboard.status import RunStatus

LONG = 4 * SUMMARY_POINTS
"""Curves of more points get a summary."""
MANY_CHUNKS = 256
"""Chunks of a running attempt that are worth compacting, if they are a quarter of what is compacted already."""


def due(session: Session) -> list[int]:
    """Runs whose chunks shall be compacted: all that have ended, and running ones with many."""
    query = (
        select(Chunk.run_id, Run.status, func.count(), func.sum(Chunk.n))
        .join(Run, Run.id == Chunk.run_id)
        .group_by(Chunk.run_id, Run.status)
        .order_by(Chunk.run_id)
    )
    return [
        run_id
        for run_id, status, chunks, rows in session.execute(query)
        if status not in (RunStatus.running, RunStatus.queued)
        or (chunks >= MANY_CHUNKS and 4 * int(rows) >= _compacted(session, run_id))
    ]


def _compacted(session: Session, run_id: int) -> int:
    return int(session.scalar(select(func.sum(Axis.n)).where(Axis.run_id == run_id)) or 0)


def compact(database: Database, run_id: int) -> bool:
    """Compact what the run has now; False when there was nothing, or somebody else did it at the same moment."""
    with database.read() as session:
        attempts = sorted(set(session.scalars(select(Chunk.attempt).where(Chunk.run_id == run_id))))
    done = [_compact_attempt(database, run_id, attempt) for attempt in attempts]
    return any(done)


def _compact_attempt(database: Database, run_id: int, attempt: int) -> bool:
    with database.snapshot() as session:  # of one moment: else it might miss what another process compacts meanwhile
        held, curves = _read(session, run_id, attempt)
    rows, axes = _rows(run_id, attempt, curves)
    with database.write() as session:
        if session.get(Run, run_id, with_for_update=True) is None or not _take(session, run_id, attempt, held):
            session.rollback()
            return False
        for table in (Curve, Axis):
            session.execute(delete(table).where(table.run_id == run_id, table.attempt == attempt))
        session.execute(insert(Axis), axes)
        session.execute(insert(Curve), rows)
    return True


def _read(session: Session, run_id: int, attempt: int) -> tuple[dict[str, tuple[int, int]], dict[str, Columns]]:
    """Writer -> (number of its chunks, last first_seq), and key -> everything logged under it, by step."""
    pieces: dict[str, list[Columns]] = defaultdict(list)
    axes = {
        number: (unpack_steps(steps), unpack_walls(walls))
        for number, steps, walls in session.execute(
            select(Axis.number, Axis.steps, Axis.walls).where(Axis.run_id == run_id, Axis.attempt == attempt)
        )
    }
    for key, axis, values in session.execute(
        select(Curve.key, Curve.axis, Curve.values).where(Curve.run_id == run_id, Curve.attempt == attempt)
    ):
        pieces[key].append(Columns(*axes[axis], unpack_values(values)))
    held: dict[str, tuple[int, int]] = {}
    query = select(Chunk.writer, Chunk.first_seq, Chunk.body).where(Chunk.run_id == run_id, Chunk.attempt == attempt)
    for writer, first_seq, body in session.execute(query.order_by(*ARRIVAL)):
        held[writer] = (held.get(writer, (0, 0))[0] + 1, first_seq)
        for key, piece in of_chunk(body):
            pieces[key].append(piece)
    return held, {key: _by_step(found) for key, found in pieces.items()}


def _by_step(pieces: list[Columns]) -> Columns:
    """Nothing is dropped: of values at the same step the last one written stands last."""
    steps = np.concatenate([p.steps for p in pieces])
    order = np.argsort(steps, kind="stable")
    walls, values = np.concatenate([p.walls for p in pieces]), np.concatenate([p.values for p in pieces])
    return Columns(steps[order], walls[order], values[order])


def _take(session: Session, run_id: int, attempt: int, held: dict[str, tuple[int, int]]) -> bool:
    """Remove the chunks that were read; False unless exactly these were there."""
    of_attempt = (Chunk.run_id == run_id, Chunk.attempt == attempt)
    for writer, (count, last) in held.items():
        read = (*of_attempt, Chunk.writer == writer, Chunk.first_seq <= last)
        if session.scalar(select(func.count()).select_from(Chunk).where(*read)) != count:
            return False
        session.execute(delete(Chunk).where(*read))
    return bool(held)


def _rows(
    run_id: int, attempt: int, curves: dict[str, Columns]
) -> tuple[list[dict[str, object]], list[dict[str, object]]]:
    """The rows of curves and of the axes they share."""
    numbers: dict[tuple[bytes, bytes], int] = {}
    of_run: dict[str, object] = {"run_id": run_id, "attempt": attempt}
    rows, axes = [], []
    for key, columns in sorted(curves.items()):
        exact = (columns.steps.tobytes(), columns.walls.tobytes())
        if exact not in numbers:
            numbers[exact] = len(numbers)
            packed = {"steps": pack_steps(columns.steps), "walls": pack_walls(columns.walls)}
            axes.append({**of_run, "number": numbers[exact], "n": len(columns), **packed})
        rows.append({**of_run, "key": key, "axis": numbers[exact], **_curve(columns)})
    return rows, axes


def _curve(columns: Columns) -> dict[str, object]:
    return {
        "n": len(columns),
        "first_step": int(columns.steps[0]),
        "last_step": int(columns.steps[-1]),
        "values": pack_values(columns.values),
        "summary": pack_columns(thin(join([columns]), SUMMARY_POINTS)) if len(columns) > LONG else None,
    }
