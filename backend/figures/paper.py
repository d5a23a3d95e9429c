"""A figure laid out for print at a stated width and size of type: panels go below each other before they become too narrow to read.

Nothing is shrunk: the figure is laid out at the width that holds as many letters as the page's column, in the units of the screen's
12 px type, and the whole is then drawn so that these are the type asked for.
"""

from __future__ import annotations

import html
import math
import re
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

from depthboard.errors import InvalidInput

BASE = 12
"""The type of figures on the screen, px."""
PX_PER_MM, PX_PER_PT = 96 / 25.4, 96 / 72
LEAST_WIDTH, MOST_WIDTH, LEAST_FONT, MOST_FONT = 40.0, 1000.0, 4.0, 40.0
PRESETS: dict[str, tuple[float, float]] = {"single": (84, 8), "double": (174, 8), "slide": (254, 14)}
"""Name -> width in mm, type in pt: one column of a paper, both, a slide of 16:9."""

LEAST_PANEL = 165
PANEL_GAP, BARE_GAP = 50, 16
LETTER = 0.56
LINE = 16
LEAST_TILE, TILE_GAP = 96, 6


@dataclass(frozen=True, slots=True)
class Sheet:
    """Width in mm, type in pt."""

    width: float
    font: float

    @property
    def zoom(self) -> float:
        """From the units of the layout to px of 1/96 inch."""
        return self.font * PX_PER_PT / BASE

    @property
    def units(self) -> float:
        """The width in which the figure is laid out."""
        return self.width * PX_PER_MM / self.zoom


def parse_sheet(width: str | None, font: str | None) -> Sheet | None:
    """`single`, `double`, `slide`, `84mm` or `1200px`, and the type in pt; None where neither is given.

    Raises InvalidInput.
    """
    if not width and not font:
        return None
    millimetres, preset = PRESETS.get(width or "", (None, 9.0))
    if millimetres is None:
        millimetres = _millimetres(width) if width else 1200 / PX_PER_MM
    if not LEAST_WIDTH <= millimetres <= MOST_WIDTH:
        raise _wrong_width(width)
    return Sheet(millimetres, _points(font) if font else preset)


def _millimetres(text: str) -> float:
    match = re.fullmatch(r"(\d{1,5}(?:\.\d{1,3})?)(mm|px)?", text)
    if match is None:
        raise _wrong_width(text)
    return float(match[1]) / (PX_PER_MM if match[2] == "px" else 1)


def _wrong_width(text: str | None) -> InvalidInput:
    return InvalidInput(
        f"width cannot be {text!r}.",
        field="width",
        remedy=f"It can be: {', '.join(PRESETS)}, or {LEAST_WIDTH:g}mm to {MOST_WIDTH:g}mm.",
    )


def _points(text: str) -> float:
    match = re.fullmatch(r"(\d{1,3}(?:\.\d{1,2})?)(pt)?", text)
    if match is None or not LEAST_FONT <= float(match[1]) <= MOST_FONT:
        remedy = f"It is a size in points, {LEAST_FONT:g} to {MOST_FONT:g}."
        raise InvalidInput(f"font cannot be {text!r}.", field="font", remedy=remedy)
    return float(match[1])


def fit(figure: go.Figure, sheet: Sheet) -> go.Figure:
    """A copy laid out for `sheet`, `sheet.units` wide. Raises InvalidInput for a table that is wider than that."""
    copy = go.Figure(figure)
    kinds = {trace.type for trace in copy.data}
    _one_size(copy)
    if "table" in kinds:
        _check_table(copy, sheet)
    elif "image" in kinds:
        _place_tiles(copy, sheet.units)
    else:
        _place_panels(copy, sheet.units)
    copy.update_layout(width=sheet.units)
    return copy


def _one_size(figure: go.Figure) -> None:
    """No letter smaller than the type asked for."""
    for axes in (figure.select_xaxes(), figure.select_yaxes()):
        for axis in axes:
            axis.update(tickfont={"size": BASE}, title={"font": {"size": BASE}})
    for note in figure.layout.annotations:
        note.font.size = max(BASE, note.font.size or BASE)
        note.text = re.sub(r"font-size:\d+px;?", "", note.text or "")
    figure.update_traces(textfont={"size": BASE}, selector={"type": "scatter"})
    if figure.layout.coloraxis.colorbar.tickvals is not None:
        figure.update_layout(coloraxis={"colorbar": {"tickfont": {"size": BASE}}})


