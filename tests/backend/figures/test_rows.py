from __future__ import annotations

import csv
import io
from typing import Any

import numpy as np
import pytest

from backend.figures import FIGURES, rows
from backend.figures.selector import Selection
from tests.backend.figures.world import World

STEPS = [100, 200]


def read(world: World, name: str, **chosen: Any) -> list[dict[str, str]]:
    view = FIGURES[name]
    numbers = view.gather(world.session, Selection(world.id, **chosen))
    return list(csv.DictReader(io.StringIO(view.to_csv(numbers))))


@pytest.fixture
def study(world: World) -> World:
    for seed, error in ((0, 0.1), (1, 0.3)):
        world.errors(world.run("l1", 64, seed), STEPS, [0.7, error])
    world.errors(world.run("l2", 128), STEPS, [0.9, 1 / 3])
    return world


def test_convergence_has_a_row_a_drawn_mean_with_panel_group_spread_and_n(study: World) -> None:
    found = [row for row in read(study, "convergence") if row["kind"] == "lines"]
    first = [row for row in found if row["label"] == "L1"]
    assert [(row["x"], row["n"], row["train_size"], row["data"]) for row in first] == [
        ("12.5", "2", "64", "rooms"),
        ("25.0", "2", "64", "rooms"),
    ]
    assert float(first[1]["mean"]) == pytest.approx(0.2)
    assert float(first[1]["std"]) == pytest.approx(0.02**0.5)
    assert first[1]["runs"] == "1 2"
    (last,) = [row for row in found if row["label"] == "L2" and row["x"] == "12.5"]
    assert float(last["mean"]) == pytest.approx(1 / 3, rel=1e-14), "every digit"
    assert last["std"] == ""
    assert {row["x_axis"] for row in found} == {"epoch"}


def test_every_size_of_a_line_says_its_own_size(study: World) -> None:
    found = [row for row in read(study, "dataset-size") if row["kind"] == "points" and row["metric"] == "rmse"]
    assert {(row["label"], row["train_size"]) for row in found} == {("L1", "64"), ("L2", "128")}


def test_encoders_has_a_row_a_dot(study: World) -> None:
    found = [row for row in read(study, "encoders", train_size=64) if row["metric"] == "rmse"]
    assert [(row["kind"], row["label"], row["encoder"], row["n"]) for row in found] == [
        ("dots", "L1", "densenet_small", "2")
    ]


def test_depth_maps_have_a_row_an_image_and_run(world: World) -> None:
    run, depth = world.run("l1"), np.full((4, 6), 2000, np.uint16)
    world.errors(run, [500], [0.25])
    world.predict(run, 500, world.frame(depth), depth)
    (row,) = read(world, "qualitative")
    assert (row["frame"], row["label"], row["run_id"], row["step"]) == ("office/0001", "L1", str(run.id), "500")
    assert float(row["mae"]) == pytest.approx(0.25)


def test_a_text_that_a_spreadsheet_would_run_is_inert() -> None:
    assert rows._text("=cmd|' /C calc'!A0") == "'=cmd|' /C calc'!A0"
    assert rows._text(float("nan")) == ""
    assert rows._text(True) == "yes"
