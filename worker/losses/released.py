"""What the authors' code computes where it differs from the paper: `EigenLoss` and `EigenGradLoss` of
github.com/marcelampc/d3net_depth_estimation, pytorch/util/loss_bank.py.

Both average over all N pixels of the batch, invalid ones with d = 0, and divide the square of the mean error by N²
although it is a mean already. Only ln 0 is not theirs: depths are clamped at 1 mm first. Their mask in eigengrad,
0.5 m and farther, is here the mask of the data.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from worker.losses.masked import log_error


def eigen_as_released(pred: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean d² − 0.5/N² (mean d)² over all N pixels of the batch: a prediction 1.3 times too deep costs ln² 1.3 = 0.0688."""
    return _scale_error(log_error(pred, target, mask))


def eigengrad_as_released(pred: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """`eigen_as_released` + mean [(Sx d)² + (Sy d)²], S the unnormalised 3×3 Sobel filters on d padded with zeros, kept at valid pixels
    (d3net_depth_estimation, loss_bank.py).

    A unit ramp of d gives S = 8 where a forward difference is 1; a constant d of 1 gives 4 along the border.
    """
    d = log_error(pred, target, mask)
    framed = functional.pad(d, (1, 1, 1, 1))
    slopes = (_smooth(_slope(framed, axis), other) for axis, other in ((-1, -2), (-2, -1)))
    across, down = (torch.where(mask, slope, 0.0).square() for slope in slopes)
    return _scale_error(d) + (across + down).mean()


def _slope(values: Tensor, axis: int) -> Tensor:
    """[−1 0 1] along an axis, without the first and the last."""
    inner = values.shape[axis] - 2
    return values.narrow(axis, 2, inner) - values.narrow(axis, 0, inner)


def _smooth(values: Tensor, axis: int) -> Tensor:
    """[1 2 1] along an axis, without the first and the last."""
    inner = values.shape[axis] - 2
    return values.narrow(axis, 0, inner) + 2 * values.narrow(axis, 1, inner) + values.narrow(axis, 2, inner)


def _scale_error(d: Tensor) -> Tensor:
    return d.square().mean() - 0.5 / d.numel() ** 2 * d.mean().square()
