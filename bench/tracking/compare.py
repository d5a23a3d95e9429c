"""Blocks of two sides in turn, so that a noisy neighbour touches both alike; the ratio is of blocks that were run one after the other."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bench.tracking.processes import busy
from bench.tracking.rows import Row
from bench.tracking.side import NotThere, Side

OURS = "ours"


@dataclass
class Measured:
    """One row of one side in some rounds; `reason` where it could not be measured."""

    values: list[float] = field(default_factory=list)
    reason: str = ""
    note: str = ""

    @property
    def median(self) -> float | None:
        return statistics.median(self.values) if self.values else None


@dataclass
class Pairing:
    """A row of ours beside the same of one peer, or alone. `busy`: milliseconds of a fixed loop before each round."""

    row: Row
    ours: Measured
    peer: str | None = None
    theirs: Measured = field(default_factory=Measured)
    busy: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        """How many times better ours is, round by round."""
        pairs = zip(self.ours.values, self.theirs.values, strict=False)
        return [ours / theirs if self.row.more_is_better else theirs / ours for ours, theirs in pairs]

    @property
    def met(self) -> bool | None:
        """Whether every target of this row that can be judged here is met; None where there is none or nothing was measured."""
        verdicts = []
        if self.row.most is not None and self.ours.median is not None:
            verdicts.append(self.ours.median <= self.row.most)
        if self.peer and self.peer in self.row.times and self.ratios:
            verdicts.append(statistics.median(self.ratios) >= self.row.times[self.peer])
        return all(verdicts) if verdicts else None


def compare(rows: Sequence[Row], ours: Side, peer: Side | None, rounds: int) -> Iterator[Pairing]:
    """Every row in so many rounds of a block each, the sides in turn the first. Before rates a block each that does not count."""
    for row in rows:
        print(f"  {row.title} …", file=sys.stderr, flush=True)
        pairing = Pairing(row, Measured(), peer.name if peer else None)
        blocks = [(ours, pairing.ours), *([(peer, pairing.theirs)] if peer else [])]
        for side, measured in blocks:
            measured.note = side.notes.get(row.key, "")
        if row.more_is_better:
            for side, measured in blocks:
                _measure(row.key, side, measured)
                measured.values.clear()
        for turn in range(rounds):
            pairing.busy.append(busy())
            for side, measured in blocks if turn % 2 == 0 else blocks[::-1]:
                _measure(row.key, side, measured)
        yield pairing


def _measure(key: str, side: Side, measured: Measured) -> None:
    if measured.reason:
        return
    if key not in side.pieces:
        measured.reason = "–"
        return
    try:
        measured.values.append(side.pieces[key]())
    except NotThere as error:
        measured.reason = str(error)
    except Exception as error:  # one side's failure must not lose the hour before it
        said = side.last_words()
        measured.reason = f"failed: {type(error).__name__}: {error}" + (f" (its server said: {said})" if said else "")
