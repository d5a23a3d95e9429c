"""The figure of one run: drawn from the numbers of backend.figures.run."""

from __future__ import annotations

import math

import plotly.graph_objects as go

from backend.figures import captions, published
from backend.figures.panels import (
    Place,
    curve_span,
    describe,
    grid,
    line_style,
    log_axis,
    marker_style,
    metric_axis,
    notice,
    place,
    quoted,
    reference,
    token,
)
from backend.figures.run import Mark, RunFigure, place_words
from backend.figures.selector import AVERAGING_WORDS, X_TITLES
from backend.figures.tokens import ENCODER_TITLES, PALETTES, Theme, loss_title, loss_words, translucent
from backend.store.study import StudyRun
from depthboard.metrics import METRICS

PANEL_HEIGHT = 250
BAND_OPACITY: dict[Theme, float] = {"light": 0.14, "dark": 0.2}
CLOSE = 0.3
"""Share of the axis within which the words of one mark would run into those of the next."""
STAGGER = 15


def draw(numbers: RunFigure, theme: Theme) -> go.Figure:
    choice, metric = numbers.choice, numbers.choice.metric
    figure, at = grid(1, 1, theme, panel_height=PANEL_HEIGHT), place(0, 1)
    span = _span(numbers)
    _draw_band(figure, numbers, theme)
    if numbers.quote is not None:
        quoted(figure, at, numbers.quote.loss, numbers.quote.x, numbers.quote.value, theme)
        figure.update_traces(showlegend=True, selector={"meta.role": "published"})
    _draw_own(figure, numbers, theme)
    _draw_divergence(figure, at, numbers, theme)
    reference(figure, at, metric, numbers.constant, span or (0, 0), theme)
    if span is None and numbers.run.diverged_at is None:
        notice(figure, at, "The first evaluation has not come yet.", theme)
    for i, mark in enumerate(numbers.resumed):
        _draw_border(figure, mark, _row(numbers, i), theme)
    figure.update_xaxes(title_text=X_TITLES[choice.x], range=[0, numbers.x_end])
    figure.update_yaxes(log_axis(span) if choice.y_log else metric_axis(span))
    figure.update_yaxes(title_text=captions.metric_title(metric, numbers.run.part))
    figure.update_layout(margin={"r": 64})
    return describe(figure, _title(numbers.run), _caption(numbers), metric=metric, x=choice.x)


def _title(run: StudyRun) -> str:
    encoder = ENCODER_TITLES.get(run.encoder, run.encoder)
    return f"{loss_words(run.loss, run.loss_label)}, {captions.plural(run.train_size, 'image')}, {encoder}, seed {run.seed}"


def _span(numbers: RunFigure) -> tuple[float, float] | None:
    """The run and its band; the quoted curve and the constant prediction stretch no axis."""
    own, others = numbers.own, numbers.others
    points = [*zip(own.x, own.value, strict=True)]
    points += [*zip(others.x, others.low, strict=True), *zip(others.x, others.high, strict=True)]
    shown = [(x, captions.shown(numbers.choice.metric, value)) for x, value in points]
    falling = METRICS[numbers.choice.metric].lower_is_better
    return curve_span(shown, numbers.x_end, falling=falling, log=numbers.choice.y_log)


def band_words(numbers: RunFigure) -> str:
    """`other L1 seeds, smallest to largest, n = 2`"""
    n = sorted(set(numbers.others.n))
    span = f"n = {n[0]}" if len(n) == 1 else f"n = {n[0]}–{n[-1]}"
    kind = {"minmax": "smallest to largest", "ci95": "95 % CI of the mean", "none": ""}[numbers.choice.band]
    if n == [1]:
        return f"the other {loss_title(numbers.run.loss)} seed"
    return f"other {loss_title(numbers.run.loss)} seeds, {kind}, {span}"


def _draw_band(figure: go.Figure, numbers: RunFigure, theme: Theme) -> None:
    """A closed outline; of one other seed its line."""
    band, metric = numbers.others, numbers.choice.metric
    if not band.x:
        return
    colour = token(numbers.run.loss).colour(theme)
    alone = max(band.n) == 1
    x = band.x if alone else (*band.x, *reversed(band.x))
    y = band.low if alone else (*band.low, *reversed(band.high))
    figure.add_scatter(
        x=list(x),
        y=[captions.shown(metric, value) for value in y],
        mode="lines",
        line={"width": 1.2 if alone else 0, "color": translucent(colour, 0.45)},
        fill=None if alone else "toself",
        fillcolor=translucent(colour, BAND_OPACITY[theme]),
        hoverinfo="skip",
        name=band_words(numbers),
        meta={"role": "band", "loss": numbers.run.loss},
    )


