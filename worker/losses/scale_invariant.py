"""Losses on the error d = ln target − ln pred, as published; what the authors' code computes instead is in `released`."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from worker.losses.masked import differences, image_means, log_error, mean, mean_of_images

ROOT_FLOOR = 1e-6
"""Inside the root of `silog_sqrt`: its gradient at a perfect prediction is 0 instead of nan, and fades where d is below 0.1 %."""


def eigen(pred: Tensor, target: Tensor, mask: Tensor, *, lam: float) -> Tensor:
    """Mean d² − λ (mean d)² (Eigen et al. 2014, eq. 4), of each image, then the mean over the images that have a valid pixel.

    A prediction 1.3 times too deep costs (1 − λ) ln² 1.3: 0.0344 at λ = 0.5.
    """
    return mean_of_images(_scale_error(log_error(pred, target, mask), mask, lam), mask)


def eigengrad(
    pred: Tensor, target: Tensor, mask: Tensor, *, lam: float, convention: Literal["carvalho", "eigen_fergus"]
) -> Tensor:
    """Mean d² − κ (mean d)² + mean (∇x d)² + mean (∇y d)² of each image, then the mean over images.

    κ is λ/2 as Carvalho et al. 2018 print it, or λ, which with 0.5 is Eigen and Fergus 2015 (eq. 1). The gradients are
    forward differences, counted where both pixels are valid; each direction is divided by its own number of such
    differences.
    """
    d = log_error(pred, target, mask)
    factor = lam / 2 if convention == "carvalho" else lam
    return mean_of_images(_scale_error(d, mask, factor) + _slope(d, mask, -1) + _slope(d, mask, -2), mask)


def silog_sqrt(pred: Tensor, target: Tensor, mask: Tensor, *, form: Literal["bts", "adabins"], lam: float) -> Tensor:
    """10 √(mean d² − λ (mean d)² + 10⁻⁶) over all valid pixels of the batch (Lee et al. 2019, eq. 4, λ = 0.85).

    `adabins` (Bhat et al. 2021) divides the variance by n − 1, as torch.var does: 10 √(var d + (1 − λ)(mean d)² + 10⁻⁶).
    Both codes leave out the 10⁻⁶; BTS drops targets below 0.1 m, which here is the mask's affair.
    """
    d = log_error(pred, target, mask)
    average = mean(d, mask)
    n = mask.sum()
    squares = torch.where(mask, (d - average).square(), 0.0).sum()
    variance = squares / (n - 1 if form == "adabins" else n).clamp(min=1)
    root = 10 * (variance + (1 - lam) * average.square() + ROOT_FLOOR).sqrt()
    return torch.where(n > 0, root, root * 0)


def _scale_error(d: Tensor, mask: Tensor, lam: float) -> Tensor:
    """(B,) mean d² − λ (mean d)², as variance + (1 − λ) mean²: the difference of two near equal numbers would cancel in float32."""
    average = image_means(d, mask)
    centred = d - average.view(-1, 1, 1, 1)
    return image_means(centred.square(), mask) + (1 - lam) * average.square()


def _slope(d: Tensor, mask: Tensor, axis: int) -> Tensor:
    """(B,) mean squared forward difference along an axis, over the pairs of neighbours that are both valid."""
    step, both = differences(d, mask, axis)
    return image_means(step.square(), both)
