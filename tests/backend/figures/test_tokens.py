from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from backend.figures.tokens import (
    LOSS_TOKENS,
    PALETTES,
    THEMES,
    Theme,
    hollow,
    loss_words,
    plain,
    template,
    translucent,
)
from depthboard.config import LOSS_CONFIGS

Vector = NDArray[np.float64]

# Björn Ottosson's OKLab, from linear sRGB.
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)

# Machado, Oliveira, Fernandes 2009, severity 1, in linear sRGB.
SIGHT = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}
PAPER = 7
FIRST = 10
EVERY = len(LOSS_CONFIGS)


def linear(colour: str) -> Vector:
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)


def oklab(rgb: Vector) -> Vector:
    lab: Vector = TO_LAB @ np.cbrt(TO_LMS @ rgb.clip(0, 1))
    return lab


def contrast(one: str, other: str) -> float:
    light, dark = sorted((float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    ("theme", "losses", "sight", "least"),
    [
        ("light", PAPER, "normal", 14.5),
        ("light", PAPER, "deuteranopia", 11.2),
        ("light", PAPER, "protanopia", 11.4),
        ("dark", PAPER, "normal", 13.8),
        ("dark", PAPER, "deuteranopia", 10.1),
        ("dark", PAPER, "protanopia", 10.1),
        ("light", FIRST, "normal", 11.7),
        ("light", FIRST, "deuteranopia", 8.6),
        ("light", FIRST, "protanopia", 10.1),
        ("dark", FIRST, "normal", 10.2),
        ("dark", FIRST, "deuteranopia", 7.6),
        ("dark", FIRST, "protanopia", 7.7),
        ("light", EVERY, "normal", 6.6),
        ("light", EVERY, "deuteranopia", 5.6),
        ("light", EVERY, "protanopia", 5.7),
        ("dark", EVERY, "normal", 6.7),
        ("dark", EVERY, "deuteranopia", 5.8),
        ("dark", EVERY, "protanopia", 6.1),
    ],
)
def test_loss_colours_stay_apart_for_every_kind_of_sight(theme: Theme, losses: int, sight: str, least: float) -> None:
    colours = [token.colour(theme) for token in list(LOSS_TOKENS.values())[:losses]]
    seen = [oklab(SIGHT[sight] @ linear(colour)) for colour in colours]
    nearest = min(100 * float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))
    assert round(nearest, 1) >= least


@pytest.mark.parametrize(("theme", "least"), [("light", 3.2), ("dark", 4.6)])
def test_loss_colours_stand_out_from_the_page(theme: Theme, least: float) -> None:
    assert min(contrast(t.colour(theme), PALETTES[theme].page) for t in LOSS_TOKENS.values()) >= least


@pytest.mark.parametrize("theme", THEMES)
def test_text_is_readable_on_page_and_raised_surfaces(theme: Theme) -> None:
    palette = PALETTES[theme]
    texts = (palette.text, palette.text2, palette.text3)
    assert min(contrast(text, surface) for text in texts for surface in (palette.page, palette.raised)) >= 4.5


def test_every_loss_has_a_colour_a_dash_and_a_marker_of_its_own() -> None:
    assert set(LOSS_CONFIGS) == set(LOSS_TOKENS)
    tokens = LOSS_TOKENS.values()
    for identity in (
        [t.light for t in tokens],
        [t.dark for t in tokens],
        [t.dash for t in tokens],
        [t.marker for t in tokens],
    ):
        assert len(set(identity)) == len(LOSS_TOKENS)


def test_a_label_carries_the_title_of_its_loss_and_that_of_a_sum_its_parts() -> None:
    assert loss_words("huber", "huber threshold=0.3") == "Huber threshold=0.3"
    assert loss_words("ms_ssim", "ms_ssim (3 scales)") == "MS-SSIM (3 scales)"
    assert loss_words("sum", "l1 + 2 ms_ssim (3 scales)") == "l1 + 2 ms_ssim (3 scales)"


def test_a_dash_is_written_for_plotly_and_for_svg() -> None:
    assert (LOSS_TOKENS["l1"].plotly_dash, LOSS_TOKENS["l1"].css_dash) == ("solid", "solid")
    assert (LOSS_TOKENS["berhu"].plotly_dash, LOSS_TOKENS["berhu"].css_dash) == ("10px,3px,2px,3px", "10 3 2 3")


def test_resnets_are_hollow_and_densenets_filled() -> None:
    assert [hollow(name) for name in ("densenet121", "densenet_small", "resnet50", "resnet_small")] == [
        False,
        False,
        True,
        True,
    ]


def test_a_colour_with_opacity_keeps_its_channels() -> None:
    assert translucent("#2f43b0", 0.1) == "rgba(47,67,176,0.1)"


def test_the_template_carries_the_theme_and_inter() -> None:
    layout = template("dark").layout
    assert layout.paper_bgcolor == "#131519"
    assert layout.font.family.startswith("Inter")


def test_a_persons_words_are_no_markup_and_no_template_of_plotly() -> None:
    assert (
        plain("<a href='https://x'>%{customdata}</a> & l1")
        == "&lt;a href='https://x'&gt;%&#123;customdata}&lt;/a&gt; &amp; l1"
    )
