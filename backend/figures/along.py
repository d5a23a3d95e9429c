"""Where a run's step lies on the x axis of a figure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.figures.aggregate import mean_of
from backend.figures.selector import IN_TIME, XAxis
from backend.store.hours import Clock, clocks, gpus
from backend.store.study import StudyRun


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

    def position(self, run: StudyRun, step: int) -> float:
        """NaN where it is not known."""
        images = step * run.batch_size
        match self.x:
            case "step":
                return step
            case "images":
                return images
            case "epoch":
                return images / run.train_size
        if run.id not in self.clocks:
            return math.nan
        if self.x == "wall":
            return self.clocks[run.id].wall(step)
        hours = self.clocks[run.id].at(step)
        return hours if self.x == "hours" else hours * self.gpus.get(run.id, math.nan)

    def mean(self, at: Iterable[tuple[StudyRun, int]]) -> float | None:
        """The mean position of these runs at these steps; None where none is known."""
        positions = [self.position(run, step) for run, step in at]
        if len(set(positions)) == 1 and math.isfinite(positions[0]):
            return positions[0]
        return mean_of(positions)

    def images(self, run: StudyRun) -> float:
        """Training images for each unit of the axis; 1 in time."""
        return {"epoch": run.train_size, "step": run.batch_size}.get(self.x, 1)


def along(session: Session, x: XAxis, runs: Iterable[StudyRun]) -> Along:
    ids = [run.id for run in runs]
    return Along(x, clocks(session, ids) if x in IN_TIME else {}, gpus(session, ids))
