"""Reductions over valid pixels that what stands at the other pixels (0, NaN, inf) cannot touch, in value or in gradient."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

from depthboard.config.losses.base import Unit
from depthboard.errors import InvalidInput
from depthboard.metrics import METRES_PER_UNIT

MIN_DEPTH = 1e-3
"""Metres. Depth is clamped here before a logarithm; tanh near −1 would otherwise give ln 0. Below it the gradient is zero."""


def error(pred: Tensor, target: Tensor, mask: Tensor, unit: Unit = "metre") -> Tensor:
    """target − pred in `unit`, 0 outside the mask, in float32 or wider: a sum over 80,000 pixels overflows float16."""
    pred, target = depths(pred, target, mask)
    metres = torch.where(mask, target - pred, 0.0)
    return metres / METRES_PER_UNIT if unit == "network" else metres


def log_error(pred: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """ln target − ln pred, 0 outside the mask, in float32 or wider."""
    pred, target = depths(pred, target, mask)
    # clamp would turn −inf into a depth: the difference is 0, or nan where pred is not finite.
    finite = (pred - pred).detach()
    return torch.log(target.clamp(min=MIN_DEPTH)) - torch.log(pred.clamp(min=MIN_DEPTH) + finite)


def mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean over the valid pixels of the whole batch; 0, still part of the graph, where there is none."""
    return torch.where(mask, values, 0.0).sum() / mask.sum().clamp(min=1)


def image_means(values: Tensor, mask: Tensor) -> Tensor:
    """(B,) means over each image's valid pixels; 0 for an image without any."""
    pixels = tuple(range(1, values.ndim))
    return torch.where(mask, values, 0.0).sum(dim=pixels) / mask.sum(dim=pixels).clamp(min=1)


def mean_of_images(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of (B,) values over the images that have a valid pixel; 0, still part of the graph, where none has."""
    return mean(values, mask.flatten(start_dim=1).any(dim=1))


def differences(values: Tensor, mask: Tensor, axis: int) -> tuple[Tensor, Tensor]:
    """Forward differences along an axis, one fewer than pixels, and whether both pixels are valid."""
    pairs = values.shape[axis] - 1
    step = values.narrow(axis, 1, pairs) - values.narrow(axis, 0, pairs)
    return step, mask.narrow(axis, 1, pairs) & mask.narrow(axis, 0, pairs)


def depths(pred: Tensor, target: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Both depths in the type to reduce in, 1 m outside the mask. Unequal shapes would broadcast in silence, so they are refused."""
    if not pred.shape == target.shape == mask.shape:
        shapes = ", ".join(str(tuple(tensor.shape)) for tensor in (pred, target, mask))
        raise InvalidInput(f"pred, target and mask must have one shape, but have {shapes}.")
    dtype = torch.promote_types(torch.promote_types(pred.dtype, target.dtype), torch.float32)
    return torch.where(mask, pred.to(dtype), 1.0), torch.where(mask, target.to(dtype), 1.0)


@contextmanager
def full_precision(tensor: Tensor) -> Iterator[None]:
    """Matrix products and convolutions in the type of their input: no autocast, and no TF32 with its three digits, whatever the network runs in."""
    products, convolutions = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    try:
        with torch.autocast(tensor.device.type, enabled=False):
            yield
    finally:
        torch.set_float32_matmul_precision(products)
        torch.backends.cudnn.allow_tf32 = convolutions
