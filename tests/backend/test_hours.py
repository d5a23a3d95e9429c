"""Hours of training, by hand: an attempt began at NOW, and recorded what it recorded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta

import numpy as np
import pytest

from backend.store.hours import Clock, clocks
from backend.store.tables import NOT_BEGUN, RESCORED, SCRIPT, Attempt, Run
from tests.backend.figures.world import NOW, World, sums_of

BEGAN = NOW.timestamp()
HOUR = 3600.0


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


def script(world: World) -> Run:
    run = world.run()
    run.kind = SCRIPT
    return run


def attempt(world: World, run: Run, number: int, after: float, resumed_from: int | None = None) -> None:
    """An attempt that began `after` hours after NOW."""
    started = NOW + timedelta(hours=after)
    row = {"owner": "w", "host": "here", "device": "cpu", "log_length": 0}
    world.session.add(
        Attempt(run_id=run.id, attempt=number, started_at=started, resumed_from=resumed_from, **row)  # type: ignore[arg-type]
    )
    world.session.flush()


def scored(world: World, run: Run, number: int, step: int, after: float) -> None:
    """An evaluation that was done `after` hours after NOW."""
    world.evaluate(run, step, sums_of(np.ones((1, 1)), np.full((1, 1), 1.5)), attempt=number, wall=BEGAN + after * HOUR)


def clock(world: World, run: Run) -> Clock:
    return clocks(world.session, [run.id])[run.id]


def test_a_scripts_hours_count_from_the_start_of_its_attempt(world: World) -> None:
    run = script(world)
    attempt(world, run, 1, 0)
    for step, after in ((100, 0.5), (200, 1.25)):
        scored(world, run, 1, step, after)
    assert [clock(world, run).at(step) for step in (50, 100, 150, 200)] == [0.0, 0.5, 0.5, 1.25]


def test_what_a_worker_loads_before_its_first_record_does_not_count(world: World) -> None:
    run = world.run()
    attempt(world, run, 1, 0)
    for step, after in ((0, 0.25), (100, 0.5), (200, 1.25)):
        scored(world, run, 1, step, after)
    attempt(world, run, 2, 12, resumed_from=201)
    assert clock(world, run).at(200) == 1.0
    for step, after in ((200, 12.5), (300, 13.0)):  # the evaluation that the first attempt owed
        scored(world, run, 2, step, after)
    assert [clock(world, run).at(step) for step in (0, 100, 200, 300)] == [0.0, 0.25, 1.0, 1.5]


def test_a_night_between_two_attempts_and_work_that_was_lost_do_not_count(world: World) -> None:
    run = script(world)
    attempt(world, run, 1, 0)
    scored(world, run, 1, 100, 0.5)
    scored(world, run, 1, 200, 1.0)
    scored(world, run, 1, 300, 1.5)  # lost: the checkpoint is of step 200
    attempt(world, run, 2, 12, resumed_from=201)
    scored(world, run, 2, 300, 12.75)
    attempt(world, run, 3, 36, resumed_from=301)
    scored(world, run, 3, 400, 36.5)
    found = clock(world, run)
    assert [found.at(step) for step in (100, 200, 300, 400)] == [0.5, 1.0, 1.75, 2.25]
    steps = np.array([100, 200, 300, 400])
    walls = BEGAN + HOUR * np.array([0.5, 1.0, 12.75, 36.5])
    np.testing.assert_allclose(found.of_values(steps, walls), [0.5, 1.0, 1.75, 2.25], rtol=0, atol=1e-9)


def test_an_attempt_from_scratch_begins_at_nought(world: World) -> None:
    run = script(world)
    attempt(world, run, 1, 0)
    scored(world, run, 1, 100, 5.0)
    attempt(world, run, 2, 10)
    scored(world, run, 2, 100, 10.5)
    assert clock(world, run).at(100) == 0.5


def test_an_attempt_that_has_recorded_nothing_yet_changes_nothing(world: World) -> None:
    run = script(world)
    attempt(world, run, 1, 0)
    scored(world, run, 1, 100, 1.0)
    attempt(world, run, 2, 9, resumed_from=NOT_BEGUN)
    attempt(world, run, 3, 10, resumed_from=101)
    assert clock(world, run).at(100) == 1.0


def test_where_the_writers_clock_is_behind_hours_count_from_its_first_record(world: World) -> None:
    run = script(world)
    attempt(world, run, 1, 0)
    scored(world, run, 1, 100, -3.0)
    scored(world, run, 1, 200, -2.5)
    assert [clock(world, run).at(step) for step in (100, 200)] == [0.0, 0.5]


def test_an_evaluation_without_a_time_lies_at_the_record_before_it_and_scoring_again_tells_nothing(
    world: World,
) -> None:
    run = script(world)
    attempt(world, run, 1, 0)
    scored(world, run, 1, 100, 1.0)
    world.evaluate(run, 200, sums_of(np.ones((1, 1)), np.full((1, 1), 1.5)), wall=None)
    scored(world, run, RESCORED, 200, 99.0)
    assert clock(world, run).at(200) == 1.0


def test_a_record_without_a_time_is_drawn_nowhere_and_moves_nothing_else(world: World) -> None:
    run = script(world)
    attempt(world, run, 1, after=0)
    began = clock(world, run).stretches[0].began
    found = clock(world, run).of_values(np.array([1, 2]), np.array([0.0, began + 7200]))
    assert (math.isnan(found[0]), found[1]) == (True, 2.0)


def test_of_a_run_without_any_time_the_hours_are_not_known(world: World) -> None:
    run = script(world)
    world.evaluate(run, 200, sums_of(np.ones((1, 1)), np.full((1, 1), 1.5)), wall=None)
    assert clocks(world.session, [run.id]) == {}
    attempt(world, run, 1, 0)
    assert math.isnan(clock(world, run).at(200))
