"""Logged values of one key against training, a line a run: of trainings and of people's own scripts alike.

A loss has its colour and dash as in every figure. A run that trains none of the known ones has those of a loss that no other
run here trains, as long as there are such.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from backend import curve_sets
from backend.curve_sets import Wanted
from backend.figures import captions
from backend.figures.along import Along, along
from backend.figures.curves_drawing import draw
from backend.figures.selector import IN_TIME, Selection, XAxis
from backend.figures.tokens import ENCODER_TITLES, LOSS_TOKENS, loss_words
from backend.store import curves as stored
from backend.store import experiments
from backend.store.columns import Columns, join, thin
from backend.store.fields import MOST_NAMES
from backend.store.hours import gpus
from backend.store.tables import SCRIPT, ExperimentRun, Metric, Run

__all__ = ["Curves", "Line", "draw", "gather", "keys"]

MOST_POINTS, POINTS_IN_ALL, FEWEST_POINTS = 1000, 50_000, 100
"""Points of a curve at most, and of all together, though none has fewer than so many for that: a browser must draw them."""
LOSS_PREFIX = "train/loss"
AXES: tuple[XAxis, ...] = ("step", "epoch", "images", "hours", "wall", "gpu")
HELD = 10
"""Runs that are held at full length at once: of 100,000 points each they take up to 85 MB while they are read."""
OUTSIDE = 4
"""Of a stretch that is looked at closely, what lies beside it has so many times fewer points."""


@dataclass(frozen=True, slots=True)
class Named:
    """A run: what its steps are counted by, its label, its loss (empty where a script did not say one that is known), the loss whose colour and dash it
    has, the axes along which it can be drawn, and what may tell it from others.
    """

    id: int
    batch_size: int
    train_size: int
    label: str
    loss: str
    look: str
    axes: tuple[XAxis, ...]
    parts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """A run's curve. Values that are not finite are NaN. `of` is how many points it has, those not drawn among them;
    `variant` which of the lines with its look it is.
    """

    run_id: int
    run: Named
    x: NDArray[np.float64]
    value: NDArray[np.float64]
    of: int
    variant: int


@dataclass(frozen=True, slots=True)
class Curves:
    """`keys` and `axes` are those that the runs have; `without` how many logged the key, but do not say where on this axis."""

    key: str
    x: XAxis
    x_log: bool
    y_log: bool
    smoothing: float
    hidden: frozenset[str]
    lines: tuple[Line, ...]
    keys: tuple[str, ...]
    axes: tuple[XAxis, ...]
    without: int


def keys(session: Session, experiment_id: int) -> list[str]:
    """The keys that its runs logged, training losses first, then those of most runs.

    Of a training the names without a slash are metrics of evaluations, which no curve has.
    """
    rows = session.execute(
        select(Metric.name, func.count().label("runs"))
        .join(ExperimentRun, ExperimentRun.run_id == Metric.run_id)
        .join(Run, Run.id == Metric.run_id)
        .where(ExperimentRun.experiment_id == experiment_id, or_(Run.kind == SCRIPT, Metric.name.contains("/")))
        .group_by(Metric.name)
        .order_by(Metric.name.startswith(LOSS_PREFIX).desc(), func.count().desc(), Metric.name)
        .limit(MOST_NAMES)
    ).all()
    return [row.name for row in rows]


def gather(session: Session, selection: Selection) -> Curves:
    """The curves of `selection.key`, by default the first of `keys`. Raises NotFound for the experiment."""
    experiments.get(session, selection.experiment_id)
    known = tuple(keys(session, selection.experiment_id))
    key = selection.key or next(iter(known), "")
    named = _named(session, selection.experiment_id)
    found, logged = _lines(session, named, key, selection)
    lines = _told_apart(found)
    labels = {str(line.run_id) for line in lines}
    return Curves(
        key=key,
        x=selection.x,
        x_log=selection.x_log,
        y_log=selection.y_log,
        smoothing=selection.smoothing,
        hidden=frozenset(selection.hidden if not selection.only else labels - set(selection.only)),
        lines=tuple(lines),
        keys=known,
        axes=tuple(axis for axis in AXES if not named or any(axis in run.axes for run in named.values())),
        without=logged - len(lines),
    )


def _told_apart(lines: list[Line]) -> list[Line]:
    """Of several lines of one look each has a number of its own."""
    seen: Counter[str] = Counter()
    numbered = []
    for line in lines:
        numbered.append(replace(line, variant=seen[line.run.look]))
        seen[line.run.look] += 1
    return numbered


def _named(session: Session, experiment_id: int) -> dict[int, Named]:
    """The runs in the order of the grid."""
    columns = (
        Run.id,
        Run.kind,
        Run.name,
        Run.loss,
        Run.loss_label,
        Run.encoder,
        Run.train_size,
        Run.batch_size,
        Run.seed,
    )
    query = select(*columns).join(ExperimentRun, ExperimentRun.run_id == Run.id)
    rows = session.execute(
        query.where(ExperimentRun.experiment_id == experiment_id).order_by(ExperimentRun.position, Run.id)
    ).all()
    several = len({row.encoder for row in rows if row.kind != SCRIPT}) > 1
    taken = {row.loss for row in rows}
    free = cycle([loss for loss in LOSS_TOKENS if loss not in taken] or LOSS_TOKENS)
    on_gpus = gpus(session, [row.id for row in rows])
    named = {}
    for row in rows:
        loss = row.loss if row.loss in LOSS_TOKENS else ""
        axes = (*_axes(row), *(("gpu",) if row.id in on_gpus else ()))
        look = loss or next(free)
        label = _label(row, several)
        named[row.id] = Named(row.id, row.batch_size, row.train_size, label, loss, look, axes, _parts(row))
    return named


def _parts(run: Any) -> tuple[str, ...]:
    """What may tell a run from others, in words: those in which runs differ are written at their lines' ends."""
    if run.kind == SCRIPT:
        return (str(run.name),)
    encoder = ENCODER_TITLES.get(run.encoder, run.encoder)
    loss = loss_words(run.loss, run.loss_label)
    return loss, f"{captions.short_size(run.train_size)} images", encoder, f"seed {run.seed}"


