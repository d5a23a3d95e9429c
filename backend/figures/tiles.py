"""Drawing the qualitative grid: image traces coloured by the rule that the browser's canvas follows (backend.figures.colouring)."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from backend.figures import captions
from backend.figures.colouring import colorscale, data_uri, hatch, png_uri
from backend.figures.grid import Column, QualitativeGrid
from backend.figures.look import Shown
from backend.figures.panels import Place, describe, notice, place, token
from backend.figures.tokens import PALETTES, Theme, plain, template
from backend.store.study import SampleDepth

WIDTH = 1200
LEFT = 118
TOP = 66
GAP = 6

GLYPHS = {
    "circle": "●",
    "square": "■",
    "diamond": "◆",
    "triangle-up": "▲",
    "triangle-down": "▼",
    "cross": "✚",
    "star": "★",
    "pentagon": "⬟",
    "hexagon": "⬢",
    "hourglass": "⧗",
    "diamond-tall": "⧫",
    "triangle-left": "◀",
    "x": "✖",
    "octagon": "⬣",
    "triangle-right": "▶",
    "bowtie": "⧓",
    "hexagram": "✶",
}
"""A loss's marker as a character, for its name at the head of a column; of the nearest shape that common fonts have."""


def draw(numbers: QualitativeGrid, theme: Theme) -> go.Figure:
    """The grid at a fixed width of 1200 px, tiles in the shape of the images."""
    if not numbers.frames:
        return _empty(numbers, theme)
    rows, columns = len(numbers.frames), 2 + len(numbers.columns)
    tile = (WIDTH - LEFT - 12 - GAP * (columns - 1)) / columns
    tall = tile * _aspect(numbers)
    inner = rows * tall + GAP * (rows - 1)
    from plotly.subplots import make_subplots

    figure = make_subplots(
        rows=rows, cols=columns, horizontal_spacing=GAP / (WIDTH - LEFT - 12), vertical_spacing=GAP / inner
    )
    figure.update_layout(
        template=template(theme),
        width=WIDTH,
        height=TOP + inner + 12,
        margin={"l": LEFT, "r": 12, "t": TOP, "b": 12},
        coloraxis=_colour_bar(numbers, theme),
    )
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, constrain="domain")
    _draw_titles(figure, numbers, theme)
    for r in range(len(numbers.rows)):
        _draw_row(figure, r, numbers, theme)
    return describe(figure, "Qualitative", numbers.caption, depth_range=list(numbers.depth_range))


def _empty(numbers: QualitativeGrid, theme: Theme) -> go.Figure:
    from plotly.subplots import make_subplots

    figure = make_subplots(1, 1)
    figure.update_layout(
        template=template(theme), width=WIDTH, height=200, margin={"l": LEFT, "r": 12, "t": 12, "b": 12}
    )
    figure.update_xaxes(visible=False)
    figure.update_yaxes(visible=False)
    notice(figure, Place(1, 1, 1), "No depth maps yet.", theme)
    return describe(figure, "Qualitative", numbers.caption, depth_range=list(numbers.depth_range))


def _aspect(numbers: QualitativeGrid) -> float:
    """Height over width of the tiles."""
    height, width = numbers.frames[0].truth.shape
    return float(height / width)


def _colour_bar(numbers: QualitativeGrid, theme: Theme) -> dict[str, object]:
    """Of the depth, or, where the losses show errors, of those: a bar for ground truth beside it would not say which is whose."""
    look = numbers.look
    low, high = numbers.depth_range if look.view == "depth" else (-numbers.limit, numbers.limit)
    ticks = np.linspace(low, high, 5)
    return {
        "colorscale": colorscale(look.colours if look.view == "depth" else "error"),
        "cmin": low,
        "cmax": high,
        "colorbar": {
            "orientation": "h",
            "thickness": 9,
            "len": 240,
            "lenmode": "pixels",
            "x": 1 - 14 / (WIDTH - LEFT),
            "xanchor": "right",
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "ypad": 6,
            "xpad": 0,
            "tickvals": ticks.tolist(),
            "ticktext": [_tick(v, look.view, last=i == len(ticks) - 1) for i, v in enumerate(ticks.tolist())],
            "tickfont": {"size": 11, "color": PALETTES[theme].text2},
            "outlinewidth": 0,
        },
    }


def _tick(value: float, view: Shown, *, last: bool) -> str:
    if view == "depth":
        return f"{value:.1f}" + (" m" if last else "")
    text = f"{value * 100:+.0f}" if view == "relative" else f"{value:+.2f}"
    unit = " %" if view == "relative" else " m"
    return ("0" if value == 0 else text.replace("-", "−")) + (unit if last else "")


