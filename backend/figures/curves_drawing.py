"""How the figure of logged curves is drawn from its numbers."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from backend.figures import captions
from backend.figures.panels import describe, grid, log_axis, notice, padded, place
from backend.figures.selector import X_TITLES, XAxis
from backend.figures.smoothing import smoothed
from backend.figures.tokens import LOSS_TOKENS, PALETTES, Theme, variant_dash

if TYPE_CHECKING:
    from backend.figures.curves import Curves, Line

PANEL_HEIGHT = 420
END_LABELS = 12
"""Lines at most that carry their name at their end."""
LABEL_SHARE = 0.035
"""Names closer than this share of the height would cover each other."""
MARKS = ("circle", "square", "diamond", "triangle-up", "triangle-down", "cross", "star", "hexagon")


def draw(curves: Curves, theme: Theme) -> go.Figure:
    figure = grid(1, 1, theme, panel_height=PANEL_HEIGHT)
    shown = [line for line in curves.lines if str(line.run_id) not in curves.hidden]
    figure.add_traces([_trace(line, curves, theme) for line in shown])
    if not curves.lines:
        notice(figure, place(0, 1), _nothing(curves), theme)
    figure.update_xaxes(title_text=X_TITLES[curves.x], **({"type": "log"} if curves.x_log else {}))
    figure.update_yaxes(title_text=curves.key, **_y_axis(curves))
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
    own = {"symbol": (token.marker, *MARKS)[seen % (len(MARKS) + 1)] if seen else token.marker, "size": 7}
    several = any(other.variant for other in curves.lines)
    marked = several and len(line.x) > 1
    return {
        "type": "scatter",
        "mode": "markers" if len(line.x) == 1 else "lines+markers" if marked else "lines",
        "name": line.run.label,
        "legendgroup": str(line.run_id),
        "x": _plain(line.x),
        "y": _plain(line.value),
        "line": {"color": token.colour(theme), "dash": variant_dash(token, seen), "width": 1.5},
        "marker": {"color": token.colour(theme), **(own | {"maxdisplayed": 4} if marked else {})},
        "hovertemplate": f"<b>%{{fullData.name}}</b>  {X_TITLES[curves.x]} %{{x:,.4~g}}<br>%{{y:.4~g}}<extra></extra>",
        "meta": {"role": "run", "run_id": line.run_id, "loss": line.run.loss, "drawn": len(line.x), "of": line.of},
    }


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    """With the digits that a figure has use for; null where there is no value."""
    return [float(f"{v:.7g}") if math.isfinite(v) else None for v in values.tolist()]


def _name_ends(figure: go.Figure, lines: list[Line], curves: Curves, theme: Theme) -> None:
    """Each line's end says which run it is, where there are few; those that would cover each other are left out."""
    ends = [
        (float(line.x[k]), float(line.value[k]), line) for line in lines if len(k_ := _finite(line)) for k in k_[-1:]
    ]
    taken: list[float] = []
    low, high = _span(curves) or (0.0, 1.0)
    for x, y, line in sorted(ends, key=lambda end: -end[1]):
        at = _share(y, low, high, log=curves.y_log)
        if any(abs(at - other) < LABEL_SHARE for other in taken) or not line.run.short:
            continue
        taken.append(at)
        figure.add_annotation(
            x=math.log10(x) if curves.x_log and x > 0 else x,
            y=math.log10(y) if curves.y_log and y > 0 else y,
            xanchor="left",
            xshift=6,
            text=html.escape(line.run.short),
            font={"size": 11, "color": PALETTES[theme].text2},
            name="end",
        )
    room = 7 * max((len(line.run.short) for _, _, line in ends), default=0)
    figure.update_layout(margin={"r": 20 + min(200, room)})


def _finite(line: Line) -> NDArray[np.intp]:
    return np.flatnonzero(np.isfinite(line.x) & np.isfinite(line.value))


def _share(y: float, low: float, high: float, *, log: bool) -> float:
    if log:
        y, low, high = (math.log10(v) if v > 0 else -math.inf for v in (y, low, high))
    return (y - low) / (high - low or 1)


def _span(curves: Curves) -> tuple[float, float] | None:
    values = [v for line in curves.lines for v in (np.nanmin(line.value), np.nanmax(line.value)) if len(_finite(line))]
    return (float(min(values)), float(max(values))) if values else None


def _y_axis(curves: Curves) -> dict[str, Any]:
    """Of a value that never changes the one tick that there is, in place of an axis about it from -1 to 1."""
    span = _span(curves)
    if span is None:
        return {}
    if span[0] == span[1]:
        around = padded(span) or span
        return {"range": list(around), "tickvals": [span[0]], "ticktext": [f"{span[0]:.6g}"]}
    if not curves.y_log:
        return {}
    positive = [float(v) for line in curves.lines for v in line.value[line.value > 0]]
    return log_axis((min(positive), max(positive))) if positive else {}


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
