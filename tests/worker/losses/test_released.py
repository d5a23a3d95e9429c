"""The authors' code against the paper: what differs, in numbers."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from tests.worker.losses.cases import batch, compute


def maps(*rows: list[float]) -> Tensor:
    return torch.tensor(rows, dtype=torch.float64)[None, None]


def everywhere(like: Tensor) -> Tensor:
    return torch.ones_like(like, dtype=torch.bool)


@pytest.mark.parametrize(("name", "cost"), [("eigen", 0.0344), ("eigen_as_released", 0.0688)])
def test_a_scale_error_of_one_point_three_costs_twice_as_much_as_released(name: str, cost: float) -> None:
    target = 1 + 4 * torch.rand(4, 1, 8, 12, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    value = compute(name, 1.3 * target, target, everywhere(target)).item()
    assert value == pytest.approx(cost, abs=5e-5)
    assert value == pytest.approx(math.log(1.3) ** 2 * (0.5 if name == "eigen" else 1), rel=1e-4)


def test_as_released_eigen_is_the_mean_squared_log_error_but_for_a_part_in_a_million() -> None:
    pred, target, mask = batch()
    mask[:] = True
    mean_square = (pred.log() - target.log()).square().mean().item()
    assert compute("eigen_as_released", pred, target, mask).item() == pytest.approx(mean_square, rel=1e-5)


@pytest.mark.parametrize("name", ["eigen_as_released", "eigengrad_as_released"])
def test_as_released_invalid_pixels_dilute_the_mean(name: str) -> None:
    """Half of the pixels invalid: half the loss, though the valid ones are off as before."""
    target = torch.full((1, 1, 6, 6), 2.0, dtype=torch.float64)
    valid, half = everywhere(target), everywhere(target)
    half[..., 3:] = False
    whole, diluted = (compute("eigen_as_released", 2 * target, target, mask).item() for mask in (valid, half))
    assert diluted == pytest.approx(whole / 2, rel=1e-3)
    assert compute("eigen", 2 * target, target, half).item() == pytest.approx(0.5 * math.log(2) ** 2)
    assert compute(name, 2 * target, target, half).item() >= diluted


def test_the_sobel_filter_answers_a_unit_ramp_with_eight_and_a_forward_difference_with_one() -> None:
    """d = column number on 64 × 64: inside the frame (8²) against 1²; what the frame's zeros add is measured apart."""
    ramp = torch.arange(3, dtype=torch.float64).expand(3, 3)[None, None]
    only_the_middle = torch.zeros(1, 1, 3, 3, dtype=torch.bool)
    only_the_middle[0, 0, 1, 1] = True
    one = torch.ones_like(ramp)
    with_edges = compute("eigengrad_as_released", torch.exp(-ramp), one, everywhere(ramp)).item()
    without = compute("eigen_as_released", torch.exp(-ramp), one, everywhere(ramp)).item()
    # Sx: 4·1, 8, −4·1 in the middle row; 3, 6, −3 in the outer ones. Sy: 0 in the middle row, ±(1, 4, 5) in the outer ones.
    squares = (16 + 64 + 16) + 2 * (9 + 36 + 9) + 2 * (1 + 16 + 25)
    assert (with_edges - without) * 9 == pytest.approx(squares)
    forward = compute("eigengrad", torch.exp(-ramp), one, everywhere(ramp)).item()
    assert forward - compute("eigen", torch.exp(-ramp), one, everywhere(ramp), lam=0.25).item() == pytest.approx(1.0)


def test_zero_padding_sees_an_edge_of_four_along_the_border_of_a_constant_error() -> None:
    """d = 1 on 5 × 5: along a side |S| = 4, in a corner 3 and 3; nothing inside. Forward differences see nothing."""
    one = torch.ones(1, 1, 5, 5, dtype=torch.float64)
    pred = one / math.e
    edges = compute("eigengrad_as_released", pred, one, everywhere(one)) - compute(
        "eigen_as_released", pred, one, everywhere(one)
    )
    assert edges.item() * 25 == pytest.approx(4 * 3 * 16 + 4 * (9 + 9))
    plain = compute("eigengrad", pred, one, everywhere(one)) - compute("eigen", pred, one, everywhere(one), lam=0.25)
    assert plain.item() == pytest.approx(0, abs=1e-15)


def test_the_factor_of_eigen_and_fergus_is_twice_that_of_the_paper() -> None:
    pred, target, mask = batch(images=1)
    carvalho, fergus = (
        compute("eigengrad", pred, target, mask, lam=0.5, convention=c).item() for c in ("carvalho", "eigen_fergus")
    )
    d = (target.log() - pred.log())[mask]
    assert carvalho - fergus == pytest.approx(0.25 * d.mean().item() ** 2, rel=1e-12)


def test_textbook_huber_is_c_times_the_papers_less_half_of_c_squared() -> None:
    pred, target, mask = batch()
    paper, textbook = (compute(name, pred, target, mask, threshold=0.7).item() for name in ("huber", "huber_textbook"))
    assert textbook == pytest.approx(0.7 * paper - 0.7**2 / 2, rel=1e-12)


def test_textbook_huber_by_hand() -> None:
    """Errors 0.3, 1 and 3 with δ = 1: 0.045, 0.5, 3 − 0.5."""
    value = compute(
        "huber_textbook", maps([1.3, 2.0, 6.0]), maps([1.0, 1.0, 3.0]), everywhere(maps([1, 1, 1])), threshold=1.0
    )
    assert value.item() == pytest.approx((0.045 + 0.5 + 2.5) / 3)


@pytest.mark.parametrize(("name", "power"), [("l1", 1), ("l2", 2)])
def test_a_network_unit_is_five_metres(name: str, power: int) -> None:
    pred, target, mask = batch()
    metres = compute(name, pred, target, mask, unit="metre").item()
    assert compute(name, pred, target, mask, unit="network").item() == pytest.approx(metres / 5**power, rel=1e-12)


@pytest.mark.parametrize("name", ["berhu", "huber", "huber_textbook"])
def test_a_fixed_threshold_is_in_the_unit_of_the_loss(name: str) -> None:
    """0.1 network units are 0.5 m; BerHu and the paper's Huber are lengths, the textbook's is a square."""
    pred, target, mask = batch()
    metres = compute(name, pred, target, mask, threshold=0.5, unit="metre").item()
    units = compute(name, pred, target, mask, threshold=0.1, unit="network").item()
    assert units == pytest.approx(metres / (25 if name == "huber_textbook" else 5), rel=1e-12)


def test_twenty_per_metre_and_a_hundred_per_network_unit_are_the_same_gan() -> None:
    pred, target, mask = batch()
    metre = compute("gan", pred, target, mask)
    assert compute("gan", pred, target, mask, unit="network", l1_weight=100.0).item() == pytest.approx(
        metre.item(), rel=1e-12
    )


def test_the_adversarial_weight_multiplies_what_d_thinks_and_not_l1() -> None:
    pred, target, mask = batch()
    whole, half = (compute("gan", pred, target, mask, adversarial_weight=w, l1_weight=0.0).item() for w in (1.0, 0.5))
    assert half == pytest.approx(whole / 2, rel=1e-12)
    assert compute("gan", pred, target, mask, adversarial_weight=0.0).item() == pytest.approx(
        20 * compute("l1", pred, target, mask).item(), rel=1e-12
    )