def _draw_titles(figure: go.Figure, numbers: QualitativeGrid, theme: Theme) -> None:
    columns = 2 + len(numbers.columns)
    titles = ["Image", "Ground truth", *(_title(column, theme) for column in numbers.columns)]
    for c, text in enumerate(titles):
        at = place(c, columns)
        figure.add_annotation(
            xref=f"{at.x} domain",
            yref=f"{at.y} domain",
            x=0,
            y=1,
            xanchor="left",
            yanchor="bottom",
            yshift=3,
            text=text,
            font={"color": PALETTES[theme].text},
            name="title",
        )


def _title(column: Column, theme: Theme) -> str:
    """The name in text colour beside the loss's glyph, and the run's value by the selector."""
    mark = token(column.loss)
    value = "" if column.rmse is None else captions.metric_text("rmse", column.rmse).removesuffix(" m")
    return (
        f"<span style='color:{mark.colour(theme)}'>{GLYPHS[mark.marker]}</span> {plain(column.label)} "
        f"<span style='font-size:10px;color:{PALETTES[theme].text2}'>{value}</span>"
    )


def _draw_row(figure: go.Figure, r: int, numbers: QualitativeGrid, theme: Theme) -> None:
    frame, columns = numbers.rows[r], 2 + len(numbers.columns)
    first = place(r * columns, columns)
    figure.add_annotation(
        xref="paper",
        yref=f"{first.y} domain",
        x=0,
        y=1,
        xanchor="right",
        yanchor="top",
        xshift=-10,
        align="right",
        text="<br>".join([_wrapped(frame.name), *_difference(numbers, frame)]),
        font={"size": 11, "color": PALETTES[theme].text2},
        name="frame",
    )
    _draw_tile(figure, first, png_uri(frame.rgb), {"role": "rgb", "frame_id": frame.id})
    facts: dict[str, object] = {"role": "truth", "frame_id": frame.id}
    _draw_depth(figure, place(r * columns + 1, columns), numbers.truth_image(frame), facts, theme)
    for c, column in enumerate(numbers.columns):
        at = place(r * columns + 2 + c, columns)
        tile = column.tiles.get(frame.id)
        if tile is None:
            notice(figure, at, "not there yet", theme)
            continue
        facts = {"role": "prediction", "frame_id": frame.id, "run_id": column.run_id, "step": column.step}
        _draw_depth(figure, at, numbers.image(frame, tile), facts, theme)
    if r == 0:
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            marker={"color": [0.0], "coloraxis": "coloraxis"},
            showlegend=False,
            meta={"role": "colour bar"},
            row=1,
            col=2,
        )


def _draw_depth(
    figure: go.Figure,
    at: Place,
    image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]],
    facts: dict[str, object],
    theme: Theme,
) -> None:
    """The tile, over a hatch where it is transparent: a place without depth never takes a colour of the map."""
    if (image[..., 3] == 0).any():
        palette = PALETTES[theme]
        figure.add_layout_image(
            source=data_uri(hatch(160, 240, palette.text3, palette.raised)),
            xref=at.x,
            yref=at.y,
            x=-0.5,
            y=-0.5,
            sizex=image.shape[1],
            sizey=image.shape[0],
            sizing="stretch",
            layer="below",
            name="hatch",
        )
    _draw_tile(figure, at, data_uri(image), facts)


def _draw_tile(figure: go.Figure, at: Place, source: str, facts: dict[str, object]) -> None:
    figure.add_trace(go.Image(source=source, hoverinfo="skip", meta=facts), row=at.row, col=at.column)


def _difference(numbers: QualitativeGrid, frame: SampleDepth) -> list[str]:
    """`L2 − GAN` and `+0.280 m`, where rows are sorted by it."""
    score, (a, b) = numbers.score(frame), numbers.pair
    if numbers.look.order != "difference" or score is None or a is None or b is None:
        return []
    value = captions.metric_text(numbers.look.metric, score).replace("-", "−")
    return [f"{plain(a.label)} − {plain(b.label)}", f"{'+' if score > 0 else ''}{value}"]


def _wrapped(name: str) -> str:
    """The last two parts of a frame's path, each on a line of its own and shortened to fit the margin."""
    parts = [part if len(part) <= 16 else f"{part[:7]}…{part[-8:]}" for part in name.split("/")[-2:]]
    return "<br>".join(map(plain, parts))
