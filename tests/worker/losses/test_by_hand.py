"""Each loss on numbers that a person can check, and the claims that are particular to one loss."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.worker.losses.cases import batch, compute
from worker.losses import discriminator_loss


def depths(*rows: list[float]) -> Tensor:
    """One image, (1,1,H,W), float64."""
    return torch.tensor(rows, dtype=torch.float64)[None, None]


def value(name: str, pred: Tensor, target: Tensor, mask: Tensor | None = None, **parameters: object) -> float:
    mask = torch.ones_like(target, dtype=torch.bool) if mask is None else mask
    return compute(name, pred, target, mask, **parameters).item()


FIVE = depths([1.0, 2.0, 3.0, 4.0, 5.0])
OFF = depths([1.0, 2.1, 3.2, 4.0, 4.0])
"""Errors 0, 0.1, 0.2, 0, 1.0: the largest is 1, so c = 0.2 at the default ratio."""


def test_l1_by_hand() -> None:
    assert value("l1", OFF, FIVE) == pytest.approx(1.3 / 5)


def test_l2_by_hand() -> None:
    assert value("l2", OFF, FIVE) == pytest.approx((0.01 + 0.04 + 1.0) / 5)


def test_berhu_by_hand() -> None:
    """0, 0.1 and 0.2 stay; 1 becomes (1 + 0.04) / 0.4 = 2.6."""
    assert value("berhu", OFF, FIVE, threshold=None, threshold_ratio=0.2) == pytest.approx((0.1 + 0.2 + 2.6) / 5)


def test_huber_by_hand() -> None:
    """0 becomes 0.04 / 0.4 = 0.1 (twice), 0.1 becomes 0.05 / 0.4 = 0.125; 0.2 and 1 stay."""
    assert value("huber", OFF, FIVE, threshold=None, threshold_ratio=0.2) == pytest.approx(
        (0.1 + 0.1 + 0.125 + 0.2 + 1.0) / 5
    )


def test_a_threshold_in_metres_replaces_the_share_of_the_largest_error() -> None:
    assert value("berhu", OFF, FIVE, threshold=0.5, threshold_ratio=0.2) == pytest.approx((0.1 + 0.2 + 1.25) / 5)


@pytest.mark.parametrize("name", ["berhu", "huber"])
def test_the_threshold_is_a_share_of_the_largest_error_of_the_whole_batch(name: str) -> None:
    pred, target, mask = batch()
    largest = (target - pred).abs()[mask].max().item()
    fixed = compute(name, pred, target, mask, threshold=0.2 * largest, threshold_ratio=1.0)
    assert compute(name, pred, target, mask, threshold=None, threshold_ratio=0.2).item() == pytest.approx(
        fixed.item(), rel=1e-12
    )


@pytest.mark.parametrize("name", ["berhu", "huber"])
def test_no_gradient_flows_through_the_largest_error_of_the_batch(name: str) -> None:
    """The gradient with c from the batch equals that with the same c given as a number."""
    pred, target, mask = batch()
    pred.requires_grad_()
    c = 0.2 * (target - pred).abs()[mask].max().item()
    (free,) = torch.autograd.grad(compute(name, pred, target, mask, threshold=None, threshold_ratio=0.2), pred)
    (held,) = torch.autograd.grad(compute(name, pred, target, mask, threshold=c, threshold_ratio=0.2), pred)
    torch.testing.assert_close(free, held, rtol=1e-12, atol=0)


def test_berhu_is_l1_below_the_threshold() -> None:
    pred, target, mask = batch()
    assert value("berhu", pred, target, mask, threshold=10.0, threshold_ratio=0.2) == value("l1", pred, target, mask)


def test_huber_is_l1_above_the_threshold() -> None:
    pred, target = depths([2.0, 5.0]), depths([1.0, 2.0])
    assert value("huber", pred, target, threshold=0.5, threshold_ratio=0.2) == 2.0


def test_huber_is_half_the_threshold_at_a_perfect_prediction() -> None:
    assert value("huber", FIVE, FIVE, threshold=0.5, threshold_ratio=0.2) == pytest.approx(0.25)


@pytest.mark.parametrize("name", ["berhu", "huber"])
def test_a_batch_without_error_has_a_finite_value_though_its_threshold_is_zero(name: str) -> None:
    assert value(name, FIVE, FIVE, threshold=None, threshold_ratio=0.2) == pytest.approx(0, abs=1e-6)


def test_eigen_by_hand() -> None:
    """d = ln 2 and 0: mean d² = ln²2 / 2, mean d = ln 2 / 2."""
    expected = math.log(2) ** 2 / 2 - 0.5 * math.log(2) ** 2 / 4
    assert value("eigen", depths([1.0, 3.0]), depths([2.0, 3.0]), lam=0.5) == pytest.approx(expected, rel=1e-12)


def test_eigen_charges_0_0344_for_a_scale_of_one_point_three_at_lambda_one_half() -> None:
    _, target, mask = batch()
    assert value("eigen", 1.3 * target, target, mask, lam=0.5) == pytest.approx(0.5 * math.log(1.3) ** 2, rel=1e-12)
    assert round(value("eigen", 1.3 * target, target, mask, lam=0.5), 4) == 0.0344


def test_eigen_forgives_any_scale_at_lambda_one() -> None:
    _, target, mask = batch()
    assert value("eigen", 1.3 * target, target, mask, lam=1.0) == pytest.approx(0, abs=1e-30)


def test_eigen_at_lambda_zero_is_the_mean_squared_log_error() -> None:
    pred, target, mask = batch(images=1)
    assert value("eigen", pred, target, mask, lam=0.0) == pytest.approx(
        (target / pred).log().square()[mask].mean().item(), rel=1e-12
    )


def test_eigen_averages_over_images_and_not_over_pixels() -> None:
    """Image one: a single valid pixel with d = ln 2. Image two: 16 with d = 0. At λ = 0 the mean of images is ln²2 / 2."""
    target = torch.ones(2, 1, 4, 4, dtype=torch.float64)
    pred = target.clone()
    pred[0, 0, 0, 0] = 0.5
    mask = torch.ones(2, 1, 4, 4, dtype=torch.bool)
    mask[0] = False
    mask[0, 0, 0, 0] = True
    assert value("eigen", pred, target, mask, lam=0.0) == pytest.approx(math.log(2) ** 2 / 2, rel=1e-12)


def test_a_small_spread_about_a_large_log_error_does_not_cancel_in_float32() -> None:
    """True variance 1e-8 about a mean of 1: E[d²] − E[d]² in float32 would give 0 or less."""
    d = 1 + 1e-4 * torch.tensor([-1.0, 1.0]).repeat(32).view(1, 1, 8, 8)
    loss = compute("eigen", torch.exp(-d), torch.ones(1, 1, 8, 8), torch.ones(1, 1, 8, 8, dtype=torch.bool), lam=1.0)
    assert loss.item() == pytest.approx(1e-8, rel=1e-2)


def test_eigengrad_by_hand() -> None:
    """d = [[ln 2, 0], [0, 0]], λ = 0.5: ln²2 (1/4 − 0.25/16) and one of two squared steps along each axis, ln²2 / 2 twice."""
    square = math.log(2) ** 2
    expected = square * (1 / 4 - 0.25 / 16) + square / 2 + square / 2
    assert value("eigengrad", depths([1.0, 3.0], [4.0, 5.0]), depths([2.0, 3.0], [4.0, 5.0]), lam=0.5) == pytest.approx(
        expected, rel=1e-12
    )


def test_eigengrad_counts_a_step_only_where_both_pixels_are_valid() -> None:
    """ln 2 at column 0, hole at column 1, 0 beyond: no step touches the error, so only the scale term is left."""
    pred, target = depths([1.0, 9.0, 3.0, 4.0]), depths([2.0, 1.0, 3.0, 4.0])
    mask = torch.tensor([[[[True, False, True, True]]]])
    square = math.log(2) ** 2
    assert value("eigengrad", pred, target, mask, lam=0.5) == pytest.approx(square * (1 / 3 - 0.25 / 9), rel=1e-12)


def test_the_gradient_of_the_steps_is_minus_twice_the_laplacian_of_d() -> None:
    """Away from the border and all pixels valid: 2 (4 d − its four neighbours) / number of differences, in a square image."""
    generator = torch.Generator().manual_seed(0)
    d = torch.randn(1, 1, 6, 6, generator=generator, dtype=torch.float64, requires_grad=True)
    mask = torch.ones(1, 1, 6, 6, dtype=torch.bool)
    one = torch.ones(1, 1, 6, 6, dtype=torch.float64)
    steps = compute("eigengrad", torch.exp(-d), one, mask, lam=0.5) - compute(
        "eigen", torch.exp(-d), one, mask, lam=0.25
    )
    (gradient,) = torch.autograd.grad(steps, d)
    image = d.detach()[0, 0]
    laplacian = image[:-2, 1:-1] + image[2:, 1:-1] + image[1:-1, :-2] + image[1:-1, 2:] - 4 * image[1:-1, 1:-1]
    torch.testing.assert_close(gradient[0, 0, 1:-1, 1:-1], -2 * laplacian / 30)


def test_gan_by_hand() -> None:
    """Scores 1 and 0: mean (D − 1)² = 0.5; L1 is 0.26 m at 20 per metre."""
    scores = depths([1.0, 0.0])
    assert value("gan", OFF, FIVE, fake_scores=scores, l1_weight=20.0) == pytest.approx(0.5 + 20 * 0.26)


def test_gan_passes_the_gradient_of_the_scores_even_without_l1() -> None:
    scores = depths([1.0, 0.0]).requires_grad_()
    compute("gan", OFF, FIVE, torch.ones_like(FIVE, dtype=torch.bool), fake_scores=scores, l1_weight=0.0).backward()
    assert scores.grad is not None
    assert scores.grad.tolist() == [[[[0.0, -1.0]]]]


def test_the_discriminator_loss_by_hand() -> None:
    """0.5 [mean (0.5 − 1)², (1 − 1)²; mean 0.2², 0²] = 0.5 (0.125 + 0.02)."""
    valid = torch.ones(1, 1, 1, 2, dtype=torch.bool)
    assert discriminator_loss(depths([0.5, 1.0]), depths([0.2, 0.0]), valid).item() == pytest.approx(
        0.5 * (0.125 + 0.02)
    )
