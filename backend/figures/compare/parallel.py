"""Parallel coordinates: an upright axis for each setting that differs and for some metrics, one line a run across them.

Drawn with plain lines, since Plotly's own parallel coordinates need WebGL and evaluate code at run time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from backend.figures import captions
from backend.figures.compare import chosen
from backend.figures.compare.chosen import Asked, Member
from backend.figures.compare.differences import varied
from backend.figures.compare.drawing import blank, end_letters, number, title
from backend.figures.panels import describe, line_style
from backend.figures.tokens import ENCODER_TITLES, LOSS_ORDER, PALETTES, Theme, loss_title, plain

HEIGHT = 440
MOST_SETTINGS = 8
MOST_LEVELS = 8
TITLES = {
    "data.train_size": "training images",
    "data.dataset": "data",
    "network.encoder": "encoder",
    "loss.name": "loss",
}
METRICS_SHOWN = ("rmse", "abs_rel", "delta1")
MOST_KEYS = 3
DECADE = 10
"""Numbers above zero that span more than this lie on a logarithmic axis."""


@dataclass(frozen=True, slots=True)
class Axis:
    """`places`: of each run from 0 to 1, None where it has no value; `words`: its value as it is written; `ticks`: (place, label)."""

    title: str
    places: tuple[float | None, ...]
    words: tuple[str, ...]
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Parallel:
    """`left_out`: settings that differ, and that there is no room for."""

    members: tuple[Member, ...]
    axes: tuple[Axis, ...]
    left_out: tuple[str, ...]
    note: str


def gather(session: Session, asked: Asked) -> Parallel:
    runs = chosen.members(session, asked.runs)
    settings = [row for row in varied(runs) if not row.path.startswith("loss.") or row.path == "loss.name"]
    axes = [_setting(row.path, row.values) for row in settings[:MOST_SETTINGS]]
    known = chosen.measures(session, runs)
    measures = [asked.metric, *METRICS_SHOWN] if asked.metric else list(METRICS_SHOWN)
    measures = [name for name in dict.fromkeys(measures) if name in known] or known[:MOST_KEYS]
    axes += [_measure(name, chosen.values(session, asked, name), runs) for name in measures]
    left_out = tuple(row.path for row in settings[MOST_SETTINGS:])
    return Parallel(runs, tuple(axes), left_out, chosen.evaluated_alike(runs))


def _setting(path: str, values: Sequence[Any]) -> Axis:
    numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
    given = [v for v in values if v is not None]
    if numbers and len(numbers) == len(given):
        return _scale(_title(path), [None if v is None else float(v) for v in values], lambda v: f"{v:.6g}")
    order = LOSS_ORDER if path in ("loss", "loss.name") else {}
    levels = [_word(v) for v in sorted(dict.fromkeys(given), key=lambda v: order.get(v, 0))]
    step = 1 / max(1, len(levels) - 1)
    places = {level: i * step if len(levels) > 1 else 0.5 for i, level in enumerate(levels)}
    words = tuple("none" if v is None else _word(v) for v in values)
    ticks = tuple((place, level) for level, place in places.items())[:MOST_LEVELS]
    return Axis(_title(path), tuple(None if v is None else places[_word(v)] for v in values), words, ticks)


def _title(path: str) -> str:
    return TITLES.get(path) or path.rpartition(".")[2].replace("_", " ")


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return loss_title(value) if value in LOSS_ORDER else ENCODER_TITLES.get(value, str(value))


def _measure(name: str, values: dict[int, float], runs: Sequence[Member]) -> Axis:
    return _scale(title(name), [values.get(member.id) for member in runs], lambda v: number(name, v), log=False)


def _scale(name: str, values: Sequence[float | None], write: Any, log: bool = True) -> Axis:
    known = sorted({v for v in values if v is not None and math.isfinite(v)})
    if not known:
        return Axis(name, (None,) * len(values), ("none",) * len(values), ())
    log = log and known[0] > 0 and known[-1] / known[0] > DECADE
    of = math.log10 if log else float
    low, span = of(known[0]), of(known[-1]) - of(known[0])

    def place(value: float) -> float:
        return (of(value) - low) / span if span else 0.5

    shown = known if len(known) <= MOST_LEVELS else [known[0], known[len(known) // 2], known[-1]]
    ticks: list[tuple[float, str]] = []
    for value in (shown[0], shown[-1], *shown[1:-1]):  # the ends first: what lies too near to another has no label
        if all(abs(place(value) - other) > 0.05 for other, _ in ticks):
            ticks.append((place(value), write(value)))
    there = [v if v is not None and math.isfinite(v) else None for v in values]
    return Axis(
        name,
        tuple(None if v is None else place(v) for v in there),
        tuple("none" if v is None else write(v) for v in there),
        tuple(sorted(ticks)),
    )


def draw(parallel: Parallel, theme: Theme) -> go.Figure:
    palette = PALETTES[theme]
    figure = blank(HEIGHT, theme, margin={"l": 90, "r": 60, "t": 56, "b": 24})
    for i, axis in enumerate(parallel.axes):
        figure.add_shape(type="line", x0=i, x1=i, y0=0, y1=1, line={"color": palette.text3, "width": 1}, layer="below")
        _label(figure, i, 1, plain(axis.title), palette.text, yshift=16, yanchor="bottom")
        for place, words in axis.ticks:
            _label(figure, i, place, plain(words), palette.text2, xanchor="right", xshift=-6, bgcolor=palette.page)
    for n, member in enumerate(parallel.members):
        places = [axis.places[n] for axis in parallel.axes]
        figure.add_scatter(
            x=list(range(len(places))),
            y=places,
            mode="lines+markers",
            line=line_style(member.look, theme),
            marker={"color": line_style(member.look, theme)["color"], "size": 5},
            name=plain(member.name),
            legendgroup=str(member.id),
            customdata=[[plain(axis.title), plain(axis.words[n])] for axis in parallel.axes],
            hovertemplate="<b>%{fullData.name}</b><br>%{customdata[0]}: %{customdata[1]}<extra></extra>",
            connectgaps=False,
            meta={"role": "run", "run_id": member.id, "loss": member.run.loss},
        )
    for i, axis in enumerate(parallel.axes[-1:], len(parallel.axes) - 1):
        there = [(float(i), y, m.letter) for y, m in zip(axis.places, parallel.members, strict=True) if y is not None]
        end_letters(figure, there, (1.0, 1.0), theme)
    figure.update_xaxes(visible=False, range=[-0.25, max(1, len(parallel.axes) - 1) + 0.25])
    figure.update_yaxes(visible=False, range=[-0.06, 1.06])
    left = f"No room for: {', '.join(parallel.left_out)}." if parallel.left_out else ""
    words = "Each axis from its lowest to its highest value among these runs, numbers over more than a decade on a log scale."
    key = chosen.key_words(parallel.members)
    return describe(figure, "Settings and metrics", captions.join(words, key, left, parallel.note))


def _label(figure: go.Figure, x: float, y: float, text: str, colour: str, **place: Any) -> None:
    figure.add_annotation(x=x, y=y, text=text, showarrow=False, font={"size": 11, "color": colour}, **place)