def _check_table(figure: go.Figure, sheet: Sheet) -> None:
    natural = float(figure.layout.width)
    if natural <= sheet.units + 1:
        return
    needed = math.ceil(natural * sheet.zoom / PX_PER_MM)
    smaller = math.floor(10 * sheet.font * sheet.units / natural) / 10
    size = f", or a font of {smaller:g}" if smaller >= LEAST_FONT else ""
    raise InvalidInput(
        f"this table is {needed} mm wide in {sheet.font:g} pt.",
        field="width",
        remedy=f"Take a width of {needed}mm or more{size}; a paper's own type sets it best: format=latex of the table.",
    )


# --- panels ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Panel:
    """A pair of axes of the layout, with the names by which annotations refer to them."""

    x: Any
    y: Any
    ref: str

    @property
    def top(self) -> float:
        return round(float(self.y.domain[1]), 6)

    @property
    def left(self) -> float:
        return float(self.x.domain[0])


def _panels(figure: go.Figure) -> list[list[Panel]]:
    """The panels by row from the top, each from the left; an empty place of the grid is none."""
    found = []
    for name in figure.layout:
        axis = figure.layout[name]
        if not re.fullmatch(r"xaxis\d*", name) or axis.overlaying or axis.domain is None:
            continue
        anchor = axis.anchor or "y"
        other = figure.layout[f"yaxis{anchor[1:]}"]
        if axis.visible is False and not any((t.xaxis or "x") == f"x{name[5:]}" for t in figure.data if "xaxis" in t):
            axis.domain = [0, 0.001]
            continue
        found.append(Panel(axis, other, f"x{name[5:]}"))
    rows: dict[float, list[Panel]] = {}
    for panel in found:
        rows.setdefault(panel.top, []).append(panel)
    return [sorted(rows[top], key=lambda panel: panel.left) for top in sorted(rows, reverse=True)]


