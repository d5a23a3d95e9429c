"""How the convergence figure is drawn from its numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import plotly.graph_objects as go

from backend.figures import captions
from backend.figures.panels import (
    Place,
    curve_span,
    describe,
    grid,
    header,
    legend_entries,
    line_style,
    log_axis,
    marker_style,
    metric_axis,
    notice,
    place,
    quoted,
    reference,
    row_name,
    token,
    variants,
)
from backend.figures.selector import IN_TIME, X_TITLES
from backend.figures.smoothing import smoothed
from backend.figures.tokens import PALETTES, Theme, translucent
from depthboard.metrics import METRICS

if TYPE_CHECKING:
    from backend.figures.convergence import Convergence, Panel
    from backend.figures.curve_means import Line, Reached

BASE_WIDTH, WIDTH, SEED_WIDTH = 2.75, 1.5, 0.75
BASE_BAND = {"light": 0.20, "dark": 0.26}
BAND = {"light": 0.07, "dark": 0.09}
MOST_MARKERS = 3
"""Markers on a line: enough to tell it, too few to hide it."""

Trace = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Pen:
    """How the lines of one figure are told apart: which is the base, and which of several of its loss a line is."""

    theme: Theme
    metric: str
    x: str
    base: str
    variants: dict[str, int]

    def shown(self, values: Iterable[float]) -> list[float]:
        """Values in drawn units, with the digits that a figure has use for."""
        return neat(captions.shown(self.metric, v) for v in values)

    def text(self, value: float) -> str:
        return f"{captions.shown(self.metric, value):.{captions.decimals(self.metric)}f}"


def neat(values: Iterable[float]) -> list[float]:
    return [float(f"{v:.7g}") for v in values]


def draw(numbers: Convergence, theme: Theme) -> go.Figure:
    rows = _rows(numbers)
    named = len({panel.data for panel in numbers.panels}) > 1
    height = 300 if len(rows) == 1 else 240
    figure = grid(max(1, len(rows)), numbers.columns, theme, panel_height=height, named_rows=named)
    cells = sorted((line.cell for line in numbers.lines), key=lambda cell: cell.order)
    pen = Pen(theme, numbers.metric, numbers.x, numbers.base, variants(cells))
    legend_entries(figure, [cell for cell in cells if cell.label not in numbers.hidden], theme)
    for r, row in enumerate(rows):
        if named:
            row_name(figure, place(r * numbers.columns, numbers.columns), row[0].data, theme)
        for c in range(numbers.columns):
            at = place(r * numbers.columns + c, numbers.columns)
            if c < len(row):
                _draw_panel(figure, at, row[c], numbers, pen)
            else:
                figure.update_xaxes(visible=False, row=at.row, col=at.column)
                figure.update_yaxes(visible=False, row=at.row, col=at.column)
    if not rows:
        notice(figure, place(0, 1), captions.NO_RUN, theme)
    return smoothed(_described(figure, numbers), numbers.smoothing)


def _described(figure: go.Figure, numbers: Convergence) -> go.Figure:
    hidden = f" Not shown: {', '.join(numbers.hidden)}." if numbers.hidden else ""
    return describe(
        figure,
        "Convergence",
        numbers.caption + hidden,
        metric=numbers.metric,
        x=numbers.x,
        band=numbers.band,
        base=numbers.base,
        target=None if numbers.target is None else captions.shown(numbers.metric, numbers.target),
        choices=numbers.choices,
        panels={
            place(i, numbers.columns).x: {"end": panel.x_end, "images": panel.images} for i, panel in _placed(numbers)
        },
    )


def _placed(numbers: Convergence) -> Iterable[tuple[int, Panel]]:
    return ((r * numbers.columns + c, panel) for r, row in enumerate(_rows(numbers)) for c, panel in enumerate(row))


def _rows(numbers: Convergence) -> list[list[Panel]]:
    rows: list[list[Panel]] = []
    for panel in numbers.panels:
        if not rows or rows[-1][0].data != panel.data or len(rows[-1]) == numbers.columns:
            rows.append([])
        rows[-1].append(panel)
    return rows


def _draw_panel(figure: go.Figure, at: Place, panel: Panel, numbers: Convergence, pen: Pen) -> None:
    span = _span(panel, numbers.metric, numbers.y_log)
    lines = sorted(
        (line for line in panel.lines if line.cell.label not in numbers.hidden),
        key=lambda ln: ln.cell.label == pen.base,
    )
    axes = {"xaxis": at.x, "yaxis": at.y}
    traces = [trace for line in lines for trace in (*_band(line, pen), *_singles(line, pen))]
    figure.add_traces([{**trace, **axes} for trace in traces])
    for quote in panel.quotes:
        quoted(figure, at, quote.loss, quote.x, quote.value, pen.theme)
    figure.add_traces([{**trace, **axes} for line in lines for trace in _line(line, pen)])
    ns = sorted({n for line in panel.lines for n in line.n})
    words = f"n = {ns[0]}" if len(ns) == 1 else f"n = {ns[0]}–{ns[-1]}" if ns else ""
    title = captions.plural(panel.train_size, "image") if panel.train_size else "All sizes"
    header(figure, at, title, words, pen.theme)
    reference(figure, at, numbers.metric, panel.constant, span or (0, 0), pen.theme)
    if numbers.target is not None and span is not None:
        _draw_target(figure, at, numbers.target, span, numbers, pen)
    if span is None:
        notice(figure, at, "No evaluation yet.", pen.theme)
    figure.update_xaxes(title_text=X_TITLES[numbers.x], **_x_axis(panel, numbers.x_log), row=at.row, col=at.column)
    figure.update_yaxes(log_axis(span) if numbers.y_log else metric_axis(span), row=at.row, col=at.column)
    if at.column == 1:
        figure.update_yaxes(title_text=captions.metric_title(numbers.metric, numbers.part), row=at.row, col=1)


def _x_axis(panel: Panel, x_log: bool) -> dict[str, Any]:
    """From 0 to the end of training; on a log axis from the first point."""
    first = min((x for line in panel.lines for x in line.x if x > 0), default=panel.x_end / 100)
    if not x_log or first >= panel.x_end:
        return {"range": [0, panel.x_end]}
    return {**log_axis((first, panel.x_end)), "range": [math.log10(first), math.log10(panel.x_end)]}


def is_cut(panel: Panel, metric: str, *, y_log: bool) -> bool:
    """Whether the axis leaves out a mean."""
    span = _span(panel, metric, y_log) or (-math.inf, math.inf)
    means = [captions.shown(metric, mean) for line in panel.lines for mean in line.mean]
    return any(not span[0] <= mean <= span[1] for mean in means)


def _span(panel: Panel, metric: str, y_log: bool) -> tuple[float, float] | None:
    """The drawn range of the metric's axis: every mean with its band, or with the single runs."""
    points = [
        (x, captions.shown(metric, value))
        for line in panel.lines
        for x, *values in zip(line.x, line.mean, line.low, line.high, strict=True)
        for value in values
        if value is not None
    ]
    points += [
        (x, captions.shown(metric, value))
        for line in panel.lines
        for single in line.singles
        for x, value in zip(single.x, single.value, strict=True)
    ]
    return curve_span(points, panel.x_end, falling=METRICS[metric].lower_is_better, log=y_log)


