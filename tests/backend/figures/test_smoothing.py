"""Smoothing is for the eye; the browser does the same (frontend/src/lib/smoothing.test.ts reads the same fixture)."""

from __future__ import annotations

import json
from pathlib import Path

import plotly.graph_objects as go
import pytest

from backend.figures.smoothing import smooth, smoothed

SHARED = json.loads((Path(__file__).parents[2] / "fixtures" / "smoothing.json").read_text("utf-8"))


@pytest.mark.parametrize("case", SHARED["cases"], ids=[case["name"] for case in SHARED["cases"]])
def test_a_smoothed_curve_is_that_of_the_shared_fixture(case: dict[str, list[float | None]]) -> None:
    found = smooth(case["values"], case["weight"])  # type: ignore[arg-type]
    assert found == [None if due is None else pytest.approx(due, rel=1e-6) for due in case["smoothed"]]


def test_a_smoothed_figure_is_that_of_the_shared_fixture() -> None:
    found = smoothed(go.Figure(SHARED["figure"]), SHARED["weight"])
    assert json.loads(found.to_json() or "")["data"] == SHARED["smoothed_figure"]["data"]
    assert found.layout.meta["caption"] == SHARED["smoothed_figure"]["layout"]["meta"]["caption"]


def test_without_smoothing_the_figure_is_itself() -> None:
    figure = go.Figure(SHARED["figure"])
    assert smoothed(figure, 0) is figure
