"""Losses on the error d = ln target − ln pred of each image, then the mean over the images that have a valid pixel.

The authors' released code divides the squared mean by n² once more, which leaves plain mean squared log error; these
are the formulae as published.
"""

from __future__ import annotations

from torch import Tensor

from worker.losses.masked import image_means, log_error, mean_of_images


def eigen(pred: Tensor, target: Tensor, mask: Tensor, *, lam: float) -> Tensor:
    """Mean d² − λ (mean d)² (Eigen et al. 2014). A prediction 1.3 times too deep costs (1 − λ) ln² 1.3: 0.0344 at λ = 0.5."""
    return mean_of_images(_scale_error(log_error(pred, target, mask), mask, lam), mask)


def eigengrad(pred: Tensor, target: Tensor, mask: Tensor, *, lam: float) -> Tensor:
    """Mean d² − λ/2 (mean d)² + mean (∇x d)² + mean (∇y d)² (Carvalho et al. 2018, after Eigen and Fergus 2015).

    The gradients are forward differences, counted where both pixels are valid; each direction is divided by its own
    number of such differences. Eigen and Fergus's factor of 1/2 is λ = 1 here, because Carvalho et al. print λ/2 with
    λ = 0.5.
    """
    d = log_error(pred, target, mask)
    return mean_of_images(_scale_error(d, mask, lam / 2) + _slope(d, mask, -1) + _slope(d, mask, -2), mask)


def _scale_error(d: Tensor, mask: Tensor, lam: float) -> Tensor:
    """(B,) mean d² − λ (mean d)², as variance + (1 − λ) mean²: the difference of two near equal numbers would cancel in float32."""
    mean = image_means(d, mask)
    centred = d - mean.view(-1, 1, 1, 1)
    return image_means(centred.square(), mask) + (1 - lam) * mean.square()


def _slope(d: Tensor, mask: Tensor, axis: int) -> Tensor:
    """(B,) mean squared forward difference along an axis, over the pairs of neighbours that are both valid."""
    pairs = d.shape[axis] - 1
    both = mask.narrow(axis, 1, pairs) & mask.narrow(axis, 0, pairs)
    return image_means((d.narrow(axis, 1, pairs) - d.narrow(axis, 0, pairs)).square(), both)
