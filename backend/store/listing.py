"""Pages of runs: which ones a filter finds, and what a list shows of each. In what order: backend.store.ordering."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Select, Text, exists, func, literal, null, or_, select
from sqlalchemy.orm import Session

from backend.store.evaluations import Metrics, selected
from backend.store.experiments import versions
from backend.store.fields import MOST_NAMES, Fact, Field, find
from backend.store.holding import in_sight
from backend.store.matching import Condition, matching
from backend.store.ordering import EVERY, Wanted, ordered, orders, with_order
from backend.store.tables import Attempt, ExperimentRun, Param, Run

__all__ = [
    "RunPage",
    "Wanted",
    "Worked",
    "conditions_of",
    "differing",
    "linked_runs",
    "order_of",
    "page",
    "some",
    "worked",
]


@dataclass(frozen=True)
class RunPage:
    """Some of `total` runs in order, with their values by the selector, their levels in the experiment asked about, and the
    parameters and metrics that filter, order and columns speak of. `worked`: by whom each was trained, and for how long.
    """

    runs: list[Any]
    total: int
    metrics: dict[int, Metrics] = field(default_factory=dict)
    levels: dict[int, dict[str, Any]] = field(default_factory=dict)
    facts: dict[int, dict[str, float | str | None]] = field(default_factory=dict)
    worked: dict[int, Worked] = field(default_factory=dict)


@dataclass(frozen=True)
class Worked:
    """Who had the run last, and the seconds of its attempts that have ended: what lies between them is no training."""

    host: str | None
    device: str | None
    trained_seconds: float | None


NOBODY = Worked(None, None, None)


def page(session: Session, wanted: Wanted) -> RunPage:
    """A page of the runs of all experiments (the newest first), or of one (in the order of its grid), unless sorted otherwise.

    Raises NotFound for the experiment, InvalidInput for a filter that cannot be read, UnknownName for an order.
    """
    if wanted.experiment is not None:
        versions(session, wanted.experiment)
    wanted = with_order(wanted)
    conditions, facts = conditions_of(session, wanted)
    by = orders(session, wanted)
    total = session.scalar(_count(conditions)) or 0
    ids = ordered(session, conditions, by, wanted) if wanted.offset < total else []
    shown: dict[str, Field] = {
        fact.title: fact for fact in (*facts, *(order.by for order in by)) if isinstance(fact, Fact)
    }
    shown |= _columns(session, wanted.columns)
    runs = some(session, ids, list(shown.values()))
    if wanted.default_value:
        metrics = {run.id: run.metrics or {} for run in runs}
    else:
        metrics = selected(session, select(Run.id).where(Run.id.in_(ids)), wanted.value, wanted.averaging)
    levels = {} if wanted.experiment is None else _levels(session, wanted.experiment, ids)
    return RunPage(runs, total, metrics, levels, _facts(runs, list(shown)), worked(session, ids))


def _columns(session: Session, names: Sequence[str]) -> dict[str, Field]:
    """What the columns asked for stand for; one that no run has is empty."""
    found = {name: find(session, name) for name in names}
    return {
        field.title if isinstance(field, Fact) else name: field for name, field in found.items() if field is not None
    }


def order_of(session: Session, conditions: list[Condition], wanted: Wanted) -> list[int]:
    """All that fulfil the conditions, in the order wanted. Raises UnknownName for it."""
    every = replace(with_order(wanted), page=1, size=EVERY)
    return ordered(session, conditions, orders(session, every), every)


def worked(session: Session, ids: Sequence[int]) -> dict[int, Worked]:
    """Run -> its last attempt's worker and the time of all; runs that nobody had are absent."""
    query = select(Attempt.run_id, Attempt.host, Attempt.device, Attempt.started_at, Attempt.ended_at)
    found: dict[int, Worked] = {}
    for run_id, host, device, began, ended in session.execute(
        query.where(Attempt.run_id.in_(ids)).order_by(Attempt.attempt)
    ):
        before = found[run_id].trained_seconds if run_id in found else None
        own = None if ended is None else (ended - began).total_seconds()
        found[run_id] = Worked(host, device, before if own is None else own + (before or 0.0))
    return found


def differing(session: Session, wanted: Wanted) -> list[str]:
    """The parameters that are not the same in all runs wanted: of several values, or absent from some."""
    conditions, _ = conditions_of(session, wanted)
    total = session.scalar(_count(conditions)) or 0
    values = func.count(Param.number.distinct()) + func.count(Param.text.distinct())
    query = select(Param.name).where(Param.run_id.in_(select(Run.id).where(*conditions))).group_by(Param.name)
    query = query.having(or_(values > 1, func.count() < total)).order_by(Param.name).limit(MOST_NAMES)
    return list(session.scalars(query))


def linked_runs(session: Session, experiment_id: int) -> list[int]:
    """The experiment's runs in the order of its grid."""
    query = select(ExperimentRun.run_id).where(ExperimentRun.experiment_id == experiment_id)
    return list(session.scalars(query.order_by(ExperimentRun.position, ExperimentRun.run_id)))


def conditions_of(session: Session, wanted: Wanted) -> tuple[list[Condition], list[Fact]]:
    """What a run must fulfil to be wanted, and which parameters and metrics that is about. Raises InvalidInput for the
    filter.
    """
    conditions, facts = matching(session, wanted.filter)
    if wanted.status is not None:
        conditions.append(Run.status == wanted.status)
    if wanted.experiment is not None:
        link = ExperimentRun
        conditions.append(exists().where(link.experiment_id == wanted.experiment, link.run_id == Run.id).correlate(Run))
    else:
        conditions.append(in_sight())
    return conditions, facts


def _count(conditions: Sequence[Condition]) -> Select[int]:
    return select(func.count()).select_from(Run).where(*conditions)


SHOWN = [column for column in Run.__table__.columns if column.name not in ("config", "provenance", "token")]


def some(session: Session, ids: Sequence[int], fields: Sequence[Field] = ()) -> list[Any]:
    """What lists show of these runs, in this order: rows with the columns of Run as attributes, which cost less than
    objects, and at the end the values of `fields`.
    """
    values = [value for field in fields for value in _value(field)]
    found = {row.id: row for row in session.execute(select(*SHOWN, *values).where(Run.id.in_(ids)))}
    return [found[i] for i in ids if i in found]


def _value(field: Field) -> Iterator[Any]:
    """Its number (or what else a column holds) and its text. Found by the key of each run: SQLite, without statistics,
    would read all rows of the name.
    """
    if not isinstance(field, Fact):
        yield field.of
        yield null()
        return
    table = field.table
    for name in ("number", "text"):
        column = getattr(table, name, None)
        if column is None:
            yield null()
        else:
            row = select(column).where(table.run_id == Run.id, table.name == literal(field.name, Text))
            yield row.correlate(Run).scalar_subquery()


def _facts(runs: Sequence[Any], titles: Sequence[str]) -> dict[int, dict[str, float | str | None]]:
    found: dict[int, dict[str, float | str | None]] = {run.id: {} for run in runs}
    for run in runs:
        for i, title in enumerate(titles):
            number, text = run[len(SHOWN) + 2 * i : len(SHOWN) + 2 * i + 2]
            found[run.id][title] = text if number is None else number
    return found


def _levels(session: Session, experiment_id: int, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = session.execute(
        select(ExperimentRun.run_id, ExperimentRun.levels).where(
            ExperimentRun.experiment_id == experiment_id, ExperimentRun.run_id.in_(ids)
        )
    )
    return {row[0]: row[1] for row in rows}
