"""docs/losses.md and its picture are what `python -m bench.losses` would write."""

from __future__ import annotations

import re

import pytest

from bench.losses import DOCS, drawing, page, probe
from depthboard.config import LOSS_CONFIGS

NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def numbers(text: str) -> list[float]:
    return [float(number) for number in NUMBER.findall(text)]


@pytest.mark.parametrize(("file", "written"), [("losses.md", page), ("losses.svg", drawing)])
def test_the_page_of_losses_is_current(file: str, written: object) -> None:
    """Word by word; numbers to the last digit shown, which another processor may round otherwise."""
    kept, made = (DOCS / file).read_text(encoding="utf-8"), written()  # type: ignore[operator]
    assert NUMBER.sub("#", kept) == NUMBER.sub("#", made), "run: python -m bench.losses"
    assert numbers(kept) == pytest.approx(numbers(made), rel=0.011, abs=0.11)


def test_every_loss_stands_in_the_table() -> None:
    text = (DOCS / "losses.md").read_text(encoding="utf-8")
    assert all(f"<br>`{name}` |" in text for name in LOSS_CONFIGS)


def test_the_slope_that_is_drawn_is_the_derivative_of_the_value() -> None:
    for name in ("l1", "eigen", "ms_ssim", "silog_sqrt"):
        (low, _), (_, slope), (high, _) = (probe(name, 0.7 + step) for step in (-1e-5, 0.0, 1e-5))
        assert slope == pytest.approx((high - low) / 2e-5, rel=1e-6)


def test_a_third_of_the_pixels_wrong_by_one_metre_costs_a_third_of_a_metre() -> None:
    assert probe("l1", 1.0) == pytest.approx((1 / 3, 1 / 3))
    assert probe("l2", -1.0) == pytest.approx((1 / 3, -2 / 3))
