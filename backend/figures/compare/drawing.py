"""What the figures of a comparison share in drawing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

from backend.figures import captions
from backend.figures.compare.chosen import Member
from backend.figures.panels import marker_style
from backend.figures.tokens import PALETTES, Theme, plain, template
from depthboard.metrics import METRICS

MARGIN = {"l": 56, "r": 28, "t": 20, "b": 46}


def blank(height: int, theme: Theme, **layout: Any) -> go.Figure:
    """An empty figure without a legend: letters name the runs, and the caption the letters."""
    figure = go.Figure()
    base = {"template": template(theme), "height": height, "margin": MARGIN, "showlegend": False}
    figure.update_layout(**{**base, "hovermode": "closest", "uirevision": "keep", **layout})
    return figure


def title(measure: str) -> str:
    """`RMSE (m)`, or the key as it was logged: a person's words, which a figure takes through `tokens.plain`."""
    return captions.metric_title(measure) if measure in METRICS else measure


def drawn(measure: str, value: float) -> float:
    return captions.shown(measure, value) if measure in METRICS else value


def number(measure: str, value: float) -> str:
    """With its unit."""
    return captions.metric_text(measure, value) if measure in METRICS else f"{value:.5g}"


def marker(member: Member, theme: Theme, size: float = 0.0) -> dict[str, Any]:
    style = marker_style(member.look, theme, member.run.encoder)
    return {**style, **({"size": size} if size else {})}


def end_letters(
    figure: go.Figure, ends: Sequence[tuple[float, float, str]], spans: tuple[float, float], theme: Theme
) -> None:
    """The letters of lines where they end; those that would lie on one another stand side by side."""
    left = sorted(ends, key=lambda end: end[2])
    while left:
        x, y, _ = left[0]
        near = [end for end in left if abs(end[0] - x) <= 0.03 * spans[0] and abs(end[1] - y) <= 0.04 * spans[1]]
        left = [end for end in left if end not in near]
        figure.add_annotation(
            x=max(end[0] for end in near),
            y=sum(end[1] for end in near) / len(near),
            text=f"<b>{' '.join(end[2] for end in near)}</b>",
            xanchor="left",
            xshift=6,
            showarrow=False,
            font={"size": 11, "color": PALETTES[theme].text},
            name="letter",
        )


def note(figure: go.Figure, text: str, theme: Theme) -> go.Figure:
    """A sentence where there is nothing to draw."""
    figure.add_scatter(x=[None], y=[None], hoverinfo="skip")
    place = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False}
    figure.add_annotation(**place, text=plain(text), font={"color": PALETTES[theme].text2}, name="notice")
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    return figure
