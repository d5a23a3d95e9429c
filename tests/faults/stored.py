"""What a database holds, as plain values for the checker: the only part of the fault tests that knows the tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, create_engine, inspect, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from backend.store import curves
from backend.store.columns import unpack_steps, unpack_values
from backend.store.tables import Attempt, Axis, Chunk, Curve, Evaluation, Experiment, Run


@dataclass(frozen=True)
class Piece:
    """Points of one key that one attempt wrote, in the order they came."""

    attempt: int
    key: str
    steps: NDArray[np.int64]
    values: NDArray[np.float64]


@dataclass(frozen=True)
class StoredAttempt:
    """`first`: the first step that this attempt logs; 1 when it began from scratch."""

    number: int
    first: int
    ended: bool
    outcome: str | None


@dataclass
class StoredRun:
    id: int
    status: str
    attempt: int
    steps: int
    attempts: list[StoredAttempt] = field(default_factory=list)
    pieces: list[Piece] = field(default_factory=list)
    shown: dict[str, tuple[NDArray[np.int64], NDArray[np.float64]]] = field(default_factory=dict)
    evaluations: list[tuple[int, int, str, str, bool]] = field(default_factory=list)
    """(attempt, step, split, predictor, superseded)"""


@dataclass
class Stored:
    runs: dict[int, StoredRun] = field(default_factory=dict)
    unsound: list[str] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    """experiment -> the number of its last event"""


def read(url: str) -> Stored:
    """Everything the checker wants of the database at `url`; no API process needs to run."""
    engine = create_engine(url)
    try:
        with Session(engine) as session:
            stored = Stored(unsound=_unsound(session.connection()))
            for run in session.scalars(select(Run).order_by(Run.id)):
                stored.runs[run.id] = _run(session, run)
            versions = session.execute(select(Experiment.id, Experiment.version))
            stored.versions = {str(id): version for id, version in versions}
            return stored
    finally:
        engine.dispose()


def _run(session: Session, run: Run) -> StoredRun:
    attempts = session.scalars(select(Attempt).where(Attempt.run_id == run.id).order_by(Attempt.attempt))
    return StoredRun(
        run.id,
        str(run.status),
        run.attempt,
        run.steps,
        [StoredAttempt(a.attempt, _first(a), a.ended_at is not None, a.outcome) for a in attempts],
        _pieces(session, run.id),
        {key: (found.steps, found.values) for key, found in curves.read(session, run.id).items()},
        [tuple(row) for row in session.execute(_evaluations(run.id))],  # type: ignore[misc]
    )


def _first(attempt: Attempt) -> int:
    return attempt.resumed_from or 1


def _pieces(session: Session, run_id: int) -> list[Piece]:
    """What was compacted, and the chunks that were not yet."""
    axes = {
        (axis.attempt, axis.number): unpack_steps(axis.steps)
        for axis in session.scalars(select(Axis).where(Axis.run_id == run_id))
    }
    compacted = [
        Piece(row.attempt, row.key, axes[row.attempt, row.axis], unpack_values(row.values))
        for row in session.scalars(select(Curve).where(Curve.run_id == run_id))
    ]
    order = (Chunk.attempt, Chunk.writer, Chunk.first_seq)
    chunks = session.scalars(select(Chunk).where(Chunk.run_id == run_id).order_by(*order))
    return compacted + [
        Piece(chunk.attempt, key, columns.steps, columns.values)
        for chunk in chunks
        for key, columns in curves.of_chunk(chunk.body)
    ]


def _evaluations(run_id: int) -> Any:
    columns = (Evaluation.attempt, Evaluation.step, Evaluation.split, Evaluation.predictor, Evaluation.superseded)
    return select(*columns).where(Evaluation.run_id == run_id).order_by(Evaluation.step, Evaluation.attempt)


def _unsound(connection: Connection) -> list[str]:
    """What the database itself finds wrong with its files."""
    if connection.dialect.name == "sqlite":
        found = [str(row[0]) for row in connection.execute(text("pragma integrity_check"))]
        broken = [str(tuple(row)) for row in connection.execute(text("pragma foreign_key_check"))]
        return [line for line in found if line != "ok"] + broken
    return [problem for table in inspect(connection).get_table_names() for problem in _table(connection, table)]


def _table(connection: Connection, table: str) -> list[str]:
    """Every row read by a scan, and as many by each of its indexes."""
    try:
        connection.execute(text(f"select count(t::text) from {table} t"))
        return []
    except Exception as error:  # whatever it says is the finding
        return [f"{table}: {error}"]


def is_sqlite(url: str) -> bool:
    return make_url(url).get_backend_name() == "sqlite"