def _band(line: Line, pen: Pen) -> Iterable[Trace]:
    """A closed outline where n > 1."""
    points = [
        (x, low, high)
        for x, low, high in zip(line.x, line.low, line.high, strict=True)
        if low is not None and high is not None
    ]
    if len(points) < 2:
        return
    opacity = (BASE_BAND if line.cell.label == pen.base else BAND)[pen.theme]
    there = neat(x for x, _, _ in points)
    yield {
        "type": "scatter",
        "x": there + there[::-1],
        "y": pen.shown(high for _, _, high in points) + pen.shown(low for _, low, _ in reversed(points)),
        "mode": "lines",
        "line": {"width": 0},
        "fill": "toself",
        "fillcolor": translucent(token(line.cell.loss).colour(pen.theme), opacity),
        "hoverinfo": "skip",
        "showlegend": False,
        "legendgroup": line.cell.label,
        "meta": {"role": "band", "loss": line.cell.loss},
    }


def _singles(line: Line, pen: Pen) -> Iterable[Trace]:
    for single in line.singles:
        yield {
            "type": "scatter",
            "x": neat(single.x),
            "y": pen.shown(single.value),
            "mode": "lines",
            "line": {"color": token(line.cell.loss).colour(pen.theme), "width": SEED_WIDTH},
            "opacity": 0.55,
            "hovertemplate": f"<b>{line.cell.label}</b>  run {single.run_id}, seed {single.seed}<br>"
            f"%{{y:.{captions.decimals(pen.metric)}f}} {METRICS[pen.metric].unit}<extra></extra>",
            "showlegend": False,
            "legendgroup": line.cell.label,
            "meta": {"role": "seed", "loss": line.cell.loss, "run_id": single.run_id},
        }


