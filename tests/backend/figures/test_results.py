from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from backend.figures import results
from backend.figures.selector import Selection
from backend.figures.table import ResultsTable, draw
from backend.schemas import ResultRow, Results
from depthboard.metrics import FIRST_SUMS, SUMS
from tests.backend.figures.world import World, sums_of

STEPS = [300, 400, 500]


def numbers(world: World, **chosen: Any) -> ResultsTable:
    return results.gather(world.session, Selection(world.id, **chosen))


def rows(table: ResultsTable, kind: str) -> list[ResultRow]:
    return [row for row in table.rows if row.kind == kind]


def reference(truth: np.ndarray[Any, Any], predicted: np.ndarray[Any, Any]) -> dict[str, float]:
    """The table's metrics of one image, from their definitions."""
    log = np.log(truth) - np.log(predicted)
    ratio = np.maximum(truth / predicted, predicted / truth)
    return {
        "abs_rel": float((np.abs(truth - predicted) / truth).mean()),
        "log10": float(np.abs(np.log10(truth) - np.log10(predicted)).mean()),
        "rmse": float(np.sqrt(((truth - predicted) ** 2).mean())),
        "rmse_log": float(np.sqrt((log**2).mean())),
        **{f"delta{k}": float((ratio < 1.25**k).mean()) for k in (1, 2, 3)},
    }


@pytest.mark.parametrize("averaging", ["per_image", "pooled"])
def test_a_row_agrees_with_a_float64_reference_from_the_depths_themselves(world: World, averaging: str) -> None:
    rng, by_seed = np.random.default_rng(1), []
    for seed in range(3):
        run, means = world.run("eigen", 64, seed), []
        for step in STEPS:
            truth, predicted = rng.uniform(0.5, 9, (4, 30)), rng.uniform(0.5, 9, (4, 30))
            world.evaluate(run, step, sums_of(truth, predicted))
            images = (
                [(truth.ravel(), predicted.ravel())] if averaging == "pooled" else zip(truth, predicted, strict=True)
            )
            each = [reference(t, p) for t, p in images]
            means.append({m: np.mean([e[m] for e in each]) for m in results.TABLE_METRICS})
        by_seed.append({m: np.mean([e[m] for e in means]) for m in results.TABLE_METRICS})
    (row,) = rows(numbers(world, averaging=averaging), "run")
    for metric in results.TABLE_METRICS:
        values = [seed[metric] for seed in by_seed]
        assert row.values[metric] == pytest.approx(np.mean(values), rel=1e-9)
        assert row.spread[metric] == pytest.approx(np.std(values, ddof=1), rel=1e-6)
    assert (row.n, len(row.run_ids), row.loss, row.train_size) == (3, 3, "eigen", 64)


def test_one_seed_has_no_spread(world: World) -> None:
    world.errors(world.run(), STEPS, [0.5] * 3)
    (row,) = rows(numbers(world), "run")
    assert row.n == 1
    assert set(row.spread.values()) == {None}


def test_rows_are_ours_then_the_constant_prediction_then_the_published_ones(world: World) -> None:
    run = world.run()
    world.errors(run, STEPS, [0.5] * 3)
    world.constant(run, 0.9)
    table = numbers(world)
    assert [row.kind for row in table.rows] == ["run", "constant", *["published"] * 8]
    assert rows(table, "published")[0].values["rmse"] == 0.600
    assert "Table 2 as printed" in table.caption


def test_the_constant_prediction_is_a_row_a_size_and_equal_medians_are_one_value(world: World) -> None:
    for size in (16, 64):
        for seed in (0, 1):
            world.constant(world.run("l1", size, seed, status="running"), size / 100)
    table = rows(numbers(world), "constant")
    assert {row.train_size: row.values["rmse"] for row in table} == pytest.approx({16: 0.16, 64: 0.64})
    assert [row.n for row in table] == [1, 1]


def test_constant_predictions_of_different_subsets_are_averaged_with_their_spread(world: World) -> None:
    for seed, error in ((0, 0.2), (1, 0.4)):
        subset = {"kind": "random", "seed": seed}
        world.constant(world.run("l1", 64, seed, config={"data": {"subset": subset}}), error)
    (row,) = rows(numbers(world), "constant")
    assert (row.values["rmse"], row.spread["rmse"]) == pytest.approx((0.3, 0.02**0.5))
    assert row.n == 2


