from __future__ import annotations

import json

import numpy as np
import pytest
from sqlalchemy import select

from backend.figures import FIGURES, build, convergence, dataset_size, entries, results, view
from backend.figures.selector import Selection, parse_selection
from backend.figures.tokens import THEMES, Theme
from backend.store.evaluations import Value, selected
from backend.store.study import load_study
from backend.store.tables import Run
from depthboard.errors import InvalidInput, NotFound, UnknownName
from tests.backend.figures.world import World, sums_of

STEPS = [100, 200, 300, 400, 500]


@pytest.fixture
def study(world: World) -> World:
    rng = np.random.default_rng(0)
    for loss in ("l1", "gan"):
        for size in (16, 64):
            run = world.run(loss, size)
            for step in STEPS:
                truth = rng.uniform(1, 5, (3, 20))
                world.evaluate(run, step, sums_of(truth, truth * np.exp(rng.normal(0, 0.2, truth.shape))))
            world.constant(run, 0.8)
    return world


@pytest.mark.parametrize("name", FIGURES)
@pytest.mark.parametrize("theme", THEMES)
def test_every_figure_is_json_without_nan_and_carries_title_and_caption(study: World, name: str, theme: Theme) -> None:
    figure = build(study.session, name, study.id, {}, theme)
    text = figure.to_json()
    json.loads(text, parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    assert figure.layout.meta["title"]
    if "protocol" in view(name).options:
        assert "protocol none-0.001-10m-64x96-per-image-v2" in figure.layout.meta["caption"]


@pytest.mark.parametrize("name", FIGURES)
def test_no_figure_asks_for_anything_outside(study: World, name: str) -> None:
    assert "http" not in build(study.session, name, study.id, {}).to_json()


@pytest.mark.parametrize("name", FIGURES)
def test_every_listed_value_of_every_option_is_accepted(study: World, name: str) -> None:
    for entry in entries(study.session, study.id):
        if entry.name == name:
            for option, values in entry.options.items():
                for value in values:
                    chosen = view(name)
                    chosen.gather(study.session, parse_selection(study.id, {option: value}, chosen.options))


@pytest.mark.parametrize("name", FIGURES)
def test_an_unknown_experiment_is_not_found(world: World, name: str) -> None:
    with pytest.raises(NotFound):
        build(world.session, name, 99, {})


def test_an_unknown_figure_names_those_there_are() -> None:
    with pytest.raises(UnknownName, match="no figure scatter") as caught:
        view("scatter")
    assert "convergence" in (caught.value.remedy or "")


def test_an_option_of_another_figure_is_refused(study: World) -> None:
    with pytest.raises(InvalidInput, match="no option x"):
        build(study.session, "encoders", study.id, {"x": "step"})


def test_entries_list_the_default_first_and_an_experiments_own_levels(study: World) -> None:
    study.run("l1", 64, encoder="resnet_small")
    listed = {entry.name: entry.options for entry in entries(study.session, study.id)}
    assert listed["convergence"]["metric"][0] == "mae"
    assert listed["convergence"]["value"] == ["last3", "last", "best_validation"]
    assert listed["convergence"]["encoder"] == ["densenet_small", "resnet_small"]
    assert listed["encoders"]["train_size"] == ["64", "16"]
    assert listed["convergence"]["dataset"] == ["rooms/official"]
    assert listed["convergence"]["protocol"] == ["test/none-0.001-10m-64x96-v2"]


def test_a_figure_that_draws_all_data_says_so_first_and_takes_it_back(study: World) -> None:
    study.run("l1", 64, dataset="kitchen")
    found = entries(study.session, study.id)
    listed = {entry.name: entry.options["dataset"] for entry in found if "dataset" in entry.options}
    both = ["rooms/official", "kitchen/official"]
    assert listed == {
        "convergence": ["all", *both],
        "dataset-size": ["all", *both],
        "encoders": both,
        "qualitative": both,
        "results": ["all", *both],
        "sharpness": ["all", *both],
    }
    drawn = dataset_size.gather(study.session, Selection(study.id, dataset="all"))
    assert drawn == dataset_size.gather(study.session, Selection(study.id))
    assert [(panel.data, panel.sizes) for panel in drawn.panels[::2]] == [("kitchen", (64,)), ("rooms", (16, 64))]


def test_without_an_experiment_open_options_have_no_values() -> None:
    listed = {entry.name: entry.options for entry in entries()}
    assert listed["qualitative"]["seed"] == []


def test_table_bars_end_marks_and_lists_hold_the_same_value_of_a_run(study: World) -> None:
    values: tuple[Value, ...] = ("last3", "last")
    for value in values:
        selection = Selection(study.id, value=value, metric="rmse")
        listed = selected(study.session, select(Run.id), value)
        curves = convergence.gather(study.session, selection)
        ends = {line.cell.runs[0].id: line.end for panel in curves.panels for line in panel.lines}
        sizes = dataset_size.gather(study.session, selection).panels[0]
        points = {p.run_ids[0]: p.summary for line in sizes.lines for p in line.points}
        table = {row.run_ids[0]: row for row in results.gather(study.session, selection).rows if row.kind == "run"}
        for run in load_study(study.session, study.id).runs:
            end = ends[run.id]
            assert end is not None
            assert listed[run.id]["rmse"] == end.mean == points[run.id].mean == table[run.id].values["rmse"]
