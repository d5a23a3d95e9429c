"""Figure 5: losses × encoders on RMSE, rel and δ<1.25 at one dataset size; filled marks are DenseNets, hollow ones ResNets."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from backend.figures import captions, published
from backend.figures.aggregate import Summary, over_seeds
from backend.figures.groups import Cell, Scope, cells, data_name, data_title, in_scope, is_nyuv2, pick
from backend.figures.panels import (
    Place,
    describe,
    grid,
    header,
    marker_style,
    metric_axis,
    notice,
    padded,
    place,
    reference,
    token,
)
from backend.figures.selector import Selection
from backend.figures.tokens import ENCODER_TITLES, PALETTES, Theme, hollow, translucent
from backend.store.study import StudyRun
from depthboard.metrics import METRICS

PANEL_METRICS = ("rmse", "abs_rel", "delta1")

# Encoders of one loss stand this far apart, in rows, so that their error bars do not cover each other.
OFFSET = 0.16


@dataclass(frozen=True, slots=True)
class Dot:
    """One loss with one encoder by one metric, in stored units."""

    cell: Cell
    summary: Summary
    run_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class EncoderPanel:
    """`quotes`: encoder -> loss -> the paper's value."""

    metric: str
    dots: tuple[Dot, ...]
    constant: float | None
    quotes: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class Encoders:
    """`sizes`: those there are of the data shown. `labels` from best to worst by the first panel's metric and the first encoder, as they stand from top to bottom."""

    part: str
    train_size: int | None
    sizes: tuple[int, ...]
    encoders: tuple[str, ...]
    labels: tuple[str, ...]
    panels: tuple[EncoderPanel, ...]
    caption: str


def gather(session: Session, selection: Selection) -> Encoders:
    """The values at one size of one dataset. Raises NotFound for the experiment, UnknownName for what it does not have."""
    scope = in_scope(session, selection)
    selection = scope.selection
    data = pick("dataset", None, [data_name(run.dataset, run.split) for run in scope.runs])
    on_data = [run for run in scope.runs if data_name(run.dataset, run.split) == data]
    size = _size(on_data, selection.train_size)
    runs = [run for run in on_data if run.train_size == size]
    group = cells(runs)
    panels = tuple(_panel(metric, group, runs, scope, selection) for metric in PANEL_METRICS)
    encoders = tuple(sorted({run.encoder for run in runs}, key=lambda name: (hollow(name), name)))
    return Encoders(
        part=scope.part,
        train_size=size,
        sizes=tuple(sorted({run.train_size for run in on_data})),
        encoders=encoders,
        labels=_ranked(panels[0], encoders, group),
        panels=panels,
        caption=_caption(panels, runs, size, scope, selection),
    )


def _size(runs: list[StudyRun], wanted: int | None) -> int | None:
    """The size asked for, else the one with the most encoders, of equals the one with the most runs, then the larger."""
    if wanted is not None:
        return pick("train_size", wanted, [run.train_size for run in runs])
    encoders = Counter(size for size, _ in {(run.train_size, run.encoder) for run in runs})
    count = Counter(run.train_size for run in runs)
    return max(count, key=lambda size: (encoders[size], count[size], size), default=None)


def _panel(metric: str, group: list[Cell], runs: list[StudyRun], scope: Scope, selection: Selection) -> EncoderPanel:
    dots = []
    for cell in group:
        values = scope.values(cell.runs, metric)
        if (summary := over_seeds(values.values())) is not None:
            dots.append(Dot(cell, summary, tuple(values)))
    quoted = selection.published and bool(runs) and is_nyuv2(runs[0].dataset, runs[0].format)
    return EncoderPanel(metric, tuple(dots), scope.constant(runs, metric), published.figure5(metric) if quoted else {})


def _ranked(panel: EncoderPanel, encoders: tuple[str, ...], group: list[Cell]) -> tuple[str, ...]:
    best: dict[str, tuple[int, float]] = {}
    for dot in panel.dots:
        rank = (encoders.index(dot.cell.encoder), dot.summary.mean)
        best[dot.cell.label] = min(best.get(dot.cell.label, rank), rank)
    labels = dict.fromkeys(cell.label for cell in group)
    return tuple(sorted(labels, key=lambda label: best.get(label, (len(encoders), 0.0))))


def _caption(
    panels: tuple[EncoderPanel, ...], runs: list[StudyRun], size: int | None, scope: Scope, selection: Selection
) -> str:
    where = (
        f"{data_title(runs[0].dataset, runs[0].split)}, {captions.plural(size or 0, 'training image')}" if runs else ""
    )
    return captions.join(
        f"{scope.part.capitalize()} RMSE, rel and δ<1.25 by loss and encoder; {where}." if where else captions.NO_RUN,
        captions.evaluation_words(scope),
        captions.value_words(selection),
        captions.seeds_words(dot.summary.n for panel in panels for dot in panel.dots),
        captions.subset_words(runs),
        "Dashed: constant prediction, the training median." if any(p.constant is not None for p in panels) else "",
        _quoted_words(panels) if selection.published else "",
        captions.account(runs, set(scope.values(runs, "rmse"))),
    )


def _quoted_words(panels: tuple[EncoderPanel, ...]) -> str:
    if not any(panel.quotes for panel in panels):
        return "The paper's values are of NYUv2 and are not drawn here."
    return f"Small grey marks: quoted from {published.source('figure5')}; never averaged with runs, axes not stretched to them."


