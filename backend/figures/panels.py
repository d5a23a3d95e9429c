"""What the figures share in drawing: the layout with its caption, a legend of losses, panel headers, reference lines at the edge."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import plotly.graph_objects as go

from backend.figures.captions import metric_text, shown
from backend.figures.groups import Cell
from backend.figures.tokens import LOSS_TOKENS, PALETTES, LossToken, Theme, hollow, loss_title, plain, template

LEGEND_HEIGHT = 34
HEADER_HEIGHT = 26
NAME_HEIGHT = 22

# The first evaluations are often several times the last: an axis covers them only while that leaves the rest readable.
EARLY_SHARE = 0.2
MOST_STRETCH = 2.5

Side = Literal["x", "y"]


@dataclass(frozen=True, slots=True)
class Place:
    """A panel's row and column in the grid, counted from 1, and the numbers of its axes."""

    row: int
    column: int
    index: int

    @property
    def x(self) -> str:
        return f"x{self.index if self.index > 1 else ''}"

    @property
    def y(self) -> str:
        return f"y{self.index if self.index > 1 else ''}"


def grid(
    rows: int,
    columns: int,
    theme: Theme,
    *,
    panel_height: int,
    spacing: float = 0.055,
    item_width: int = 44,
    named_rows: bool = False,
) -> go.Figure:
    """Empty panels under a legend line, `panel_height` px each with its header and axis; the width is the page's."""
    bottom, above = 46, HEADER_HEIGHT + (NAME_HEIGHT if named_rows else 0)
    gap = above + bottom + 8
    top = LEGEND_HEIGHT + above
    inner = rows * panel_height + (rows - 1) * gap
    from plotly.subplots import make_subplots  # loads what only drawing needs

    figure = make_subplots(
        rows=rows,
        cols=columns,
        horizontal_spacing=min(spacing, 0.9 / columns),
        vertical_spacing=gap / inner if rows > 1 else 0,
    )
    figure.update_layout(
        template=template(theme),
        height=top + inner + bottom,
        margin={"l": 56, "r": 20, "t": top, "b": bottom},
        legend={
            "orientation": "h",
            "yref": "container",
            "y": 1,
            "yanchor": "top",
            "x": 0,
            "xanchor": "left",
            "itemwidth": item_width,
            "traceorder": "normal",
        },
        hovermode="closest",
        uirevision="keep",
    )
    return figure


def place(position: int, columns: int) -> Place:
    return Place(position // columns + 1, position % columns + 1, position + 1)


def describe(figure: go.Figure, title: str, caption: str, **facts: Any) -> go.Figure:
    """Title and caption travel with the figure: the page and the exports print them, the plot area stays free."""
    figure.update_layout(meta={"title": title, "caption": caption, **facts})
    return figure


def token(loss: str) -> LossToken:
    return LOSS_TOKENS[loss]


def line_style(loss: str, theme: Theme, width: float = 1.75) -> dict[str, Any]:
    return {"color": token(loss).colour(theme), "dash": token(loss).plotly_dash, "width": width}


def marker_style(loss: str, theme: Theme, encoder: str = "") -> dict[str, Any]:
    """The loss's marker in its colour: filled for DenseNets, hollow for ResNets, edged with the page where it is filled."""
    mark, colour = token(loss), token(loss).colour(theme)
    if hollow(encoder):
        return {"symbol": f"{mark.marker}-open", "size": mark.marker_size, "color": colour, "line": {"width": 1.75}}
    return {
        "symbol": mark.marker,
        "size": mark.marker_size,
        "color": colour,
        "line": {"width": 1, "color": PALETTES[theme].page},
    }


def legend_entries(figure: go.Figure, cells: Iterable[Cell], theme: Theme) -> None:
    """One entry a label, with line, dash and marker, in the order of losses; it switches every trace of its group."""
    for label, cell in {cell.label: cell for cell in cells}.items():
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="lines+markers",
            name=label,
            legendgroup=label,
            line=line_style(cell.loss, theme),
            marker=marker_style(cell.loss, theme, cell.encoder),
            meta={"role": "legend", "loss": cell.loss},
        )


def header(figure: go.Figure, at: Place, bold: str, plain: str, theme: Theme) -> None:
    """The panel's name above its left corner."""
    palette = PALETTES[theme]
    figure.add_annotation(
        xref=f"{at.x} domain",
        yref=f"{at.y} domain",
        x=0,
        y=1,
        xanchor="left",
        yanchor="bottom",
        yshift=5,
        text=f"<b>{bold}</b>  <span style='color:{palette.text2}'>{plain}</span>",
        font={"color": palette.text},
        name="header",
    )


def row_name(figure: go.Figure, at: Place, name: str, theme: Theme) -> None:
    """The data set of a row of panels, above the header of its first."""
    figure.add_annotation(
        xref=f"{at.x} domain",
        yref=f"{at.y} domain",
        x=0,
        y=1,
        xanchor="left",
        yanchor="bottom",
        yshift=5 + NAME_HEIGHT,
        text=f"<b>{plain(name)}</b>",
        font={"size": 14, "color": PALETTES[theme].text},
        name="row",
    )


