"""Structural similarity of depth maps, in Gaussian windows that hold valid pixels alone.

A window's means and variances are sums over its valid pixels divided by the weight of these: what stands at other
pixels cannot matter, and where all are valid it is the usual filter. Filling holes alike in both maps was the other way;
it draws edges that agree round every hole, and calls that similarity.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from depthboard.config.losses import ms_ssim_scales
from depthboard.errors import InvalidInput
from worker.losses.masked import depths, error, full_precision, image_means, mean_of_images

SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
WINDOW_SIGMA, WINDOW_RADIUS = 1.5, 5
ZHAO_SIGMAS = (0.5, 1.0, 2.0, 4.0, 8.0)
KNEE = 0.1
"""Where the logarithm of a similarity goes on along its tangent: a negative one to a fractional power would be nan, and
cut off at 0 (pytorch-msssim) it gives a map that is anti-correlated no gradient."""
EMPTY = 1e-12
"""Below the least weight of one valid pixel in a window, 10⁻⁶."""


def ms_ssim(pred: Tensor, target: Tensor, mask: Tensor, *, data_range: float) -> Tensor:
    """1 − Π_j cs_j^{w_j} l_L^{w_L} (Wang, Simoncelli, Bovik 2003, eq. 7) of each image, then the mean over images; in [0, 1].

    L scales: the largest, up to 5, with 10·2^(L−1) below the smaller side; the first L of 5 weights, raised to the sum of all (1.0001). Windows of 11×11
    (σ 1.5) that lie within the image, each counted by the weight of its valid pixels; between scales the mean of the valid
    pixels of 2×2. `data_range` in metres sets C₁ and C₂. A mean similarity below 0.1 enters through the tangent of the
    logarithm there. Raises InvalidInput where a side has 10 pixels or fewer.
    """
    scales = ms_ssim_scales(pred.shape[-2], pred.shape[-1])
    if scales == 0:
        raise InvalidInput(f"ms_ssim needs more than 10 pixels a side, not {pred.shape[-2]}×{pred.shape[-1]}.")
    pair = _paired(pred, target, mask)
    factors = []
    for scale in range(scales):
        luminance, contrast, mass = _similarity(pair, data_range, WINDOW_SIGMA, WINDOW_RADIUS)
        factors.append(_mean_of_windows(contrast if scale < scales - 1 else luminance * contrast, mass))
        pair = pair.halved()
    raised = sum(SCALE_WEIGHTS) / sum(SCALE_WEIGHTS[:scales])
    weighted = [raised * weight * _logarithm(factor) for weight, factor in zip(SCALE_WEIGHTS, factors, strict=False)]
    return mean_of_images(1 - torch.exp(torch.stack(weighted).sum(dim=0)), mask)


def l1_ms_ssim(pred: Tensor, target: Tensor, mask: Tensor, *, data_range: float, alpha: float) -> Tensor:
    """α (1 − l Π_σ cs_σ) + (1 − α) G_8 * |l|/R at each valid pixel, its mean over each image, then over images (Zhao et al. 2017, eq. 12–13).

    Gaussians of σ = 0.5, 1, 2, 4, 8 px at full resolution, cut at 4σ; luminance and the smoothing of |l| (metres, R = `data_range`) with the
    widest; all exponents 1. The authors' code (NVlabs/PL4NN) has α = 0.025 and evaluates one patch at its centre; kornia copies that α,
    multiplies by 200 and pads with zeros. Dividing by R is the paper's [0, 1] and kornia's.
    """
    pair = _paired(pred, target, mask)
    product = torch.ones_like(pair.x)
    for sigma in ZHAO_SIGMAS:
        radius = int(4 * sigma + 0.5)
        luminance, contrast, mass = _similarity(pair, data_range, sigma, radius, beyond=True)
        product = product * contrast
    smooth = _blurred(error(pred, target, mask).abs(), sigma, radius, beyond=True) / mass.clamp(min=EMPTY)
    pixels = alpha * (1 - luminance * product) + (1 - alpha) * smooth / data_range
    return mean_of_images(image_means(pixels, mask), mask)


class _Pair(NamedTuple):
    """Prediction x and target y as `depths` less a constant of each image, 0 outside the mask; the mask as a number."""

    x: Tensor
    y: Tensor
    valid: Tensor
    shift_x: Tensor
    shift_y: Tensor

    def halved(self) -> _Pair:
        """Half the size: the mean of each 2×2 block's valid pixels; valid where one of them is. The last block may be a half one."""
        x, y, share = (functional.avg_pool2d(values, 2, ceil_mode=True) for values in self[:3])
        least = share.clamp(min=EMPTY)
        return self._replace(x=x / least, y=y / least, valid=(share > 0).to(share.dtype))


