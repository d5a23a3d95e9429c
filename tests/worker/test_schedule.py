"""When things happen in a run, and the order of its images."""

from __future__ import annotations

import numpy as np
import pytest

from depthboard.config import RunConfig
from worker.schedule import ImageOrder, evaluation_steps, log_every


def config(images: int, batch: int, evaluations: int) -> RunConfig:
    return RunConfig.model_validate(
        {"budget": {"images_seen": images, "batch_size": batch}, "evaluation": {"evaluations": evaluations}}
    )


def test_evaluations_are_equally_spaced_and_the_last_is_at_the_end() -> None:
    assert evaluation_steps(config(800, 8, 4)) == [25, 50, 75, 100]
    assert evaluation_steps(config(80, 8, 3)) == [3, 7, 10]


def test_a_short_run_is_evaluated_after_every_step() -> None:
    assert evaluation_steps(config(24, 8, 10)) == [1, 2, 3]


@pytest.mark.parametrize(("steps", "every"), [(10, 1), (1999, 1), (2000, 2), (230_000, 230)])
def test_a_curve_has_at_most_two_thousand_points(steps: int, every: int) -> None:
    assert log_every(config(steps, 1, 1)) == every


def test_each_epoch_shows_every_image_once() -> None:
    order = ImageOrder(images=20, batch_size=8, seed=3)
    seen = np.concatenate([order.batch(step) for step in range(5)])
    assert sorted(seen[:20]) == list(range(20))
    assert sorted(seen[20:40]) == list(range(20))
    assert list(seen[:20]) != list(seen[20:40])


def test_a_resumed_run_sees_the_images_that_an_unbroken_one_sees() -> None:
    whole = ImageOrder(images=7, batch_size=4, seed=0)
    unbroken = [whole.batch(step).tolist() for step in range(10)]
    resumed = ImageOrder(images=7, batch_size=4, seed=0)
    assert [resumed.batch(step).tolist() for step in range(6, 10)] == unbroken[6:]


def test_another_seed_is_another_order() -> None:
    assert ImageOrder(100, 50, 0).batch(0).tolist() != ImageOrder(100, 50, 1).batch(0).tolist()
