"""In what order a list shows its runs.

By a parameter or a metric a page is read along the index of its values: the runs that have one come first, so their order
is the index's, and what is not on the page is not sorted. Those without one follow by their id. By several names the values
of all runs found are read, and sorted here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Select, String, Text, cast, collate, func, literal, or_, select
from sqlalchemy.orm import Session

from backend.store.evaluations import Metrics, Value, selected
from backend.store.fields import COLUMNS, METRIC, Column, Fact, Field, find, likely
from backend.store.matching import Condition
from backend.store.tables import ExperimentRun, Metric, Param, Run
from depthboard.errors import InvalidInput, UnknownName
from depthboard.metrics import METRICS, Averaging
from depthboard.status import RunStatus

POSITION = "position"
EVERY = 2**31 - 1
MOST_NAMES = 5
"""Names that a list is sorted by at once."""


@dataclass(frozen=True)
class Wanted:
    """Which runs, which page of them, in which order (`loss,-rmse`: by loss, then from the largest RMSE), the selector of
    the values shown, and the parameters and metrics that are shown besides.
    """

    page: int = 1
    size: int = 50
    status: RunStatus | None = None
    sort: str = ""
    value: Value = "last3"
    averaging: Averaging = "per_image"
    filter: str = ""
    experiment: int | None = None
    columns: tuple[str, ...] = ()

    @property
    def default_value(self) -> bool:
        return (self.value, self.averaging) == ("last3", "per_image")

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size


@dataclass(frozen=True)
class Order:
    """`by` is None for the place in the grid, and for a metric by another selector than the default."""

    name: str
    descending: bool
    by: Field | None


def with_order(wanted: Wanted) -> Wanted:
    return wanted if wanted.sort else replace(wanted, sort="-id" if wanted.experiment is None else POSITION)


def orders(session: Session, wanted: Wanted) -> list[Order]:
    """What the list is sorted by, the first first. Raises UnknownName, InvalidInput for too many."""
    names = _names(session, wanted.sort)
    if len(names) > MOST_NAMES:
        raise InvalidInput(
            f"a list is not sorted by {len(names)} names.", field="sort", remedy=f"At most {MOST_NAMES}."
        )
    return [
        Order(bare, name != bare, _field(session, bare, wanted)) for name in names for bare in [name.removeprefix("-")]
    ]


def _names(session: Session, sort: str) -> list[str]:
    """The parts between commas, unless a script called a parameter or a metric so; within a part %2C is a comma."""
    if not ({",", "%"} & set(sort)) or find(session, sort.removeprefix("-")) is not None:
        return [sort]
    parts = [part.strip().replace("%2C", ",").replace("%25", "%") for part in sort.split(",")]
    return list(dict.fromkeys(part for part in parts if part)) or [sort]


def _field(session: Session, name: str, wanted: Wanted) -> Field | None:
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


def ordered(session: Session, conditions: list[Condition], by: Sequence[Order], wanted: Wanted) -> list[int]:
    """The ids of the page wanted."""
    if len(by) > 1:
        return _by_several(session, conditions, by, wanted)
    return _by_one(session, conditions, by[0], wanted)


def _by_one(session: Session, conditions: list[Condition], order: Order, wanted: Wanted) -> list[int]:
    if order.by is None and order.name == POSITION:
        return _by_position(session, conditions, wanted, order.descending)
    if order.by is None:
        return _by_selected(session, conditions, wanted, order)
    if isinstance(order.by, Fact):
        return _by_fact(session, conditions, wanted, order.by, order.descending)
    of = order.by.of if order.by.sort is None else order.by.sort
    first = _order(session, of, order.by.kind == "text", order.descending)
    query = select(Run.id).where(*conditions).order_by(first.nulls_last(), Run.id)
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


def _by_selected(session: Session, conditions: list[Condition], wanted: Wanted, order: Order) -> list[int]:
    """By values of another selector than the default, which are worked out of the evaluations."""
    query = select(Run.id).where(*conditions)
    ids = sort_by(
        list(session.scalars(query.order_by(Run.id))),
        _values_of(order.name, _selected(session, query, wanted)),
        order.descending,
    )
    return ids[wanted.offset : wanted.offset + wanted.size]


def _by_several(session: Session, conditions: list[Condition], by: Sequence[Order], wanted: Wanted) -> list[int]:
    query = select(Run.id).where(*conditions)
    ids = list(session.scalars(query.order_by(Run.id)))
    chosen = _selected(session, query, wanted) if any(o.by is None and o.name != POSITION for o in by) else {}
    for order in reversed(by):
        if order.by is None and order.name != POSITION:
            values = _values_of(order.name, chosen)
        else:
            values = {
                row[0]: row[1] if row[1] is not None else row[2]
                for row in session.execute(_read(order, conditions, wanted))
            }
        ids = sort_by(ids, values, order.descending)
    return ids[wanted.offset : wanted.offset + wanted.size]


def _read(order: Order, conditions: list[Condition], wanted: Wanted) -> Any:
    """(run, number or other value, text) of what it is sorted by."""
    if order.by is None:
        link = ExperimentRun
        query = select(Run.id, link.position, literal(None)).join(link, link.run_id == Run.id)
        return query.where(link.experiment_id == wanted.experiment, *conditions)
    if isinstance(order.by, Column):
        return select(Run.id, order.by.of if order.by.sort is None else order.by.sort, literal(None)).where(*conditions)
    table: Any = order.by.table
    text = Param.text if table is Param else literal(None)
    named = table.name == literal(order.by.name, Text)
    return select(Run.id, table.number, text).join(table, table.run_id == Run.id).where(named, *conditions)


def sort_by(ids: Iterable[int], values: Mapping[int, Any], descending: bool) -> list[int]:
    """By number (or time), then by text, then those without; among equals as they came."""
    groups: tuple[list[int], list[int], list[int]] = ([], [], [])
    for i in ids:
        value = values.get(i)
        groups[2 if value is None else 1 if isinstance(value, str) else 0].append(i)
    for group in groups[:2]:
        group.sort(key=values.__getitem__, reverse=descending)
    return [*groups[0], *groups[1], *groups[2]]


def _values_of(name: str, metrics: Mapping[int, Metrics]) -> dict[int, float | None]:
    return {run_id: values.get(name) for run_id, values in metrics.items()}


def _selected(session: Session, which: Select[int], wanted: Wanted) -> dict[int, Metrics]:
    return selected(session, which, wanted.value, wanted.averaging)
