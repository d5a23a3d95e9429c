"""Tables as files, written piece by piece, so that ten thousand rows take no more memory than five hundred."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Literal

import orjson

from backend.store.fields import Kind

Format = Literal["csv", "parquet", "json"]
Head = Sequence[tuple[str, Kind]]
Rows = Sequence[Sequence[Any]]
MEDIA_TYPES: dict[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}
# A spreadsheet takes a cell that begins so for a formula.
FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(format: Format, head: Head, pieces: Iterable[Rows]) -> Iterator[bytes]:
    """The table in `format`. Rows have the columns of `head`; None is an empty cell."""
    return WRITERS[format](head, pieces)


def _csv(head: Head, pieces: Iterable[Rows]) -> Iterator[bytes]:
    texts = [i for i, (_, kind) in enumerate(head) if kind == "text"]
    times = [i for i, (_, kind) in enumerate(head) if kind == "time"]
    yield _lines([[_safe(name) for name, _ in head]])
    for rows in pieces:
        cells = [list(row) for row in rows]
        for row in cells:
            for i in texts:
                row[i] = _safe(row[i])
            for i in times:
                row[i] = _time(row[i])
        yield _lines(cells)


def _lines(rows: Iterable[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def _safe(text: Any) -> Any:
    return f"'{text}" if isinstance(text, str) and text.startswith(FORMULA) else text


def _time(value: datetime | None) -> str | None:
    return None if value is None else value.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _json(head: Head, pieces: Iterable[Rows]) -> Iterator[bytes]:
    """A list of objects; what is not finite is null."""
    names = [name for name, _ in head]
    before = b"["
    for rows in pieces:
        objects = [dict(zip(names, row, strict=True)) for row in rows]
        if objects:
            yield before + orjson.dumps(objects, option=orjson.OPT_UTC_Z | orjson.OPT_SERIALIZE_NUMPY)[1:-1]
            before = b",\n"
    yield b"[]" if before == b"[" else b"]"


def _parquet(head: Head, pieces: Iterable[Rows]) -> Iterator[bytes]:
    # pyarrow takes 40 MB of memory, which only a process that writes Parquet shall have.
    import pyarrow as pa
    from pyarrow import parquet

    kinds = {
        "text": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "time": pa.timestamp("us", tz="UTC"),
        "flag": pa.bool_(),
    }
    schema = pa.schema([(name, kinds[kind]) for name, kind in head])
    sink = _Sink()
    with parquet.ParquetWriter(sink, schema, compression="zstd") as writer:
        for rows in pieces:
            if len(rows):
                columns = list(zip(*rows, strict=True))
                arrays = [pa.array(column, field.type) for column, field in zip(columns, schema, strict=True)]
                writer.write_table(pa.Table.from_arrays(arrays, schema=schema))
            yield sink.drain()
    yield sink.drain()


class _Sink(io.RawIOBase):
    """A file that is read while it is written."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, part: Any) -> int:
        self._parts.append(bytes(part))
        self._written += len(self._parts[-1])
        return len(self._parts[-1])

    def drain(self) -> bytes:
        parts, self._parts = self._parts, []
        return b"".join(parts)


WRITERS: dict[Format, Callable[[Head, Iterable[Rows]], Iterator[bytes]]] = {
    "csv": _csv,
    "json": _json,
    "parquet": _parquet,
}
