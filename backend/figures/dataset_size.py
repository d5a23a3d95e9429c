"""Figure 2: RMSE and δ<1.25 on the evaluated part against training images on a log axis, one line a loss, a row a dataset."""

from __future__ import annotations

import math
from dataclasses import dataclass

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from backend.figures import captions, published
from backend.figures.aggregate import Summary, over_seeds
from backend.figures.groups import Cell, Scope, cells, data_title, in_scope, is_nyuv2, pick
from backend.figures.panels import (
    Place,
    describe,
    grid,
    header,
    legend_entries,
    line_style,
    marker_style,
    metric_axis,
    notice,
    padded,
    place,
    quoted,
    reference,
    row_name,
)
from backend.figures.selector import Selection
from backend.figures.tokens import ENCODER_TITLES, PALETTES, Theme
from depthboard.metrics import METRICS

PANEL_METRICS = ("rmse", "delta1")

# Neighbouring losses stand this far apart on the log axis, in shares of its length, so that error bars can be told apart.
DODGE = 0.008


@dataclass(frozen=True, slots=True)
class SizePoint:
    train_size: int
    summary: Summary
    run_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class SizeLine:
    """One loss over the sizes, by one metric, in stored units."""

    cell: Cell
    points: tuple[SizePoint, ...]


@dataclass(frozen=True, slots=True)
class SizePanel:
    """`constant`: size -> the constant prediction's value. `quotes`: loss -> size -> the paper's value."""

    data: str
    metric: str
    sizes: tuple[int, ...]
    lines: tuple[SizeLine, ...]
    constant: dict[int, float]
    quotes: dict[str, dict[int, float]]


@dataclass(frozen=True, slots=True)
class DatasetSize:
    part: str
    sizes: tuple[int, ...]
    panels: tuple[SizePanel, ...]
    caption: str


def gather(session: Session, selection: Selection) -> DatasetSize:
    """The values of one encoder. Raises NotFound for the experiment, UnknownName for an encoder or protocol it does not have."""
    scope = in_scope(session, selection)
    selection = scope.selection
    encoder = pick("encoder", selection.encoder, [run.encoder for run in scope.runs])
    runs = [run for run in scope.runs if run.encoder == encoder]
    by_data: dict[str, list[Cell]] = {}
    for cell in cells(runs):
        by_data.setdefault(data_title(cell.dataset, cell.split), []).append(cell)
    panels = tuple(
        _panel(data, metric, group, scope, selection)
        for data, group in sorted(by_data.items())
        for metric in PANEL_METRICS
    )
    drawn = set(scope.values(runs, "rmse"))
    caption = captions.join(
        f"{scope.part.capitalize()} RMSE and δ<1.25 against training images, "
        f"{ENCODER_TITLES.get(encoder or '', encoder or 'no encoder')}.",
        captions.evaluation_words(scope),
        captions.value_words(selection),
        captions.seeds_words(p.summary.n for panel in panels for line in panel.lines for p in line.points),
        captions.subset_words(runs),
        "Dashed: constant prediction, the training median." if any(p.constant for p in panels) else "",
        _quoted_words(panels) if selection.published else "",
        captions.account(runs, drawn),
    )
    return DatasetSize(scope.part, tuple(sorted({run.train_size for run in runs})), panels, caption)


def _panel(data: str, metric: str, group: list[Cell], scope: Scope, selection: Selection) -> SizePanel:
    lines: dict[str, list[SizePoint]] = {}
    first: dict[str, Cell] = {}
    constant: dict[int, list[float]] = {}
    for cell in group:
        first.setdefault(cell.label, cell)
        points = lines.setdefault(cell.label, [])
        values = scope.values(cell.runs, metric)
        summary = over_seeds(values.values())
        if summary is not None:
            points.append(SizePoint(cell.train_size, summary, tuple(values)))
        if (value := scope.constant(cell.runs, metric)) is not None:
            constant.setdefault(cell.train_size, []).append(value)
    run = group[0].runs[0]
    means = {size: over_seeds(values) for size, values in sorted(constant.items())}
    return SizePanel(
        data=data,
        metric=metric,
        sizes=tuple(sorted({cell.train_size for cell in group})),
        lines=tuple(SizeLine(first[label], tuple(points)) for label, points in lines.items()),
        constant={size: summary.mean for size, summary in means.items() if summary is not None},
        quotes=published.figure2(metric) if selection.published and is_nyuv2(run.dataset, run.format) else {},
    )


def _quoted_words(panels: tuple[SizePanel, ...]) -> str:
    if not any(panel.quotes for panel in panels):
        return "The paper's values are of NYUv2 and are not drawn here."
    return (
        f"Thin dashes: quoted from {published.source('figure2')}; never averaged with runs, axes not stretched to them."
    )


