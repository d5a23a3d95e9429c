"""Columns of logged numbers as bytes: exact, NaN and infinities kept, little-endian.

A chunk holds batches as they came, uncompressed, since it does not live long. What is kept for good is packed: of steps and
wall times the differences, of values float32 where that loses nothing, all with their bytes in planes (the first byte of
every number, then the second …), which is what zlib shortens best.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import orjson
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HEADER_BYTES = 4
LEVEL = 6
SINGLE, DOUBLE = b"\x04", b"\x08"


@dataclass(frozen=True)
class Columns:
    """One curve: steps rising, wall time in seconds since the epoch, values with NaN and infinities."""

    steps: Ints
    walls: Floats
    values: Floats

    def __len__(self) -> int:
        return len(self.steps)

    def at(self, which: NDArray[np.generic] | slice) -> Columns:
        return Columns(self.steps[which], self.walls[which], self.values[which])


@dataclass(frozen=True)
class Block:
    """Rows of a batch that were logged under the same keys: `rows` (n,) are their places in the batch, `values` is
    (n, len(keys)).
    """

    keys: tuple[str, ...]
    rows: Ints
    steps: Ints
    walls: Floats
    values: Floats


def pack_blocks(blocks: Sequence[Block]) -> bytes:
    header = orjson.dumps([[block.keys, len(block.rows)] for block in blocks])
    parts = [len(header).to_bytes(HEADER_BYTES, "little"), header]
    for block in blocks:
        parts += [block.rows.astype("<i8").tobytes(), block.steps.astype("<i8").tobytes()]
        parts += [block.walls.astype("<f8").tobytes(), block.values.astype("<f8").tobytes()]
    return b"".join(parts)


def unpack_blocks(body: bytes) -> list[Block]:
    end = HEADER_BYTES + int.from_bytes(body[:HEADER_BYTES], "little")
    blocks = []
    for keys, n in orjson.loads(body[HEADER_BYTES:end]):
        integers = np.frombuffer(body, "<i8", 2 * n, end)
        floats = np.frombuffer(body, "<f8", n * (1 + len(keys)), end + 16 * n)
        end += 8 * n * (3 + len(keys))
        values = floats[n:].reshape(n, len(keys))
        blocks.append(Block(tuple(keys), integers[:n], integers[n:], floats[:n], values))
    return blocks


def pack_steps(steps: Ints) -> bytes:
    return _squeeze(np.diff(steps.astype("<i8"), prepend=np.int64(0)))


def unpack_steps(packed: bytes) -> Ints:
    return np.cumsum(_planes(zlib.decompress(packed), "<i8"))


def pack_walls(walls: Floats) -> bytes:
    """Of neighbouring times the bits differ little, as integers."""
    return pack_steps(np.ascontiguousarray(walls, "<f8").view("<i8"))


def unpack_walls(packed: bytes) -> Floats:
    return unpack_steps(packed).view(np.float64)


def pack_values(values: Floats) -> bytes:
    with np.errstate(over="ignore", invalid="ignore"):
        single = values.astype("<f4")
    if np.array_equal(single.astype(np.float64), values, equal_nan=True):
        return SINGLE + _squeeze(single)
    return DOUBLE + _squeeze(values.astype("<f8"))


def unpack_values(packed: bytes) -> Floats:
    kind = "<f4" if packed[:1] == SINGLE else "<f8"
    return _planes(zlib.decompress(memoryview(packed)[1:]), kind).astype(np.float64, copy=False)


def _squeeze(column: NDArray[np.generic]) -> bytes:
    planes = np.ascontiguousarray(column).view(np.uint8).reshape(len(column), column.itemsize).T
    return zlib.compress(planes.tobytes(), LEVEL)


def _planes(raw: bytes, kind: str) -> NDArray[np.generic]:
    width = np.dtype(kind).itemsize
    return np.ascontiguousarray(np.frombuffer(raw, np.uint8).reshape(width, -1).T).view(kind).ravel()


def pack_columns(columns: Columns) -> bytes:
    """A whole curve in one piece."""
    parts = [pack_steps(columns.steps), pack_walls(columns.walls), pack_values(columns.values)]
    return b"".join(len(part).to_bytes(HEADER_BYTES, "little") + part for part in parts)


def unpack_columns(packed: bytes) -> Columns:
    parts, start = [], 0
    while start < len(packed):
        end = start + HEADER_BYTES + int.from_bytes(packed[start : start + HEADER_BYTES], "little")
        parts.append(packed[start + HEADER_BYTES : end])
        start = end
    return Columns(unpack_steps(parts[0]), unpack_walls(parts[1]), unpack_values(parts[2]))


def join(pieces: Sequence[Columns]) -> Columns:
    """In order of steps; of values at the same step the last one written, which is in the later piece or behind."""
    steps = np.concatenate([p.steps for p in pieces])
    whole = Columns(steps, np.concatenate([p.walls for p in pieces]), np.concatenate([p.values for p in pieces]))
    if len(steps) < 2 or bool((np.diff(steps) > 0).all()):
        return whole
    order = np.argsort(steps, kind="stable")
    last = np.append(np.diff(steps[order]) > 0, True)
    return whole.at(order[last])


def thin(columns: Columns, most: int) -> Columns:
    """At most `most` points (and the two ends): of every stretch the smallest and the largest value, and whatever is
    not finite.

    What is seen of a curve at that width stays: no peak is lost. Up to `most` further points that are not finite are
    kept.
    """
    n = len(columns)
    if n <= most:
        return columns
    starts = np.linspace(0, n, _stretches(most) + 1).round().astype(np.int64)[:-1]
    finite = np.isfinite(columns.values)
    kept = [np.array([0, n - 1]), _extremes(columns.values, finite, starts)]
    if not finite.all():
        kept.append(np.flatnonzero(~finite)[:most])
    return columns.at(np.unique(np.concatenate(kept)))


def may_be_thinned(columns: Columns, most: int) -> bool:
    """False where the curve is too short for what `thin` leaves: at least a point of every stretch."""
    return len(columns) >= _stretches(most)


def _stretches(most: int) -> int:
    return max(1, (most - 2) // 2)


def _extremes(values: Floats, finite: NDArray[np.bool_], starts: Ints) -> Ints:
    """Where the smallest and the largest finite value of every stretch stand; a stretch without any gives its ends."""
    n = len(values)
    lengths = np.diff(np.append(starts, n))
    found = []
    for absent, reduce in ((np.inf, np.minimum), (-np.inf, np.maximum)):
        known = values if finite.all() else np.where(finite, values, absent)
        best = np.repeat(reduce.reduceat(known, starts), lengths)
        places = np.flatnonzero(known == best)
        stretch = np.searchsorted(starts, places, side="right")
        found.append(places[np.append(True, np.diff(stretch) > 0)])
    return np.concatenate(found)
