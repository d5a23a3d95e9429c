"""Colours, dashes and markers: one identity a loss, one palette a theme, in every figure and every export."""

from __future__ import annotations

import html
from dataclasses import dataclass
from typing import Literal

import plotly.graph_objects as go

from depthboard.config import LOSS_CONFIGS

Theme = Literal["light", "dark"]
THEMES: tuple[Theme, ...] = ("light", "dark")
FONT = "Inter, system-ui, -apple-system, 'Segoe UI', sans-serif"


@dataclass(frozen=True, slots=True)
class LossToken:
    """How a loss is drawn: colour by theme, dash in px (on, off, …; empty is solid), Plotly's marker symbol, line width in px."""

    light: str
    dark: str
    dash: tuple[int, ...]
    marker: str

    def colour(self, theme: Theme) -> str:
        return self.light if theme == "light" else self.dark

    @property
    def plotly_dash(self) -> str:
        return ",".join(f"{length}px" for length in self.dash) or "solid"

    @property
    def css_dash(self) -> str:
        """As SVG's stroke-dasharray: `8 3`, or `solid`."""
        return " ".join(map(str, self.dash)) or "solid"

    @property
    def marker_size(self) -> float:
        """Symbols whose ink is a small share of their square are drawn larger, to weigh the same as a disc."""
        small = (
            "star",
            "cross",
            "triangle-up",
            "triangle-down",
            "triangle-left",
            "triangle-right",
            "bowtie",
            "hexagram",
        )
        return 9.0 if self.marker in small else 7.5


# The first ten colours were chosen together; the others keep their distance from all, and dash and marker tell a variant from its parent.
LOSS_TOKENS: dict[str, LossToken] = {
    "l1": LossToken("#2f43b0", "#6376eb", (), "circle"),
    "l2": LossToken("#a13a00", "#fd8351", (8, 3), "square"),
    "huber": LossToken("#01a287", "#31f4ce", (2, 3), "diamond"),
    "berhu": LossToken("#cf66d9", "#c182c6", (10, 3, 2, 3), "triangle-up"),
    "eigen": LossToken("#007292", "#78caec", (16, 3), "triangle-down"),
    "eigengrad": LossToken("#9b9100", "#e6db4f", (5, 2), "cross"),
    "gan": LossToken("#640019", "#d55562", (12, 2, 2, 2, 2, 2), "star"),
    "ms_ssim": LossToken("#9e6e48", "#e8b48d", (6, 2, 1, 2), "pentagon"),
    "lpips": LossToken("#2c1374", "#a39fff", (1, 3), "hexagon"),
    "kendall_gal": LossToken("#454951", "#858a93", (3, 2), "hourglass"),
    "huber_textbook": LossToken("#2f7266", "#88d1c3", (2, 3, 8, 3), "diamond-tall"),
    "eigen_as_released": LossToken("#548179", "#78a79e", (16, 3, 2, 3), "triangle-left"),
    "eigengrad_as_released": LossToken("#535c3b", "#cec801", (5, 2, 1, 2), "x"),
    "l1_ms_ssim": LossToken("#5f3b2d", "#dd7125", (4, 4), "octagon"),
    "silog_sqrt": LossToken("#8853dd", "#9b85ed", (20, 4), "triangle-right"),
    "gradient_matching": LossToken("#56278a", "#8c75c6", (1, 2, 1, 6), "bowtie"),
    "sum": LossToken("#5e487c", "#f0dafd", (14, 2, 6, 2), "hexagram"),
}

LOSS_ORDER: dict[str, int] = {name: i for i, name in enumerate(LOSS_TOKENS)}


@dataclass(frozen=True, slots=True)
class Palette:
    """Surfaces, text and meaning of one theme."""

    page: str
    raised: str
    line: str
    faint: str
    grid: str
    text: str
    text2: str
    text3: str
    warning: str
    failed: str


PALETTES: dict[Theme, Palette] = {
    "light": Palette(
        page="#ffffff",
        raised="#f4f4f6",
        line="#e4e5e9",
        faint="#eff0f2",
        grid="#eff0f2",
        text="#17181c",
        text2="#555a64",
        text3="#6b707b",
        warning="#9a5b00",
        failed="#c92a2a",
    ),
    "dark": Palette(
        page="#131519",
        raised="#1b1e24",
        line="#292d34",
        faint="#20242a",
        grid="#23272d",
        text="#eceef1",
        text2="#a9afba",
        text3="#8b919d",
        warning="#f0b429",
        failed="#ff7b72",
    ),
}

ENCODER_TITLES = {
    "densenet121": "DenseNet-121",
    "resnet50": "ResNet-50",
    "densenet_small": "DenseNet small",
    "resnet_small": "ResNet small",
}


def loss_title(name: str) -> str:
    return LOSS_CONFIGS[name].title if name in LOSS_CONFIGS else name


def loss_words(name: str, label: str) -> str:
    """A label with the loss by its title: `huber threshold=0.3` is `Huber threshold=0.3`; that of a sum names its parts already."""
    return loss_title(name) + label.removeprefix(name) if label.startswith(name) else label


def plain(text: str) -> str:
    """A person's words as Plotly writes them, which reads `<b>`, `<a href>`, entities, and in templates `%{…}`."""
    return html.escape(text, quote=False).replace("%{", "%&#123;")


def hollow(encoder: str) -> bool:
    """DenseNets are drawn filled, ResNets hollow."""
    return encoder.startswith("resnet")


def translucent(colour: str, alpha: float) -> str:
    """`#rrggbb` as `rgba(r,g,b,alpha)`."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha:g})"


def template(theme: Theme) -> go.layout.Template:
    """Type, surfaces and axes shared by all figures of a theme."""
    palette = PALETTES[theme]
    axis = {
        "gridcolor": palette.grid,
        "linecolor": palette.line,
        "showline": True,
        "zeroline": False,
        "ticks": "",
        "tickfont": {"size": 11, "color": palette.text2},
        "title": {"font": {"size": 12, "color": palette.text2}, "standoff": 8},
        "automargin": True,
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 12, "color": palette.text},
            "paper_bgcolor": palette.page,
            "plot_bgcolor": palette.page,
            "colorway": [token.colour(theme) for token in LOSS_TOKENS.values()],
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {
                "bgcolor": palette.raised,
                "bordercolor": palette.line,
                "font": {"color": palette.text, "size": 12},
            },
            "legend": {"bgcolor": "rgba(0,0,0,0)", "font": {"size": 12, "color": palette.text}},
            "annotationdefaults": {"font": {"size": 12, "color": palette.text2}, "showarrow": False},
        }
    )
