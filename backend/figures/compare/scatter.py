"""Two metrics of each run against each other, with the distribution of each at the edge."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from backend.figures import captions
from backend.figures.compare import chosen
from backend.figures.compare.chosen import Asked, Member
from backend.figures.compare.drawing import blank, drawn, marker, note, number, title
from backend.figures.panels import describe
from backend.figures.tokens import PALETTES, Theme, plain, translucent

HEIGHT = 520
EDGE = 0.84
"""Where the main panel ends, and the distributions begin."""


@dataclass(frozen=True, slots=True)
class Scatter:
    """`points`: (run, horizontal, vertical) in stored units, of the runs that have both."""

    horizontal: str
    vertical: str
    marginal: str
    points: tuple[tuple[Member, float, float], ...]
    without: tuple[Member, ...]
    words: str
    note: str


def gather(session: Session, asked: Asked) -> Scatter:
    runs = chosen.members(session, asked.runs)
    known = chosen.measures(session, runs)
    vertical = asked.metric or next(iter(known), "")
    horizontal = asked.horizontal or next(
        (name for name in ("abs_rel", *known) if name in known and name != vertical), vertical
    )
    xs, ys = chosen.values(session, asked, horizontal), chosen.values(session, asked, vertical)
    return Scatter(
        horizontal,
        vertical,
        asked.marginal,
        tuple((member, xs[member.id], ys[member.id]) for member in runs if member.id in xs and member.id in ys),
        tuple(member for member in runs if member.id not in xs or member.id not in ys),
        f"A run's value: {chosen.selector_words(asked)}; of a logged key the newest.",
        chosen.evaluated_alike(runs),
    )


def draw(scatter: Scatter, theme: Theme) -> go.Figure:
    figure = blank(HEIGHT, theme)
    if not scatter.points:
        return describe(note(figure, "None of these runs has a value of both.", theme), "Two metrics", scatter.note)
    across, up = title(scatter.horizontal), title(scatter.vertical)
    for member, x, y in scatter.points:
        figure.add_scatter(
            x=[drawn(scatter.horizontal, x)],
            y=[drawn(scatter.vertical, y)],
            mode="markers+text",
            text=[member.letter],
            textposition="top right",
            textfont={"color": PALETTES[theme].text, "size": 11},
            marker=marker(member, theme, 10),
            name=plain(member.name),
            legendgroup=str(member.id),
            customdata=[[number(scatter.horizontal, x), number(scatter.vertical, y)]],
            hovertemplate=f"<b>%{{fullData.name}}</b><br>{plain(across)} %{{customdata[0]}}<br>"
            f"{plain(up)} %{{customdata[1]}}<extra></extra>",
            meta={"role": "run", "run_id": member.id, "loss": member.run.loss},
        )
    _edges(figure, scatter, theme)
    figure.update_layout(
        xaxis={"domain": [0, EDGE], "title_text": plain(across)},
        yaxis={"domain": [0, EDGE], "title_text": plain(up)},
        xaxis2={"domain": [0, EDGE], "matches": "x", "anchor": "y2", "visible": False},
        yaxis2={"domain": [EDGE + 0.02, 1], "anchor": "x2", "visible": False},
        xaxis3={"domain": [EDGE + 0.02, 1], "anchor": "y3", "visible": False},
        yaxis3={"domain": [0, EDGE], "matches": "y", "anchor": "x3", "visible": False},
    )
    caption = captions.join(
        f"{up} against {across}, a point a run.",
        scatter.words,
        chosen.key_words([member for member, _, _ in scatter.points]),
        f"Without both values: {', '.join(member.letter for member in scatter.without)}." if scatter.without else "",
        scatter.note,
    )
    return describe(figure, f"{up} against {across}", caption)


def _edges(figure: go.Figure, scatter: Scatter, theme: Theme) -> None:
    xs = [drawn(scatter.horizontal, x) for _, x, _ in scatter.points]
    ys = [drawn(scatter.vertical, y) for _, _, y in scatter.points]
    grey = PALETTES[theme].text2
    for values, way, axes in ((xs, "x", {"xaxis": "x2", "yaxis": "y2"}), (ys, "y", {"xaxis": "x3", "yaxis": "y3"})):
        shared = {way: values, **axes, "marker": {"color": translucent(grey, 0.45)}, "meta": {"role": "marginal"}}
        if scatter.marginal == "histogram":
            figure.add_histogram(
                **shared,
                nbinsx=10,
                nbinsy=10,
                hovertemplate=f"%{{{way}}}: %{{{'y' if way == 'x' else 'x'}}} runs<extra></extra>",
            )
        else:
            figure.add_box(
                **shared,
                boxpoints="all",
                jitter=0,
                pointpos=-1.6,
                line={"color": grey, "width": 1.2},
                fillcolor=translucent(grey, 0.12),
                hoverinfo="skip",
                name="",
            )
