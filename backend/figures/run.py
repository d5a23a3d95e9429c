"""One run's metric over its training, against the band of the other seeds of its cell: normal or odd at a glance."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.figures import published, rows
from backend.figures.aggregate import mean_of, over_seeds
from backend.figures.groups import is_nyuv2
from backend.store import runs
from backend.store.evaluations import constants, one
from backend.store.hours import Clock, clocks
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
class Along:
    """Where a run's step lies on the x axis; `clocks` by run where that is in hours."""

    x: X
    clocks: Mapping[int, Clock]

    def position(self, run: StudyRun, step: int) -> float:
        images = step * run.batch_size
        match self.x:
            case "step":
                return step
            case "images":
                return images
            case "epoch":
                return images / run.train_size
            case "hours":
                return self.clocks[run.id].at(step) if run.id in self.clocks else math.nan


@dataclass(frozen=True, slots=True)
class Curve:
    """The run's own evaluations, before it diverged; a value that is not finite is NaN."""

    step: tuple[int, ...]
    x: tuple[float, ...]
    value: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Band:
    """What `n` other seeds reached at each of their evaluations: `low` to `high`."""

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
class Divergence:
    """`value` is the last finite evaluation before it, None where there was none."""

    x: float
    step: int
    value: float | None


@dataclass(frozen=True, slots=True)
class RunFigure:
    choice: Choice
    run: StudyRun
    x_end: float
    own: Curve
    others: Band
    constant: float | None
    quote: tuple[tuple[float, ...], tuple[float, ...]] | None
    resumed: tuple[Mark, ...]
    diverged: Divergence | None


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
    along = Along(choice.x, clocks(session, ids) if choice.x == "hours" else {})
    own = _curve(run, found.get(run.id, ()), choice.metric, along)
    band = _band(others, found, choice, along)
    return RunFigure(
        choice=choice,
        run=run,
        x_end=_end(run, own, band, along),
        own=own,
        others=band,
        constant=constants(session, one(run.id), choice.averaging).get(run.id, {}).get(choice.metric),
        quote=_quote(run, choice),
        resumed=tuple(_resumed(runs.attempts(session, run.id), run, along)),
        diverged=_divergence(run, own, along),
    )


def _before(run: StudyRun, found: Iterable[Score]) -> list[Score]:
    return [score for score in found if run.diverged_at is None or score.step < run.diverged_at]


def _curve(run: StudyRun, found: Iterable[Score], metric: str, along: Along) -> Curve:
    kept = _before(run, found)
    return Curve(
        step=tuple(score.step for score in kept),
        x=tuple(along.position(run, score.step) for score in kept),
        value=tuple(score.values[metric] for score in kept),
    )


def _band(others: Sequence[StudyRun], found: dict[int, tuple[Score, ...]], choice: Choice, along: Along) -> Band:
    at: dict[int, list[tuple[StudyRun, float]]] = {}
    for run in others:
        for score in _before(run, found.get(run.id, ())):
            if math.isfinite(value := score.values[choice.metric]):
                at.setdefault(score.step, []).append((run, value))
    points = []
    for step, here in sorted(at.items()):
        span = interval([value for _, value in here], choice.band)
        x = mean_of(along.position(run, step) for run, _ in here)
        if span is not None and x is not None:
            points.append((x, *span, len(here)))
    return Band(
        x=tuple(point[0] for point in points),
        low=tuple(point[1] for point in points),
        high=tuple(point[2] for point in points),
        n=tuple(point[3] for point in points),
        seeds=tuple(sorted({run.seed for here in at.values() for run, _ in here})),
    )


def interval(values: Sequence[float], band: Spread) -> tuple[float, float] | None:
    """The smallest and largest, or the mean's 95 % confidence interval by Student's t, which takes two values."""
    if band == "minmax":
        return min(values), max(values)
    summary = over_seeds(values)
    if band == "none" or summary is None or summary.std is None:
        return None
    from scipy.special import stdtrit  # takes a while to load

    half = float(stdtrit(summary.n - 1, 0.975)) * summary.std / math.sqrt(summary.n)
    return summary.mean - half, summary.mean + half


def _end(run: StudyRun, own: Curve, band: Band, along: Along) -> float:
    """Where the training will end; in hours, which nobody knows before, the last point that there is."""
    if along.x != "hours":
        return along.position(run, run.steps)
    return max((x for x in (*own.x, *band.x) if math.isfinite(x)), default=0.0) or 1.0


def _quote(run: StudyRun, choice: Choice) -> tuple[tuple[float, ...], tuple[float, ...]] | None:
    """Figure 3's curve of this loss and size, which is test MAE against epochs on NYUv2."""
    drawn = choice.published and choice.metric == "mae" and choice.x in ("epoch", "images")
    if not drawn or run.loss_label != run.loss or not is_nyuv2(run.dataset, run.format):
        return None
    curve = published.figure3(run.train_size).get(run.loss)
    factor = run.train_size if choice.x == "images" else 1
    return None if curve is None else (tuple(epoch * factor for epoch in curve.epoch), curve.mae)


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


def _divergence(run: StudyRun, own: Curve, along: Along) -> Divergence | None:
    if run.diverged_at is None:
        return None
    finite = [value for value in own.value if math.isfinite(value)]
    x = along.position(run, run.diverged_at)
    return Divergence(x, run.diverged_at, finite[-1] if finite else None)


def to_csv(numbers: RunFigure) -> str:
    """The run's own evaluations, the band beside them, and what was published."""
    own, others, x = numbers.own, numbers.others, numbers.choice.x
    found: list[tuple[object, ...]] = [
        ("run", numbers.run.id, at, value, None, None, None) for at, value in zip(own.x, own.value, strict=True)
    ]
    band = zip(others.x, others.low, others.high, others.n, strict=True)
    found += [("other seeds", None, at, None, low, high, n) for at, low, high, n in band]
    found += [
        ("published", None, at, value, None, None, None) for at, value in zip(*numbers.quote or ((), ()), strict=True)
    ]
    return rows.table(("kind", "run_id", x, numbers.choice.metric, "low", "high", "n"), found)
