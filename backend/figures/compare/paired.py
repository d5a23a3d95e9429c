"""Two runs against each other on every test image: which of them is better, and where."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.figures import captions
from backend.figures.compare import chosen
from backend.figures.compare.chosen import Asked, Member
from backend.figures.compare.drawing import blank, drawn, note, number, title
from backend.figures.panels import describe, padded
from backend.figures.tokens import LOSS_TOKENS, PALETTES, Theme, plain
from backend.store import comparison
from backend.store.comparison import Scored
from depthboard.metrics import METRICS

HEIGHT = 520
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Image:
    """One test image: its place in the part, the values of the two runs, its name and where its pixels are shown, if they are."""

    position: int
    a: float
    b: float
    name: str
    link: str


@dataclass(frozen=True, slots=True)
class Paired:
    """`refused` says why there is nothing to set against each other; empty where there is. `steps`: of both evaluations."""

    metric: str
    a: Member | None
    b: Member | None
    images: tuple[Image, ...]
    undefined: int
    refused: str
    steps: tuple[int, int] = (0, 0)

    @property
    def better(self) -> tuple[int, int, int]:
        """On how many images a is better, on how many b, on how many neither."""
        sign = 1 if METRICS[self.metric].lower_is_better else -1
        off = np.array([sign * (image.a - image.b) for image in self.images])
        return int((off < 0).sum()), int((off > 0).sum()), int((off == 0).sum())

    @property
    def mean_difference(self) -> float:
        """a − b."""
        return float(np.mean([image.a - image.b for image in self.images])) if self.images else float("nan")


def gather(session: Session, asked: Asked) -> Paired:
    runs = chosen.members(session, asked.runs)
    metric = asked.metric or "rmse"
    a, b = _pair(runs, asked)
    if a is None or b is None:
        return Paired(metric, a, b, (), 0, "Choose two runs that were evaluated to set them against each other.")
    refused = _refused(a, b)
    first, second = comparison.last_scored(session, a.run), comparison.last_scored(session, b.run)
    missing = [m.letter for m, scored in ((a, first), (b, second)) if scored is None]
    if missing and not refused:
        refused = f"{' and '.join(missing)} {'has' if len(missing) == 1 else 'have'} not been evaluated yet."
    if refused or first is None or second is None:
        return Paired(metric, a, b, (), 0, refused)
    return _paired(session, metric, a, b, first, second)


def _pair(runs: tuple[Member, ...], asked: Asked) -> tuple[Member | None, Member | None]:
    """The two asked for, else the first that are not the other."""
    by_id = {member.id: member for member in runs}
    trained = [member for member in runs if not member.script]
    a = by_id[asked.a] if asked.a else next((m for m in trained if m.id != asked.b), None)
    b = by_id[asked.b] if asked.b else next((m for m in trained if a is not None and m.id != a.id), None)
    return a, b


def _refused(a: Member, b: Member) -> str:
    """Why image n of one is not image n of the other; empty where it is."""
    if a.id == b.id:
        return "Both are the same run: choose two."
    if a.script or b.script:
        return "Runs of scripts are not evaluated here, so nothing is known of single images."
    reasons = [
        ("different data", a.run.dataset != b.run.dataset or a.run.split != b.run.split),
        ("different versions of the data", a.run.data_fingerprint != b.run.data_fingerprint),
        (f"different images ({a.filed.part} and {b.filed.part})", a.filed.part != b.filed.part),
        (f"different protocols ({a.filed.protocol} and {b.filed.protocol})", a.filed.protocol != b.filed.protocol),
    ]
    found = [words for words, differ in reasons if differ]
    if not found:
        return ""
    return f"{a.letter} and {b.letter} were evaluated on {' and '.join(found)}: their images cannot be paired."


def _paired(session: Session, metric: str, a: Member, b: Member, first: Scored, second: Scored) -> Paired:
    left, right = first.images[metric], second.images[metric]
    if len(left) != len(right):
        words = f"{a.letter} was evaluated on {len(left)} images and {b.letter} on {len(right)}: they cannot be paired."
        return Paired(metric, a, b, (), 0, words)
    known = np.isfinite(left) & np.isfinite(right)
    shown, other = comparison.shown_frames(session, a.id), comparison.shown_frames(session, b.id)
    experiment = comparison.common_experiment(session, (a.id, b.id)) if _alike(a, b) else None
    images = []
    for place in np.flatnonzero(known).tolist():
        frame = shown.get(place) or other.get(place)
        both = place in shown and place in other
        link = "" if frame is None else _link(a if place in shown else b, b, frame.id, experiment if both else None)
        images.append(Image(place, float(left[place]), float(right[place]), frame.name if frame else "", link))
    return Paired(metric, a, b, tuple(images), int((~known).sum()), "", (first.step, second.step))


def _alike(a: Member, b: Member) -> bool:
    """Whether the grid of depth maps shows both at once: it holds one size, encoder and seed."""
    return (a.run.train_size, a.run.encoder, a.run.seed) == (b.run.train_size, b.run.encoder, b.run.seed)


def _link(holder: Member, b: Member, frame: int, experiment: int | None) -> str:
    if experiment is None:
        return f"/runs/{holder.id}?frame={frame}"
    run = holder.run
    where = f"train_size={run.train_size}&encoder={run.encoder}&seed={run.seed}"
    return f"/experiments/{experiment}/qualitative?{where}&row={frame}&a={holder.id}&b={b.id}"


def draw(paired: Paired, theme: Theme) -> go.Figure:
    figure = blank(HEIGHT, theme)
    name = captions.metric_name(paired.metric)
    if paired.refused or paired.a is None or paired.b is None:
        return describe(
            note(figure, paired.refused, theme), f"{name} by image", paired.refused, choices=_choices(paired)
        )
    if not paired.images:
        return describe(
            note(figure, "No image has a value in both.", theme), f"{name} by image", "", choices=_choices(paired)
        )
    _points(figure, paired, theme)
    span = padded([drawn(paired.metric, v) for image in paired.images for v in (image.a, image.b)]) or (0.0, 1.0)
    line = {"color": PALETTES[theme].text2, "width": 1.2}
    figure.add_shape(
        type="line", x0=span[0], x1=span[1], y0=span[0], y1=span[1], line=line, layer="below", name="diagonal"
    )
    for axis, member in ((figure.update_xaxes, paired.a), (figure.update_yaxes, paired.b)):
        axis(title_text=f"{member.letter} {plain(member.label)}: {plain(title(paired.metric))}", range=list(span))
    figure.update_yaxes(scaleanchor="x", scaleratio=1, constrain="domain")
    figure.update_xaxes(constrain="domain")
    return describe(
        figure,
        f"{name} by image, {paired.a.letter} against {paired.b.letter}",
        _caption(paired),
        choices=_choices(paired),
    )


def _points(figure: go.Figure, paired: Paired, theme: Theme) -> None:
    """Images with depth maps are filled, since a click on them shows their pixels."""
    assert paired.a is not None
    colour = (
        LOSS_TOKENS[paired.a.look].colour(theme)
        if paired.a.look == (paired.b or paired.a).look
        else PALETTES[theme].text2
    )
    for held, words in ((False, "no depth map kept"), (True, "click to see its depth maps")):
        images = [image for image in paired.images if bool(image.link) == held]
        style = {"size": 9 if held else 7, "color": colour, "line": {"width": 1.3, "color": colour}}
        figure.add_scatter(
            x=[drawn(paired.metric, image.a) for image in images],
            y=[drawn(paired.metric, image.b) for image in images],
            mode="markers",
            marker={**style, "symbol": "circle" if held else "circle-open"},
            customdata=[
                [image.position, plain(image.name) or f"image {image.position}", image.link,
                 number(paired.metric, image.a), number(paired.metric, image.b)]
                for image in images
            ],
            hovertemplate=f"<b>%{{customdata[1]}}</b><br>{paired.a.letter} %{{customdata[3]}}<br>"
            f"{paired.b.letter if paired.b else ''} %{{customdata[4]}}<br>{words}<extra></extra>",
            name=words,
            meta={"role": "images", "held": held},
        )  # fmt: skip


def _choices(paired: Paired) -> dict[str, dict[str, object]]:
    shown = {"a": paired.a, "b": paired.b}
    return {key: {"shown": str(member.id), "levels": []} for key, member in shown.items() if member is not None}


def _caption(paired: Paired) -> str:
    assert paired.a is not None
    assert paired.b is not None
    first, second, ties = paired.better
    a, b, n = paired.a.letter, paired.b.letter, len(paired.images)
    off = captions.metric_text(paired.metric, abs(paired.mean_difference))
    sign = "−" if paired.mean_difference < 0 else "+"
    return captions.join(
        f"{captions.metric_title(paired.metric)} of each of {n} {paired.a.filed.part} images at the last evaluation "
        f"(steps {paired.steps[0]} and {paired.steps[1]}), protocol {paired.a.filed.protocol}.",
        f"{a} is better on {first}, {b} on {second}{f', neither on {ties}' if ties else ''}; mean of {a} − {b}: {sign}{off}.",
        chosen.key_words((paired.a, paired.b)),
        "Below the diagonal " + (b if METRICS[paired.metric].lower_is_better else a) + " is better.",
        f"{captions.plural(paired.undefined, 'image')} without a value left out." if paired.undefined else "",
        "Filled points have depth maps kept."
        if any(image.link for image in paired.images)
        else "No depth maps are kept of these images.",
        "One run against one run: another seed may turn it round.",
    )
