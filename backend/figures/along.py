"""Where a run's step lies on the x axis of a figure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.figures.aggregate import mean_of
from backend.figures.selector import IN_TIME, XAxis
from backend.store.hours import Clock, clocks, gpus

Floats = NDArray[np.float64]


class Counted(Protocol):
    """A run that steps are counted of. A script may not have said its batch size or its training images: then they are 0."""

    @property
    def id(self) -> int: ...
    @property
    def batch_size(self) -> int: ...
    @property
    def train_size(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Along:
    """`clocks` by run where the axis is of time; `gpus` by run that trained on such."""

    x: XAxis
    clocks: Mapping[int, Clock]
    gpus: Mapping[int, int]

    @property
    def in_time(self) -> bool:
        return self.x in IN_TIME

    @property
    def axes(self) -> tuple[XAxis, ...]:
        """The axes that there are for these runs."""
        return ("epoch", "step", "images", "hours", "wall", *(("gpu",) if self.gpus else ()))

    def position(self, run: Counted, step: int) -> float:
        """NaN where it is not known."""
        if not self.in_time:
            count: float = self._count(run, step)
            return count
        clock = self.clocks.get(run.id, Clock())
        if self.x == "wall":
            return clock.wall(step)
        return clock.at(step) * self._at_once(run)

    def positions(self, run: Counted, steps: NDArray[np.int64], walls: Floats | None = None) -> Floats:
        """Of `steps`, in time when each was logged where `walls` says it, else when all of it was recorded."""
        if not self.in_time:
            return np.asarray(self._count(run, steps), np.float64)
        if walls is None:
            return np.array([self.position(run, step) for step in steps.tolist()], np.float64)
        clock = self.clocks.get(run.id)
        if clock is None:
            return np.full(len(steps), np.nan)
        if self.x == "wall":
            return clock.wall_of_values(walls)
        return clock.of_values(steps, walls) * self._at_once(run)

    def _count(self, run: Counted, steps: Any) -> Any:
        """A step, or an array of them, in steps, images or epochs."""
        if self.x == "step":
            return steps
        images = steps * (run.batch_size or math.nan)
        return images if self.x == "images" else images / (run.train_size or math.nan)

    def _at_once(self, run: Counted) -> float:
        return 1 if self.x == "hours" else self.gpus.get(run.id, math.nan)

    def mean(self, at: Iterable[tuple[Counted, int]]) -> float | None:
        """The mean position of these runs at these steps; None where none is known."""
        positions = [self.position(run, step) for run, step in at]
        if len(set(positions)) == 1 and math.isfinite(positions[0]):
            return positions[0]
        return mean_of(positions)

    def images(self, run: Counted) -> float:
        """Training images for each unit of the axis; 1 in time."""
        return {"epoch": run.train_size, "step": run.batch_size}.get(self.x, 1)


def along(session: Session, x: XAxis, runs: Iterable[Counted]) -> Along:
    """Of `runs`, whose clocks are read where the axis is of time."""
    ids = [run.id for run in runs]
    return Along(x, clocks(session, ids) if x in IN_TIME else {}, gpus(session, ids))
