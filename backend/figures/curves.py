"""Logged values of one key against training, a line a run: of trainings and of people's own scripts alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend import curve_sets
from backend.curve_sets import Axis, Drawn, Wanted
from backend.figures.panels import describe, grid, log_axis, notice, place
from backend.figures.selector import Selection, XAxis
from backend.figures.tokens import LOSS_TOKENS, Theme, loss_words
from backend.store import experiments
from backend.store.tables import SCRIPT, ExperimentRun, Metric, Run

MOST_POINTS = 1000
PANEL_HEIGHT = 420
LOSS_PREFIX = "train/loss"
AXES: dict[XAxis, Axis] = {"epoch": "epoch", "step": "step", "images": "images_seen", "wall": "wall"}
X_TITLES: dict[XAxis, str] = {
    "epoch": "epoch",
    "step": "step",
    "images": "training images seen",
    "wall": "hours since the first value",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A run's curve; `loss` is empty where its script did not say it. Values that are not finite are NaN."""

    run_id: int
    label: str
    loss: str
    x: NDArray[np.float64]
    value: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Curves:
    key: str
    x: XAxis
    y_log: bool
    lines: tuple[Line, ...]


def keys(session: Session, experiment_id: int) -> list[str]:
    """The keys that its runs logged, training losses first, then those of most runs."""
    rows = session.execute(
        select(Metric.name, func.count().label("runs"))
        .join(ExperimentRun, ExperimentRun.run_id == Metric.run_id)
        .where(ExperimentRun.experiment_id == experiment_id, Metric.name.contains("/"))
        .group_by(Metric.name)
    ).all()
    return [row.name for row in sorted(rows, key=lambda r: (not r.name.startswith(LOSS_PREFIX), -r.runs, r.name))]


def gather(session: Session, selection: Selection) -> Curves:
    """The curves of `selection.key`, by default the first of `keys`. Raises NotFound for the experiment."""
    experiments.get(session, selection.experiment_id)
    key = selection.key or next(iter(keys(session, selection.experiment_id)), "")
    names = _names(session, selection.experiment_id)
    wanted = Wanted([key], (AXES[selection.x],), MOST_POINTS, -1)
    lines = [
        _line(drawn, *names[drawn.run_id], selection.x) for drawn in curve_sets.gather(session, list(names), wanted)
    ]
    return Curves(key, selection.x, selection.y_log, tuple(lines))


def _names(session: Session, experiment_id: int) -> dict[int, tuple[str, str]]:
    """Run -> its label and its loss, in the order of the grid."""
    columns = (Run.id, Run.kind, Run.name, Run.loss, Run.loss_label, Run.train_size, Run.seed)
    query = select(*columns).join(ExperimentRun, ExperimentRun.run_id == Run.id)
    rows = session.execute(
        query.where(ExperimentRun.experiment_id == experiment_id).order_by(ExperimentRun.position, Run.id)
    )
    return {row.id: (_label(row), row.loss if row.loss in LOSS_TOKENS else "") for row in rows}


def _label(run: Any) -> str:
    if run.kind == SCRIPT:
        return str(run.name)
    return f"{loss_words(run.loss, run.loss_label)}, {run.train_size} images, seed {run.seed}"


def _line(drawn: Drawn, label: str, loss: str, axis: XAxis) -> Line:
    x = drawn.axis(AXES[axis]).astype(np.float64)
    if axis == "wall":
        x = (x - x[0]) / 3600
    values = drawn.columns.values
    return Line(drawn.run_id, label, loss, x, np.where(np.isfinite(values), values, np.nan))


def draw(curves: Curves, theme: Theme) -> go.Figure:
    """A line a run in its loss's colour and dash, else in the next of the palette."""
    figure = grid(1, 1, theme, panel_height=PANEL_HEIGHT)
    tokens = list(LOSS_TOKENS.values())
    traces = []
    for i, line in enumerate(curves.lines):
        token = LOSS_TOKENS.get(line.loss) or tokens[i % len(tokens)]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines",
                "name": line.label,
                "x": line.x,
                "y": line.value,
                "line": {"color": token.colour(theme), "dash": token.plotly_dash, "width": 1.5},
                "meta": {"run_id": line.run_id, "loss": line.loss},
            }
        )
    figure.add_traces(traces)
    if not traces:
        words = f"No run has logged {curves.key}." if curves.key else "No run has logged anything yet."
        notice(figure, place(0, 1), words, theme)
    figure.update_xaxes(title_text=X_TITLES[curves.x])
    figure.update_yaxes(title_text=curves.key)
    if curves.y_log:
        _log(figure, curves)
    figure.update_layout(showlegend=len(curves.lines) <= len(tokens))
    return describe(
        figure,
        curves.key or "Curves",
        f"{curves.key or 'Values'} against {X_TITLES[curves.x]}, as logged; a line a run.",
    )


def _log(figure: go.Figure, curves: Curves) -> None:
    positive = [value for line in curves.lines for value in line.value[line.value > 0].tolist()]
    if positive:
        figure.update_yaxes(**log_axis((min(positive), max(positive))))
