"""A filter's tree, and an order's name, as SQL over runs. Every test is true or false of a run, never unknown: what a run
does not have is in no test, so that `not` gives exactly the others.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Float, String, Text, and_, cast, collate, func, literal, not_, or_, select
from sqlalchemy.orm import Session

from backend.store.fields import Column, Fact, Field, find, likely
from backend.store.filters import Compare, Every, Has, Name, Node, Not, Some, Value, Word, parse, wrong
from backend.store.tables import Metric, Param, Run
from backend.store.types import INT64, check_text

Condition = ColumnElement[bool]

ORDERS: dict[str, Callable[[Any, Any], Condition]] = {
    "=": lambda a, b: a == b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
FLAGS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
ESCAPE = "\\"


def matching(session: Session, text: str) -> tuple[list[Condition], list[Fact]]:
    """The conditions on Run that a filter makes (none for an empty one), and what it asks about besides columns.

    Raises InvalidInput that names the place in the filter.
    """
    tree = parse(check_text(text))
    writer = _Writer(session)
    conditions = [] if tree is None else [writer.of(tree)]
    return conditions, [field for field in writer.fields.values() if isinstance(field, Fact)]


def condition(session: Session, tree: Node) -> Condition:
    """What a tree asks of Run. Raises InvalidInput as `matching` does."""
    return _Writer(session).of(tree)


class _Writer:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.fields: dict[str, Field] = {}

    def of(self, node: Node) -> Condition:
        match node:
            case Every(parts):
                return and_(*(self.of(part) for part in parts))
            case Some(parts):
                return or_(*(self.of(part) for part in parts))
            case Not(part):
                return not_(self.of(part))
            case Word(text):
                return contains(self.session, _called(), text)
            case Has(name):
                return _has(self.field(name))
            case Compare(name, operator, values):
                field = self.field(name)
                return or_(*(self.compare(field, name, operator, value) for value in values))

    def field(self, name: Name) -> Field:
        if name.text not in self.fields:
            found = find(self.session, name.text)
            if found is None:
                guess = likely(self.session, name.text)
                remedy = f"Did you mean {guess}?" if guess else "GET /api/runs/names lists what there is."
                wrong(f"no run has {name.text!r}.", name.at, remedy)
            self.fields[name.text] = found
        return self.fields[name.text]

    def compare(self, field: Field, name: Name, operator: str, value: Value) -> Condition:
        if isinstance(field, Fact):
            return self.fact(field, name, operator, value)
        known = field.of.is_not(None)
        match field.kind:
            case "text":
                return and_(known, self.text(field.of, name, operator, value))
            case "number" | "integer":
                return and_(known, _number(field.of, name, operator, value, whole=field.kind == "integer"))
            case "time":
                return and_(known, ORDERS[_ordered(name, operator, value, "a time")](field.of, _time(value)))
            case "flag":
                return _flag(field, name, operator, value)

    def fact(self, fact: Fact, name: Name, operator: str, value: Value) -> Condition:
        table = fact.table
        of_param = table is Param
        test = self.param(name, operator, value) if of_param else _number(Metric.number, name, operator, value)
        # What is null fulfils no test here; to ask for it too would only spoil PostgreSQL's estimate of the rows.
        return Run.id.in_(select(table.run_id).where(table.name == literal(fact.name, Text), test))

    def param(self, name: Name, operator: str, value: Value) -> Condition:
        """A parameter is a number in one run and may be a text in another."""
        if operator not in ("=", "~"):
            return _number(Param.number, name, operator, value)
        test = self.text(Param.text, name, operator, value)
        number = value.number if operator == "=" else None
        return test if number is None else or_(Param.number == number, test)

    def text(self, column: Any, name: Name, operator: str, value: Value) -> Condition:
        if operator == "~":
            return contains(self.session, column, value.text)
        if operator != "=":
            wrong(f"{name.text} is a text, which {operator} does not compare.", name.at, "Use =, !=, ~ or in.")
        return (
            like(self.session, column, value.text) if value.pattern else column == literal(check_text(value.text), Text)
        )


def _has(field: Field) -> Condition:
    if isinstance(field, Column):
        return field.of.is_not(None)  # type: ignore[no-any-return]
    return Run.id.in_(select(field.table.run_id).where(field.table.name == literal(field.name, Text)))


def _number(column: Any, name: Name, operator: str, value: Value, *, whole: bool = False) -> Condition:
    if operator == "~" or value.number is None:
        shown = repr(value.text)
        wrong(
            f"{name.text} is a number, and {operator} {shown} is no test of one.",
            value.at,
            "Write a number: 12, 1e-3, 12k.",
        )
    if not whole:
        return ORDERS[operator](column, value.number)
    if value.number.is_integer() and abs(value.number) <= INT64 // 2:
        return ORDERS[operator](column, int(value.number))
    return ORDERS[operator](cast(column, Float(53)), value.number)


def _ordered(name: Name, operator: str, value: Value, what: str) -> str:
    if operator not in ORDERS:
        wrong(f"{name.text} is {what}, which {operator} does not compare.", value.at, "Use =, !=, <, <=, > or >=.")
    return operator


def _time(value: Value) -> datetime:
    try:
        given = datetime.fromisoformat(value.text)
        return (given if given.tzinfo else given.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        wrong(f"{value.text!r} is no time.", value.at, "Write 2026-11-21, or 2026-11-21T18:30 (UTC).")


def _flag(field: Column, name: Name, operator: str, value: Value) -> Condition:
    wanted = FLAGS.get(value.text.lower())
    if wanted is None or operator != "=":
        wrong(f"{name.text} is true or false.", value.at, f"Write {name.text} = true.")
    return field.of.is_(wanted)  # type: ignore[no-any-return]


def contains(session: Session, column: Any, part: str) -> Condition:
    """Whether a text holds another, whatever the case of A to Z, alike on both databases."""
    found: Condition = _lower(session, column).like(f"%{_escaped(part)}%", escape=ESCAPE)
    return found


def like(session: Session, column: Any, pattern: str) -> Condition:
    """`*` stands for anything, also for nothing."""
    found: Condition = _lower(session, column).like(_escaped(pattern).replace("*", "%"), escape=ESCAPE)
    return found


def _lower(session: Session, column: Any) -> Any:
    # SQLite's lower() knows A to Z; PostgreSQL's does so under this collation.
    if session.get_bind().dialect.name == "postgresql":
        column = collate(column, "C")
    return func.lower(column, type_=String)


def _escaped(text: str) -> str:
    text = "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in check_text(text))
    return text.replace(ESCAPE, ESCAPE * 2).replace("%", ESCAPE + "%").replace("_", ESCAPE + "_")


def _called() -> Any:
    """All that a run is called by, in one text."""
    parts = [Run.loss, Run.loss_label, func.coalesce(Run.dataset, ""), Run.encoder, Run.status]
    line: Any = cast(Run.train_size, String)
    for part in (*parts, func.coalesce(Run.name, "")):
        line = line.concat(" ").concat(part)
    return line.concat(" seed ").concat(cast(Run.seed, String))
