from __future__ import annotations

import itertools
import statistics
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.figures.aggregate import Summary, mean_of, over_seeds


def test_mean_and_sample_deviation_over_three_seeds_by_hand() -> None:
    # mean 2, deviations −1, 0, 1, variance 2/2
    assert over_seeds([1.0, 2.0, 3.0]) == Summary(2.0, 1.0, 3)


def test_one_seed_has_no_deviation() -> None:
    assert over_seeds([0.5]) == Summary(0.5, None, 1)


def test_values_that_are_not_finite_are_left_out_and_not_counted() -> None:
    assert over_seeds([1.0, float("nan"), float("inf"), 3.0]) == over_seeds([1.0, 3.0]) == Summary(2.0, 2**0.5, 2)
    assert over_seeds([float("nan")]) is None
    assert mean_of([]) is None


def test_the_mean_does_not_depend_on_the_order_of_the_runs() -> None:
    values = [0.1, 0.7, 1e-9, 0.3, 2.5]
    assert len({over_seeds(order) for order in itertools.permutations(values)}) == 1


@given(st.lists(st.floats(1e-6, 1e3), min_size=2, max_size=20))
def test_mean_and_deviation_agree_with_exact_arithmetic(values: list[float]) -> None:
    summary = over_seeds(values)
    assert summary is not None
    exact = sum(map(Fraction, values)) / len(values)
    assert summary.mean == pytest.approx(float(exact), rel=1e-15)
    assert summary.std == pytest.approx(statistics.stdev(map(Fraction, values)), rel=1e-9, abs=1e-12)
