"""Properties over many drawn maps: scale invariance as Eigen's proof has it, where it ends, and smooth thresholds."""

from __future__ import annotations

import math

import hypothesis.extra.numpy as numpy_strategies
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch import Tensor

from tests.worker.losses.cases import compute

depth = st.floats(0.5, 10, allow_nan=False)
maps = numpy_strategies.arrays(np.float64, (2, 1, 3, 4), elements=depth)
masks = numpy_strategies.arrays(np.bool_, (2, 1, 3, 4))
scale = st.floats(0.1, 9.0)
lam = st.floats(0, 1)


def eigen(pred: np.ndarray, target: np.ndarray, mask: np.ndarray | None = None, lam: float = 1.0) -> float:
    valid = torch.ones(target.shape, dtype=torch.bool) if mask is None else torch.from_numpy(mask)
    return compute("eigen", torch.from_numpy(pred), torch.from_numpy(target), valid, lam=lam).item()


@given(maps, maps, scale, masks)
@settings(deadline=None)
def test_at_lambda_one_eigen_does_not_see_a_common_scale(
    pred: np.ndarray, target: np.ndarray, factor: float, mask: np.ndarray
) -> None:
    """ln(αŷ) adds one constant to every d, and a variance has none of it; with one mask in both, whatever its holes."""
    assert eigen(factor * pred, target, mask) == pytest.approx(eigen(pred, target, mask), rel=1e-9, abs=1e-12)


@given(maps, maps)
@settings(deadline=None)
def test_at_lambda_zero_eigen_is_l2_of_the_logarithms(pred: np.ndarray, target: np.ndarray) -> None:
    assert eigen(pred, target, lam=0.0) == pytest.approx(
        np.mean((np.log(pred) - np.log(target)) ** 2), rel=1e-9, abs=1e-15
    )


@given(maps, scale, lam)
@settings(deadline=None)
def test_below_lambda_one_a_scale_error_costs_what_is_not_forgiven(
    target: np.ndarray, factor: float, lam: float
) -> None:
    """A perfect map times α costs (1 − λ) ln² α: nothing at λ = 1 alone."""
    assert eigen(factor * target, target, lam=lam) == pytest.approx(
        (1 - lam) * math.log(factor) ** 2, rel=1e-9, abs=1e-12
    )


@given(maps, scale, masks, masks)
@settings(deadline=None)
def test_under_masks_that_differ_the_invariance_ends(
    target: np.ndarray, factor: float, valid_target: np.ndarray, valid_pred: np.ndarray
) -> None:
    """Scaled where the prediction is valid, compared where the target is: pixels between the two keep the old scale, and are seen."""
    assume(abs(math.log(factor)) > 0.1)
    shares = [(p & t).sum() / t.sum() for p, t in zip(valid_pred, valid_target, strict=True) if t.any()]
    assume(any(0 < share < 1 for share in shares))
    scaled = np.where(valid_pred, factor * target, target)
    kept = [share * (1 - share) for share in shares]
    assert eigen(scaled, target, valid_target) == pytest.approx(np.mean(kept) * math.log(factor) ** 2, rel=1e-9)
    assert eigen(scaled, target, valid_target) > eigen(target, target, valid_target) == 0


@given(maps, maps, lam)
@settings(deadline=None)
def test_eigen_lies_between_the_variance_and_the_mean_square(pred: np.ndarray, target: np.ndarray, lam: float) -> None:
    value = eigen(pred, target, lam=lam)
    assert eigen(pred, target, lam=1.0) - 1e-12 <= value <= eigen(pred, target, lam=0.0) + 1e-12


def slope(name: str, residual: float, threshold: float) -> tuple[float, float]:
    """Value and derivative of a loss at one residual."""
    pred = torch.full((1, 1, 1, 1), residual, dtype=torch.float64, requires_grad=True)
    one: Tensor = torch.zeros_like(pred)
    value = compute(name, pred, one, torch.ones_like(pred, dtype=torch.bool), threshold=threshold)
    return value.item(), torch.autograd.grad(value, pred)[0].item()


@pytest.mark.parametrize("name", ["berhu", "huber", "huber_textbook"])
@given(threshold=st.floats(0.05, 5), sign=st.sampled_from([-1.0, 1.0]))
@settings(deadline=None)
def test_value_and_slope_are_continuous_at_the_threshold(name: str, threshold: float, sign: float) -> None:
    """A millionth below c and above it: the values differ by no more than the slope allows, the slopes by a hundred-thousandth."""
    step = 1e-6 * threshold
    (below, slope_below), (above, slope_above) = (slope(name, sign * (threshold + s), threshold) for s in (-step, step))
    assert above - below == pytest.approx(sign * slope_above * 2 * step, rel=1e-4)
    assert slope_above == pytest.approx(slope_below, rel=1e-5)
    assert abs(slope_above) == pytest.approx(threshold if name == "huber_textbook" else 1, rel=1e-5)


@given(maps, maps, scale)
@settings(deadline=None)
def test_a_network_unit_scales_a_loss_with_a_threshold_of_the_batch_as_it_scales_the_error(
    pred: np.ndarray, target: np.ndarray, factor: float
) -> None:
    """BerHu with c = 0.2 max|l| is a length: errors times α cost α times."""
    assume(np.abs(pred - target).max() > 1e-3)
    valid = torch.ones(target.shape, dtype=torch.bool)
    y, x = torch.from_numpy(target), torch.from_numpy(pred)
    plain = compute("berhu", x, y, valid).item()
    assert compute("berhu", y + factor * (x - y), y, valid).item() == pytest.approx(factor * plain, rel=1e-9)