def _line(line: Line, pen: Pen) -> Iterable[Trace]:
    """The mean, its end mark, where it reaches the target, and where its runs diverged."""
    label, unit, decimals = line.cell.label, METRICS[pen.metric].unit, captions.decimals(pen.metric)
    common = {"type": "scatter", "showlegend": False, "legendgroup": label, "name": label}
    mark = marker_style(line.cell.loss, pen.theme, line.cell.encoder)
    several = len(line.x) > 1
    width = BASE_WIDTH if label == pen.base else WIDTH
    yield {
        **common,
        "x": neat(line.x),
        "y": pen.shown(line.mean),
        "customdata": _notes(line, pen),
        "mode": "lines+markers" if several else "markers",
        "line": line_style(line.cell.loss, pen.theme, width, pen.variants[label]),
        "marker": {**mark, "maxdisplayed": MOST_MARKERS} if several else mark,
        "hovertemplate": f"<b>{label}</b>  {'mean ' if pen.x in IN_TIME else ''}{X_TITLES[pen.x]} %{{x:,.4~g}}<br>"  # type: ignore[index]
        f"%{{y:.{decimals}f}} {unit} %{{customdata}}<extra></extra>",
        "meta": {
            "role": "mean",
            "loss": line.cell.loss,
            "run_ids": [run.id for run in line.cell.runs],
            "std": [None if s is None else float(f"{captions.shown(pen.metric, s):.4g}") for s in line.std],
            "n": line.n[0] if len(set(line.n)) == 1 else list(line.n),
            "reached": None if line.reached is None else neat([line.reached.x])[0],
            "going": line.going,
        },
    }
    if line.end is not None and line.x:
        yield {
            **common,
            "x": neat(line.x[-1:]),
            "y": pen.shown([line.end.mean]),
            "mode": "markers",
            "marker": mark,
            "cliponaxis": False,
            "hovertemplate": f"<b>{label}</b>  value %{{y:.{decimals}f}} {unit}, n = {line.end.n}<extra></extra>",
            "meta": {"role": "end", "loss": line.cell.loss},
        }
    if line.reached is not None:
        yield {**common, **_target_mark(line, line.reached, pen)}
    if line.diverged:
        yield {**common, **_divergence(line, pen)}


def _notes(line: Line, pen: Pen) -> list[str]:
    """`± 0.010, n = 3` beside each mean; of the smallest and largest run `0.470–0.490, n = 3`."""
    found = []
    for mean, low, high, n in zip(line.mean, line.low, line.high, line.n, strict=True):
        spread = ""
        if low is not None and high is not None:
            even = math.isclose(high - mean, mean - low, rel_tol=1e-6)
            spread = f"± {pen.text(high - mean)}" if even else f"{pen.text(low)}–{pen.text(high)}"
        found.append(f"{spread}, n = {n}".removeprefix(", "))
    return found


def _target_mark(line: Line, reached: Reached, pen: Pen) -> Trace:
    return {
        "x": neat([reached.x]),
        "y": pen.shown([reached.mean]),
        "mode": "markers",
        "marker": {
            "symbol": "circle-open",
            "size": 11,
            "color": token(line.cell.loss).colour(pen.theme),
            "line": {"width": 1.75},
        },
        "hovertemplate": f"<b>{line.cell.label}</b>  reaches the target<br>{X_TITLES[pen.x]} %{{x:,.4~g}}<extra></extra>",  # type: ignore[index]
        "meta": {"role": "target", "loss": line.cell.loss},
    }


def _draw_target(
    figure: go.Figure, at: Place, target: float, span: Sequence[float], numbers: Convergence, pen: Pen
) -> None:
    """A dotted line with its value; beyond the axis an arrow at the edge, for axes are never stretched to it."""
    drawn = captions.shown(numbers.metric, target)
    text = f"{drawn:.6g} {METRICS[numbers.metric].unit}".strip()
    inside = min(span) <= drawn <= max(span)
    ink = PALETTES[pen.theme].text3
    if inside:
        figure.add_shape(
            type="line",
            xref=f"{at.x} domain",
            yref=at.y,
            x0=0,
            x1=1,
            y0=drawn,
            y1=drawn,
            line={"color": ink, "width": 1, "dash": "1px,3px"},
            name="target",
        )
    place = (math.log10(drawn) if numbers.y_log else drawn) if inside else float(drawn > max(span))
    below = inside or drawn > max(span)
    figure.add_annotation(
        xref=f"{at.x} domain",
        yref=at.y if inside else f"{at.y} domain",
        x=0,
        y=place,
        xanchor="left",
        yanchor="top" if below else "bottom",
        xshift=4,
        text=text if inside else f"{'↑' if drawn > max(span) else '↓'} target {text}",
        font={"size": 11, "color": PALETTES[pen.theme].text2},
        name="target",
    )


def _divergence(line: Line, pen: Pen) -> Trace:
    warning = PALETTES[pen.theme].warning
    return {
        "x": neat(d.x for d in line.diverged),
        "y": pen.shown(d.value for d in line.diverged),
        "mode": "markers+text",
        "text": [f"seed {d.seed} diverged" for d in line.diverged],
        "textposition": "top right",
        "textfont": {"size": 11, "color": warning},
        "marker": {"symbol": "x-thin", "size": 9, "line": {"width": 2.5, "color": warning}},
        "customdata": [d.step for d in line.diverged],
        "hovertemplate": f"<b>{line.cell.label}</b>  diverged at step %{{customdata}}<br>last finite value %{{y:.3f}}<extra></extra>",
        "meta": {"role": "diverged", "loss": line.cell.loss},
    }
