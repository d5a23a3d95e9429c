"""What runs can be filtered and sorted by: their own columns, their parameters, their metrics; and which of these there are."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Float, Select, String, Text, and_, case, cast, exists, extract, func, literal, not_, or_, select
from sqlalchemy.orm import Session, aliased

from backend.store.tables import SCRIPT, Attempt, ExperimentRun, Metric, Param, Run
from backend.store.types import CleanString, check_text
from depthboard.config import LOSS_CONFIGS
from depthboard.experiment import ALIASES
from depthboard.status import RunStatus

Kind = Literal["text", "integer", "number", "time", "flag"]
PARAM, METRIC = "param.", "metric."
MOST_NAMES = 2000
"""Names of parameters, and of metrics, that are listed: a script may log a hundred thousand keys."""


@dataclass(frozen=True)
class Column:
    """A column of the run, or what is computed of several; `sort` where lists sort by something else."""

    kind: Kind
    of: Any
    sort: Any = None


@dataclass(frozen=True)
class Fact:
    """A parameter or a metric of that name."""

    table: type[Param] | type[Metric]
    name: str

    @property
    def title(self) -> str:
        return (PARAM if self.table is Param else METRIC) + self.name


Field = Column | Fact

SEEN = case((Run.status == RunStatus.finished, Run.images), else_=Run.step * Run.batch_size)

STATES = ("running", "failed", "cancelled", "queued", "finished")
"""In the order in which a person wants to see them."""


def _seconds(time: Any) -> Any:
    return cast(extract("epoch", time), Float)


def _said(column: Any) -> Any:
    """A text or a number of the run's; none where a script did not say it."""
    return func.nullif(column, "", type_=String()) if isinstance(column.type, CleanString) else func.nullif(column, 0)


def _seed() -> Any:
    """0 is a seed, also of a script that says so."""
    told = (
        exists().where(Param.run_id == Run.id, or_(Param.name == "seed", Param.name.endswith(".seed"))).correlate(Run)
    )
    return case((and_(Run.kind == SCRIPT, Run.seed == 0, not_(told)), None), else_=Run.seed)


def _attempts(of: Any) -> Any:
    return select(of).where(Attempt.run_id == Run.id).correlate(Run)


def _last(column: Any) -> Any:
    return _attempts(column).where(Attempt.attempt == Run.attempt).scalar_subquery()


PAPER = {name: f"{place:02}" for place, name in enumerate(LOSS_CONFIGS)}
"""Losses as the paper has them, then the others; of one loss by its label."""
BY_LOSS = case(PAPER, value=Run.loss, else_="99").concat(case((Run.kind == SCRIPT, Run.loss), else_=Run.loss_label))
TRAINED_SECONDS = _attempts(func.sum(_seconds(Attempt.ended_at) - _seconds(Attempt.started_at))).scalar_subquery()
"""The time of its attempts: what lies between them is no training."""