def test_a_cell_that_lost_runs_says_which(world: World) -> None:
    world.errors(world.run("gan", 64, 0), STEPS, [0.5] * 3)
    world.errors(world.run("gan", 64, 1, diverged_at=40), STEPS, [0.9] * 3)
    world.run("gan", 64, 2, status="failed")
    world.run("l2", 64, 0, status="queued")
    (row,) = rows(numbers(world), "run")
    assert (row.n, row.values["rmse"]) == pytest.approx((1, 0.5))
    assert row.note == "seed 1 diverged at step 40; seed 2 failed"
    assert "4 runs: 1 drawn, 1 not there yet, 1 failed. Diverged:" in numbers(world).caption


def test_a_metric_that_is_not_finite_is_left_out_of_the_mean(world: World) -> None:
    for seed, error in ((0, 0.5), (1, 0.7)):
        run = world.run("l1", 64, seed)
        world.errors(run, STEPS, [error] * 3)
    bad = world.evaluate(run, 500 + 1, sums_of(np.ones((1, 2)), np.full((1, 2), 1.5)))
    bad.per_image = {**bad.per_image, "rmse_log": None}
    world.session.flush()
    (row,) = rows(numbers(world), "run")
    assert row.values["rmse_log"] == pytest.approx(np.log(1.5))
    assert row.spread["rmse_log"] is None


def test_rows_are_ordered_by_data_size_encoder_and_loss(world: World) -> None:
    for loss in ("gan", "l1"):
        for size in (64, 16):
            world.errors(world.run(loss, size), STEPS, [0.5] * 3)
    world.errors(world.run("l1", 64, encoder="resnet_small"), STEPS, [0.5] * 3)
    world.errors(world.run("l1", 64, dataset="dfd"), STEPS, [0.5] * 3)
    found = [(row.dataset, row.train_size, row.encoder, row.loss) for row in rows(numbers(world), "run")]
    dense, res = "densenet_small", "resnet_small"
    assert found == [
        ("dfd", 64, dense, "l1"),
        ("rooms", 16, dense, "l1"),
        ("rooms", 16, dense, "gan"),
        ("rooms", 64, dense, "l1"),
        ("rooms", 64, dense, "gan"),
        ("rooms", 64, res, "l1"),
    ]


def test_the_answer_is_the_schema_of_the_route(world: World) -> None:
    world.errors(world.run(), STEPS, [0.5] * 3)
    answer = numbers(world).answer()
    assert isinstance(answer, Results)
    assert answer.metrics == ["abs_rel", "log10", "rmse", "rmse_log", "delta1", "delta2", "delta3"]


def test_a_row_says_which_seed_predicts_outside_the_range_or_nothing_finite(world: World) -> None:
    clipped, nonfinite = SUMS.index("clipped"), SUMS.index("nonfinite")
    for seed, (outside, odd) in enumerate([(0, 0), (1, 0), (2, 5)]):
        sums = np.zeros((4, len(SUMS)))
        sums[:, :FIRST_SUMS] = sums_of(np.ones((4, 100)), np.full((4, 100), 1.5))
        sums[:, clipped], sums[:, nonfinite] = outside, odd
        world.evaluate(world.run("l1", 64, seed), 500, sums)
    (row,) = rows(numbers(world), "run")
    assert row.n == 3
    assert row.note == "seed 2: 2.0 % clipped to the scored range; seed 2: 5.0 % not finite", "1.0 % is not above 1 %"


def test_the_table_shows_shares_in_per_cent_deviations_beside_and_dashes_for_nothing(world: World) -> None:
    for seed, error in ((0, 0.1), (1, 0.2)):
        world.errors(world.run("l1", 64, seed), STEPS, [error] * 3)
    drawn = draw(numbers(world), "light").data[0]
    titles = list(drawn.header["values"])
    cells = dict(zip(titles, drawn.cells["values"], strict=True))
    assert cells["rms\u00a0(m)\u00a0↓"][0] == "0.150\u00a0±\u00a0.071"
    assert cells["δ<1.25\u00a0(%)\u00a0↑"][0] == "100.0\u00a0±\u00a0.0"
    assert cells["log10\u00a0↓"][2] == "–"
    assert cells["note"][1] == "quoted; averaging not stated"
