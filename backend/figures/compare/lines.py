"""A metric over the evaluations of each run, or a key that they logged: one line a run, with its letter at the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend import curve_sets
from backend.curve_sets import Wanted
from backend.figures import captions
from backend.figures.along import along
from backend.figures.compare import chosen
from backend.figures.compare.chosen import Asked, Member
from backend.figures.compare.drawing import blank, drawn, end_letters, note, number, title
from backend.figures.panels import describe, line_style, log_axis
from backend.figures.selector import X_TITLES, XAxis
from backend.figures.tokens import Theme, plain
from backend.store import comparison
from backend.store.hours import gpus
from depthboard.metrics import METRICS

MOST_POINTS = 1000
HEIGHT = 440
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Line:
    """`value` in stored units, NaN where it is not finite."""

    member: Member
    x: Floats
    value: Floats


@dataclass(frozen=True, slots=True)
class Lines:
    """`without`: runs that have none of it, or whose place on this axis is not known. `known`: what else there is to draw."""

    measure: str
    x: XAxis
    y_log: bool
    lines: tuple[Line, ...]
    without: tuple[Member, ...]
    note: str
    known: tuple[str, ...]


def gather(session: Session, asked: Asked) -> Lines:
    runs = chosen.members(session, asked.runs)
    known = tuple(chosen.measures(session, runs))
    measure = asked.metric or next(iter(known), "")
    axis = asked.x or axes(session, runs)[0]
    found = _evaluated(session, asked, measure) if measure in METRICS else _logged(session, asked, measure)
    place = along(session, axis, [member.run for member in runs])
    lines = []
    for member in runs:
        if member.id in found:
            steps, walls, value = found[member.id]
            x = place.positions(member.run, steps, walls)
            if np.isfinite(x).any():
                lines.append(Line(member, x, np.where(np.isfinite(value), value, np.nan)))
    there = {line.member.id for line in lines}
    without = tuple(member for member in runs if member.id not in there)
    return Lines(measure, axis, asked.y_log, tuple(lines), without, chosen.evaluated_alike(runs), known)


def axes(session: Session, runs: Sequence[Member]) -> list[XAxis]:
    """Along which they are drawn, the usual one first: trainings of different sizes meet at the images that they have seen."""
    trained: list[XAxis] = ["images", "epoch", "step", "hours", "wall"]
    logged: list[XAxis] = ["step", "hours", "wall", "images", "epoch"]
    found = trained if any(not member.script for member in runs) else logged
    return [*found, "gpu"] if gpus(session, [member.id for member in runs]) else found


def _evaluated(session: Session, asked: Asked, metric: str) -> dict[int, tuple[Ints, Floats | None, Floats]]:
    found = comparison.evaluated(session, asked.runs, metric, asked.averaging)
    return {
        id: (np.array([s for s, _ in p], np.int64), None, np.array([v for _, v in p], float)) for id, p in found.items()
    }


def _logged(session: Session, asked: Asked, key: str) -> dict[int, tuple[Ints, Floats | None, Floats]]:
    curves = curve_sets.gather(session, list(asked.runs), Wanted([key], ("step", "wall"), MOST_POINTS, -1))
    return {c.run_id: (c.columns.steps, c.columns.walls, c.columns.values) for c in curves}


def draw(lines: Lines, theme: Theme) -> go.Figure:
    figure = blank(HEIGHT, theme)
    for line in lines.lines:
        _add(figure, line, lines, theme)
    _letters(figure, lines, theme)
    words = "None of these runs has any value of it here."
    if not lines.lines:
        note(figure, words, theme)
    figure.update_xaxes(title_text=X_TITLES[lines.x])
    figure.update_yaxes(title_text=plain(title(lines.measure)))
    positive = [drawn(lines.measure, v) for line in lines.lines for v in line.value[line.value > 0].tolist()]
    if lines.y_log and positive:
        figure.update_yaxes(**log_axis((min(positive), max(positive))))
    caption = captions.join(
        f"{_name(lines.measure)} against {X_TITLES[lines.x]}, one line a run.",
        chosen.key_words([line.member for line in lines.lines]) if lines.lines else "",
        f"Not drawn: {', '.join(member.letter for member in lines.without)}." if lines.without else "",
        captions.TIME_WORDS.get(lines.x, ""),
        lines.note,
    )
    return describe(figure, f"{_name(lines.measure)} over training", caption)


def _name(measure: str) -> str:
    return captions.metric_name(measure) if measure in METRICS else measure


def _add(figure: go.Figure, line: Line, lines: Lines, theme: Theme) -> None:
    y = [drawn(lines.measure, value) for value in line.value.tolist()]
    look = line_style(line.member.look, theme)
    figure.add_scatter(
        x=line.x,
        y=y,
        mode="lines" if len(y) > 1 else "markers",
        name=plain(line.member.name),
        legendgroup=str(line.member.id),
        line=look,
        marker={"color": look["color"]},
        customdata=[number(lines.measure, value) for value in line.value.tolist()],
        hovertemplate=f"<b>%{{fullData.name}}</b><br>{X_TITLES[lines.x]} %{{x:,.4~g}}: %{{customdata}}<extra></extra>",
        meta={"role": "run", "run_id": line.member.id, "loss": line.member.run.loss},
    )


def _letters(figure: go.Figure, lines: Lines, theme: Theme) -> None:
    def of(value: float) -> float:
        return math.log10(value) if lines.y_log else value

    ends, xs, ys = [], [], []
    for line in lines.lines:
        shown = [drawn(lines.measure, value) for value in line.value.tolist()]
        there = [
            (float(x), of(y))
            for x, y in zip(line.x, shown, strict=True)
            if math.isfinite(x) and math.isfinite(y) and (y > 0 or not lines.y_log)
        ]
        xs += [x for x, _ in there]
        ys += [y for _, y in there]
        if there:
            ends.append((*there[-1], line.member.letter))
    if ends:
        end_letters(figure, ends, (max(xs) - min(xs), max(ys) - min(ys)), theme)