def draw(numbers: Encoders, theme: Theme) -> go.Figure:
    height = max(200, 34 * len(numbers.labels) + 24)
    figure = grid(1, len(PANEL_METRICS), theme, panel_height=height, spacing=0.04, item_width=30)
    # Room for the longest name, so that the margin need not grow when it is drawn.
    figure.update_layout(margin={"l": 24 + 7 * max(map(len, numbers.labels), default=4)})
    _legend(figure, numbers, theme)
    for i, panel in enumerate(numbers.panels):
        at = place(i, len(PANEL_METRICS))
        header(figure, at, captions.metric_name(panel.metric), "", theme)
        _draw_panel(figure, at, panel, numbers, theme)
    return describe(figure, "Encoders", numbers.caption, choices=_choices(numbers))


def _choices(numbers: Encoders) -> dict[str, Any]:
    """What the page's control of the size shows: the figure decides it by the data that it draws."""
    if numbers.train_size is None:
        return {}
    return {"train_size": {"shown": str(numbers.train_size), "levels": [str(size) for size in numbers.sizes]}}


def _legend(figure: go.Figure, numbers: Encoders, theme: Theme) -> None:
    """Shape says the encoder; the colour is the losses', so the legend's marks are grey."""
    grey = PALETTES[theme].text2
    for name in numbers.encoders:
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=ENCODER_TITLES.get(name, name),
            legendgroup=name,
            marker={
                "symbol": "circle-open" if hollow(name) else "circle",
                "size": 9,
                "color": grey,
                "line": {"width": 1.75},
            },
            meta={"role": "legend", "encoder": name},
        )


def _draw_panel(figure: go.Figure, at: Place, panel: EncoderPanel, numbers: Encoders, theme: Theme) -> None:
    rows = {label: i for i, label in enumerate(numbers.labels)}
    middle = (len(numbers.encoders) - 1) / 2
    for dot in panel.dots:
        y = rows[dot.cell.label] + OFFSET * (numbers.encoders.index(dot.cell.encoder) - middle)
        _draw_dot(figure, at, dot, y, panel.metric, theme)
    for encoder, quote in panel.quotes.items():
        _draw_quotes(figure, at, encoder, quote, panel, numbers, theme)
    span = padded(
        captions.shown(panel.metric, d.summary.mean + s * (d.summary.std or 0)) for d in panel.dots for s in (-1, 1)
    )
    reference(figure, at, panel.metric, panel.constant, span or (0, 0), theme, side="x")
    if not panel.dots:
        notice(figure, at, "No finished run yet.", theme)
    figure.update_xaxes(
        title_text=captions.metric_title(panel.metric, numbers.part),
        **metric_axis(span, ticks=5),
        row=at.row,
        col=at.column,
    )
    figure.update_yaxes(
        tickmode="array",
        tickvals=list(rows.values()),
        ticktext=list(rows),
        showticklabels=at.column == 1,
        tickfont={"size": 12, "color": PALETTES[theme].text},
        range=[len(rows) - 0.5, -0.5],
        gridcolor=PALETTES[theme].faint,
        row=at.row,
        col=at.column,
    )


def _draw_dot(figure: go.Figure, at: Place, dot: Dot, y: float, metric: str, theme: Theme) -> None:
    cell, summary = dot.cell, dot.summary
    colour, decimals = token(cell.loss).colour(theme), captions.decimals(metric)
    std = None if summary.std is None else captions.shown(metric, summary.std)
    spread = "" if std is None else f" ± {std:.{decimals}f}"
    encoder = ENCODER_TITLES.get(cell.encoder, cell.encoder)
    bar = {"type": "data", "array": [std], "width": 0, "thickness": 1.5, "color": translucent(colour, 0.7)}
    figure.add_scatter(
        x=[captions.shown(metric, summary.mean)],
        y=[y],
        error_x=bar if std else None,
        mode="markers",
        marker={
            **marker_style(cell.loss, theme, cell.encoder),
            "symbol": "circle-open" if hollow(cell.encoder) else "circle",
            "size": 9,
        },
        name=f"{cell.label}, {encoder}",
        legendgroup=cell.encoder,
        showlegend=False,
        hovertemplate=f"<b>{cell.label}</b>  {encoder}<br>%{{x:.{decimals}f}}{spread} {METRICS[metric].unit}, "
        f"n = {summary.n}<extra></extra>",
        meta={"role": "dot", "loss": cell.loss, "encoder": cell.encoder, "run_ids": list(dot.run_ids)},
        row=at.row,
        col=at.column,
    )


def _draw_quotes(
    figure: go.Figure,
    at: Place,
    encoder: str,
    quote: dict[str, float],
    panel: EncoderPanel,
    numbers: Encoders,
    theme: Theme,
) -> None:
    """The paper's values in the rows of the plain losses; its encoders are the full-size ones."""
    rows = {dot.cell.loss: numbers.labels.index(dot.cell.label) for dot in panel.dots}
    shown = {loss: value for loss, value in quote.items() if loss in rows}
    figure.add_scatter(
        x=[captions.shown(panel.metric, value) for value in shown.values()],
        y=[rows[loss] for loss in shown],
        mode="markers",
        marker={
            "symbol": "line-ns-open" if not hollow(encoder) else "diamond-open",
            "size": 7,
            "color": PALETTES[theme].text2,
            "line": {"width": 1.5},
        },
        name=f"{ENCODER_TITLES[encoder]}, published",
        showlegend=False,
        hovertemplate=f"{ENCODER_TITLES[encoder]}, published<br>%{{x:.3f}}<extra></extra>",
        meta={"role": "published", "encoder": encoder},
        row=at.row,
        col=at.column,
    )
