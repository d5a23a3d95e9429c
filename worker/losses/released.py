"""What the authors' code computes where it differs from the paper: `EigenLoss` and `EigenGradLoss` of
github.com/marcelampc/d3net_depth_estimation, pytorch/util/loss_bank.py.

Both average over all N pixels of the batch, invalid ones with d = 0, and divide the square of the mean error by N²
although it is a mean already. Only ln 0 is not theirs: depths are clamped at 1 mm first. Their mask in eigengrad,
0.5 m and farther, is here the mask of the data.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from worker.losses.masked import full_precision, log_error

SOBEL = ((-1.0, 0.0, 1.0), (-2.0, 0.0, 2.0), (-1.0, 0.0, 1.0))


def eigen_as_released(pred: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Mean d² − 0.5/N² (mean d)² over all N pixels of the batch: a prediction 1.3 times too deep costs ln² 1.3 = 0.0688."""
    return _scale_error(log_error(pred, target, mask))


def eigengrad_as_released(pred: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """`eigen_as_released` + mean [(Sx d)² + (Sy d)²], S the unnormalised 3×3 Sobel filters on d padded with zeros, kept at valid pixels.

    A unit ramp of d gives S = 8 where a forward difference is 1; a constant d of 1 gives 4 along the border.
    """
    d = log_error(pred, target, mask)
    across = d.new_tensor(SOBEL)
    filters = d.new_zeros(2, 1, 3, 3)
    filters[0, 0], filters[1, 0] = across, across.T
    with full_precision(d):
        gradients = functional.conv2d(d, filters, padding=1) * mask
    return _scale_error(d) + gradients.square().sum(dim=1).mean()


def _scale_error(d: Tensor) -> Tensor:
    return d.square().mean() - 0.5 / d.numel() ** 2 * d.mean().square()