def draw(numbers: DatasetSize, theme: Theme) -> go.Figure:
    rows = max(1, len(numbers.panels) // len(PANEL_METRICS))
    named, height = len({panel.data for panel in numbers.panels}) > 1, 320 if rows == 1 else 260
    figure = grid(rows, len(PANEL_METRICS), theme, panel_height=height, spacing=0.09, named_rows=named)
    legend_entries(figure, sorted((ln.cell for p in numbers.panels for ln in p.lines), key=lambda c: c.order), theme)
    for i, panel in enumerate(numbers.panels):
        at = place(i, len(PANEL_METRICS))
        if named and at.column == 1:
            row_name(figure, at, panel.data, theme)
        header(figure, at, captions.metric_name(panel.metric), "", theme)
        _draw_panel(figure, at, panel, numbers, theme)
    if not numbers.panels:
        notice(figure, place(0, len(PANEL_METRICS)), captions.NO_RUN, theme)
    return describe(figure, "Metric against dataset size", numbers.caption)


def _draw_panel(figure: go.Figure, at: Place, panel: SizePanel, numbers: DatasetSize, theme: Theme) -> None:
    points = [p for line in panel.lines for p in line.points]
    span = padded(
        captions.shown(panel.metric, p.summary.mean + s * (p.summary.std or 0)) for p in points for s in (-1, 1)
    )
    low, high = _x_span(numbers.sizes)
    for loss, quote in panel.quotes.items():
        values = [captions.shown(panel.metric, value) for value in quote.values()]
        quoted(figure, at, loss, quote, values, theme, marked=True)
    for i, line in enumerate(panel.lines):
        shift = (i - (len(panel.lines) - 1) / 2) * DODGE * (high - low)
        _draw_line(figure, at, line, panel.metric, shift, theme)
    _draw_constant(figure, at, panel, span, theme)
    if not points:
        notice(figure, at, "No finished run yet.", theme)
    figure.update_xaxes(
        type="log",
        range=[low, high],
        tickmode="array",
        tickvals=list(panel.sizes),
        ticktext=[captions.short_size(size) for size in panel.sizes],
        tickangle=0,
        title_text="training images",
        row=at.row,
        col=at.column,
    )
    figure.update_yaxes(
        title_text=captions.metric_title(panel.metric, numbers.part),
        **metric_axis(span),
        row=at.row,
        col=at.column,
    )


def _x_span(sizes: tuple[int, ...]) -> tuple[float, float]:
    """The log10 range of the sizes with a margin of a tenth; a decade around a single size."""
    if len(sizes) < 2:
        middle = math.log10(sizes[0]) if sizes else 0.0
        return middle - 0.5, middle + 0.5
    low, high = math.log10(sizes[0]), math.log10(sizes[-1])
    return low - 0.1 * (high - low), high + 0.1 * (high - low)


def _draw_line(figure: go.Figure, at: Place, line: SizeLine, metric: str, shift: float, theme: Theme) -> None:
    cell, decimals = line.cell, captions.decimals(metric)
    spread = [captions.shown(metric, p.summary.std) if p.summary.std is not None else 0 for p in line.points]
    words = [f" ± {s:.{decimals}f}" if p.summary.n > 1 else "" for s, p in zip(spread, line.points, strict=True)]
    figure.add_scatter(
        x=[p.train_size * 10**shift for p in line.points],
        y=[captions.shown(metric, p.summary.mean) for p in line.points],
        error_y={"type": "data", "array": spread, "width": 0, "thickness": 1.25} if any(spread) else None,
        customdata=[[captions.count(p.train_size), w, p.summary.n] for p, w in zip(line.points, words, strict=True)],
        mode="lines+markers",
        line=line_style(cell.loss, theme),
        marker=marker_style(cell.loss, theme, cell.encoder),
        name=cell.label,
        legendgroup=cell.label,
        showlegend=False,
        hovertemplate=f"<b>{cell.label}</b>  %{{customdata[0]}} images<br>"
        f"%{{y:.{decimals}f}}%{{customdata[1]}} {METRICS[metric].unit}, n = %{{customdata[2]}}<extra></extra>",
        meta={"role": "mean", "loss": cell.loss, "run_ids": [list(p.run_ids) for p in line.points]},
        row=at.row,
        col=at.column,
    )


def _draw_constant(
    figure: go.Figure, at: Place, panel: SizePanel, span: tuple[float, float] | None, theme: Theme
) -> None:
    """One line through the sizes where any of it lies inside; else an arrow with the value at the largest size."""
    if not panel.constant:
        return
    drawn = {size: captions.shown(panel.metric, value) for size, value in panel.constant.items()}
    inside = span is not None and any(span[0] <= value <= span[1] for value in drawn.values())
    if not inside:
        reference(figure, at, panel.metric, panel.constant[max(panel.constant)], span or (0, 0), theme)
        return
    figure.add_scatter(
        x=list(drawn),
        y=list(drawn.values()),
        mode="lines",
        line={"color": PALETTES[theme].text2, "width": 1.2, "dash": "4px,4px"},
        name="constant prediction",
        showlegend=False,
        hovertemplate=f"constant prediction<br>%{{y:.{captions.decimals(panel.metric)}f}}<extra></extra>",
        meta={"role": "constant"},
        row=at.row,
        col=at.column,
    )