def _place_panels(figure: go.Figure, units: float) -> None:
    rows = _panels(figure)
    if not rows:
        return
    layout, margin = figure.layout, figure.layout.margin
    inner_height = layout.height - margin.t - margin.b
    left, right = margin.l, max(margin.r, 8)
    gap = PANEL_GAP if any(p.y.showticklabels is not False for row in rows for p in row[1:]) else BARE_GAP
    inner = units - left - right
    most = max(1, int((inner + gap) // (LEAST_PANEL + gap)))
    placed = [row[i : i + most] for row in rows for i in range(0, len(row), most)]
    columns = max(map(len, placed))
    width = (inner - gap * (columns - 1)) / columns
    heights = [max(_height(panel, width, inner_height) for panel in row) for row in placed]
    crowded = LINE if any(_collides(figure, panel, width) for row in placed for panel in row) else 0
    between = _space_between(rows, inner_height, margin) + crowded
    for row in placed:
        _lead(row, rows)
    total = sum(heights) + between * (len(placed) - 1)
    _set_domains(placed, heights, between, total, (width, gap, inner))
    if crowded:
        _raise_headers(figure, crowded)
    above = margin.t + crowded
    figure.update_layout(height=total + above + margin.b, margin={"t": above, "r": right})
    if layout.legend.yref == "container":
        figure.update_layout(legend={"xref": "container", "x": 4 / units})


def _height(panel: Panel, width: float, inner_height: float) -> float:
    """In proportion to the width, but never less than the names along it need."""
    own = (panel.y.domain[1] - panel.y.domain[0]) * inner_height
    if panel.y.ticktext is not None and panel.y.type != "log":
        return float(own)
    return float(min(own, max(150, 0.68 * width)))


def _space_between(rows: list[list[Panel]], inner_height: float, margin: Any) -> float:
    if len(rows) > 1:
        below = float(rows[0][0].y.domain[0]) - rows[1][0].top
        return below * float(inner_height)
    return float(margin.b) + 34


def _lead(row: list[Panel], rows: list[list[Panel]]) -> None:
    """A panel that comes to stand first in its row carries the names of the axis that it shared."""
    first = next(original[0] for original in rows if row[0] in original)
    if row[0] is first:
        return
    if row[0].y.title.text is None and first.y.title.text:
        row[0].y.title = first.y.title
    if row[0].y.showticklabels is False and first.y.showticklabels is not False:
        row[0].y.showticklabels = True


def _set_domains(
    placed: list[list[Panel]], heights: list[float], between: float, total: float, across: tuple[float, float, float]
) -> None:
    width, gap, inner = across
    top = total
    for row, height in zip(placed, heights, strict=True):
        for c, panel in enumerate(row):
            start = c * (width + gap)
            panel.x.domain = [start / inner, min(1.0, (start + width) / inner)]
            panel.y.domain = [max(0.0, (top - height) / total), min(1.0, top / total)]
        top -= height + between


def text_width(text: str) -> float:
    """About what a text takes in the base type; markup takes nothing."""
    return LETTER * BASE * len(html.unescape(re.sub(r"<[^>]*>", "", text)))


def _collides(figure: go.Figure, panel: Panel, width: float) -> bool:
    """Whether the words on the left above a panel meet those on the right."""
    notes = [
        n for n in figure.layout.annotations if n.xref == f"{panel.ref} domain" and n.name in ("header", "constant")
    ]
    sides = {note.xanchor for note in notes}
    return len(sides) > 1 and sum(text_width(note.text) for note in notes) + 12 > width


def _raise_headers(figure: go.Figure, by: float) -> None:
    for note in figure.layout.annotations:
        if note.name in ("header", "row") and note.xanchor == "left":
            note.yshift = (note.yshift or 0) + by


# --- depth maps ------------------------------------------------------------------------------------------------------


def _place_tiles(figure: go.Figure, units: float) -> None:
    """Rows of tiles that are too many for the width are broken evenly; each image's name stands above its tiles."""
    rows, layout, edge = _panels(figure), figure.layout, 4
    margin, columns = layout.margin, len(_panels(figure)[0])
    old = (layout.width - margin.l - margin.r, layout.height - margin.t - margin.b)
    first = rows[0][0]
    aspect = (first.y.domain[1] - first.y.domain[0]) * old[1] / ((first.x.domain[1] - first.x.domain[0]) * old[0])
    inner = units - 2 * edge
    most = max(1, int((inner + TILE_GAP) // (LEAST_TILE + TILE_GAP)))
    across = math.ceil(columns / math.ceil(columns / most))
    width = (inner - TILE_GAP * (across - 1)) / across
    titles = [note.text for note in layout.annotations if note.name == "title"]
    names = [" / ".join(note.text.split("<br>")) for note in layout.annotations if note.name == "frame"]
    two = any(text_width(text) > width for text in titles)
    lines = [[*row[i : i + across]] for row in rows for i in range(0, columns, across)]
    per_image = len(lines) // len(rows)
    title, name = LINE * (2 if two else 1) + 4, LINE + 8
    spaces = [
        (name if i % per_image == 0 else TILE_GAP) + (title if i < per_image or per_image > 1 else 0)
        for i in range(len(lines))
    ]
    total = sum(spaces) + len(lines) * width * aspect
    layout.annotations = [note for note in layout.annotations if note.name not in ("title", "frame")]
    top = total
    for i, (line, space) in enumerate(zip(lines, spaces, strict=True)):
        top -= space
        if i % per_image == 0:
            _tile_words(figure, line[0], names[i // per_image], space - LINE)
        for c, panel in enumerate(line):
            start = c * (width + TILE_GAP)
            panel.x.domain = [start / inner, min(1.0, (start + width) / inner)]
            panel.y.domain = [max(0.0, (top - width * aspect) / total), min(1.0, top / total)]
            if i < per_image or per_image > 1:
                text = titles[(i % per_image) * across + c]
                _tile_words(figure, panel, text.replace(" <span", "<br><span") if two else text, 2)
        top -= width * aspect
    above = 34
    figure.update_layout(height=total + above + edge, margin={"l": edge, "r": edge, "t": above, "b": edge})
    figure.update_layout(coloraxis={"colorbar": {"x": 1 - 20 / inner, "len": min(240, 0.8 * inner)}})


def _tile_words(figure: go.Figure, panel: Panel, text: str, above: float) -> None:
    figure.add_annotation(
        xref=f"{panel.ref} domain",
        yref=f"y{panel.ref[1:]} domain",
        x=0,
        y=1,
        xanchor="left",
        yanchor="bottom",
        xshift=-2,
        yshift=above - 2,
        align="left",
        text=text,
        font={"size": BASE, "color": figure.layout.template.layout.font.color},
        name="title",
    )


# --- legend ----------------------------------------------------------------------------------------------------------


def drawn_legend(svg: bytes) -> float:
    """The height of the legend in a drawn figure; 0 where it has none."""
    match = re.search(rb'<g class="legend"[^>]*>.*?<rect class="bg"[^>]*? height="([\d.]+)"', svg, re.DOTALL)
    return float(match[1]) if match else 0.0


def make_room(figure: go.Figure, legend: float, reserved: float) -> None:
    """Move the plot down where the legend takes more than the `reserved` height."""
    more = legend + 4 - reserved
    if more > 0:
        figure.update_layout(height=figure.layout.height + more, margin={"t": figure.layout.margin.t + more})
