"""No figure mixes protocols, or versions of the evaluator, which are part of their names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from backend.figures import FIGURES, build, entries, results
from backend.figures.selector import Selection
from backend.store.tables import RESCORED, Run
from depthboard.errors import UnknownName
from depthboard.metrics import full_name
from tests.backend.figures.world import World

STEPS = [100, 200, 300]

OF_EVALUATIONS = [name for name, chosen in FIGURES.items() if "protocol" in chosen.options]


def protocol_of(run: Run, version: int) -> str:
    return f"{run.protocol.rpartition('-v')[0]}-v{version}"


@pytest.fixture
def versions(world: World) -> tuple[World, Run, Run]:
    """One configuration, two seeds: one scored by evaluator 1, the other by evaluator 2."""
    old, new = world.run(seed=0), world.run(seed=1)
    old.protocol, new.protocol = protocol_of(old, 1), protocol_of(new, 2)
    for run, error in ((old, 0.3), (new, 0.5)):
        world.errors(run, STEPS, [error, error / 2, error / 4])
        world.constant(run, 0.9)
    return world, old, new


def drawn_runs(figure: Any) -> set[int]:
    """Every run id that the figure's traces name."""
    return {i for trace in figure.data for i in flat((trace.meta or {}).get("run_ids", []))}


def flat(ids: Any) -> list[int]:
    return [i for item in ids for i in flat(item)] if isinstance(ids, (list, tuple)) else [ids]


@pytest.mark.parametrize("name", OF_EVALUATIONS)
def test_a_figure_shows_the_runs_of_one_version_alone_and_names_it(versions: tuple[World, Run, Run], name: str) -> None:
    world, old, new = versions
    for run, other in ((old, new), (new, old)):
        for wanted in (f"test/{run.protocol}", run.protocol):
            figure = build(world.session, name, world.id, {"protocol": wanted})
            caption = figure.layout.meta["caption"]
            assert f"protocol {full_name(run.protocol, 'per_image')}." in caption
            assert other.protocol not in figure.to_json()
            assert "1 run under other protocols left out" in caption
            assert drawn_runs(figure) <= {run.id}
            assert "re-scored" not in caption


@pytest.mark.parametrize("name", OF_EVALUATIONS)
def test_without_a_protocol_it_is_the_one_of_most_runs(versions: tuple[World, Run, Run], name: str) -> None:
    world, _, new = versions
    world.run(seed=2).protocol = new.protocol
    assert (
        f"protocol {full_name(new.protocol, 'per_image')}."
        in build(world.session, name, world.id, {}).layout.meta["caption"]
    )


def rows(world: World, **chosen: Any) -> list[Any]:
    table = results.gather(world.session, Selection(world.id, **chosen))
    return [row for row in table.rows if row.kind == "run"]


def test_a_mean_over_seeds_takes_no_seed_of_another_version(versions: tuple[World, Run, Run]) -> None:
    world, old, new = versions
    for run, error in ((old, 0.3), (new, 0.5)):
        (row,) = rows(world, protocol=run.protocol)
        assert (row.n, row.run_ids) == (1, [run.id])
        assert row.values["rmse"] == pytest.approx(error * 7 / 12)


def test_a_run_that_was_scored_again_joins_the_figure_with_its_last_step(versions: tuple[World, Run, Run]) -> None:
    world, old, new = versions
    world.errors(old, [old.steps], [0.7], attempt=RESCORED, protocol=new.protocol)
    (row,) = rows(world, protocol=new.protocol)
    assert (row.n, row.run_ids) == (2, [old.id, new.id])
    assert row.values["rmse"] == pytest.approx((0.7 + 0.125) / 2), (
        "every run with its last evaluation, not one with a mean of three"
    )
    caption = results.gather(world.session, Selection(world.id, protocol=new.protocol)).caption
    assert "1 run re-scored from kept checkpoints; every run counts with its last evaluation" in caption
    assert "A run's value: last evaluation" in caption
    (row,) = rows(world)
    assert (row.run_ids, row.values["rmse"]) == ([old.id], pytest.approx(0.3 * 7 / 12)), "its own stays the default"


@pytest.mark.parametrize("name", OF_EVALUATIONS)
def test_every_figure_takes_a_protocol_of_runs_scored_again_and_says_so(
    versions: tuple[World, Run, Run], name: str
) -> None:
    world, old, new = versions
    for run in (old, new):
        world.errors(run, [run.steps], [0.7], attempt=RESCORED, protocol="bts-0.001-10m-native-v2")
        world.errors(run, [0], [0.8], attempt=RESCORED, protocol="bts-0.001-10m-native-v2", predictor="constant")
    figure = build(world.session, name, world.id, {"protocol": "bts-0.001-10m-native-v2"})
    caption = figure.layout.meta["caption"]
    assert "protocol bts-0.001-10m-native-per-image-v2. 2 runs re-scored" in caption
    assert "left out" not in caption
    json.loads(figure.to_json(), parse_constant=lambda constant: pytest.fail(f"{constant} is no JSON"))
    found = entries(world.session, world.id)
    listed = {entry.name: entry.options["protocol"] for entry in found if "protocol" in entry.options}
    assert listed[name] == [f"test/{old.protocol}", f"test/{new.protocol}", "test/bts-0.001-10m-native-v2"]


def test_a_run_scored_again_under_its_own_protocol_counts_once(world: World) -> None:
    run = world.run()
    world.errors(run, STEPS, [0.3, 0.2, 0.1])
    world.errors(run, [500], [0.9], attempt=RESCORED)
    (row,) = rows(world)
    assert row.values["rmse"] == pytest.approx(0.2)
    assert rows(world, protocol=run.protocol) == [row]


def test_a_protocol_that_no_run_has_is_named_with_those_there_are(versions: tuple[World, Run, Run]) -> None:
    world, old, new = versions
    with pytest.raises(UnknownName) as caught:
        rows(world, protocol="eigen-0.001-10m-native-v2")
    assert f"test/{old.protocol}, test/{new.protocol}" in str(caught.value.remedy)


def test_the_best_on_validation_is_chosen_by_the_runs_own_protocol(world: World) -> None:
    run = world.run(config={"data": {"validation": 0.1}})
    world.errors(run, STEPS, [0.3, 0.2, 0.1])
    world.errors(run, STEPS, [0.3, 0.1, 0.2], split="validation")
    world.errors(run, [100], [0.01], split="validation", protocol=protocol_of(run, 1))
    (row,) = rows(world, value="best_validation")
    assert row.values["rmse"] == pytest.approx(0.2), "the test value at step 200"
