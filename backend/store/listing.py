"""Pages of runs: which ones a filter finds, in what order, and what a list shows of each.

By a parameter or a metric a page is read along the index of its values: the runs that have one come first, so their order
is the index's, and what is not on the page is not sorted. Those without one follow by their id.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Select, String, Text, cast, collate, exists, func, literal, null, or_, select
from sqlalchemy.orm import Session

from backend.store.evaluations import Metrics, Value, selected
from backend.store.experiments import versions
from backend.store.fields import COLUMNS, METRIC, Fact, Field, find, likely
from backend.store.holding import in_sight
from backend.store.matching import Condition, matching
from backend.store.tables import ExperimentRun, Metric, Param, Run
from depthboard.errors import UnknownName
from depthboard.metrics import METRICS, Averaging
from depthboard.status import RunStatus

POSITION = "position"
EVERY = 2**31 - 1


@dataclass(frozen=True)
class RunPage:
    """Some of `total` runs in order, with their values by the selector, their levels in the experiment asked about, and the
    parameters and metrics that filter and order speak of.
    """

    runs: list[Any]
    total: int
    metrics: dict[int, Metrics] = field(default_factory=dict)
    levels: dict[int, dict[str, Any]] = field(default_factory=dict)
    facts: dict[int, dict[str, float | str | None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """Which runs, which page of them, in which order (`-rmse` is descending), and the selector of the values shown."""

    page: int = 1
    size: int = 50
    status: RunStatus | None = None
    sort: str = ""
    value: Value = "last3"
    averaging: Averaging = "per_image"
    filter: str = ""
    experiment: int | None = None

    @property
    def default_value(self) -> bool:
        return (self.value, self.averaging) == ("last3", "per_image")

    @property
    def metric(self) -> str:
        """What it is sorted by."""
        return self.sort.removeprefix("-")

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size


def page(session: Session, wanted: Wanted) -> RunPage:
    """A page of the runs of all experiments (the newest first), or of one (in the order of its grid), unless sorted otherwise.

    Raises NotFound for the experiment, InvalidInput for a filter that cannot be read, UnknownName for an order.
    """
    if wanted.experiment is not None:
        versions(session, wanted.experiment)
    wanted = _with_order(wanted)
    conditions, facts = conditions_of(session, wanted)
    order = _field(session, wanted)
    total = session.scalar(_count(conditions)) or 0
    ids = _ordered(session, conditions, order, wanted) if wanted.offset < total else []
    if isinstance(order, Fact) and order not in facts:
        facts.append(order)
    runs = some(session, ids, facts)
    if wanted.default_value:
        metrics = {run.id: run.metrics or {} for run in runs}
    else:
        metrics = _selected(session, select(Run.id).where(Run.id.in_(ids)), wanted)
    levels = {} if wanted.experiment is None else _levels(session, wanted.experiment, ids)
    return RunPage(runs, total, metrics, levels, _facts(runs, facts))


def _with_order(wanted: Wanted) -> Wanted:
    return wanted if wanted.sort else replace(wanted, sort="-id" if wanted.experiment is None else POSITION)


def order_of(session: Session, conditions: list[Condition], wanted: Wanted) -> list[int]:
    """All that fulfil the conditions, in the order wanted. Raises UnknownName for it."""
    every = replace(_with_order(wanted), page=1, size=EVERY)
    return _ordered(session, conditions, _field(session, every), every)


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


def _field(session: Session, wanted: Wanted) -> Field | None:
    """What the list is sorted by; None for the place in the grid, and for a metric by another selector than the default."""
    name = wanted.metric
    if (name == POSITION and wanted.experiment is not None) or (name in METRICS and not wanted.default_value):
        return None
    found = find(session, name)
    if found is None and name.removeprefix(METRIC) in METRICS:
        return Fact(Metric, name.removeprefix(METRIC))  # none of the runs has been scored yet
    if found is None:
        guess = likely(session, name)
        known = ", ".join(sorted({*COLUMNS, *METRICS}))
        remedy = f"Did you mean {guess}?" if guess else f"Sort by a parameter, a metric, or one of: {known}."
        raise UnknownName(f"runs cannot be sorted by {name!r}.", field="sort", remedy=remedy)
    return found


def _ordered(session: Session, conditions: list[Condition], by: Field | None, wanted: Wanted) -> list[int]:
    descending = wanted.sort.startswith("-")
    if by is None and wanted.metric == POSITION:
        return _by_position(session, conditions, wanted, descending)
    if by is None:
        return _by_selected(session, conditions, wanted, wanted.metric, descending)
    if isinstance(by, Fact):
        return _by_fact(session, conditions, wanted, by, descending)
    order = _order(session, by.of if by.sort is None else by.sort, by.kind == "text", descending)
    query = select(Run.id).where(*conditions).order_by(order.nulls_last(), Run.id)
    return list(session.scalars(query.limit(wanted.size).offset(wanted.offset)))


def _order(session: Session, column: Any, text: bool, descending: bool) -> Any:
    """Texts by their characters' numbers, whatever the language of the database."""
    if text and session.get_bind().dialect.name == "postgresql":
        column = collate(cast(column, String), "C")
    return column.desc() if descending else column.asc()


