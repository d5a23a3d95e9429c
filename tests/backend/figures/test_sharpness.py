from __future__ import annotations

from typing import Any

import pytest

from backend.figures import sharpness, table
from backend.figures.selector import Selection
from backend.schemas import ResultRow
from backend.store.tables import RESCORED
from depthboard.metrics import SHARPNESS
from tests.backend.figures.world import World

FULL = {"data": {"height": 256, "width": 320}}
LIMITED = "resolution-limited: 64×96"


def numbers(world: World, **chosen: Any) -> table.ResultsTable:
    return sharpness.gather(world.session, Selection(world.id, **chosen))


def rows(world: World, **chosen: Any) -> list[ResultRow]:
    return list(numbers(world, **chosen).rows)


def test_every_column_is_a_measure_and_the_error_at_edges_comes_first() -> None:
    assert set(sharpness.COLUMNS) <= set(SHARPNESS)
    assert sharpness.COLUMNS[:2] == ("mae_edge", "mae_flat")
    assert len(sharpness.COLUMNS) == 10


def test_a_row_is_the_mean_over_seeds_of_means_over_images_where_the_measure_is_defined(world: World) -> None:
    nan = float("nan")
    for seed, errors in enumerate([(0.2, 0.4), (0.5, nan), (0.1, 0.1)]):
        world.edges(world.run("gan", 64, seed, config=FULL), 500, mae_edge=errors, edge_f1_25cm=0.5)
    (row,) = rows(world)
    # (0.3 + 0.5 + 0.1) / 3 and the deviations 0, 0.2, -0.2 from it
    assert row.values["mae_edge"] == pytest.approx(0.3)
    assert row.spread["mae_edge"] == pytest.approx(0.2)
    assert (row.values["edge_f1_25cm"], row.spread["edge_f1_25cm"]) == (0.5, 0)
    assert (row.n, row.loss, row.train_size, len(row.run_ids)) == (3, "gan", 64, 3)


def test_the_last_evaluation_with_edges_speaks_for_a_run(world: World) -> None:
    run = world.run(config=FULL)
    world.edges(run, 300, mae_edge=0.9)
    world.edges(run, 400, mae_edge=0.5)
    world.errors(run, [500], [0.4])
    (row,) = rows(world)
    assert row.values["mae_edge"] == 0.5


def test_runs_below_the_papers_size_are_marked_and_the_caption_says_what_that_means(world: World) -> None:
    """Native protocols bear one name whatever the network's size."""
    native = {"evaluation": {"resize": "native"}}
    world.edges(world.run("l1", config=native), 500, mae_edge=0.5)
    world.edges(world.run("l2", config=FULL | native), 500, **dict.fromkeys(sharpness.COLUMNS, 0.5))
    small, full = rows(world)
    assert (small.note or "").startswith(LIMITED)
    assert full.note is None
    assert "below 256×320: not to be set beside the paper's" in numbers(world).caption


def test_without_small_runs_nothing_is_said_of_resolution(world: World) -> None:
    world.edges(world.run("l2", config=FULL), 500, mae_edge=0.5)
    assert "esolution" not in numbers(world).caption


def test_a_measure_undefined_in_a_seed_blanks_no_other_and_the_note_counts_it(world: World) -> None:
    known = dict.fromkeys(sharpness.COLUMNS, 0.5)
    for seed, dbe in enumerate([float("nan"), 2.0]):
        world.edges(world.run("l1", 64, seed, config=FULL), 500, **{**known, "dbe_acc": dbe})
    (row,) = rows(world)
    assert (row.values["dbe_acc"], row.spread["dbe_acc"], row.n) == (2.0, None, 2)
    assert row.values["mae_edge"] == 0.5
    assert row.note == "DBE acc undefined in 1 of 2"


def test_runs_that_are_lost_or_not_measured_are_told(world: World) -> None:
    known = dict.fromkeys(sharpness.COLUMNS, 0.5)
    world.edges(world.run("l1", 64, 0, config=FULL), 500, **known)
    world.edges(world.run("l1", 64, 1, config=FULL, diverged_at=40), 500, **known)
    world.errors(world.run("l2", 64, 0, config=FULL), [500], [0.5])
    (row,) = rows(world)
    assert (row.n, row.note) == (1, "seed 1 diverged at step 40")
    assert "3 runs: 1 drawn, 1 without a value. Diverged: run 2" in numbers(world).caption


def test_what_was_scored_again_fills_in_for_a_run_that_took_no_edges(world: World) -> None:
    run = world.run(config=FULL)
    world.errors(run, [500], [0.5])
    world.edges(run, 500, mae_edge=0.7, columns={"attempt": RESCORED})
    world.edges(run, 500, mae_edge=0.6, columns={"attempt": RESCORED, "protocol": "bts-0.001-10m-native-v2"})
    assert rows(world)[0].values["mae_edge"] == 0.7
    assert rows(world, protocol="bts-0.001-10m-native-v2")[0].values["mae_edge"] == 0.6
    world.edges(run, 501, mae_edge=0.2)
    assert rows(world)[0].values["mae_edge"] == 0.2


def test_the_drawing_says_which_way_is_better_and_what_a_ratio_should_be(world: World) -> None:
    known = dict.fromkeys(sharpness.COLUMNS, 0.5)
    for seed in (0, 1):
        world.edges(world.run("l1", 64, seed), 500, **known)
    figure = table.draw(numbers(world), "light")
    titles = [title.replace("\u00a0", " ") for title in figure.data[0].header["values"]]
    assert titles[4:7] == ["mae edge (m) ↓", "mae flat (m) ↓", "∇ edge → 1"]
    assert titles[8:] == [
        "F1@0.25 (%) ↑",
        "F1@0.5 (%) ↑",
        "F1@1 (%) ↑",
        "DBE acc (px) ↓",
        "DBE comp (px) ↓",
        "spectrum → 1",
        "note",
    ]
    cells = [column[0].replace("\u00a0", " ") for column in figure.data[0].cells["values"]]
    assert cells[4:] == [*["0.500 ± .000"] * 2, *["0.50 ± .00"] * 2, *["50.0 ± .0"] * 3, *["0.50 ± .00"] * 3, LIMITED]
    assert figure.layout.meta["title"] == "Sharpness"