def _label(run: Any, with_encoder: bool) -> str:
    if run.kind == SCRIPT:
        return str(run.name)
    encoder = f", {ENCODER_TITLES.get(run.encoder, run.encoder)}" if with_encoder else ""
    return f"{loss_words(run.loss, run.loss_label)}, {run.train_size} images{encoder}, seed {run.seed}"


def _axes(run: Any) -> Iterable[XAxis]:
    """Images are counted by the batch size, epochs by the training images too; a script may not have said them."""
    yield "step"
    if run.batch_size and run.train_size:
        yield "epoch"
    if run.batch_size:
        yield "images"
    yield "hours"
    yield "wall"


def _lines(session: Session, named: dict[int, Named], key: str, selection: Selection) -> tuple[list[Line], int]:
    """The lines, and how many runs logged the key: no more runs at once than can be held at full length."""
    each = max(FEWEST_POINTS, min(MOST_POINTS, POINTS_IN_ALL // max(1, len(named))))
    close = selection.low is not None or selection.high is not None
    wanted = Wanted([key], ("wall" if selection.x in IN_TIME else "step",), None if close else each, -1)
    ids, at_once = list(named), HELD if close or selection.x in IN_TIME else max(1, len(named))
    lines: list[Line] = []
    logged = 0
    for start in range(0, len(ids), at_once):
        found = curve_sets.gather(session, ids[start : start + at_once], wanted)
        logged += len(found)
        drawn = [curve for curve in found if selection.x in named[curve.run_id].axes]
        cut = [curve.run_id for curve in drawn if not close and len(curve.columns) > FEWEST_POINTS]
        whole = stored.lengths(session, cut, key) if cut else {}
        axis = along(session, selection.x, [named[curve.run_id] for curve in drawn])
        for curve in drawn:
            of = max(len(curve.columns), whole.get(curve.run_id, 0))
            lines.append(_line(curve.columns, of, named[curve.run_id], axis, selection, each))
    return [line for line in lines if np.isfinite(line.x).any()], logged


def _line(columns: Columns, of: int, run: Named, axis: Along, selection: Selection, each: int) -> Line:
    x = axis.positions(run, columns.steps, columns.walls)
    if selection.low is not None or selection.high is not None:
        columns = _closer(columns, x, selection, each)
        x = axis.positions(run, columns.steps, columns.walls)
    return Line(run.id, run, x, np.where(np.isfinite(columns.values), columns.values, np.nan), of, 0)


def _closer(columns: Columns, x: NDArray[np.float64], selection: Selection, each: int) -> Columns:
    """As many points within the stretch that is looked at, and one beside it on each side, as else of the whole curve."""
    low = -np.inf if selection.low is None else selection.low
    high = np.inf if selection.high is None else selection.high
    within = np.flatnonzero((x >= low) & (x <= high))
    if not len(within):
        return thin(columns, each)
    first, last = max(0, int(within[0]) - 1), int(within[-1]) + 2
    few = max(FEWEST_POINTS, each // OUTSIDE)
    before, after = columns.at(slice(0, first)), columns.at(slice(last, None))
    return join([thin(before, few), thin(columns.at(slice(first, last)), each), thin(after, few)])