COLUMNS: dict[str, Column] = {
    "id": Column("integer", Run.id),
    "status": Column("text", Run.status),
    "state": Column("text", Run.status, case(dict(zip(STATES, "01234", strict=True)), value=Run.status)),
    "loss": Column("text", _said(Run.loss), case((Run.loss == "", None), else_=BY_LOSS)),
    "loss_label": Column("text", Run.loss_label),
    "dataset": Column("text", Run.dataset),
    "split": Column("text", _said(Run.split)),
    "train_size": Column("integer", _said(Run.train_size)),
    "encoder": Column("text", _said(Run.encoder)),
    "height": Column("integer", _said(Run.height)),
    "width": Column("integer", _said(Run.width)),
    "seed": Column("integer", _seed()),
    "evaluation": Column(
        "text", case((Run.protocol == "", None), else_=Run.evaluation_split.concat("/").concat(Run.protocol))
    ),
    "protocol": Column("text", _said(Run.protocol)),
    "name": Column("text", Run.name),
    "kind": Column("text", Run.kind),
    "step": Column("integer", Run.step),
    "steps": Column("integer", _said(Run.steps)),
    "epoch": Column("number", cast(SEEN, Float) / func.nullif(Run.train_size, 0)),
    "images_seen": Column("integer", case((Run.kind == SCRIPT, func.nullif(SEEN, 0)), else_=SEEN)),
    "batch_size": Column("integer", _said(Run.batch_size)),
    "images_per_second": Column("number", Run.images_per_second),
    "attempt": Column("integer", Run.attempt),
    "priority": Column("integer", Run.priority),
    "rmse": Column("number", Run.rmse),
    "diverged_at": Column("integer", Run.diverged_at),
    "reason": Column("text", Run.reason),
    "held": Column("flag", Run.held),
    "stalled": Column("flag", Run.stalled),
    "trained": Column("number", TRAINED_SECONDS),
    "host": Column("text", _last(Attempt.host)),
    "device": Column("text", _last(Attempt.device)),
    "created_at": Column("time", Run.created_at),
    "started_at": Column("time", Run.started_at),
    "finished_at": Column("time", Run.finished_at),
}
SHORT = {"size": "train_size", "took": "trained", "tries": "attempt"}


def find(session: Session, name: str) -> Field | None:
    """The column of that name, else the parameter, else the metric; None where no run has any."""
    if name.startswith(PARAM):
        return _fact(session, Param, name.removeprefix(PARAM))
    if name.startswith(METRIC):
        return _fact(session, Metric, name.removeprefix(METRIC))
    column = COLUMNS.get(SHORT.get(name, name))
    long = ALIASES.get(name)
    return (
        column
        or _fact(session, Param, name)
        or (_fact(session, Param, long) if long else None)
        or _fact(session, Metric, name)
    )


def _fact(session: Session, table: type[Param] | type[Metric], name: str) -> Fact | None:
    known = session.scalar(select(table.run_id).where(table.name == literal(check_text(name), Text)).limit(1))
    return None if known is None else Fact(table, name)


def likely(session: Session, name: str) -> str | None:
    """A known name that `name` may be a slip of: one that is spelled nearly so, or a parameter whose path ends so."""
    bare = name.removeprefix(PARAM).removeprefix(METRIC)
    known = [*COLUMNS, *SHORT, *names(session, Param), *names(session, Metric)]
    ending = [other for other in known if other.rpartition(".")[2] == bare or other.rpartition("/")[2] == bare]
    near = ending or difflib.get_close_matches(bare, known, 1, 0.6)
    return near[0] if near else None


def names(session: Session, table: type[Param] | type[Metric], experiment_id: int | None = None) -> list[str]:
    """The names in use, of all runs or of an experiment's, in order, at most MOST_NAMES.

    Each is found by one step along the index from the one before: the rows themselves are not read.
    """
    first = select(func.min(table.name).label("name")).cte("names", recursive=True)
    following = select(func.min(table.name)).where(table.name > first.c.name).scalar_subquery()
    every = first.union_all(select(following).where(first.c.name.is_not(None)))
    query = select(every.c.name).where(every.c.name.is_not(None)).limit(MOST_NAMES)
    if experiment_id is not None:
        query = query.where(_in_experiment(table, every.c.name, experiment_id))
    return sorted(session.scalars(query))


def _in_experiment(table: type[Param] | type[Metric], name: Any, experiment_id: int) -> Any:
    link, row = aliased(ExperimentRun), aliased(table)
    return exists().where(link.experiment_id == experiment_id, row.run_id == link.run_id, row.name == name)


def texts(session: Session, column: Any, runs: Select[int], most: int = 50) -> Sequence[str]:
    """The values that a column of texts has among these runs."""
    query = select(column).where(Run.id.in_(runs), column.is_not(None)).distinct().order_by(column).limit(most)
    return session.scalars(query).all()
