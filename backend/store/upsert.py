"""Inserts that may meet a row of the same key: both databases spell them ON CONFLICT, each in its own dialect."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from backend.store.tables import Base

Rows = Sequence[dict[str, object]]


def insert_new(session: Session, table: type[Base], rows: Rows, keys: Sequence[str]) -> None:
    """Insert the rows whose `keys` are not there yet."""
    if rows:
        session.execute(_insert(session, table).on_conflict_do_nothing(index_elements=list(keys)), rows)


def put(session: Session, table: type[Base], rows: Rows, keys: Sequence[str]) -> None:
    """Insert the rows, or set their other columns where the `keys` are there already."""
    if rows:
        statement = _insert(session, table)
        others = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        session.execute(statement.on_conflict_do_update(index_elements=list(keys), set_=others), rows)


def _insert(session: Session, table: type[Base]) -> Any:
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    return dialect.insert(table)
