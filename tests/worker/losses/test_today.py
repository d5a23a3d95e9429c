"""Kendall & Gal, the root of SILog, gradient matching: by hand, and their particular claims."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from depthboard.errors import InvalidInput
from tests.worker.losses.cases import batch, compute


def maps(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)[None, None]


def everywhere(like: Tensor) -> Tensor:
    return torch.ones_like(like, dtype=torch.bool)


def test_with_s_at_zero_the_gaussian_form_is_half_of_l2_and_the_laplace_form_is_l1() -> None:
    pred, target, mask = batch()
    s = torch.zeros_like(pred)
    gaussian, laplace = (
        compute("kendall_gal", pred, target, mask, log_scale=s, form=f) for f in ("gaussian", "laplace")
    )
    assert gaussian.item() == pytest.approx(0.5 * compute("l2", pred, target, mask).item(), rel=1e-12)
    assert laplace.item() == pytest.approx(compute("l1", pred, target, mask).item(), rel=1e-12)


def test_kendall_gal_by_hand() -> None:
    """Error 2 m with s = ln 4 and error 0 with s = −2: (4/8 + ln 4/2 + 0 − 1)/2; laplace (2/4 + ln 4 − 2)/2."""
    pred, target, s = maps([1.0, 3.0]), maps([3.0, 3.0]), maps([math.log(4), -2.0])
    gaussian, laplace = (
        compute("kendall_gal", pred, target, everywhere(s), log_scale=s, form=f).item() for f in ("gaussian", "laplace")
    )
    assert gaussian == pytest.approx((0.5 + math.log(4) / 2 - 1) / 2)
    assert laplace == pytest.approx((0.5 + math.log(4) - 2) / 2)


@pytest.mark.parametrize(("form", "best"), [("gaussian", 2 * math.log(0.5)), ("laplace", math.log(0.5))])
def test_the_best_s_of_a_pixel_is_the_log_of_its_squared_or_absolute_error(form: str, best: float) -> None:
    s = maps([best]).requires_grad_()
    value = compute("kendall_gal", maps([2.5]), maps([2.0]), everywhere(s), log_scale=s, form=form)
    assert torch.autograd.grad(value, s)[0].item() == pytest.approx(0, abs=1e-15)


@pytest.mark.parametrize(("s", "held"), [(50.0, 7.0), (-50.0, -7.0)])
def test_s_is_held_between_minus_seven_and_seven(s: float, held: float) -> None:
    pred, target = maps([2.0]), maps([2.0])
    assert compute("kendall_gal", pred, target, everywhere(pred), log_scale=maps([s])).item() == held / 2


@pytest.mark.parametrize("fault", [math.nan, math.inf, -math.inf])
def test_an_s_that_is_not_finite_shows_at_a_valid_pixel_and_nowhere_else(fault: float) -> None:
    pred, target = maps([2.0, 3.0]), maps([2.0, 3.0])
    s = maps([0.0, fault]).requires_grad_()
    assert compute("kendall_gal", pred, target, everywhere(pred), log_scale=s).isnan()
    masked = compute("kendall_gal", pred, target, torch.tensor([[[[True, False]]]]), log_scale=s)
    assert masked.item() == 0
    assert torch.autograd.grad(masked, s)[0].tolist() == [[[[0.5, 0.0]]]]


def test_an_s_of_another_shape_is_refused() -> None:
    pred = maps([2.0, 3.0])
    with pytest.raises(InvalidInput, match="log_scale must have the shape of pred"):
        compute("kendall_gal", pred, pred, everywhere(pred), log_scale=maps([0.0]))


def test_silog_root_by_hand() -> None:
    """d = ln 2, 0, 0, 0: mean ln 2/4, variance ln²2 · 3/16, or 3/12 divided by n − 1."""
    pred, target = maps([1.0, 3.0, 4.0, 5.0]), maps([2.0, 3.0, 4.0, 5.0])
    square = math.log(2) ** 2
    bts, adabins = (compute("silog_sqrt", pred, target, everywhere(pred), form=f).item() for f in ("bts", "adabins"))
    assert bts == pytest.approx(10 * math.sqrt(square * (1 / 4 - 0.85 / 16) + 1e-6), rel=1e-12)
    assert adabins == pytest.approx(10 * math.sqrt(square * (3 / 12 + 0.15 / 16) + 1e-6), rel=1e-12)


def test_the_two_forms_of_silog_agree_on_many_pixels() -> None:
    pred, target, mask = batch(size=(128, 128))
    bts, adabins = (compute("silog_sqrt", pred, target, mask, form=f).item() for f in ("bts", "adabins"))
    assert adabins == pytest.approx(bts, rel=1e-4)
    assert adabins > bts


@pytest.mark.parametrize("form", ["bts", "adabins"])
def test_the_gradient_of_silogs_root_is_zero_at_a_perfect_prediction_and_fades_near_it(form: str) -> None:
    """Without the floor it is nan there, and does not shrink on the way."""
    _, target, mask = batch()
    sizes = []
    for noise in (0.0, 1e-6, 1e-4, 1e-2):
        pred = (target * (1 + noise * torch.sin(100 * target))).requires_grad_()
        (gradient,) = torch.autograd.grad(compute("silog_sqrt", pred, target, mask, form=form), pred)
        sizes.append(gradient.norm().item())
    assert sizes[0] == 0
    assert sizes[1] < 0.1 * sizes[2] < 0.1 * sizes[3] * 2
    assert all(math.isfinite(size) for size in sizes)


def test_gradient_matching_by_hand() -> None:
    """Error 1 at one corner of 2 × 2: two of four steps are 1, over four pixels; the coarser grids hold one pixel and no step."""
    pred, target = maps([2.0, 3.0], [4.0, 5.0]), maps([3.0, 3.0], [4.0, 5.0])
    assert compute("gradient_matching", pred, target, everywhere(pred)).item() == pytest.approx(2 / 4)


def test_gradient_matching_adds_the_grids_of_every_second_pixel_and_so_on() -> None:
    """Error 1 in the first of 8 columns: one step a row of 1/8 of the pixels on each grid, 1/8 + 1/4 + 1/2, and 0 of one column."""
    target = torch.full((2, 1, 8, 8), 3.0, dtype=torch.float64)
    pred = target.clone()
    pred[..., 0] += 1
    assert compute("gradient_matching", pred, target, everywhere(pred)).item() == pytest.approx(1 / 8 + 1 / 4 + 1 / 2)


def test_gradient_matching_sees_no_offset_and_counts_steps_between_valid_pixels_alone() -> None:
    pred, target, mask = batch()
    assert compute("gradient_matching", target + 0.7, target, mask).item() == pytest.approx(0, abs=1e-14)
    row, hole = maps([2.0, 9.0, 3.0]), torch.tensor([[[[True, False, True]]]])
    assert compute("gradient_matching", row, maps([1.0, 1.0, 1.0]), hole, scales=1).item() == 0
    assert compute("gradient_matching", pred, target, mask).item() > 0
