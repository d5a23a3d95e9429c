"""Inserts that may meet a row of the same key: both databases spell them ON CONFLICT, each in its own dialect."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backend.store.tables import Base

Rows = Sequence[dict[str, object]]


def insert_new(session: Session, table: type[Base], rows: Rows, keys: Sequence[str]) -> None:
    """Insert the rows whose `keys` are not there yet."""
    if rows:
        session.execute(
            _insert(session.get_bind().dialect.name, table).on_conflict_do_nothing(index_elements=list(keys)), rows
        )


def put(session: Session, table: type[Base], rows: Rows, keys: Sequence[str], *, rising: str | None = None) -> None:
    """Insert the rows, or set their other columns where the `keys` are there already and the column `rising` does not fall."""
    if rows:
        session.execute(_put(session.get_bind().dialect.name, table, tuple(keys), tuple(rows[0]), rising), rows)


@cache
def _put(dialect: str, table: type[Base], keys: tuple[str, ...], columns: tuple[str, ...], rising: str | None) -> Any:
    """Composing it takes longer than the database does."""
    statement = _insert(dialect, table)
    others = {name: statement.excluded[name] for name in columns if name not in keys}
    where = None if rising is None else getattr(table, rising) <= statement.excluded[rising]
    return statement.on_conflict_do_update(index_elements=list(keys), set_=others, where=where)


def _insert(dialect: str, table: type[Base]) -> Any:
    return (sqlite if dialect == "sqlite" else postgresql).insert(table)
