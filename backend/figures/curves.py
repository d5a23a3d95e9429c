"""Logged values of one key against training, a line a run: of trainings and of people's own scripts alike.

A loss has its colour and dash as in every figure. A run that trains none of the known ones has those of a loss that no other
run here trains, as long as there are such.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from backend import curve_sets
from backend.curve_sets import Axis, Drawn, Wanted
from backend.figures import captions
from backend.figures.panels import describe, grid, log_axis, notice, place
from backend.figures.selector import X_TITLES, Selection, XAxis
from backend.figures.tokens import ENCODER_TITLES, LOSS_TOKENS, Theme, loss_words, plain
from backend.store import experiments
from backend.store.fields import MOST_NAMES
from backend.store.hours import Clock, clocks
from backend.store.tables import SCRIPT, ExperimentRun, Metric, Run

MOST_POINTS, POINTS_IN_ALL, FEWEST_POINTS = 1000, 50_000, 100
"""Points of a curve at most, and of all together, though none has fewer than so many for that: a browser must draw them."""
PANEL_HEIGHT = 420
LOSS_PREFIX = "train/loss"
AXES: dict[XAxis, Axis] = {"step": "step", "epoch": "epoch", "images": "images_seen", "hours": "wall"}


@dataclass(frozen=True, slots=True)
class Named:
    """A run: its label, its loss (empty where a script did not say one that is known), the loss whose colour and dash it
    has, and the axes along which it can be drawn.
    """

    label: str
    loss: str
    look: str
    axes: tuple[XAxis, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """A run's curve. Values that are not finite are NaN."""

    run_id: int
    run: Named
    x: NDArray[np.float64]
    value: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curves:
    """`keys` and `axes` are those that the runs have; `without` how many logged the key, but do not say where on this axis."""

    key: str
    x: XAxis
    y_log: bool
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
    each = max(FEWEST_POINTS, min(MOST_POINTS, POINTS_IN_ALL // max(1, len(named))))
    found = curve_sets.gather(session, list(named), Wanted([key], (AXES[selection.x],), each, -1))
    drawn = [curve for curve in found if selection.x in named[curve.run_id].axes]
    timed = clocks(session, [curve.run_id for curve in drawn]) if selection.x == "hours" else {}
    lines = [_line(curve, named[curve.run_id], selection.x, timed) for curve in drawn]
    lines = [line for line in lines if np.isfinite(line.x).any()]
    return Curves(
        key=key,
        x=selection.x,
        y_log=selection.y_log,
        lines=tuple(lines),
        keys=known,
        axes=tuple(axis for axis in AXES if not named or any(axis in run.axes for run in named.values())),
        without=len(found) - len(lines),
    )


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
    named = {}
    for row in rows:
        loss = row.loss if row.loss in LOSS_TOKENS else ""
        named[row.id] = Named(_label(row, several), loss, loss or next(free), tuple(_axes(row)))
    return named


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


def _line(curve: Drawn, run: Named, axis: XAxis, timed: dict[int, Clock]) -> Line:
    values = curve.columns.values
    if axis == "hours":
        x = timed[curve.run_id].of_values(curve.columns.steps, curve.columns.walls)
    else:
        x = curve.axis(AXES[axis]).astype(np.float64)
    return Line(curve.run_id, run, x, np.where(np.isfinite(values), values, np.nan))


def draw(curves: Curves, theme: Theme) -> go.Figure:
    figure = grid(1, 1, theme, panel_height=PANEL_HEIGHT)
    figure.add_traces([_trace(line, curves, theme) for line in curves.lines])
    if not curves.lines:
        notice(figure, place(0, 1), plain(_nothing(curves)), theme)
    figure.update_xaxes(title_text=X_TITLES[curves.x])
    figure.update_yaxes(title_text=plain(curves.key))
    if curves.y_log:
        _log(figure, curves)
    figure.update_layout(showlegend=len(curves.lines) <= len(LOSS_TOKENS))
    choices = {
        "key": {"shown": curves.key, "levels": list(curves.keys)},
        "x": {"shown": curves.x, "levels": list(curves.axes)},
    }
    return describe(figure, curves.key or "Curves", _caption(curves), choices=choices)


def _trace(line: Line, curves: Curves, theme: Theme) -> dict[str, Any]:
    token = LOSS_TOKENS[line.run.look]
    return {
        "type": "scatter",
        "mode": "lines" if len(line.x) > 1 else "markers",
        "name": plain(line.run.label),
        "legendgroup": str(line.run_id),
        "x": line.x,
        "y": line.value,
        "line": {"color": token.colour(theme), "dash": token.plotly_dash, "width": 1.5},
        "marker": {"color": token.colour(theme)},
        "hovertemplate": f"<b>%{{fullData.name}}</b>  {X_TITLES[curves.x]} %{{x:,.4~g}}<br>%{{y:.4~g}}<extra></extra>",
        "meta": {"role": "run", "run_id": line.run_id, "loss": line.run.loss, "label": line.run.label},
    }


UNKNOWN: dict[XAxis, str] = {
    "step": "steps are",
    "epoch": "batch size or training images are",
    "images": "batch size is",
    "hours": "times are",
}


def _nothing(curves: Curves) -> str:
    if curves.without:
        return f"Of no run with {curves.key} the {curves.x} {'is' if curves.x == 'epoch' else 'are'} known."
    return f"No run has logged {curves.key}." if curves.key else "No run has logged anything yet."


def _caption(curves: Curves) -> str:
    return captions.join(
        f"{curves.key or 'Values'} against {X_TITLES[curves.x]}, as logged; a line a run.",
        captions.HOURS if curves.x == "hours" else "",
        f"{captions.plural(curves.without, 'run')} left out, whose {UNKNOWN[curves.x]} not known."
        if curves.without
        else "",
    )


def _log(figure: go.Figure, curves: Curves) -> None:
    positive = [value for line in curves.lines for value in line.value[line.value > 0].tolist()]
    if positive:
        figure.update_yaxes(**log_axis((min(positive), max(positive))))
