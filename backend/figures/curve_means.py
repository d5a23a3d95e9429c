"""Curves averaged over runs: exact means at each evaluation, with their band, their n, and where they reach a target."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from backend.figures.aggregate import Summary, band, over_seeds
from backend.figures.along import Along
from backend.figures.groups import Cell, Scope
from backend.figures.selector import Selection
from backend.store.study import Score, StudyRun
from depthboard.metrics import METRICS
from depthboard.status import RunStatus


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where a run's last finite evaluation before its divergence lies; `step` is the first step whose training loss was not finite."""

    run_id: int
    seed: int
    step: int
    x: float
    value: float


@dataclass(frozen=True, slots=True)
class Single:
    """One run's own curve."""

    run_id: int
    seed: int
    x: tuple[float, ...]
    value: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Reached:
    """The first point whose mean is at the target or past it."""

    x: float
    mean: float


@dataclass(frozen=True, slots=True)
class Line:
    """One cell over its runs: exact means at each evaluation, sample standard deviation, the band from low to high, and n, in stored units. Where
    every run has its own x at an evaluation, `x` is their mean there, and never turns back where a slower run is behind.

    `reached` is None where no mean is at the target, or there is none.
    `going`: whether some of its runs will still be evaluated.
    """

    cell: Cell
    x: tuple[float, ...]
    mean: tuple[float, ...]
    std: tuple[float | None, ...]
    low: tuple[float | None, ...]
    high: tuple[float | None, ...]
    n: tuple[int, ...]
    end: Summary | None
    diverged: tuple[Divergence, ...]
    singles: tuple[Single, ...]
    reached: Reached | None
    going: bool


Evaluated = tuple[StudyRun, int, float]
"""A run, the step and the value."""


def line_of(cell: Cell, scope: Scope, selection: Selection, along: Along, target: float | None) -> Line:
    """The cell's line. `target` is in stored units."""
    finite = {run.id: before_divergence(run, scope.study.scores.get(run.id, ())) for run in cell.runs}
    known = [
        (summary, x)
        for found in _aligned(cell.runs, finite, selection.metric)
        if (summary := over_seeds(value for _, _, value in found)) is not None
        and (x := along.mean((run, step) for run, step, _ in found)) is not None
    ]
    xs = tuple(itertools.accumulate((x for _, x in known), max))
    means = tuple(summary.mean for summary, _ in known)
    bands = [band(summary, selection.band) or (None, None) for summary, _ in known]
    return Line(
        cell=cell,
        x=xs,
        mean=means,
        std=tuple(summary.std for summary, _ in known),
        low=tuple(low for low, _ in bands),
        high=tuple(high for _, high in bands),
        n=tuple(summary.n for summary, _ in known),
        end=over_seeds(scope.values(cell.runs, selection.metric).values()),
        diverged=tuple(
            mark for run in cell.runs if (mark := divergence(run, finite[run.id], selection.metric, along)) is not None
        ),
        singles=tuple(_singles(cell.runs, finite, selection, along)) if selection.band == "seeds" else (),
        reached=_reached(xs, means, target, falling=METRICS[selection.metric].lower_is_better),
        going=any(run.status in (RunStatus.queued, RunStatus.running) for run in cell.runs),
    )


def _aligned(runs: tuple[StudyRun, ...], finite: Mapping[int, list[Score]], metric: str) -> Iterable[list[Evaluated]]:
    """The evaluations that are averaged with each other: those at one step; of runs of different length those at equal
    shares of the training, which are the first of each run, the second, and so on.
    """
    by_step = len({run.steps for run in runs}) == 1
    at: dict[int, list[Evaluated]] = {}
    for run in runs:
        for number, score in enumerate(finite[run.id]):
            if math.isfinite(value := score.values[metric]):
                at.setdefault(score.step if by_step else number, []).append((run, score.step, value))
    return (at[place] for place in sorted(at))


def before_divergence(run: StudyRun, scores: tuple[Score, ...]) -> list[Score]:
    return [s for s in scores if run.diverged_at is None or s.step < run.diverged_at]


def _singles(
    runs: tuple[StudyRun, ...], finite: Mapping[int, list[Score]], selection: Selection, along: Along
) -> Iterable[Single]:
    """The runs' own curves, where there are several."""
    for run in runs if len(runs) > 1 else ():
        points = [(along.position(run, s.step), s.values[selection.metric]) for s in finite[run.id]]
        known = [(x, value) for x, value in points if math.isfinite(x) and math.isfinite(value)]
        if known:
            yield Single(run.id, run.seed, tuple(x for x, _ in known), tuple(value for _, value in known))


def divergence(run: StudyRun, finite: Iterable[Score], metric: str, along: Along) -> Divergence | None:
    """Of the run's evaluations before it diverged, the last with a value; None where it did not diverge, or has none."""
    known = [score for score in finite if math.isfinite(score.values[metric])]
    if run.diverged_at is None or not known:
        return None
    last = known[-1]
    return Divergence(run.id, run.seed, run.diverged_at, along.position(run, last.step), last.values[metric])


def _reached(xs: Iterable[float], means: Iterable[float], target: float | None, *, falling: bool) -> Reached | None:
    if target is None:
        return None
    there = (Reached(x, m) for x, m in zip(xs, means, strict=True) if (m <= target if falling else m >= target))
    return next(there, None)
