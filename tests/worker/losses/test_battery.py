"""What every loss promises, over `LOSSES`."""

from __future__ import annotations

import inspect

import pytest
import torch

from depthboard.config import LOSS_CONFIGS
from depthboard.errors import InvalidInput
from tests.worker.losses.cases import FIXED, ZERO_WHEN_PERFECT, batch, compute, defaults, tensors
from tests.worker.losses.reference import REFERENCES
from worker.losses import LOSSES, TENSORS, loss_of

every_loss = pytest.mark.parametrize("name", LOSSES)


@every_loss
def test_its_parameters_are_the_fields_of_its_configuration_class(name: str) -> None:
    parameters = inspect.signature(LOSSES[name]).parameters.values()
    keywords = [parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY]
    assert [parameter.name for parameter in parameters if parameter not in keywords] == ["pred", "target", "mask"]
    assert all(parameter.default is parameter.empty for parameter in keywords)
    fields = set(LOSS_CONFIGS[name].model_fields) - {"name", "weight"}
    assert {parameter.name for parameter in keywords} - set(TENSORS.get(name, ())) == fields


def test_the_registry_and_the_configuration_hold_the_same_losses() -> None:
    assert list(LOSSES) == list(LOSS_CONFIGS)


@every_loss
@pytest.mark.parametrize("seed", range(3))
def test_it_equals_the_numpy_reference_to_one_in_a_billion(name: str, seed: int) -> None:
    pred, target, mask = batch(seed=seed)
    extra = tensors(name)
    expected = REFERENCES[name](
        pred.numpy(),
        target.numpy(),
        mask.numpy(),
        **defaults(name),
        **{key: value.numpy() for key, value in extra.items()},
    )
    value = compute(name, pred, target, mask)
    assert value.dtype == torch.float64
    assert value.item() == pytest.approx(expected, rel=1e-9)


@every_loss
def test_it_equals_the_reference_with_an_image_that_has_no_valid_pixel(name: str) -> None:
    pred, target, mask = batch()
    mask[1] = False
    extra = {key: value.numpy() for key, value in tensors(name).items()}
    expected = REFERENCES[name](pred.numpy(), target.numpy(), mask.numpy(), **defaults(name), **extra)
    assert compute(name, pred, target, mask).item() == pytest.approx(expected, rel=1e-9)


@every_loss
def test_it_is_a_scalar_with_finite_gradients(name: str) -> None:
    pred, target, mask = batch()
    pred = pred.float().requires_grad_()
    value = compute(name, pred, target.float(), mask)
    (gradient,) = torch.autograd.grad(value, pred)
    assert value.shape == ()
    assert torch.isfinite(gradient).all()
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize("name", ZERO_WHEN_PERFECT)
def test_it_is_zero_with_zero_gradients_at_a_perfect_prediction(name: str) -> None:
    _, target, mask = batch()
    pred = target.clone().requires_grad_()
    value = compute(name, pred, target, mask)
    (gradient,) = torch.autograd.grad(value, pred)
    assert value.item() == 0
    assert torch.count_nonzero(gradient) == 0


@every_loss
def test_its_gradient_is_that_of_finite_differences_with_the_batch_statistics_fixed(name: str) -> None:
    pred, target, mask = batch(images=2, rows=4, columns=4, seed=5)
    parameters = {**FIXED[name], **tensors(name, 2)}

    def loss(prediction: torch.Tensor) -> torch.Tensor:
        return LOSSES[name](prediction, target, mask, **parameters)

    assert torch.autograd.gradcheck(loss, pred.requires_grad_())


@every_loss
@pytest.mark.parametrize("rubbish", [0.0, float("nan"), float("inf"), -float("inf"), -1.0])
def test_what_stands_at_masked_pixels_changes_neither_value_nor_gradient(name: str, rubbish: float) -> None:
    pred, target, mask = batch()
    soiled_pred, soiled_target = pred.where(mask, rubbish), target.where(mask, rubbish)
    pred.requires_grad_()
    soiled_pred.requires_grad_()
    value, soiled = compute(name, pred, target, mask), compute(name, soiled_pred, soiled_target, mask)
    (gradient,) = torch.autograd.grad(value, pred)
    (soiled_gradient,) = torch.autograd.grad(soiled, soiled_pred)
    assert soiled.item() == value.item()
    assert torch.equal(soiled_gradient, gradient)
    assert torch.count_nonzero(gradient[~mask]) == 0


@every_loss
@pytest.mark.parametrize("fill", [2.0, float("nan")])
def test_an_empty_mask_gives_zero_with_zero_gradients(name: str, fill: float) -> None:
    pred = torch.full((2, 1, 4, 4), fill, requires_grad=True)
    value = compute(name, pred, torch.zeros(2, 1, 4, 4), torch.zeros(2, 1, 4, 4, dtype=torch.bool))
    value.backward()
    assert value.item() == 0
    assert torch.equal(pred.grad, torch.zeros(2, 1, 4, 4))


@every_loss
def test_a_prediction_of_zero_metres_gives_a_finite_value_and_gradient(name: str) -> None:
    _, target, mask = batch()
    pred = torch.zeros_like(target, requires_grad=True)
    value = compute(name, pred, target, mask)
    (gradient,) = torch.autograd.grad(value, pred)
    assert torch.isfinite(value)
    assert torch.isfinite(gradient).all()


@every_loss
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_reduced_in_float32(name: str, dtype: torch.dtype) -> None:
    """80,000 pixels with an error of 5 m: their sum of squares is 2,000,000, float16 ends at 65,504."""
    pred, target = torch.full((1, 1, 200, 400), 6.0, dtype=dtype), torch.ones(1, 1, 200, 400, dtype=dtype)
    mask = torch.ones(1, 1, 200, 400, dtype=torch.bool)
    value = compute(name, pred, target, mask, **tensors(name, 1, dtype))
    wide = compute(
        name, pred.double(), target.double(), mask, **{key: x.double() for key, x in tensors(name, 1, dtype).items()}
    )
    assert value.dtype == torch.float32
    assert value.item() == pytest.approx(wide.item(), rel=1e-5)


@every_loss
def test_a_non_finite_prediction_at_a_valid_pixel_is_not_hidden(name: str) -> None:
    pred, target, mask = batch()
    pred[mask] = float("nan")
    assert torch.isnan(compute(name, pred, target, mask))


@every_loss
def test_shapes_that_would_broadcast_are_refused(name: str) -> None:
    pred, target, mask = batch()
    with pytest.raises(InvalidInput, match=r"one shape, but have \(3, 1, 8, 12\), \(3, 8, 12\)"):
        compute(name, pred, target[:, 0], mask)


@every_loss
def test_loss_of_fills_in_the_configured_parameters_and_multiplies_the_weight(name: str) -> None:
    pred, target, mask = batch()
    given = tensors(name)
    config = LOSS_CONFIGS[name](weight=2.5, **FIXED[name])
    expected = 2.5 * LOSSES[name](pred, target, mask, **FIXED[name], **given)
    assert loss_of(config)(pred, target, mask, **given).item() == expected.item()
