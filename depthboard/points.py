"""Logged rows as a batch of the protocol: the rows that have the same keys become the columns of one block."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from depthboard.protocol import Block, Points


@dataclass(frozen=True)
class Row:
    """What was logged at once. NaN and infinities are kept."""

    step: int
    wall: float
    values: Mapping[str, float]


def batch(first_seq: int, rows: Sequence[Row], writer: str = "main") -> Points:
    """Raises pydantic's ValidationError for a key that cannot be one, a negative step, too many rows."""
    by_keys: dict[tuple[str, ...], list[int]] = {}
    for place, row in enumerate(rows):
        by_keys.setdefault(tuple(row.values), []).append(place)
    blocks = [_block(list(keys), places, [rows[p] for p in places]) for keys, places in by_keys.items()]
    return Points(writer=writer, first_seq=first_seq, blocks=blocks)


def _block(keys: list[str], places: list[int], rows: Sequence[Row]) -> Block:
    return Block(
        keys=keys,
        rows=np.array(places, "<i8"),
        steps=np.array([row.step for row in rows], "<i8"),
        walls=np.array([row.wall for row in rows], "<f8"),
        values=np.array([list(row.values.values()) for row in rows], "<f8").ravel(),
    )
