from __future__ import annotations

import math

import numpy as np
import pytest

from backend.figures.groups import in_scope
from backend.figures.selector import Selection
from backend.store.evaluations import Filed
from backend.store.study import image_metrics, load_study, predicted_depths, predicted_steps, sample_frames
from depthboard.errors import NotFound
from depthboard.metrics import FIRST_SUMS, SUMS
from tests.backend.figures.world import World, sums_of


def test_an_unknown_experiment_is_not_found(world: World) -> None:
    with pytest.raises(NotFound, match="no experiment 99"):
        load_study(world.session, 99)


def test_runs_that_differ_in_seed_and_labels_alone_are_one_group(world: World) -> None:
    world.run(seed=0)
    world.run(seed=1, config={"labels": {"who": "ada"}})
    world.run(seed=0, config={"optimiser": {"lr": 0.01}})
    groups = [run.group for run in load_study(world.session, world.id).runs]
    assert groups[0] == groups[1] != groups[2]


def test_an_empty_size_and_the_same_size_given_are_one_group(world: World) -> None:
    run = world.run(seed=0)
    world.run(seed=1)
    run.config = {**run.config, "data": {**run.config["data"], "train_size": None}}
    world.session.flush()
    assert len({run.group for run in load_study(world.session, world.id).runs}) == 1


def test_runs_come_in_the_order_of_the_grid(world: World) -> None:
    made = [world.run(loss).id for loss in ("gan", "l1", "eigen")]
    assert [run.id for run in load_study(world.session, world.id).runs] == made


def test_scores_are_those_of_the_network_on_the_runs_own_part_and_protocol_by_step(world: World) -> None:
    run = world.run()
    world.errors(run, [200, 100], [0.2, 0.1])
    world.errors(run, [100], [0.7], split="validation")
    world.errors(run, [100], [0.8], protocol="eigen-0.001-10m-native")
    world.constant(run, 0.9)
    study = load_study(world.session, world.id)
    assert {s.step: s.values["mae"] for s in study.scores[run.id]} == pytest.approx({100: 0.1, 200: 0.2})
    assert study.constant[run.id]["mae"] == pytest.approx(0.9)


def test_evaluations_of_superseded_attempts_are_hidden(world: World) -> None:
    run = world.run()
    world.errors(run, [100, 200], [0.3, 0.5], superseded=True)
    world.errors(run, [100], [0.1], attempt=2)
    study = load_study(world.session, world.id)
    assert {s.step: s.values["mae"] for s in study.scores[run.id]} == pytest.approx({100: 0.1})
    assert study.values[run.id]["mae"] == pytest.approx(0.1)


def test_a_metric_that_is_not_finite_is_nan(world: World) -> None:
    run = world.run()
    row = world.evaluate(run, 100, sums_of(np.ones((1, 2)), np.full((1, 2), 1.5)))
    row.per_image = {**row.per_image, "rmse": None}
    world.session.flush()
    assert math.isnan(load_study(world.session, world.id).scores[run.id][0].values["rmse"])


def test_pooled_values_weigh_pixels_and_per_image_values_weigh_images(world: World) -> None:
    run = world.run()
    truth = np.full((2, 4), 2.0)
    predicted = truth + np.array([[0.1], [0.7]])
    world.evaluate(run, 100, sums_of(truth, predicted))
    by_image = load_study(world.session, world.id, averaging="per_image").scores[run.id][0].values["rmse"]
    pooled = load_study(world.session, world.id, averaging="pooled").scores[run.id][0].values["rmse"]
    assert by_image == pytest.approx((0.1 + 0.7) / 2)
    assert pooled == pytest.approx(math.sqrt((0.01 + 0.49) / 2))


