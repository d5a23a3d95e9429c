"""The record as tables: a row a run with all its parameters and metrics, and a row a point.

Which runs, and which columns, is settled first; the rows are then read in portions, each in a short transaction of its own,
so that a slow reader of a large table keeps nothing open. A run that is deleted meanwhile has no row.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from backend.store import curves
from backend.store.fields import COLUMNS, METRIC, MOST_NAMES, PARAM, Kind
from backend.store.listing import Wanted, conditions_of, order_of
from backend.store.matching import Condition
from backend.store.session import Database
from backend.store.tables import Metric, Param, Run
from backend.store.types import CleanString
from depthboard.errors import InvalidInput

PORTION = 500
EXACT = 2**53
REPEATED: dict[str, Any] = {
    "batch_size": Run.batch_size,
    "budget.batch_size": Run.batch_size,
    "data.train_size": Run.train_size,
    "train_size": Run.train_size,
    "data.height": Run.height,
    "data.width": Run.width,
    "data.dataset": Run.dataset,
    "data.split": Run.split,
    "network.encoder": Run.encoder,
    "encoder": Run.encoder,
    "loss.name": Run.loss,
    "loss": Run.loss,
    "evaluation.split": Run.evaluation_split,
    "seed": Run.seed,
}
"""Parameters of which a column of the run says the same, for trainings always and for scripts mostly."""
OWN = {name: column for name, column in COLUMNS.items() if name != "state"}


@dataclass(frozen=True)
class Fact:
    """A column of parameters or metrics: its name, and whether some run has a text there."""

    name: str
    text: bool


@dataclass(frozen=True)
class Extract:
    """The runs of a table in order, and its columns beside the runs' own."""

    ids: list[int]
    params: list[Fact]
    metrics: list[Fact]

    @property
    def head(self) -> list[tuple[str, Kind]]:
        own = [(name, column.kind) for name, column in OWN.items()]
        params: list[tuple[str, Kind]] = [(PARAM + f.name, "text" if f.text else "number") for f in self.params]
        metrics: list[tuple[str, Kind]] = [(METRIC + f.name, "number") for f in self.metrics]
        return [*own, *params, *metrics]


def runs(session: Session, wanted: Wanted) -> Extract:
    """Raises InvalidInput for the filter, and for more columns than a table should have."""
    conditions, _ = conditions_of(session, wanted)
    ids = order_of(session, conditions, wanted)
    params = select(Param.name, func.count(Param.text)).where(Param.run_id.in_(select(Run.id).where(*conditions)))
    metrics = select(Metric.name).where(Metric.run_id.in_(select(Run.id).where(*conditions)))
    repeated = _repeated(session, conditions)
    named = session.execute(params.group_by(Param.name).order_by(Param.name))
    extract = Extract(
        ids,
        [Fact(name, texts > 0) for name, texts in named if name not in repeated],
        [Fact(name, False) for name in session.scalars(metrics.group_by(Metric.name).order_by(Metric.name))],
    )
    if max(len(extract.params), len(extract.metrics)) > MOST_NAMES:
        raise InvalidInput(
            f"these runs have {len(extract.params)} parameters and {len(extract.metrics)} metrics, more than {MOST_NAMES} columns.",
            field="filter",
            remedy="Ask for fewer runs.",
        )
    return extract


def _repeated(session: Session, conditions: Sequence[Condition]) -> set[str]:
    """Parameters that a table need not have beside the column that says the same in every run."""
    found = set()
    for name, column in REPEATED.items():
        value = Param.text if isinstance(column.type, CleanString) else Param.number
        other = or_(value.is_(None), value != column, column.is_(None))
        query = select(Param.run_id).join(Run, Run.id == Param.run_id).where(Param.name == name, other, *conditions)
        if session.scalar(query.limit(1)) is None:
            found.add(name)
    return found


def run_rows(database: Database, extract: Extract) -> Iterator[list[list[Any]]]:
    for start in range(0, len(extract.ids), PORTION):
        with database.snapshot() as session:
            yield _portion(session, extract, extract.ids[start : start + PORTION])


def _portion(session: Session, extract: Extract, ids: list[int]) -> list[list[Any]]:
    columns = [column.of.label(f"c{i}") for i, column in enumerate(OWN.values())]
    own = {row[0]: list(row) for row in session.execute(select(*columns).where(Run.id.in_(ids)))}
    params: dict[tuple[int, str], Any] = {}
    for run_id, name, number, text in session.execute(
        select(Param.run_id, Param.name, Param.number, Param.text).where(Param.run_id.in_(ids))
    ):
        params[run_id, name] = text if number is None else _plain(number)
    metrics: dict[tuple[int, str], float | None] = {}
    for run_id, name, number in session.execute(
        select(Metric.run_id, Metric.name, Metric.number).where(Metric.run_id.in_(ids))
    ):
        metrics[run_id, name] = number
    return [
        [
            *own[id],
            *(_cell(params.get((id, fact.name)), fact) for fact in extract.params),
            *(metrics.get((id, fact.name)) for fact in extract.metrics),
        ]
        for id in ids
        if id in own
    ]


def _plain(number: float) -> int | float:
    """A whole number without a point: nobody trained with 8.0 images."""
    return int(number) if number.is_integer() and abs(number) < EXACT else number


def _cell(value: Any, fact: Fact) -> Any:
    """A number among texts is written as one."""
    return repr(value) if fact.text and isinstance(value, int | float) else value


POINT_HEAD: tuple[tuple[str, Kind], ...] = (
    ("run", "integer"),
    ("key", "text"),
    ("step", "integer"),
    ("epoch", "number"),
    ("images_seen", "integer"),
    ("wall", "number"),
    ("value", "number"),
)


def point_rows(
    database: Database, ids: Sequence[int], keys: list[str] | None, after: int, most: int | None
) -> Iterator[list[tuple[Any, ...]]]:
    """A curve at a time, run by run."""
    for run_id in ids:
        with database.snapshot() as session:
            run = session.execute(select(Run.batch_size, Run.train_size).where(Run.id == run_id)).one_or_none()
            found = curves.read_many(session, [run_id], keys, after, most)
        if run is None:
            continue
        for (_, key), columns in found.items():
            steps = columns.steps.tolist()
            images = [step * run.batch_size for step in steps]
            epochs = [seen / run.train_size if run.train_size else None for seen in images]
            rest = zip(steps, epochs, images, columns.walls.tolist(), columns.values.tolist(), strict=True)
            yield [(run_id, key, *row) for row in rest]
