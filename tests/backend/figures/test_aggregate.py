from __future__ import annotations

import itertools
import statistics
from fractions import Fraction
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.figures.aggregate import BANDS, Band, Summary, band, mean_of, over_seeds, t95


def test_mean_and_sample_deviation_over_three_seeds_by_hand() -> None:
    # mean 2, deviations −1, 0, 1, variance 2/2
    assert over_seeds([1.0, 2.0, 3.0]) == Summary(2.0, 1.0, 3, 1.0, 3.0)


def test_one_seed_has_no_deviation() -> None:
    assert over_seeds([0.5]) == Summary(0.5, None, 1, 0.5, 0.5)


def test_values_that_are_not_finite_are_left_out_and_not_counted() -> None:
    assert (
        over_seeds([1.0, float("nan"), float("inf"), 3.0])
        == over_seeds([1.0, 3.0])
        == Summary(2.0, 2**0.5, 2, 1.0, 3.0)
    )
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


def test_bands_about_a_mean_of_four_by_hand() -> None:
    # mean 5, deviations −3, −1, 1, 3: variance 20/3; t of three degrees of freedom is 3.18245 (any table of it)
    summary = over_seeds([2.0, 4.0, 6.0, 8.0])
    assert summary is not None
    std, error = (20 / 3) ** 0.5, (20 / 3) ** 0.5 / 2
    assert band(summary, "std") == pytest.approx((5 - std, 5 + std))
    assert band(summary, "se") == pytest.approx((5 - error, 5 + error))
    assert band(summary, "ci95") == pytest.approx((5 - 3.182446 * error, 5 + 3.182446 * error), rel=1e-6)
    assert band(summary, "minmax") == (2.0, 8.0)


@pytest.mark.parametrize("kind", ["seeds", "none"])
def test_single_seeds_and_nothing_are_no_bands(kind: Literal["seeds", "none"]) -> None:
    summary = over_seeds([2.0, 4.0])
    assert summary is not None
    assert band(summary, kind) is None


@pytest.mark.parametrize("kind", BANDS)
def test_one_value_alone_has_no_band(kind: Band) -> None:
    summary = over_seeds([2.0])
    assert summary is not None
    assert band(summary, kind) is None


@pytest.mark.parametrize("freedom, due", [(1, 12.7062), (2, 4.30265), (4, 2.77645), (9, 2.26216), (1000, 1.96234)])
def test_students_t_is_that_of_the_printed_table(freedom: int, due: float) -> None:
    assert t95(freedom) == pytest.approx(due, abs=5e-5)
