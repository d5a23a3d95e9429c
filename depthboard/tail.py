"""Reads a spool's rows as batches of the protocol, straight from its bytes: what costs time is counted in rows, not points."""

from __future__ import annotations

import json
import os
import stat
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depthboard.protocol import MAX_KEYS, MAX_POINTS, MAX_STEP, MAX_VALUES, Block, Points
from depthboard.spool import HEAD, MARK, MARKED, SENT, check_keys

NUMBER = struct.Struct("<I")
HEAD_BYTES = struct.calcsize(HEAD)
PIECE = 1 << 20
"""Bytes that are read at once; a row has at most 8,020."""


@dataclass(frozen=True)
class Taken:
    """Whole rows at the beginning of some bytes: `used` of them, `blocks` by key set, the first being row `first_seq`."""

    blocks: list[Block]
    first_seq: int
    rows: int
    used: int

    @property
    def next_seq(self) -> int:
        return self.first_seq + self.rows

    def points(self, writer: str) -> Points:
        return Points(writer=writer, first_seq=self.first_seq, blocks=self.blocks)


class Tail:
    """Reads on from a place in the file; `seq` is the number of the row there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._rows = os.open(folder / "rows", os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # of a pipe it would wait
        try:
            if not stat.S_ISREG(os.fstat(self._rows).st_mode):
                raise ValueError(f"{folder / 'rows'} is no file.")
            self._sent = os.open(folder / "sent", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except (OSError, ValueError):
            os.close(self._rows)
            raise
        known = os.pread(self._sent, SENT.size, 0)
        self.seq: int = 0
        self.place: int = 0
        if len(known) == SENT.size:
            seq, place = SENT.unpack(known)
            if seq >= 0 and 0 <= place <= os.fstat(self._rows).st_size:  # else from the beginning, which adds nothing
                self.seq, self.place = seq, place

    def data(self, whole: int | None = None) -> bytes:
        """What follows; of a file that is being written at most up to `whole`, where its last record ends."""
        most = PIECE if whole is None else min(PIECE, max(0, whole - self.place))
        return os.pread(self._rows, most, self.place)

    def sets(self) -> list[tuple[str, ...]]:
        """The key sets; a line that was cut off names none that a row could have. Raises ValueError, InvalidInput."""
        lines = (self._folder / "keys").read_bytes().split(b"\n")[:-1]
        return [_set_of(line, number) for number, line in enumerate(lines, 1)]

    def move(self, seq: int, place: int) -> None:
        """Everything before is acknowledged. Where the disk is full it is told again after a restart, which adds nothing."""
        self.seq, self.place = seq, place
        try:
            os.pwrite(self._sent, SENT.pack(seq, place), 0)
        except OSError:
            return

    def rewind(self) -> None:
        self.seq, self.place = 0, 0

    def close(self) -> None:
        os.close(self._rows)
        os.close(self._sent)


def _set_of(line: bytes, number: int) -> tuple[str, ...]:
    try:
        keys = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"line {number} of keys cannot be read ({error}).") from error
    if not isinstance(keys, list) or not keys:
        raise ValueError(f"line {number} of keys is no list of names.")
    check_keys(keys)
    return tuple(keys)


def take(data: bytes, sets: Sequence[tuple[str, ...]], seq: int) -> Taken:
    """The rows at the beginning of `data`, at most what one batch may hold; the first has the number `seq` unless a mark
    says another.
    """
    begin, seq = _after_mark(data, seq)
    at, end, row, values, names = begin, len(data), 0, 0, 0
    places: dict[int, list[int]] = {}
    numbers: dict[int, list[int]] = {}
    while row < MAX_POINTS and at + HEAD_BYTES <= end:
        which = NUMBER.unpack_from(data, at)[0]
        if which == MARK or which >= len(sets):
            break
        width = len(sets[which])
        size = HEAD_BYTES + 8 * width
        if at + size > end or values + width > MAX_VALUES:
            break
        if which not in places:
            if names + width > MAX_KEYS:
                break
            names += width
            places[which], numbers[which] = [], []
        places[which].append(at)
        numbers[which].append(row)
        at, row, values = at + size, row + 1, values + width
    blocks = [_block(data, sets[which], places[which], numbers[which]) for which in places]
    return Taken(blocks, seq, row, at)


def _after_mark(data: bytes, seq: int) -> tuple[int, int]:
    at = 0
    while len(data) >= at + MARKED.size and NUMBER.unpack_from(data, at)[0] == MARK:
        said = MARKED.unpack_from(data, at)[1]
        if not 0 <= said <= MAX_STEP:
            break
        seq, at = said, at + MARKED.size
    return at, seq


def unreadable(rest: bytes, sets: Sequence[tuple[str, ...]], seq: int) -> int | None:
    """The number of the row that cannot be read in what `take` left; None where that is but a cut-off last record."""
    at, seq = _after_mark(rest, seq)
    left = len(rest) - at
    if left < HEAD_BYTES and not (left >= MARKED.size and NUMBER.unpack_from(rest, at)[0] == MARK):
        return None
    which = NUMBER.unpack_from(rest, at)[0]
    if which < len(sets) and left < HEAD_BYTES + 8 * len(sets[which]):
        return None
    return seq


def _block(data: bytes, keys: tuple[str, ...], places: list[int], numbers: list[int]) -> Block:
    size = HEAD_BYTES + 8 * len(keys)
    kind = np.dtype([("set", "<u4"), ("step", "<i8"), ("wall", "<f8"), ("values", "<f8", (len(keys),))])
    if numbers[-1] - numbers[0] + 1 == len(numbers):
        table = np.frombuffer(data, kind, len(numbers), places[0])
    else:
        bytes_of = np.asarray(places)[:, None] + np.arange(size)
        table = np.frombuffer(data, np.uint8)[bytes_of].view(kind).ravel()
    return Block(
        keys=list(keys),
        rows=np.asarray(numbers, "<i8"),
        steps=table["step"],
        walls=table["wall"],
        values=table["values"].ravel(),
    )