def _paired(pred: Tensor, target: Tensor, mask: Tensor) -> _Pair:
    """Variances are the same without each map's mean and lose fewer digits: E x² − (E x)² of depths near 10 m has three in float32."""
    pred, target = depths(pred, target, mask)
    shift_x, shift_y = (image_means(values.detach(), mask).view(-1, 1, 1, 1) for values in (pred, target))
    x, y = torch.where(mask, pred - shift_x, 0.0), torch.where(mask, target - shift_y, 0.0)
    return _Pair(x, y, mask.to(x.dtype), shift_x, shift_y)


def _similarity(
    pair: _Pair, data_range: float, sigma: float, radius: int, beyond: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """Luminance l and contrast-structure cs of each window, (B,1,h,w), and the weight of its valid pixels."""
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    x, y = pair.x, pair.y
    maps = torch.cat([pair.valid, x, y, x * x, y * y, x * y], dim=1)
    mass, *sums = _blurred(maps, sigma, radius, beyond).split(1, dim=1)
    mx, my, xx, yy, xy = (total / mass.clamp(min=EMPTY) for total in sums)
    contrast = (2 * (xy - mx * my) + c2) / ((xx - mx * mx) + (yy - my * my) + c2)
    mx, my = mx + pair.shift_x, my + pair.shift_y
    return (2 * mx * my + c1) / (mx * mx + my * my + c1), contrast, mass


def _mean_of_windows(similarity: Tensor, mass: Tensor) -> Tensor:
    """(B,) means, each window counted by the weight of its valid pixels."""
    return (similarity * mass).sum(dim=(1, 2, 3)) / mass.sum(dim=(1, 2, 3)).clamp(min=EMPTY)


def _logarithm(similarity: Tensor) -> Tensor:
    """ln, continued below `KNEE` along its tangent: finite, rising, with a gradient also where the similarity is negative."""
    tangent = math.log(KNEE) + (similarity - KNEE) / KNEE
    return torch.where(similarity > KNEE, similarity.clamp(min=KNEE).log(), tangent)


def _windows(like: Tensor, side: int, sigma: float, radius: int, beyond: bool) -> Tensor:
    """(windows, side): the weights of the Gaussian windows along one side, those that lie within it or, `beyond`, one round every pixel.

    As a product with this matrix a wide window costs what a narrow one does; convolutions of up to 65 taps took three times as long on a CPU.
    """
    pixels = torch.arange(side, dtype=like.dtype, device=like.device)
    centres = pixels if beyond else pixels[radius : side - radius]
    steps = pixels - centres.view(-1, 1)
    weights = torch.where(steps.abs() <= radius, torch.exp(-0.5 * (steps / sigma).square()), 0.0)
    return weights / sum(math.exp(-0.5 * (step / sigma) ** 2) for step in range(-radius, radius + 1))


def _blurred(maps: Tensor, sigma: float, radius: int, beyond: bool) -> Tensor:
    rows, columns = (_windows(maps, side, sigma, radius, beyond) for side in maps.shape[-2:])
    with full_precision(maps):
        return rows @ maps @ columns.T
