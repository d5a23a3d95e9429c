"""How the figure of logged curves is drawn from its numbers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from backend.figures import captions
from backend.figures.panels import describe, grid, log_axis, notice, padded, place
from backend.figures.selector import X_TITLES, XAxis
from backend.figures.smoothing import smoothed
from backend.figures.tokens import LOSS_TOKENS, PALETTES, Theme, plain, shade

if TYPE_CHECKING:
    from backend.figures.curves import Curves, Line

PANEL_HEIGHT = 420
END_LABELS = 12
"""Lines at most that carry their name at their end."""
LABEL_PX, LETTER_PX, MOST_ROOM = 14, 6, 210
"""Names closer than this would cover each other; what a letter takes, and all letters at most."""
MARGIN = 0.04
MARKS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "star", "hexagon")


def draw(curves: Curves, theme: Theme) -> go.Figure:
    figure = grid(1, 1, theme, panel_height=PANEL_HEIGHT)
    shown = [line for line in curves.lines if str(line.run_id) not in curves.hidden]
    figure.add_traces([_trace(line, curves, theme) for line in shown])
    if not curves.lines:
        notice(figure, place(0, 1), plain(_nothing(curves)), theme)
    figure.update_xaxes(title_text=X_TITLES[curves.x], **_x_axis(curves))
    figure.update_yaxes(title_text=plain(curves.key), **_y_axis(curves))
    figure.update_layout(showlegend=len(shown) <= len(LOSS_TOKENS))
    if 1 < len(shown) <= END_LABELS:
        _name_ends(figure, shown, curves, theme)
    choices = {
        "key": {"shown": curves.key, "levels": list(curves.keys)},
        "x": {"shown": curves.x, "levels": list(curves.axes)},
    }
    thinned = any(len(line.x) < line.of for line in curves.lines)
    described = describe(figure, curves.key or "Curves", _caption(curves), choices=choices, thinned=thinned)
    return smoothed(described, curves.smoothing)


def _trace(line: Line, curves: Curves, theme: Theme) -> dict[str, Any]:
    token, seen = LOSS_TOKENS[line.run.look], line.variant
    colour = shade(token.colour(theme), seen, theme)
    marks = (token.marker, *(mark for mark in MARKS if mark != token.marker))
    own = {"symbol": marks[seen % len(marks)], "size": 7}
    several = any(other.variant for other in curves.lines)
    marked = several and len(line.x) > 1
    return {
        "type": "scatter",
        "mode": "markers" if len(line.x) == 1 else "lines+markers" if marked else "lines",
        "name": plain(line.run.label),
        "legendgroup": str(line.run_id),
        "x": _plain(line.x),
        "y": _plain(line.value),
        "line": {"color": colour, "dash": token.plotly_dash if _several_losses(curves) else "solid", "width": 1.25},
        "marker": {"color": colour, **(own | {"maxdisplayed": 4} if marked else {})},
        "hovertemplate": f"<b>%{{fullData.name}}</b>  {X_TITLES[curves.x]} %{{x:,.4~g}}<br>%{{y:.4~g}}<extra></extra>",
        "meta": {
            "role": "run",
            "run_id": line.run_id,
            "loss": line.run.loss,
            "drawn": len(line.x),
            "of": line.of,
            "label": line.run.label,
        },
    }


def _several_losses(curves: Curves) -> bool:
    """Of one loss alone a dash says nothing, and makes a noisy curve noisier."""
    return len({line.run.look for line in curves.lines}) > 1


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    """With the digits that a figure has use for; null where there is no value."""
    return [float(f"{v:.7g}") if math.isfinite(v) else None for v in values.tolist()]


def _name_ends(figure: go.Figure, lines: list[Line], curves: Curves, theme: Theme) -> None:
    """Each line's end says in what its run differs from the others, where there are few; the names keep their distance."""
    ends = [(float(line.x[k[-1]]), float(line.value[k[-1]]), line) for line in lines if len(k := _finite(line))]
    low, high = figure.layout.yaxis.range or (0.0, 1.0)
    last = math.inf
    longest = 0
    for x, y, line in sorted(ends, key=lambda end: -end[1]):
        words = _differing(line, lines)
        drawn = math.log10(y) if curves.y_log and y > 0 else y
        height = PANEL_HEIGHT * (drawn - low) / (high - low)
        at = min(height, last - LABEL_PX)
        last, longest = at, max(longest, len(words))
        figure.add_annotation(
            x=math.log10(x) if curves.x_log and x > 0 else x,
            y=drawn,
            xanchor="left",
            xshift=8,
            yshift=at - height,
            text=plain(words),
            font={"size": 11, "color": PALETTES[theme].text2},
            name="end",
        )
    figure.update_layout(margin={"r": 24 + min(MOST_ROOM, LETTER_PX * longest)})


