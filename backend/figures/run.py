"""One run's metric over its training, against the band of the other seeds of its cell: normal or odd at a glance."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.figures import rows
from backend.figures.aggregate import Summary, band, over_seeds
from backend.figures.along import Along, along
from backend.figures.convergence import Quote, quotes
from backend.figures.curve_means import Divergence, before_divergence, divergence
from backend.store import runs
from backend.store.evaluations import constants, one
from backend.store.study import Score, StudyRun, cell_of, scores
from backend.store.tables import NOT_BEGUN, Attempt, Run
from depthboard.errors import NotFound, UnknownName
from depthboard.metrics import METRICS, Averaging

Spread = Literal["minmax", "ci95", "none"]
X = Literal["epoch", "step", "images", "hours"]


@dataclass(frozen=True, slots=True)
class Choice:
    """What is drawn: of which run, beside the other seeds that `experiment_id` has."""

    run_id: int
    experiment_id: int | None = None
    metric: str = "mae"
    averaging: Averaging = "per_image"
    x: X = "epoch"
    y_log: bool = False
    band: Spread = "minmax"
    published: bool = True


@dataclass(frozen=True, slots=True)
class Curve:
    """The run's own evaluations, before it diverged; a value that is not finite is NaN."""

    step: tuple[int, ...]
    x: tuple[float, ...]
    value: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """What `n` other seeds reached at each of their evaluations, at `step`: `low` to `high`. In hours `x` is their mean, and never
    turns back where a slower seed is behind.
    """

    step: tuple[int, ...]
    x: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    n: tuple[int, ...]
    seeds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at `x`, in words."""

    x: float
    words: str


@dataclass(frozen=True, slots=True)
class RunFigure:
    choice: Choice
    run: StudyRun
    x_end: float
    own: Curve
    others: Band
    constant: float | None
    quote: Quote | None
    resumed: tuple[Mark, ...]
    diverged: Divergence | None
    """None too where it diverged before any finite value."""


def gather(session: Session, choice: Choice) -> RunFigure:
    """Raises NotFound for the run and for that of a script, UnknownName for the metric."""
    if choice.metric not in METRICS:
        remedy = f"Choose one of: {', '.join(METRICS)}."
        raise UnknownName(f"there is no metric {choice.metric}.", field="metric", remedy=remedy)
    row = runs.get(session, choice.run_id)
    if row.dataset is None:
        remedy = f"Its logged values are at GET /api/runs/{row.id}/metrics."
        raise NotFound(f"run {row.id} is a script's and has no evaluations.", field="id", remedy=remedy)
    run, *others = cell_of(session, row, choice.experiment_id)
    ids = [run.id, *(other.id for other in others)]
    found = scores(session, select(Run.id).where(Run.id.in_(ids)), choice.averaging, None, (choice.metric,))
    axis = along(session, choice.x, [run, *others])
    finite = before_divergence(run, found.get(run.id, ()))
    own = _curve(run, finite, choice.metric, axis)
    beside = _band(others, found, choice, axis)
    own_label = run.loss_label == run.loss
    published = quotes(run, choice.metric, choice.x) if choice.published and own_label else ()
    return RunFigure(
        choice=choice,
        run=run,
        x_end=_end(run, own, beside, axis),
        own=own,
        others=beside,
        constant=constants(session, one(run.id), choice.averaging).get(run.id, {}).get(choice.metric),
        quote=next((quote for quote in published if quote.loss == run.loss), None),
        resumed=tuple(_resumed(runs.attempts(session, run.id), run, axis)),
        diverged=divergence(run, finite, choice.metric, axis),
    )


def _curve(run: StudyRun, kept: Sequence[Score], metric: str, along: Along) -> Curve:
    return Curve(
        step=tuple(score.step for score in kept),
        x=tuple(along.position(run, score.step) for score in kept),
        value=tuple(score.values[metric] for score in kept),
    )


def _band(others: Sequence[StudyRun], found: dict[int, tuple[Score, ...]], choice: Choice, along: Along) -> Band:
    """Of the seeds' values at each step, where they span anything."""
    at: dict[int, list[tuple[StudyRun, float]]] = {}
    for run in others:
        for score in before_divergence(run, found.get(run.id, ())):
            if math.isfinite(value := score.values[choice.metric]):
                at.setdefault(score.step, []).append((run, value))
    points = []
    for step, here in sorted(at.items()):
        summary, x = over_seeds(value for _, value in here), along.mean((run, step) for run, _ in here)
        if summary is not None and x is not None and (span := _span(summary, choice.band)) is not None:
            points.append((step, x, *span, summary.n))
    return Band(
        step=tuple(point[0] for point in points),
        x=tuple(itertools.accumulate((point[1] for point in points), max)),
        low=tuple(point[2] for point in points),
        high=tuple(point[3] for point in points),
        n=tuple(point[4] for point in points),
        seeds=tuple(sorted({run.seed for here in at.values() for run, _ in here})),
    )


def _span(summary: Summary, kind: Spread) -> tuple[float, float] | None:
    """One seed alone spans its own value: it is drawn as a line."""
    return (summary.low, summary.high) if kind == "minmax" else band(summary, kind)


def _end(run: StudyRun, own: Curve, band: Band, along: Along) -> float:
    """Where the training will end; in hours, which nobody knows before, the last point that there is."""
    if not along.in_time:
        return along.position(run, run.steps)
    return max((x for x in (*own.x, *band.x) if math.isfinite(x)), default=0.0) or 1.0


def _resumed(attempts: Iterable[Attempt], run: StudyRun, along: Along) -> Iterable[Mark]:
    """Where a further attempt went on from a checkpoint."""
    for attempt in attempts:
        if attempt.resumed_from and attempt.resumed_from != NOT_BEGUN:
            step = attempt.resumed_from - 1
            x = along.position(run, step)
            if math.isfinite(x):
                yield Mark(x, f"attempt {attempt.attempt}, resumed from {place_words(run, step)}")


def place_words(run: StudyRun, step: int) -> str:
    return f"epoch {step * run.batch_size / run.train_size:.3g}"


def to_csv(numbers: RunFigure) -> str:
    """The run's own evaluations, the band beside them, and what was published."""
    own, others, x = numbers.own, numbers.others, numbers.choice.x
    found: list[tuple[object, ...]] = [
        ("run", numbers.run.id, at, value, None, None, None) for at, value in zip(own.x, own.value, strict=True)
    ]
    band = zip(others.x, others.low, others.high, others.n, strict=True)
    found += [("other seeds", None, at, None, low, high, n) for at, low, high, n in band]
    if numbers.quote is not None:
        quoted = zip(numbers.quote.x, numbers.quote.value, strict=True)
        found += [("published", None, at, value, None, None, None) for at, value in quoted]
    return rows.table(("kind", "run_id", x, numbers.choice.metric, "low", "high", "n"), found)
