"""Figure 3: a metric on the evaluated part against training, one line a loss, a panel a dataset size, a row a dataset."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from backend.figures import captions, published
from backend.figures.aggregate import Summary, mean_of, over_seeds
from backend.figures.groups import Cell, Scope, cells, data_title, in_scope, is_nyuv2, pick
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
)
from backend.figures.selector import AVERAGING_WORDS, VALUE_WORDS, X_TITLES, Selection, XAxis
from backend.figures.tokens import ENCODER_TITLES, PALETTES, Theme, translucent
from backend.store.hours import Clock, clocks
from backend.store.study import Score, StudyRun
from depthboard.metrics import METRICS

MOST_COLUMNS = 4
BAND_OPACITY = {"light": 0.10, "dark": 0.14}


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where a run's last finite evaluation before its divergence lies; `step` is the first step whose training loss was not finite."""

    run_id: int
    seed: int
    step: int
    x: float
    value: float


@dataclass(frozen=True, slots=True)
class Line:
    """One cell over its seeds: exact means at each evaluation, sample standard deviation and n, in stored units. In hours,
    of which every seed has its own at a step, `x` is their mean there, and never turns back where a slower seed is behind.
    """

    cell: Cell
    x: tuple[float, ...]
    mean: tuple[float, ...]
    std: tuple[float | None, ...]
    n: tuple[int, ...]
    end: Summary | None
    diverged: tuple[Divergence, ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """A published curve on this panel's axes."""

    loss: str
    x: tuple[float, ...]
    value: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    data: str
    train_size: int
    x_end: float
    lines: tuple[Line, ...]
    constant: float | None
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Convergence:
    metric: str
    x: XAxis
    y_log: bool
    part: str
    panels: tuple[Panel, ...]
    columns: int
    caption: str


def gather(session: Session, selection: Selection) -> Convergence:
    """The curves of one encoder. Raises NotFound for the experiment, UnknownName for an encoder or protocol it does not have."""
    scope = in_scope(session, selection)
    selection = scope.selection
    encoder = pick("encoder", selection.encoder, [run.encoder for run in scope.runs])
    runs = [run for run in scope.runs if run.encoder == encoder]
    by_panel: dict[tuple[str, int], list[Cell]] = {}
    for cell in cells(runs):
        by_panel.setdefault((data_title(cell.dataset, cell.split), cell.train_size), []).append(cell)
    along = Along(selection.x, clocks(session, [run.id for run in runs]) if selection.x == "hours" else {})
    panels = tuple(_panel(*key, group, scope, selection, along) for key, group in sorted(by_panel.items()))
    rows = {panel.data for panel in panels}
    widest = max((sum(p.data == row for p in panels) for row in rows), default=1)
    return Convergence(
        metric=selection.metric,
        x=selection.x,
        y_log=selection.y_log,
        part=scope.part,
        panels=panels,
        columns=min(widest, MOST_COLUMNS),
        caption=_caption(panels, runs, encoder, scope, selection),
    )


def _panel(data: str, train_size: int, group: list[Cell], scope: Scope, selection: Selection, along: Along) -> Panel:
    lines = tuple(_line(cell, scope, selection, along) for cell in group)
    runs = [run for cell in group for run in cell.runs]
    return Panel(
        data=data,
        train_size=train_size,
        x_end=along.end(runs, lines),
        lines=lines,
        constant=scope.constant(runs, selection.metric),
        quotes=_quotes(runs[0], selection) if selection.published else (),
    )


def _line(cell: Cell, scope: Scope, selection: Selection, along: Along) -> Line:
    finite = {run.id: _before_divergence(run, scope.study.scores.get(run.id, ())) for run in cell.runs}
    at: dict[int, list[tuple[StudyRun, float]]] = {}
    for run in cell.runs:
        for score in finite[run.id]:
            if math.isfinite(value := score.values[selection.metric]):
                at.setdefault(score.step, []).append((run, value))
    points = [
        (x, summary)
        for step in sorted(at)
        if (summary := over_seeds(value for _, value in at[step])) is not None
        and (x := along.mean([run for run, _ in at[step]], step)) is not None
    ]
    return Line(
        cell=cell,
        x=tuple(itertools.accumulate((x for x, _ in points), max)),
        mean=tuple(summary.mean for _, summary in points),
        std=tuple(summary.std for _, summary in points),
        n=tuple(summary.n for _, summary in points),
        end=over_seeds(scope.values(cell.runs, selection.metric).values()),
        diverged=tuple(_divergences(cell.runs, finite, selection, along)),
    )


@dataclass(frozen=True, slots=True)
class Along:
    """Where a run's step lies on the x axis; `clocks` by run where it is in hours."""

    x: XAxis
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

    def mean(self, runs: list[StudyRun], step: int) -> float | None:
        """Of runs of one configuration; only in hours do they differ. None where no run's hours are known."""
        return mean_of(self.position(run, step) for run in runs) if self.x == "hours" else self.position(runs[0], step)

    def end(self, runs: list[StudyRun], lines: Iterable[Line]) -> float:
        """Where the training ends; in hours, which nobody knows before, the last point that there is."""
        if self.x != "hours":
            return max(self.position(run, run.steps) for run in runs)
        drawn = [x for line in lines for x in (*line.x[-1:], *(d.x for d in line.diverged)) if math.isfinite(x)]
        return max(drawn, default=0.0) or 1.0


def _before_divergence(run: StudyRun, scores: tuple[Score, ...]) -> list[Score]:
    return [s for s in scores if run.diverged_at is None or s.step < run.diverged_at]


def _divergences(
    runs: tuple[StudyRun, ...], finite: dict[int, list[Score]], selection: Selection, along: Along
) -> Iterable[Divergence]:
    for run in runs:
        known = [s for s in finite[run.id] if math.isfinite(s.values[selection.metric])]
        if run.diverged_at is not None and known:
            last = known[-1]
            x, value = along.position(run, last.step), last.values[selection.metric]
            yield Divergence(run.id, run.seed, run.diverged_at, x, value)


def _quotes(run: StudyRun, selection: Selection) -> tuple[Quote, ...]:
    """Figure 3's curves of this size; they are in epochs, so nothing can be drawn against steps or hours."""
    if selection.metric != "mae" or selection.x in ("step", "hours") or not is_nyuv2(run.dataset, run.format):
        return ()
    factor = run.train_size if selection.x == "images" else 1
    curves = published.figure3(run.train_size)
    return tuple(Quote(loss, tuple(e * factor for e in curve.epoch), curve.mae) for loss, curve in curves.items())


def _caption(
    panels: tuple[Panel, ...], runs: list[StudyRun], encoder: str | None, scope: Scope, selection: Selection
) -> str:
    lines = [line for panel in panels for line in panel.lines]
    drawn = {run.id for run in runs if _before_divergence(run, scope.study.scores.get(run.id, ()))}
    cut = any(_is_cut(panel, selection) for panel in panels)
    return captions.join(
        f"{captions.metric_title(selection.metric, scope.part.capitalize())} against {X_TITLES[selection.x]}, "
        f"{ENCODER_TITLES.get(encoder or '', encoder or 'no encoder')}, {AVERAGING_WORDS[selection.averaging]}.",
        captions.evaluation_words(scope),
        captions.seeds_words(n for line in lines for n in line.n),
        _hours_words(lines) if selection.x == "hours" else "",
        f"End mark: {VALUE_WORDS[selection.value]}." if any(line.end for line in lines) else "",
        captions.subset_words(runs),
        "Dashed: constant prediction, the training median." if any(p.constant is not None for p in panels) else "",
        "Early values beyond the axis are cut off." if cut else "",
        _quoted_words(panels) if selection.published else "",
        captions.account(runs, drawn, partial=True),
    )


def _hours_words(lines: list[Line]) -> str:
    several = any(n > 1 for line in lines for n in line.n)
    mean = " A point lies at the mean of its seeds' hours at that step." if several else ""
    return f"{captions.HOURS}{mean}"


def _is_cut(panel: Panel, selection: Selection) -> bool:
    span = _span(panel, selection.metric, selection.y_log) or (-math.inf, math.inf)
    means = [captions.shown(selection.metric, mean) for line in panel.lines for mean in line.mean]
    return any(not span[0] <= mean <= span[1] for mean in means)


def _quoted_words(panels: tuple[Panel, ...]) -> str:
    if not any(panel.quotes for panel in panels):
        return "The paper's curves are test MAE against epoch on NYUv2 at 795, 12 000 and 230 000 images, and are not drawn here."
    return f"Thin dashes: quoted from {published.source('figure3')}; never averaged with runs."


def draw(numbers: Convergence, theme: Theme) -> go.Figure:
    rows = _rows(numbers)
    named = len({panel.data for panel in numbers.panels}) > 1
    height = 300 if len(rows) == 1 else 240
    figure = grid(max(1, len(rows)), numbers.columns, theme, panel_height=height, named_rows=named)
    lines = [line for panel in numbers.panels for line in panel.lines]
    legend_entries(figure, sorted((line.cell for line in lines), key=lambda cell: cell.order), theme)
    for r, row in enumerate(rows):
        if named:
            row_name(figure, place(r * numbers.columns, numbers.columns), row[0].data, theme)
        for c in range(numbers.columns):
            at = place(r * numbers.columns + c, numbers.columns)
            if c < len(row):
                _draw_panel(figure, at, row[c], numbers, theme)
            else:
                figure.update_xaxes(visible=False, row=at.row, col=at.column)
                figure.update_yaxes(visible=False, row=at.row, col=at.column)
    if not rows:
        notice(figure, place(0, 1), captions.NO_RUN, theme)
    return describe(figure, "Convergence", numbers.caption, metric=numbers.metric, x=numbers.x)


def _rows(numbers: Convergence) -> list[list[Panel]]:
    rows: list[list[Panel]] = []
    for panel in numbers.panels:
        if not rows or rows[-1][0].data != panel.data or len(rows[-1]) == numbers.columns:
            rows.append([])
        rows[-1].append(panel)
    return rows


def _draw_panel(figure: go.Figure, at: Place, panel: Panel, numbers: Convergence, theme: Theme) -> None:
    span = _span(panel, numbers.metric, numbers.y_log)
    for line in panel.lines:
        _draw_band(figure, at, line, numbers.metric, theme)
    for quote in panel.quotes:
        quoted(figure, at, quote.loss, quote.x, quote.value, theme)
    for line in panel.lines:
        _draw_line(figure, at, line, numbers, theme)
    ns = sorted({n for line in panel.lines for n in line.n})
    words = f"n = {ns[0]}" if len(ns) == 1 else f"n = {ns[0]}–{ns[-1]}" if ns else ""
    header(figure, at, captions.plural(panel.train_size, "image"), words, theme)
    reference(figure, at, numbers.metric, panel.constant, span or (0, 0), theme)
    if span is None:
        notice(figure, at, "No evaluation yet.", theme)
    figure.update_xaxes(title_text=X_TITLES[numbers.x], range=[0, panel.x_end], row=at.row, col=at.column)
    figure.update_yaxes(log_axis(span) if numbers.y_log else metric_axis(span), row=at.row, col=at.column)
    if at.column == 1:
        figure.update_yaxes(title_text=captions.metric_title(numbers.metric, numbers.part), row=at.row, col=1)


def _span(panel: Panel, metric: str, y_log: bool) -> tuple[float, float] | None:
    """The drawn range of the metric's axis: every mean with its band."""
    points = [
        (x, captions.shown(metric, mean + sign * (std or 0)))
        for line in panel.lines
        for x, mean, std in zip(line.x, line.mean, line.std, strict=True)
        for sign in (-1, 1)
    ]
    return curve_span(points, panel.x_end, falling=METRICS[metric].lower_is_better, log=y_log)


def _draw_band(figure: go.Figure, at: Place, line: Line, metric: str, theme: Theme) -> None:
    """± one sample standard deviation where n > 1, as a closed outline."""
    points = [(x, mean, std) for x, mean, std in zip(line.x, line.mean, line.std, strict=True) if std is not None]
    if len(points) < 2:
        return
    upper = [(x, captions.shown(metric, mean + std)) for x, mean, std in points]
    lower = [(x, captions.shown(metric, mean - std)) for x, mean, std in reversed(points)]
    figure.add_scatter(
        x=[x for x, _ in upper + lower],
        y=[y for _, y in upper + lower],
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=translucent(token(line.cell.loss).colour(theme), BAND_OPACITY[theme]),
        hoverinfo="skip",
        showlegend=False,
        legendgroup=line.cell.label,
        meta={"role": "band", "loss": line.cell.loss},
        row=at.row,
        col=at.column,
    )


def _draw_line(figure: go.Figure, at: Place, line: Line, numbers: Convergence, theme: Theme) -> None:
    metric, label = numbers.metric, line.cell.label
    unit = METRICS[metric].unit
    spread = ["" if s is None else f" ± {captions.shown(metric, s):.{captions.decimals(metric)}f}" for s in line.std]
    common = {"showlegend": False, "legendgroup": label, "name": label, "row": at.row, "col": at.column}
    figure.add_scatter(
        x=list(line.x),
        y=[captions.shown(metric, v) for v in line.mean],
        customdata=list(zip(spread, line.n, strict=True)),
        mode="lines" if len(line.x) > 1 else "markers",
        line=line_style(line.cell.loss, theme),
        marker=marker_style(line.cell.loss, theme, line.cell.encoder),
        hovertemplate=f"<b>{label}</b>  {'mean ' if numbers.x == 'hours' else ''}{X_TITLES[numbers.x]} %{{x:,.4~g}}<br>"
        f"%{{y:.{captions.decimals(metric)}f}}%{{customdata[0]}} {unit}, n = %{{customdata[1]}}<extra></extra>",
        meta={"role": "mean", "loss": line.cell.loss, "run_ids": [run.id for run in line.cell.runs]},
        **common,
    )
    if line.end is not None and line.x:
        figure.add_scatter(
            x=[line.x[-1]],
            y=[captions.shown(metric, line.end.mean)],
            mode="markers",
            marker=marker_style(line.cell.loss, theme, line.cell.encoder),
            cliponaxis=False,
            hovertemplate=f"<b>{label}</b>  value %{{y:.{captions.decimals(metric)}f}} {unit}, n = {line.end.n}<extra></extra>",
            meta={"role": "end", "loss": line.cell.loss},
            **common,
        )
    if line.diverged:
        _draw_divergence(figure, line, metric, theme, common)


def _draw_divergence(figure: go.Figure, line: Line, metric: str, theme: Theme, common: dict[str, object]) -> None:
    figure.add_scatter(
        x=[d.x for d in line.diverged],
        y=[captions.shown(metric, d.value) for d in line.diverged],
        mode="markers+text",
        text=[f"seed {d.seed} diverged" for d in line.diverged],
        textposition="top right",
        textfont={"size": 11, "color": PALETTES[theme].warning},
        marker={"symbol": "x-thin", "size": 9, "line": {"width": 2.5, "color": PALETTES[theme].warning}},
        customdata=[d.step for d in line.diverged],
        hovertemplate=f"<b>{line.cell.label}</b>  diverged at step %{{customdata}}<br>last finite value %{{y:.3f}}<extra></extra>",
        meta={"role": "diverged", "loss": line.cell.loss},
        **common,
    )