def _draw_own(figure: go.Figure, numbers: RunFigure, theme: Theme) -> None:
    own, run, metric = numbers.own, numbers.run, numbers.choice.metric
    unit, digits = METRICS[metric].unit, captions.decimals(metric)
    shown = [captions.shown(metric, value) if math.isfinite(value) else None for value in own.value]
    style = line_style(run.loss, theme, 2.5)
    figure.add_scatter(
        x=list(own.x),
        y=shown,
        mode="lines" if len(own.x) > 1 else "markers",
        line=style,
        marker=marker_style(run.loss, theme, run.encoder),
        name="this run",
        legendrank=1,
        customdata=[[step, words] for step, words in zip(own.step, _beside(numbers), strict=True)],
        hovertemplate=f"{X_TITLES[numbers.choice.x]} %{{x:,.4~g}}, step %{{customdata[0]:,}}<br><b>%{{y:.{digits}f}} {unit}</b>"
        "%{customdata[1]}<extra></extra>",
        meta={"role": "run", "loss": run.loss, "run_id": run.id},
    )
    last = next(((x, y) for x, y in reversed(list(zip(own.x, shown, strict=True))) if y is not None), None)
    if last is None:
        return
    figure.add_scatter(
        x=[last[0]],
        y=[last[1]],
        mode="markers+text",
        marker=marker_style(run.loss, theme, run.encoder),
        text=[f"{last[1]:.{digits}f} {unit}".strip()],
        textposition="middle right" if numbers.diverged is None else "top left",
        textfont={"size": 12, "color": PALETTES[theme].text},
        cliponaxis=False,
        hoverinfo="skip",
        showlegend=False,
        meta={"role": "last", "loss": run.loss},
    )


def _beside(numbers: RunFigure) -> list[str]:
    """What the other seeds reached at the steps of the run, for the hover."""
    band, metric = numbers.others, numbers.choice.metric
    known = {step: i for i, step in enumerate(band.step)}
    words = []
    for step in numbers.own.step:
        i = known.get(step)
        low_high = (
            ""
            if i is None
            else "–".join(
                f"{captions.shown(metric, value):.{captions.decimals(metric)}f}"
                for value in (band.low[i], band.high[i])
            )
        )
        words.append(f"<br>other seeds {low_high}, n = {band.n[i]}" if i is not None else "")
    return words


def _draw_divergence(figure: go.Figure, at: Place, numbers: RunFigure, theme: Theme) -> None:
    """A cross at the last finite value before the loss stopped being finite, as in the convergence figure."""
    run, fault, metric, colour = numbers.run, numbers.diverged, numbers.choice.metric, PALETTES[theme].warning
    if run.diverged_at is None:
        return
    where = f"Diverged at {place_words(run, run.diverged_at)}"
    if fault is None:
        notice(figure, at, f"{where}, step {run.diverged_at}, before the first evaluation.", theme)
        return
    figure.add_scatter(
        x=[fault.x],
        y=[captions.shown(metric, fault.value)],
        mode="markers",
        marker={"symbol": "x-thin", "size": 11, "line": {"width": 2.75, "color": colour}},
        cliponaxis=False,
        hovertemplate=f"{where}, step {fault.step}<br>last finite value {captions.metric_text(metric, fault.value)}<extra></extra>",
        showlegend=False,
        meta={"role": "diverged", "loss": numbers.run.loss},
    )
    figure.add_annotation(
        xref="x domain",
        yref="y domain",
        x=1,
        y=1,
        xanchor="right",
        yanchor="top",
        text=f"{where}, last finite value {captions.metric_text(metric, fault.value)}",
        font={"size": 11, "color": colour},
        name="diverged",
    )


def _row(numbers: RunFigure, i: int) -> int:
    """How far down the words of a mark go, so that they do not run into those of the mark before."""
    near = [abs(numbers.resumed[j].x - numbers.resumed[j - 1].x) < CLOSE * numbers.x_end for j in range(1, i + 1)]
    return next((k for k, close in enumerate(reversed(near)) if not close), len(near)) % 4


def _draw_border(figure: go.Figure, mark: Mark, row: int, theme: Theme) -> None:
    colour = PALETTES[theme].warning
    line = {"color": colour, "width": 1.2, "dash": "3px,3px"}
    figure.add_shape(
        type="line", xref="x", yref="y domain", x0=mark.x, x1=mark.x, y0=0, y1=1, line=line, name="attempt"
    )
    figure.add_annotation(
        xref="x",
        yref="y domain",
        x=mark.x,
        y=1,
        xanchor="left",
        yanchor="top",
        xshift=4,
        yshift=-STAGGER * row,
        text=mark.words,
        font={"size": 11, "color": colour},
        name="attempt",
    )


def _caption(numbers: RunFigure) -> str:
    run, choice = numbers.run, numbers.choice
    return captions.join(
        f"{captions.metric_title(choice.metric, run.part.capitalize())} against {X_TITLES[choice.x]}, "
        f"{AVERAGING_WORDS[choice.averaging]}, protocol {run.protocol}.",
        _others_words(numbers),
        captions.HOURS if choice.x == "hours" else "",
        "Dashed: constant prediction, the training median." if numbers.constant is not None else "",
        f"Thin dashes: quoted from {published.source('figure3')}." if numbers.quote else "",
        f"Diverged at step {run.diverged_at}." if run.diverged_at is not None else "",
    )


def _others_words(numbers: RunFigure) -> str:
    if numbers.choice.band == "none":
        return ""
    if not numbers.others.seeds:
        return "No other seed of this cell has been evaluated yet, so there is no band."
    if not numbers.others.x:
        return "A confidence interval takes two other seeds; there is one."
    listed = ", ".join(map(str, numbers.others.seeds))
    several = len(numbers.others.seeds) > 1
    return f"Shaded: {band_words(numbers)} (seeds {listed})." if several else f"Faint: the other seed, {listed}."
