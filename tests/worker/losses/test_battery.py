"""What every loss promises, over `LOSSES`."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from torch import Tensor

from depthboard.config import LOSS_CONFIGS
from depthboard.errors import InvalidInput
from tests.worker.losses.cases import FIXED, ZERO_WHEN_PERFECT, batch, compute, configured, defaults, tensors
from tests.worker.losses.reference import REFERENCES
from worker.losses import LOSSES, TENSORS, loss_of

every_loss = pytest.mark.parametrize("name", LOSSES)

VARIANTS: list[tuple[str, dict[str, Any]]] = [
    *((name, {}) for name in LOSSES),
    *((name, {"unit": "network"}) for name in ("l1", "l2", "huber", "berhu", "huber_textbook")),
    ("huber_textbook", {"threshold": 2.0}),
    ("gan", {"unit": "network", "l1_weight": 100.0, "adversarial_weight": 0.5}),
    ("eigengrad", {"convention": "eigen_fergus"}),
    ("kendall_gal", {"form": "laplace"}),
    ("silog_sqrt", {"form": "adabins"}),
    ("ms_ssim", {"data_range": 80.0}),
    ("l1_ms_ssim", {"alpha": 0.3}),
    ("lpips", {"net": "vgg"}),
    ("lpips", {"net": "squeeze"}),
    ("gradient_matching", {"scales": 2}),
]


def expected(name: str, pred: Tensor, target: Tensor, mask: Tensor, **settings: Any) -> float:
    extra = {key: value.numpy() for key, value in tensors(name, pred).items()}
    return REFERENCES[name](pred.numpy(), target.numpy(), mask.numpy(), **defaults(name, **settings), **extra)


def gradient_of(value: Tensor, pred: Tensor) -> Tensor:
    (gradient,) = torch.autograd.grad(value, pred)
    return gradient


@every_loss
def test_its_parameters_are_the_fields_of_its_configuration_class(name: str) -> None:
    parameters = inspect.signature(LOSSES[name]).parameters.values()
    keywords = [parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    assert [parameter.name for parameter in parameters if parameter not in keywords] == ["pred", "target", "mask"]
    assert all(parameter.default is parameter.empty for parameter in keywords)
    config = LOSS_CONFIGS[name]
    fields = set(config.model_fields) - {"name", "weight", *config.training}
    assert {parameter.name for parameter in keywords} - set(TENSORS.get(name, ())) == fields


def test_the_registry_and_the_configuration_hold_the_same_losses_but_for_the_sum() -> None:
    assert [*LOSSES, "sum"] == list(LOSS_CONFIGS)


@pytest.mark.parametrize(("name", "settings"), VARIANTS)
@pytest.mark.parametrize("seed", range(3))
def test_it_equals_the_numpy_reference_to_one_in_a_billion(name: str, settings: dict[str, Any], seed: int) -> None:
    pred, target, mask = batch(name, seed=seed)
    value = compute(name, pred, target, mask, **defaults(name, **settings))
    assert value.dtype == torch.float64
    assert value.item() == pytest.approx(expected(name, pred, target, mask, **settings), rel=1e-9)


@pytest.mark.parametrize("size", [(90, 100), (176, 180)])
def test_ms_ssim_of_four_and_five_scales_equals_the_reference(size: tuple[int, int]) -> None:
    pred, target, mask = batch(images=1, size=size)
    mask |= torch.rand(mask.shape, generator=torch.Generator().manual_seed(3)) > 0.2
    wanted = expected("ms_ssim", pred, target, mask)
    assert compute("ms_ssim", pred, target, mask).item() == pytest.approx(wanted, rel=1e-9)


@every_loss
def test_it_equals_the_reference_with_an_image_that_has_no_valid_pixel(name: str) -> None:
    pred, target, mask = batch(name)
    mask[1] = False
    assert compute(name, pred, target, mask).item() == pytest.approx(expected(name, pred, target, mask), rel=1e-9)


@every_loss
def test_one_valid_pixel_is_enough(name: str) -> None:
    pred, target, mask = batch(name)
    mask[:] = False
    mask[1, 0, 0, 3] = True
    wanted = expected(name, pred, target, mask)
    value = compute(name, pred.requires_grad_(), target, mask)
    assert value.item() == pytest.approx(wanted, rel=1e-9, abs=1e-15)
    assert torch.isfinite(gradient_of(value, pred)).all()


@every_loss
def test_it_is_a_scalar_with_finite_gradients(name: str) -> None:
    pred, target, mask = batch(name)
    pred = pred.float().requires_grad_()
    value = compute(name, pred, target.float(), mask)
    gradient = gradient_of(value, pred)
    assert value.shape == ()
    assert torch.isfinite(gradient).all()
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize("name", ZERO_WHEN_PERFECT)
def test_it_is_zero_with_zero_gradients_at_a_perfect_prediction(name: str) -> None:
    _, target, mask = batch(name)
    pred = target.clone().requires_grad_()
    value = compute(name, pred, target, mask)
    # Similarities are quotients of two equal sums: equal but for the last digit.
    rounding = 1e-14 if "ssim" in name else 0
    assert abs(value.item()) <= rounding
    assert gradient_of(value, pred).abs().max() <= rounding


@every_loss
def test_its_gradient_is_that_of_finite_differences_with_the_batch_statistics_fixed(name: str) -> None:
    """Every pixel of 4 × 4; on random directions where the windows or the backbone need more, MS-SSIM with its five scales."""
    large = {"ms_ssim": (192, 192), "lpips": (32, 40)}
    pred, target, mask = batch(name, images=2, size=large.get(name, (4, 4)), seed=5)
    parameters = {**defaults(name), **FIXED[name], **tensors(name, pred)}

    def loss(prediction: Tensor) -> Tensor:
        return LOSSES[name](prediction, target, mask, **parameters)

    torch.manual_seed(0)
    assert torch.autograd.gradcheck(loss, pred.requires_grad_(), fast_mode=name in large)


@every_loss
@pytest.mark.parametrize("rubbish", [0.0, float("nan"), float("inf"), -float("inf"), -1.0])
def test_what_stands_at_masked_pixels_changes_neither_value_nor_gradient(name: str, rubbish: float) -> None:
    pred, target, mask = batch(name)
    soiled_pred, soiled_target = pred.where(mask, rubbish), target.where(mask, rubbish)
    pred.requires_grad_()
    soiled_pred.requires_grad_()
    value, soiled = compute(name, pred, target, mask), compute(name, soiled_pred, soiled_target, mask)
    gradient = gradient_of(value, pred)
    assert soiled.item() == value.item()
    assert torch.equal(gradient_of(soiled, soiled_pred), gradient)
    assert torch.count_nonzero(gradient[~mask]) == 0


@every_loss
@pytest.mark.parametrize("fill", [2.0, float("nan")])
def test_an_empty_mask_gives_zero_with_zero_gradients(name: str, fill: float) -> None:
    pred = torch.full_like(batch(name, images=2)[0], fill, dtype=torch.float32).requires_grad_()
    value = compute(name, pred, torch.zeros_like(pred), torch.zeros_like(pred, dtype=torch.bool))
    value.backward()
    assert value.item() == 0
    assert torch.equal(pred.grad, torch.zeros_like(pred))


@every_loss
def test_a_prediction_of_zero_metres_gives_a_finite_value_and_gradient(name: str) -> None:
    _, target, mask = batch(name)
    pred = torch.zeros_like(target, requires_grad=True)
    value = compute(name, pred, target, mask)
    assert torch.isfinite(value)
    assert torch.isfinite(gradient_of(value, pred)).all()


@every_loss
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_reduced_in_float32(name: str, dtype: torch.dtype) -> None:
    """80,000 pixels with an error of 5 m: their sum of squares is 2,000,000, float16 ends at 65,504."""
    pred, target = torch.full((1, 1, 200, 400), 6.0, dtype=dtype), torch.ones(1, 1, 200, 400, dtype=dtype)
    mask = torch.ones(1, 1, 200, 400, dtype=torch.bool)
    extra = tensors(name, pred)
    value = compute(name, pred, target, mask, **extra)
    wide = compute(name, pred.double(), target.double(), mask, **{key: x.double() for key, x in extra.items()})
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(wide.item(), rel=1e-5)


@every_loss
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_changes_no_bit_of_it(name: str, dtype: torch.dtype) -> None:
    pred, target, mask = batch(name)
    pred, target = pred.float().requires_grad_(), target.float()
    plain = compute(name, pred, target, mask)
    with torch.autocast("cpu", dtype):
        cast = compute(name, pred, target, mask)
    assert torch.equal(cast, plain)
    assert torch.equal(gradient_of(cast, pred), gradient_of(plain, pred))


@every_loss
@pytest.mark.parametrize("fault", [float("nan"), float("inf"), -float("inf")])
def test_a_non_finite_prediction_at_a_valid_pixel_is_not_hidden(name: str, fault: float) -> None:
    pred, target, mask = batch(name)
    pred[1, 0, 4, 4], mask[1, 0, 4, 4] = fault, True
    assert not torch.isfinite(compute(name, pred, target, mask))


@every_loss
def test_shapes_that_would_broadcast_are_refused(name: str) -> None:
    pred, target, mask = batch(name)
    with pytest.raises(InvalidInput, match=r"one shape, but have \(3, 1, \d+, \d+\), \(3, \d+, \d+\)"):
        compute(name, pred, target[:, 0], mask)


@every_loss
def test_loss_of_fills_in_the_configured_parameters_and_multiplies_the_weight(name: str) -> None:
    pred, target, mask = batch(name)
    given = tensors(name, pred)
    config = configured(name, weight=2.5, **FIXED[name])
    wanted = 2.5 * LOSSES[name](pred, target, mask, **defaults(name, **FIXED[name]), **given)
    assert loss_of(config)(pred, target, mask, **given).item() == wanted.item()
