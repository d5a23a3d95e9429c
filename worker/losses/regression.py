"""Losses on the error l = target − pred, averaged over the valid pixels of the batch.

`unit` is what l counts: metres, or the paper's network units of 5 m (output in [−1, 1] for 0–10 m). The authors' code
multiplies by the mask and averages over all pixels, so that an image with more holes counts less; here the sum is
divided by the number of valid pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from depthboard.config.losses.base import Unit
from worker.losses.masked import error, mean

MIN_THRESHOLD = 1e-6
"""Keeps c away from 0, where (l² + c²)/2c is 0/0: the threshold of a batch without any error."""


def l1(pred: Tensor, target: Tensor, mask: Tensor, *, unit: Unit) -> Tensor:
    """Mean of |l| (Carvalho et al. 2018, Table 1)."""
    return mean(error(pred, target, mask, unit).abs(), mask)


def l2(pred: Tensor, target: Tensor, mask: Tensor, *, unit: Unit) -> Tensor:
    """Mean of l², in the unit squared (Carvalho et al. 2018, Table 1)."""
    return mean(error(pred, target, mask, unit).square(), mask)


def berhu(
    pred: Tensor, target: Tensor, mask: Tensor, *, threshold: float | None, threshold_ratio: float, unit: Unit
) -> Tensor:
    """|l| up to c, (l² + c²)/2c above it (Laina et al. 2016). For c see `_threshold`."""
    size = error(pred, target, mask, unit).abs()
    c = _threshold(size, threshold, threshold_ratio)
    return mean(torch.where(size <= c, size, _parabola(size, c)), mask)


def huber(
    pred: Tensor, target: Tensor, mask: Tensor, *, threshold: float | None, threshold_ratio: float, unit: Unit
) -> Tensor:
    """|l| from c on, (l² + c²)/2c below it: the paper's form (Table 1), c/2 at a perfect prediction. For c see `_threshold`.

    `huber_textbook` is c times this, less c²/2; with a c that changes every batch the two train differently.
    """
    size = error(pred, target, mask, unit).abs()
    c = _threshold(size, threshold, threshold_ratio)
    return mean(torch.where(size >= c, size, _parabola(size, c)), mask)


def huber_textbook(
    pred: Tensor, target: Tensor, mask: Tensor, *, threshold: float | None, threshold_ratio: float, unit: Unit
) -> Tensor:
    """l²/2 up to δ, δ|l| − δ²/2 above it (Huber 1964; `HuberLoss` of the authors' code). For δ see `_threshold`."""
    size = error(pred, target, mask, unit).abs()
    delta = _threshold(size, threshold, threshold_ratio)
    return mean(torch.where(size <= delta, 0.5 * size.square(), delta * size - 0.5 * delta.square()), mask)


def _threshold(size: Tensor, threshold: float | None, threshold_ratio: float) -> Tensor:
    """c in the unit of `size`, a constant of the step: `threshold`, or `threshold_ratio` × the largest |l| of the batch, without a gradient."""
    c = size.detach().max() * threshold_ratio if threshold is None else size.new_full((), threshold)
    return c.clamp(min=MIN_THRESHOLD)


def _parabola(size: Tensor, c: Tensor) -> Tensor:
    return (size.square() + c.square()) / (2 * c)
