"""The losses again, in NumPy and SciPy float64 with plain loops and the formulae as printed: independent of `worker.losses`.

LPIPS has a file of its own, `reference_lpips`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from scipy import ndimage

from tests.worker.losses.reference_lpips import lpips

Array = np.ndarray


def valid_pairs(pred: Array, target: Array, mask: Array) -> Iterator[tuple[float, float]]:
    for index in np.argwhere(mask):
        yield float(pred[tuple(index)]), float(target[tuple(index)])


def per_unit(unit: str) -> float:
    return {"metre": 1.0, "network": 1 / 5}[unit]


def l1(pred: Array, target: Array, mask: Array, *, unit: str) -> float:
    total = math.fsum(abs(y - x) for x, y in valid_pairs(pred, target, mask))
    return total / int(mask.sum()) * per_unit(unit)


def l2(pred: Array, target: Array, mask: Array, *, unit: str) -> float:
    total = math.fsum((y - x) ** 2 for x, y in valid_pairs(pred, target, mask))
    return total / int(mask.sum()) * per_unit(unit) ** 2


def thresholded(
    pred: Array,
    target: Array,
    mask: Array,
    one: Callable[[float, float], float],
    *,
    threshold: float | None,
    threshold_ratio: float,
    unit: str,
) -> float:
    errors = [abs(y - x) * per_unit(unit) for x, y in valid_pairs(pred, target, mask)]
    c = threshold if threshold is not None else threshold_ratio * max(errors)
    return math.fsum(one(size, c) for size in errors) / len(errors)


def berhu(pred: Array, target: Array, mask: Array, **parameters: Any) -> float:
    return thresholded(pred, target, mask, lambda e, c: (e * e + c * c) / (2 * c) if e > c else e, **parameters)


def huber(pred: Array, target: Array, mask: Array, **parameters: Any) -> float:
    return thresholded(pred, target, mask, lambda e, c: (e * e + c * c) / (2 * c) if e < c else e, **parameters)


def huber_textbook(pred: Array, target: Array, mask: Array, **parameters: Any) -> float:
    return thresholded(pred, target, mask, lambda e, c: e * e / 2 if e < c else c * (e - c / 2), **parameters)


def log_differences(pred: Array, target: Array, mask: Array) -> Array:
    d = np.full(pred.shape, np.nan)
    for index in map(tuple, np.argwhere(mask)):
        d[index] = math.log(target[index]) - math.log(max(pred[index], 1e-3))
    return d


def squared_steps(d: Array, axis: int) -> float:
    """Mean squared step between neighbours that are both valid in one (H,W) image; 0 without such a pair."""
    rows, columns = d.shape
    steps = []
    for i in range(rows):
        for j in range(columns):
            k, m = (i + 1, j) if axis == 0 else (i, j + 1)
            if k < rows and m < columns and not math.isnan(d[i, j]) and not math.isnan(d[k, m]):
                steps.append((d[k, m] - d[i, j]) ** 2)
    return math.fsum(steps) / len(steps) if steps else 0.0


def scale_invariant(pred: Array, target: Array, mask: Array, lam: float, gradients: bool) -> float:
    images = []
    for d in log_differences(pred, target, mask)[:, 0]:
        valid = d[~np.isnan(d)]
        if len(valid) == 0:
            continue
        n = len(valid)
        value = math.fsum(valid**2) / n - lam / n**2 * math.fsum(valid) ** 2
        images.append(value + (squared_steps(d, 0) + squared_steps(d, 1) if gradients else 0.0))
    return math.fsum(images) / len(images)


def eigen(pred: Array, target: Array, mask: Array, *, lam: float) -> float:
    return scale_invariant(pred, target, mask, lam, gradients=False)


def eigengrad(pred: Array, target: Array, mask: Array, *, lam: float, convention: str) -> float:
    return scale_invariant(pred, target, mask, lam / 2 if convention == "carvalho" else lam, gradients=True)


def gan(
    pred: Array,
    target: Array,
    mask: Array,
    *,
    fake_scores: Array,
    l1_weight: float,
    unit: str,
    adversarial_weight: float,
) -> float:
    with_depth = [image for image in range(len(mask)) if mask[image].any()]
    squares = [(float(score) - 1) ** 2 for image in with_depth for score in fake_scores[image].ravel()]
    return adversarial_weight * math.fsum(squares) / len(squares) + l1_weight * l1(pred, target, mask, unit=unit)


def eigen_as_released(pred: Array, target: Array, mask: Array) -> float:
    d = np.nan_to_num(log_differences(pred, target, mask))
    n = d.size
    return math.fsum(d.ravel() ** 2) / n - (math.fsum(d.ravel()) / n) ** 2 * 0.5 / (n * n)


def eigengrad_as_released(pred: Array, target: Array, mask: Array) -> float:
    d = np.nan_to_num(log_differences(pred, target, mask))
    total = 0.0
    for image, valid in zip(d[:, 0], mask[:, 0], strict=True):
        for axis in (0, 1):  # a derivative [-1 0 1] along one axis, a smoothing [1 2 1] along the other
            slope = ndimage.correlate1d(image, [-1.0, 0.0, 1.0], axis=axis, mode="constant")
            sobel = ndimage.correlate1d(slope, [1.0, 2.0, 1.0], axis=1 - axis, mode="constant")
            total += math.fsum((sobel[valid]) ** 2)
    return eigen_as_released(pred, target, mask) + total / d.size


def kendall_gal(pred: Array, target: Array, mask: Array, *, log_scale: Array, form: str) -> float:
    total = []
    for (x, y), s in zip(valid_pairs(pred, target, mask), log_scale[mask], strict=True):
        s = min(max(float(s), -7.0), 7.0)
        total.append((y - x) ** 2 / (2 * math.exp(s)) + s / 2 if form == "gaussian" else abs(y - x) / math.exp(s) + s)
    return math.fsum(total) / len(total)


def silog_sqrt(pred: Array, target: Array, mask: Array, *, form: str, lam: float) -> float:
    d = log_differences(pred, target, mask)[mask]
    if form == "bts":
        return 10 * math.sqrt(np.mean(d**2) - lam * np.mean(d) ** 2 + 1e-6)
    return 10 * math.sqrt((np.var(d, ddof=1) if len(d) > 1 else 0) + (1 - lam) * np.mean(d) ** 2 + 1e-6)


def gradient_matching(pred: Array, target: Array, mask: Array, *, scales: int) -> float:
    value = 0.0
    for k in range(scales):
        grid = np.where(mask, target - pred, np.nan)[:, 0, :: 2**k, :: 2**k]
        if np.isfinite(grid).any():
            steps = [np.nansum(np.abs(np.diff(grid, axis=axis))) for axis in (1, 2)]
            value += sum(steps) / np.isfinite(grid).sum()
    return value


def smoothed(values: Array, weights: Array, sigma: float, radius: int) -> tuple[Array, Array]:
    """Means of `values` in Gaussian windows of (H,W), weighted, and the weight of each window."""
    blur = partial(ndimage.gaussian_filter, sigma=sigma, truncate=radius / sigma, mode="constant")
    mass = blur(weights)
    return np.divide(blur(np.where(weights > 0, values, 0.0)), mass, out=np.zeros_like(mass), where=mass > 0), mass


def similarity(
    x: Array, y: Array, valid: Array, sigma: float, radius: int, data_range: float
) -> tuple[Array, Array, Array]:
    """Luminance, contrast-structure and weight of the window round each pixel of (H,W)."""
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    (mx, mass), (my, _) = (smoothed(v, valid, sigma, radius) for v in (x, y))
    xx, yy, xy = (smoothed(v, valid, sigma, radius)[0] for v in (x * x, y * y, x * y))
    contrast = (2 * (xy - mx * my) + c2) / (xx - mx**2 + yy - my**2 + c2)
    return (2 * mx * my + c1) / (mx**2 + my**2 + c1), contrast, mass


def halved(values: Array, valid: Array) -> Array:
    """Means of the valid pixels of 2 × 2 blocks, nan without one; the last row or column may be a half block."""
    rows, columns = values.shape
    made = np.full(((rows + 1) // 2, (columns + 1) // 2), np.nan)
    for i, j in np.ndindex(made.shape):
        block = np.s_[2 * i : 2 * i + 2, 2 * j : 2 * j + 2]
        if valid[block].any():
            made[i, j] = values[block][valid[block]].mean()
    return made


def multiscale(x: Array, y: Array, valid: Array, data_range: float) -> float:
    """MS-SSIM of one (H,W) image."""
    weights = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
    scales = max(n for n in range(1, 6) if 10 * 2 ** (n - 1) < min(x.shape))
    exponent = math.fsum(weights) / math.fsum(weights[:scales])
    value = 1.0
    for scale in range(scales):
        luminance, contrast, mass = (
            values[5:-5, 5:-5] for values in similarity(x, y, valid.astype(float), 1.5, 5, data_range)
        )
        shown = luminance * contrast if scale == scales - 1 else contrast
        mean = (shown * mass).sum() / mass.sum()
        power = weights[scale] * exponent
        value *= mean**power if mean > 0.1 else math.exp(power * (math.log(0.1) + (mean - 0.1) / 0.1))
        x, y = halved(x, valid), halved(y, valid)
        valid = ~np.isnan(x)
        x, y = np.nan_to_num(x), np.nan_to_num(y)
    return value


def ms_ssim(pred: Array, target: Array, mask: Array, *, data_range: float) -> float:
    images = zip(pred[:, 0], target[:, 0], mask[:, 0], strict=True)
    return float(np.mean([1 - multiscale(x, y, m, data_range) for x, y, m in images if m.any()]))


def l1_ms_ssim(pred: Array, target: Array, mask: Array, *, data_range: float, alpha: float) -> float:
    values = []
    for x, y, m in zip(pred[:, 0], target[:, 0], mask[:, 0], strict=True):
        product, valid = np.ones_like(x), m.astype(float)
        for sigma, radius in ((0.5, 2), (1, 4), (2, 8), (4, 16), (8, 32)):
            luminance, contrast, _ = similarity(x, y, valid, sigma, radius, data_range)
            product = product * contrast
        absolute = smoothed(np.abs(y - x), valid, 8, 32)[0] / data_range
        if m.any():
            values.append((alpha * (1 - luminance * product) + (1 - alpha) * absolute)[m].mean())
    return float(np.mean(values))


REFERENCES: dict[str, Callable[..., float]] = {
    "l1": l1,
    "l2": l2,
    "huber": huber,
    "berhu": berhu,
    "eigen": eigen,
    "eigengrad": eigengrad,
    "gan": gan,
    "huber_textbook": huber_textbook,
    "eigen_as_released": eigen_as_released,
    "eigengrad_as_released": eigengrad_as_released,
    "ms_ssim": ms_ssim,
    "l1_ms_ssim": l1_ms_ssim,
    "lpips": lpips,
    "kendall_gal": kendall_gal,
    "silog_sqrt": silog_sqrt,
    "gradient_matching": gradient_matching,
}
