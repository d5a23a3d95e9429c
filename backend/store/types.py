"""Column types: what the two databases disagree about is settled here, once."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import JSON as SqlJson
from sqlalchemy import BigInteger, DateTime, Integer, String, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from depthboard.errors import InvalidInput

INT64 = 2**63 - 1
DEEPEST = 64


def check_text(value: str) -> str:
    """Return `value`, or raise InvalidInput where a database cannot hold it: PostgreSQL refuses NUL, both refuse lone
    surrogates.
    """
    if "\x00" in value:
        raise InvalidInput("a text holds the NUL character.", remedy="Remove the character U+0000.")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise InvalidInput("a text holds half of a surrogate pair.", remedy="Send well-formed Unicode.") from error
    return value


def check_tree(value: Any, depth: int = 0) -> Any:
    """The same for every text in a JSON value; numbers that are not finite become null, because JSON has none.

    Raises InvalidInput for more than DEEPEST levels, before anything that recurses meets them.
    """
    if depth > DEEPEST:
        raise InvalidInput(f"a value is nested more than {DEEPEST} levels deep.")
    if isinstance(value, str):
        return check_text(value)
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {check_text(str(key)): check_tree(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [check_tree(item, depth + 1) for item in value]
    return value


def dump_json(value: Any) -> str:
    """How JSON columns are written."""
    return json.dumps(check_tree(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def load_json(raw: str | bytes) -> Any:
    """How JSON columns are read: figures read thousands, and orjson takes a fifth of the time."""
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError:  # a whole number beyond every double, which it does not read
        return json.loads(raw)


class CleanString(TypeDecorator[str]):
    """A text of at most its length: PostgreSQL refuses a longer one, SQLite would keep it."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        if value is None:
            return None
        longest = getattr(self.impl, "length", None)
        if longest is not None and len(value) > longest:
            raise InvalidInput(
                f"a text of {len(value)} characters is too long: {value[:40]!r}…", remedy=f"At most {longest}."
            )
        return check_text(value)


class CleanText(CleanString):
    impl = Text
    cache_ok = True


class Int64(TypeDecorator[int]):
    """A 64-bit integer; SQLite's is INTEGER, so that a primary key is its rowid. Larger numbers are the sender's fault,
    not a crash.
    """

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(Integer() if dialect.name == "sqlite" else BigInteger())

    def process_bind_param(self, value: int | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        if value is not None and not -INT64 <= value <= INT64:
            raise InvalidInput("a number does not fit in 64 bits.", remedy=f"Send at most {INT64}.")
        return value


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite keeps it without its zone."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


# SQL NULL for None: a JSON null in a nullable column would answer neither IS NULL nor IS NOT NULL as a reader expects.
Json = SqlJson(none_as_null=True)
