from __future__ import annotations

import math
from typing import Any

import plotly.graph_objects as go
import pytest

from backend.figures import dataset_size
from backend.figures.selector import Selection
from tests.backend.figures.world import World

STEPS = [200, 300, 400, 500]


def numbers(world: World, **chosen: Any) -> dataset_size.DatasetSize:
    return dataset_size.gather(world.session, Selection(world.id, **chosen))


def traces(figure: go.Figure, role: str) -> list[Any]:
    return [trace for trace in figure.data if (trace.meta or {}).get("role") == role]


def study(world: World) -> None:
    """l1 at two sizes and two seeds: last three evaluations of mean 0.6, 0.8 at 16 images and 0.3, 0.5 at 64."""
    for size, seed, value in ((16, 0, 0.6), (16, 1, 0.8), (64, 0, 0.3), (64, 1, 0.5)):
        run = world.run("l1", size, seed)
        world.errors(run, STEPS, [5.0, value - 0.1, value, value + 0.1])
        world.constant(run, 0.75)


def test_a_point_is_the_mean_over_seeds_of_the_selected_values(world: World) -> None:
    study(world)
    points = numbers(world).panels[0].lines[0].points
    assert [p.train_size for p in points] == [16, 64]
    assert [p.summary.mean for p in points] == pytest.approx([0.7, 0.4])
    assert [p.summary.std for p in points] == pytest.approx([0.02**0.5] * 2)
    assert [(p.summary.n, len(p.run_ids)) for p in points] == [(2, 2), (2, 2)]


def test_the_selector_changes_the_points_and_the_caption(world: World) -> None:
    study(world)
    last = numbers(world, value="last")
    assert [p.summary.mean for p in last.panels[0].lines[0].points] == pytest.approx([0.8, 0.5])
    assert "A run's value: last evaluation, averaged per image." in last.caption
    assert "pooled over all pixels" in numbers(world, averaging="pooled").caption


def test_best_on_validation_takes_the_step_where_validation_was_best(world: World) -> None:
    run = world.run("l1", config={"data": {"validation": 0.1}})
    world.errors(run, STEPS, [0.9, 0.7, 0.8, 0.6])
    world.errors(run, STEPS, [0.5, 0.4, 0.1, 0.3], split="validation")
    best = numbers(world, value="best_validation")
    assert best.panels[0].lines[0].points[0].summary.mean == pytest.approx(0.8)


def test_best_on_validation_without_a_validation_part_has_no_value(world: World) -> None:
    study(world)
    best = numbers(world, value="best_validation")
    assert best.panels[0].lines[0].points == ()
    assert "4 runs: 0 drawn, 4 without a value." in best.caption


def test_runs_that_have_not_finished_or_have_diverged_are_not_averaged(world: World) -> None:
    study(world)
    world.errors(world.run("l1", 64, 2, status="running"), STEPS, [9.0] * 4)
    world.errors(world.run("l1", 64, 3, diverged_at=10), STEPS, [9.0] * 4)
    found = numbers(world)
    assert found.panels[0].lines[0].points[1].summary.n == 2
    assert "6 runs: 4 drawn, 1 not there yet." in found.caption


def test_panels_are_rmse_and_delta1_for_each_dataset(world: World) -> None:
    study(world)
    world.errors(world.run("l1", 64, dataset="dfd"), STEPS, [0.5] * 4)
    assert [(p.data, p.metric) for p in numbers(world).panels] == [
        ("dfd", "rmse"),
        ("dfd", "delta1"),
        ("rooms", "rmse"),
        ("rooms", "delta1"),
    ]


def test_the_size_axis_is_logarithmic_with_a_tick_a_size(world: World) -> None:
    study(world)
    axis = dataset_size.draw(numbers(world), "light").layout.xaxis
    assert (axis.type, axis.tickvals, axis.ticktext) == ("log", (16, 64), ("16", "64"))
    assert axis.range[0] < math.log10(16) < math.log10(64) < axis.range[1]


def test_lines_of_two_losses_stand_apart_without_changing_the_size_that_is_named(world: World) -> None:
    study(world)
    world.errors(world.run("l2", 16), STEPS, [0.5] * 4)
    first, second = traces(dataset_size.draw(numbers(world), "light"), "mean")[:2]
    assert first.x[0] < 16 < second.x[0]
    assert (first.x[0] * second.x[0]) ** 0.5 == pytest.approx(16)
    assert (first.customdata[0][0], second.customdata[0][0]) == ("16", "16")


def test_error_bars_are_the_sample_deviation(world: World) -> None:
    study(world)
    trace = traces(dataset_size.draw(numbers(world), "light"), "mean")[0]
    assert trace.error_y.array == pytest.approx([0.02**0.5] * 2)


def test_the_constant_prediction_is_a_dashed_line_through_the_sizes(world: World) -> None:
    study(world)
    constant = traces(dataset_size.draw(numbers(world), "light"), "constant")[0]
    assert constant.x == (16, 64)
    assert constant.y == pytest.approx((0.75, 0.75))
    assert constant.line.dash == "4px,4px"


def test_a_constant_prediction_beyond_the_axis_is_an_arrow_with_its_value(world: World) -> None:
    run = world.run()
    world.errors(run, STEPS, [0.1] * 4)
    world.constant(run, 3.0)
    figure = dataset_size.draw(numbers(world), "light")
    assert traces(figure, "constant") == []
    texts = [a.text for a in figure.layout.annotations if a.name == "constant"]
    assert texts == ["↑ constant 3.000 m", "↓ constant 0.0 %"]


def test_published_points_are_drawn_apart_and_do_not_stretch_the_axes(world: World) -> None:
    for size, value in ((795, 0.72), (12_000, 0.65)):
        world.errors(world.run("l1", size, dataset="nyuv2"), STEPS, [value] * 4)
    plain, quoted = numbers(world), numbers(world, published=True)
    assert plain.panels[0].quotes == {}
    assert quoted.panels[0].quotes["l1"] == {795: 0.714, 12000: 0.639, 230000: 0.613}
    figures = [dataset_size.draw(n, "light") for n in (plain, quoted)]
    assert figures[0].layout.xaxis.range == figures[1].layout.xaxis.range
    assert figures[0].layout.yaxis.range == figures[1].layout.yaxis.range
    assert len(traces(figures[1], "published")) == 14
    assert quoted.panels[0].lines == plain.panels[0].lines


def test_without_a_finished_run_the_panels_say_so(world: World) -> None:
    world.run(status="queued")
    figure = dataset_size.draw(numbers(world), "dark")
    assert [a.text for a in figure.layout.annotations if a.name == "notice"] == ["No finished run yet."] * 2
