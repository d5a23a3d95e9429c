"""A metric of each run as a bar from zero."""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from backend.figures import captions
from backend.figures.compare import chosen
from backend.figures.compare.chosen import Asked, Member
from backend.figures.compare.drawing import blank, drawn, note, number, title
from backend.figures.panels import describe
from backend.figures.tokens import LOSS_TOKENS, PALETTES, Theme, hollow, plain, translucent
from depthboard.metrics import METRICS

BAR = 30


@dataclass(frozen=True, slots=True)
class Bars:
    """`values`: run -> its value in stored units; absent where it has none."""

    measure: str
    members: tuple[Member, ...]
    values: dict[int, float]
    words: str
    note: str


def gather(session: Session, asked: Asked) -> Bars:
    runs = chosen.members(session, asked.runs)
    measure = asked.metric or next(iter(chosen.measures(session, runs)), "")
    words = (
        f"A run's value: {chosen.selector_words(asked)}." if measure in METRICS else "A run's value: the newest logged."
    )
    return Bars(measure, runs, chosen.values(session, asked, measure), words, chosen.evaluated_alike(runs))


def draw(bars: Bars, theme: Theme) -> go.Figure:
    there = [member for member in bars.members if member.id in bars.values]
    figure = blank(90 + BAR * max(3, len(there)), theme, bargap=0.35)
    if not there:
        return describe(note(figure, "None of these runs has a value of it.", theme), "Values", bars.note)
    colours = [LOSS_TOKENS[member.look].colour(theme) for member in there]
    filled = [translucent(c, 0.25) if hollow(m.run.encoder) else c for c, m in zip(colours, there, strict=True)]
    figure.add_bar(
        orientation="h",
        x=[drawn(bars.measure, bars.values[member.id]) for member in there],
        y=[plain(member.name) for member in there],
        text=[number(bars.measure, bars.values[member.id]) for member in there],
        textposition="outside",
        cliponaxis=False,
        textfont={"color": PALETTES[theme].text},
        marker={"color": filled, "line": {"color": colours, "width": 1.5}},
        hovertemplate="<b>%{y}</b><br>%{text}<extra></extra>",
        meta={"role": "bars", "run_ids": [member.id for member in there]},
    )
    figure.update_xaxes(title_text=plain(title(bars.measure)), rangemode="tozero")
    figure.update_yaxes(autorange="reversed", showgrid=False, tickfont={"size": 12, "color": PALETTES[theme].text})
    figure.update_yaxes(automargin=False)
    longest = max(len(member.name) for member in there)
    figure.update_layout(margin={"l": 24 + 7 * min(60, longest), "r": 90})
    missing = [member.letter for member in bars.members if member.id not in bars.values]
    caption = captions.join(
        bars.words,
        "Filled: DenseNet; light: ResNet." if len({hollow(m.run.encoder) for m in there}) > 1 else "",
        f"Without a value: {', '.join(missing)}." if missing else "",
        "One run against one run says nothing about the loss.",
        bars.note,
    )
    return describe(figure, title(bars.measure), caption)