def reference(
    figure: go.Figure,
    at: Place,
    metric: str,
    value: float | None,
    span: tuple[float, float],
    theme: Theme,
    *,
    side: Side = "y",
) -> None:
    """The constant prediction as a dashed line in the panel; outside `span` an arrow at the edge, for axes are never stretched to it.

    `value` is the stored value, `span` the drawn range of the metric's axis in drawn units (per cent for shares).
    """
    if value is None or not math.isfinite(value):
        return
    palette = PALETTES[theme]
    drawn = shown(metric, value)
    inside = min(span) <= drawn <= max(span)
    if inside:
        ends = (
            {"x0": 0, "x1": 1, "y0": drawn, "y1": drawn}
            if side == "y"
            else {"x0": drawn, "x1": drawn, "y0": 0, "y1": 1}
        )
        figure.add_shape(
            type="line",
            xref=f"{at.x} domain" if side == "y" else at.x,
            yref=at.y if side == "y" else f"{at.y} domain",
            line={"color": palette.text2, "width": 1.2, "dash": "4px,4px"},
            layer="below",
            name="constant",
            **ends,
        )
    above = drawn > max(span)
    arrow = ("╌" if inside else "↑" if above else "↓") if side == "y" else ("╌" if inside else "→" if above else "←")
    figure.add_annotation(
        xref=f"{at.x} domain",
        yref=f"{at.y} domain",
        x=1,
        y=1,
        xanchor="right",
        yanchor="bottom",
        yshift=5,
        text=f"{arrow} constant {metric_text(metric, value)}",
        font={"size": 11, "color": palette.text2},
        name="constant",
    )


def quoted(
    figure: go.Figure,
    at: Place,
    loss: str,
    x: Iterable[float],
    y: Iterable[float],
    theme: Theme,
    *,
    marked: bool = False,
) -> None:
    """Published values, as drawn, as a thin dashed line in grey; `marked` adds the loss's marker, hollow."""
    grey = PALETTES[theme].text2
    figure.add_scatter(
        x=list(x),
        y=list(y),
        mode="lines+markers" if marked else "lines",
        line={"color": grey, "width": 1.2, "dash": "5px,4px"},
        marker={"symbol": f"{token(loss).marker}-open", "size": 6, "color": grey},
        name=f"{loss_title(loss)}, published",
        showlegend=False,
        hovertemplate=f"{loss_title(loss)}, published<br>%{{x:,.4~g}}: %{{y:.3f}}<extra></extra>",
        meta={"role": "published", "loss": loss},
        row=at.row,
        col=at.column,
    )


def notice(figure: go.Figure, at: Place, text: str, theme: Theme) -> None:
    """A sentence in the middle of a panel that has nothing to draw yet; the empty trace keeps its axes in place."""
    figure.add_scatter(x=[None], y=[None], showlegend=False, hoverinfo="skip", row=at.row, col=at.column)
    figure.add_annotation(
        xref=f"{at.x} domain",
        yref=f"{at.y} domain",
        x=0.5,
        y=0.5,
        text=text,
        font={"color": PALETTES[theme].text2},
        name="notice",
    )


def padded(values: Iterable[float], share: float = 0.08) -> tuple[float, float] | None:
    """The interval of the finite values with a margin on both sides; None where there is none."""
    finite = [v for v in values if math.isfinite(v)]
    if not finite:
        return None
    low, high = min(finite), max(finite)
    margin = (high - low) * share or abs(high) * share or 1.0
    return low - margin, high + margin


def metric_axis(span: tuple[float, float] | None, ticks: int = 7) -> dict[str, object]:
    """A linear axis over `span` whose tick labels all have the same decimals; without labels where there is nothing to show."""
    if span is None:
        return {"showticklabels": False}
    decimals = max(0, math.ceil(-math.log10((span[1] - span[0]) / ticks)))
    return {"range": list(span), "nticks": ticks, "tickformat": f".{decimals}f"}


def log_axis(span: tuple[float, float] | None) -> dict[str, object]:
    """A log axis over `span`, labelled at 1, 2, 5 a decade, or at every digit where that leaves fewer than three labels."""
    if span is None:
        return {"showticklabels": False}
    decades = range(math.floor(math.log10(span[0])), math.ceil(math.log10(span[1])) + 1)
    by_digit = [
        [digit * 10.0**k for k in decades for digit in digits if span[0] <= digit * 10.0**k <= span[1]]
        for digits in ((1, 2, 5), range(1, 10))
    ]
    ticks = by_digit[0] if len(by_digit[0]) >= 3 else by_digit[1]
    labels = [f"{tick:.6g}" for tick in ticks]
    return {"type": "log", "range": [math.log10(v) for v in span], "tickvals": ticks, "ticktext": labels}


def curve_span(
    points: list[tuple[float, float]], x_end: float, *, falling: bool, log: bool
) -> tuple[float, float] | None:
    """The range of a curves' axis: all (x, y), unless the first fifth of training would squeeze the rest into a corner.

    On a log axis everything positive is shown, in plain values. None where there is no finite value.
    """
    if log:
        span = padded(math.log10(y) for _, y in points if y > 0)
        return None if span is None else (10 ** span[0], 10 ** span[1])
    every = [y for _, y in points if math.isfinite(y)]
    whole, late = padded(every), padded(y for x, y in points if x > EARLY_SHARE * x_end)
    if whole is None or late is None or whole[1] - whole[0] <= MOST_STRETCH * (late[1] - late[0]):
        return whole
    return (min(late[0], min(every)), late[1]) if falling else (late[0], max(late[1], max(every)))