def _differing(line: Line, lines: list[Line]) -> str:
    parts = [part for i, part in enumerate(line.run.parts) if len({other.run.parts[i : i + 1] for other in lines}) > 1]
    return " · ".join(parts)[: MOST_ROOM // LETTER_PX]


def _finite(line: Line) -> NDArray[np.intp]:
    return np.flatnonzero(np.isfinite(line.x) & np.isfinite(line.value))


def _finite_values(curves: Curves) -> NDArray[np.float64]:
    return np.concatenate([np.zeros(0), *(line.value[_finite(line)] for line in curves.lines)])


def _x_axis(curves: Curves) -> dict[str, Any]:
    """From the first point to the last: marks at the ends would make room for themselves."""
    xs = np.concatenate([np.zeros(0), *(line.x[_finite(line)] for line in curves.lines)])
    if curves.x_log:
        xs = xs[xs > 0]
    if not len(xs) or xs.min() == xs.max():
        return {"type": "log"} if curves.x_log else {}
    low, high = float(xs.min()), float(xs.max())
    if curves.x_log:
        return {**log_axis((low, high)), "range": [math.log10(low), math.log10(high)]}
    return {"range": [min(0.0, low), high]}


def _y_axis(curves: Curves) -> dict[str, Any]:
    """Of a value that never changes the one tick that there is, in place of an axis about it from -1 to 1."""
    values = _finite_values(curves)
    if not len(values):
        return {}
    low, high = float(values.min()), float(values.max())
    if low == high:
        return {"range": list(padded([low]) or ()), "tickvals": [low], "ticktext": [f"{low:.6g}"]}
    if not curves.y_log:
        return {"range": list(padded([low, high], MARGIN) or ())}
    positive = values[values > 0]
    return log_axis(_log_padded(float(positive.min()), float(positive.max()))) if len(positive) else {}


def _log_padded(low: float, high: float) -> tuple[float, float]:
    span = padded([math.log10(low), math.log10(high)], MARGIN) or (0.0, 1.0)
    return 10 ** span[0], 10 ** span[1]


UNKNOWN: dict[XAxis, str] = {
    "step": "steps are",
    "epoch": "batch size or training images are",
    "images": "batch size is",
    "hours": "times are",
    "wall": "times are",
    "gpu": "GPUs are",
}


def _nothing(curves: Curves) -> str:
    if curves.without:
        return f"Of no run with {curves.key} the {curves.x} {'is' if curves.x == 'epoch' else 'are'} known."
    return f"No run has logged {curves.key}." if curves.key else "No run has logged anything yet."


def _caption(curves: Curves) -> str:
    return captions.join(
        f"{curves.key or 'Values'} against {X_TITLES[curves.x]}, as logged; a line a run.",
        captions.TIME_WORDS.get(curves.x, ""),
        _points_words(curves),
        f"{captions.plural(curves.without, 'run')} left out, whose {UNKNOWN[curves.x]} not known."
        if curves.without
        else "",
    )


def _points_words(curves: Curves) -> str:
    """How many of the points are drawn; of which the smallest and the largest of every stretch are among them."""
    longest = max(curves.lines, key=lambda line: line.of - len(line.x), default=None)
    if longest is None or len(longest.x) >= longest.of:
        return (
            f"All {captions.count(max((line.of for line in curves.lines), default=0))} points of each curve drawn."
            if curves.lines
            else ""
        )
    drawn = captions.count(len(longest.x))
    return f"{drawn} of {captions.plural(longest.of, 'point')} of a curve drawn, the smallest and the largest of every stretch among them."