def test_depth_maps_come_back_as_they_were_stored(world: World) -> None:
    run, depth = world.run(), np.array([[0, 1000], [2000, 65535]], np.uint16)
    second = world.frame(depth, "b", position=7)
    first = world.frame(depth * 0 + 5, "a", position=3)
    world.predict(run, 100, second, depth)
    world.predict(run, 100, first, depth + 1, nonfinite=2)
    world.predict(run, 200, first, depth, superseded=True)
    assert predicted_steps(world.session, [run.id]) == {run.id: [100]}
    found = {p.frame_id: p for p in predicted_depths(world.session, {run.id: 100})}
    assert (found[second.id].depth == depth).all()
    assert (found[first.id].nonfinite, found[first.id].step) == (2, 100)
    assert [f.name for f in sample_frames(world.session, {first.id, second.id})] == ["a", "b"]


def test_the_metrics_of_each_image_follow_from_the_stored_sums(world: World) -> None:
    run, rng = world.run(), np.random.default_rng(0)
    truth, predicted = rng.uniform(1, 5, (3, 50)), rng.uniform(1, 5, (3, 50))
    world.evaluate(run, 100, sums_of(truth, predicted))
    found = image_metrics(world.session, run.id, 100, Filed("test", run.protocol))
    np.testing.assert_allclose(found["rmse"], np.sqrt(((truth - predicted) ** 2).mean(axis=1)), rtol=1e-12)
    assert image_metrics(world.session, run.id, 300, Filed("test", run.protocol)) == {}


def test_what_the_first_evaluator_stored_is_read_beside_what_this_one_stores(world: World) -> None:
    run, truth = world.run(), np.ones((2, 4))
    first = sums_of(truth, truth + 0.5)
    assert first.shape == (2, FIRST_SUMS)
    now = np.zeros((2, len(SUMS)))
    now[:, :FIRST_SUMS] = first
    now[:, SUMS.index("clipped")] = 1
    world.evaluate(run, 100, first)
    world.evaluate(run, 200, now)
    filed = Filed("test", run.protocol)
    old, new = (image_metrics(world.session, run.id, step, filed) for step in (100, 200))
    assert old["rmse"].tolist() == new["rmse"].tolist() == [0.5, 0.5]
    assert np.isnan(old["clipped"]).all()
    assert new["clipped"].tolist() == [0.25, 0.25]


def test_a_depth_bin_that_no_image_reaches_is_empty_and_takes_nothing_else_along(world: World) -> None:
    """No pixel lies at 6 to 10 m in either seed; one seed's data has some at 2 to 4 m."""
    for seed, near in ((0, 0.0), (1, 4.0)):
        run, sums = world.run(seed=seed), np.zeros((2, len(SUMS)))
        sums[:, :FIRST_SUMS] = sums_of(np.ones((2, 4)), np.full((2, 4), 1.5))
        sums[:, SUMS.index("n_2_4m")], sums[:, SUMS.index("sq_2_4m")] = near, near * 0.09
        for step in (100, 200, 300):
            world.evaluate(run, step, sums)
    values = load_study(world.session, world.id).values
    assert [values[i]["rmse"] for i in (1, 2)] == [0.5, 0.5]
    assert [values[i]["rmse_6_10m"] for i in (1, 2)] == [None, None]
    assert values[1]["rmse_2_4m"] is None
    assert values[2]["rmse_2_4m"] == pytest.approx(0.3)
    scope = in_scope(world.session, Selection(world.id))
    assert scope.values(scope.runs, "rmse_2_4m") == pytest.approx({2: 0.3})
    assert set(scope.values(scope.runs, "rmse")) == {1, 2}


def test_a_configuration_stored_before_a_setting_came_is_of_one_cell_with_a_later_one(world: World) -> None:
    old, new = world.run(seed=0), world.run(seed=1)
    old.config = {**old.config, "evaluation": {k: v for k, v in old.config["evaluation"].items() if k != "sharpness"}}
    world.session.flush()
    assert "sharpness" in new.config["evaluation"]
    assert len({run.group for run in load_study(world.session, world.id).runs}) == 1
