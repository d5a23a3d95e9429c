from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from depthboard.config import DataConfig
from depthboard.config.data import EquallySpaced, RandomSubset
from depthboard.division import equally_spaced
from depthboard.errors import InvalidInput, UnknownName
from worker.data import open_source, subset_indices, training_frames, validation_frames
from worker.data.source import natural_key
from worker.data.subset import test_frames as frames_for_test

ROOMS = open_source("rooms")


@settings(deadline=None)
@given(st.integers(1, 5000), st.data())
def test_equally_spaced_indices_are_exact_fractions_rounded_half_up(total: int, data: st.DataObject) -> None:
    n = data.draw(st.integers(1, total))
    steps = [Fraction(i * (total - 1), n - 1) if n > 1 else Fraction(0) for i in range(n)]
    assert equally_spaced(total, n) == [floor(step + Fraction(1, 2)) for step in steps]


def test_equally_spaced_worked_by_hand() -> None:
    assert equally_spaced(81, 1) == [0]
    assert equally_spaced(10, 4) == [0, 3, 6, 9]
    assert equally_spaced(6, 3) == [0, 3, 5]  # 2.5 rounds up, where Python's round would give 2
    assert equally_spaced(5, 5) == [0, 1, 2, 3, 4]


@settings(deadline=None)
@given(st.integers(1, 300), st.integers(0, 1000), st.data())
def test_a_random_subset_is_n_different_frames_in_order_and_the_same_for_the_same_seed(
    total: int, seed: int, data: st.DataObject
) -> None:
    n = data.draw(st.integers(1, total))
    drawn = subset_indices(total, n, RandomSubset(seed=seed))
    assert drawn == sorted(set(drawn))
    assert len(drawn) == n
    assert all(0 <= i < total for i in drawn)
    assert drawn == subset_indices(total, n, RandomSubset(seed=seed))


def test_different_seeds_draw_different_frames() -> None:
    assert subset_indices(1000, 20, RandomSubset(seed=0)) != subset_indices(1000, 20, RandomSubset(seed=1))


def test_a_size_larger_than_the_dataset_is_refused_with_the_largest_possible() -> None:
    with pytest.raises(
        InvalidInput, match=r"82 training images are asked for, but there are only 81.*at most 81"
    ) as caught:
        subset_indices(81, 82, EquallySpaced())
    assert caught.value.field == "data.train_size"


def test_validation_is_taken_out_of_training_before_the_size_is_drawn() -> None:
    config = DataConfig(train_size=100, validation=0.25)
    validation, training = validation_frames(ROOMS, config), training_frames(ROOMS, config)
    assert len(validation) == 1024
    assert len(training) == 100
    assert not set(validation) & set(training)
    rest = [frame for frame in ROOMS.frames("official", "train") if frame not in set(validation)]
    assert training == [rest[i] for i in equally_spaced(3072, 100)]


def test_the_validation_part_does_not_depend_on_the_training_size() -> None:
    small, large = DataConfig(train_size=10, validation=0.1), DataConfig(train_size=2000, validation=0.1)
    assert validation_frames(ROOMS, small) == validation_frames(ROOMS, large)


def test_without_a_size_or_a_validation_share_all_frames_are_trained_on() -> None:
    assert training_frames(ROOMS, DataConfig()) == list(ROOMS.frames("official", "train"))
    assert validation_frames(ROOMS, DataConfig()) == []
    assert frames_for_test(ROOMS, DataConfig()) == list(ROOMS.frames("official", "test"))


def test_a_validation_share_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(InvalidInput, match="leaves none of the 4096 training images"):
        training_frames(ROOMS, DataConfig(validation=0.99999))


def test_an_unknown_split_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UnknownName, match=r"no split 'scene'.*official") as caught:
        training_frames(ROOMS, DataConfig(split="scene"))
    assert caught.value.field == "data.split"


def test_natural_order_puts_frame_9_before_frame_10() -> None:
    names = ["b/10.jpg", "b/9.jpg", "a_2/1.jpg", "a_10/1.jpg", "b/09.jpg"]
    assert sorted(names, key=natural_key) == ["a_2/1.jpg", "a_10/1.jpg", "b/09.jpg", "b/9.jpg", "b/10.jpg"]
