"""What is read of depth maps, on the fixture that the browser is tested on (frontend/src/lib/*.test.ts)."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from backend.figures import colouring
from depthboard.camera import Intrinsics

SHARED = json.loads((Path(__file__).parents[2] / "fixtures" / "depth_reading.json").read_text("utf-8"))
SHAPE = (SHARED["height"], SHARED["width"])
TRUTH = np.array(SHARED["truth"], np.uint16).reshape(SHAPE)
PREDICTED = np.array(SHARED["predicted"], np.uint16).reshape(SHAPE)


def test_percentiles_are_those_of_the_fixture() -> None:
    found = colouring.percentiles([TRUTH])
    assert found == pytest.approx({p: SHARED["percentiles"][str(p)] for p in colouring.PERCENTILES})


def test_a_prediction_is_brought_to_the_median_of_the_ground_truth() -> None:
    scaled = colouring.median_scaled(PREDICTED, TRUTH)
    assert scaled.ravel().tolist() == SHARED["median_scaled"]
    both = (scaled > 0) & (TRUTH > 0)
    assert np.median(scaled[both]) == pytest.approx(np.median(TRUTH[both]), abs=1)
    nothing = np.zeros_like(TRUTH)
    assert (colouring.median_scaled(PREDICTED, nothing) == PREDICTED).all()


def test_edges_are_those_of_the_fixture() -> None:
    assert colouring.edges(TRUTH).ravel().astype(int).tolist() == SHARED["edges"]


def test_a_plane_has_no_edge_however_steep_it_is_and_what_stands_before_it_has() -> None:
    y = np.arange(40)[:, None] + np.zeros((1, 60))
    floor = (60_000 / (y + 5)).round().astype(np.uint16)
    assert not colouring.edges(floor)[4:].any()
    box = floor.copy()
    box[10:20, 20:30] = 1500
    found = colouring.edges(box)
    assert found[12:18, 20].all()
    assert not found[12:18, [19, 21]].any()


def test_the_samples_of_a_line_are_the_pixels_nearest_to_it() -> None:
    height, width = SHAPE
    au, av, bu, bv = SHARED["line"]["ends"]
    (ax, ay), (bx, by) = ((math.floor(u * width), math.floor(v * height)) for u, v in ((au, av), (bu, bv)))
    steps = max(abs(bx - ax), abs(by - ay))
    along = np.arange(steps + 1) / steps
    x, y = np.floor(ax + (bx - ax) * along + 0.5).astype(int), np.floor(ay + (by - ay) * along + 0.5).astype(int)
    assert np.stack([x, y], axis=1).tolist() == SHARED["line"]["samples"]
    assert [v / 1000 if v else None for v in TRUTH[y, x].tolist()] == SHARED["line"]["metres"]


def test_the_histogram_is_that_of_numpy() -> None:
    wanted = SHARED["histogram"]
    both = (PREDICTED > 0) & (TRUTH > 0)
    errors, end = PREDICTED[both].astype(int) - TRUTH[both].astype(int), 1000 * wanted["limit"]
    counts, _ = np.histogram(errors, np.linspace(-end, end, wanted["bins"] + 1))
    assert counts.tolist() == wanted["counts"]
    assert [(errors < -end).sum(), (errors > end).sum()] == [wanted["below"], wanted["above"]]
    assert len(errors) == wanted["total"]


def test_the_points_are_those_of_the_camera() -> None:
    points = Intrinsics(**SHARED["camera"]).points(TRUTH / 1000.0)
    assert points[TRUTH > 0] == pytest.approx(np.array(SHARED["points"]), abs=1e-8)