def _by_position(session: Session, conditions: list[Condition], wanted: Wanted, descending: bool) -> list[int]:
    link = ExperimentRun
    order = link.position.desc() if descending else link.position.asc()
    query = select(Run.id).join(link, link.run_id == Run.id).where(link.experiment_id == wanted.experiment, *conditions)
    return list(session.scalars(query.order_by(order, Run.id).limit(wanted.size).offset(wanted.offset)))


def _by_fact(session: Session, conditions: list[Condition], wanted: Wanted, fact: Fact, descending: bool) -> list[int]:
    """By number, then (of parameters) by text, then the runs without."""
    table, named = fact.table, fact.table.name == literal(fact.name, Text)
    columns: list[Any] = [Param.number, Param.text] if table is Param else [Metric.number]
    without = Run.id.not_in(select(table.run_id).where(named, or_(*(column.is_not(None) for column in columns))))
    groups = [
        select(Run.id)
        .join(table, table.run_id == Run.id)
        .where(named, column.is_not(None), *conditions)
        .order_by(_order(session, column, column is Param.text, descending), table.run_id)
        for column in columns
    ]
    return _first(session, [*groups, select(Run.id).where(without, *conditions).order_by(Run.id)], wanted)


def _first(session: Session, groups: list[Select[int]], wanted: Wanted) -> list[int]:
    """The page out of groups that follow one another; the size of one is asked for only where the page begins behind it."""
    ids: list[int] = []
    skip = wanted.offset
    for group in groups:
        found = session.scalars(group.limit(wanted.size - len(ids)).offset(skip)).all()
        ids += found
        if len(ids) == wanted.size:
            break
        if skip and not found:
            skip -= session.scalar(select(func.count()).select_from(group.order_by(None).subquery())) or 0
        else:
            skip = 0
    return ids


def _by_selected(
    session: Session, conditions: list[Condition], wanted: Wanted, name: str, descending: bool
) -> list[int]:
    """By values of another selector than the default, which are worked out of the evaluations."""
    query = select(Run.id).where(*conditions)
    ids = list(session.scalars(query.order_by(Run.id)))
    values = _selected(session, query, wanted)
    known = [(v, i) for i in ids if (v := values.get(i, {}).get(name)) is not None]
    known.sort(key=lambda pair: (-pair[0] if descending else pair[0], pair[1]))
    ranked = [i for _, i in known]
    valued = set(ranked)
    ranked += [i for i in ids if i not in valued]
    return ranked[wanted.offset : wanted.offset + wanted.size]


SHOWN = [column for column in Run.__table__.columns if column.name not in ("config", "provenance", "token")]


def some(session: Session, ids: Sequence[int], facts: Sequence[Fact] = ()) -> list[Any]:
    """What lists show of these runs, in this order: rows with the columns of Run as attributes, which cost less than
    objects, and at the end the values of `facts`.
    """
    values = [value for fact in facts for value in _value(fact)]
    found = {row.id: row for row in session.execute(select(*SHOWN, *values).where(Run.id.in_(ids)))}
    return [found[i] for i in ids if i in found]


def _value(fact: Fact) -> Iterator[Any]:
    """Its number and its text. Found by the key of each run: SQLite, without statistics, would read all rows of the name."""
    table = fact.table
    for name in ("number", "text"):
        column = getattr(table, name, None)
        if column is None:
            yield null()
        else:
            row = select(column).where(table.run_id == Run.id, table.name == literal(fact.name, Text))
            yield row.correlate(Run).scalar_subquery()


def _facts(runs: Sequence[Any], facts: Sequence[Fact]) -> dict[int, dict[str, float | str | None]]:
    found: dict[int, dict[str, float | str | None]] = {run.id: {} for run in runs}
    for run in runs:
        for i, fact in enumerate(facts):
            number, text = run[len(SHOWN) + 2 * i : len(SHOWN) + 2 * i + 2]
            found[run.id][fact.title] = text if number is None else number
    return found


def _selected(session: Session, which: Select[int], wanted: Wanted) -> dict[int, Metrics]:
    return selected(session, which, wanted.value, wanted.averaging)


def _levels(session: Session, experiment_id: int, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = session.execute(
        select(ExperimentRun.run_id, ExperimentRun.levels).where(
            ExperimentRun.experiment_id == experiment_id, ExperimentRun.run_id.in_(ids)
        )
    )
    return {row[0]: row[1] for row in rows}
