"""The seven losses again, in NumPy float64 with plain loops and the formulae as printed: independent of `worker.losses`."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

Array = np.ndarray


def valid_pairs(pred: Array, target: Array, mask: Array) -> Iterator[tuple[float, float]]:
    for index in np.argwhere(mask):
        yield float(pred[tuple(index)]), float(target[tuple(index)])


def l1(pred: Array, target: Array, mask: Array) -> float:
    return math.fsum(abs(y - x) for x, y in valid_pairs(pred, target, mask)) / int(mask.sum())


def l2(pred: Array, target: Array, mask: Array) -> float:
    return math.fsum((y - x) ** 2 for x, y in valid_pairs(pred, target, mask)) / int(mask.sum())


def thresholded(pred: Array, target: Array, mask: Array, threshold: float | None, ratio: float, above: str) -> float:
    errors = [abs(y - x) for x, y in valid_pairs(pred, target, mask)]
    c = threshold if threshold is not None else ratio * max(errors)

    def one(size: float) -> float:
        quadratic = size > c if above == "quadratic" else size < c
        return (size * size + c * c) / (2 * c) if quadratic else size

    return math.fsum(map(one, errors)) / len(errors)


def berhu(pred: Array, target: Array, mask: Array, *, threshold: float | None, threshold_ratio: float) -> float:
    return thresholded(pred, target, mask, threshold, threshold_ratio, above="quadratic")


def huber(pred: Array, target: Array, mask: Array, *, threshold: float | None, threshold_ratio: float) -> float:
    return thresholded(pred, target, mask, threshold, threshold_ratio, above="absolute")


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


def eigengrad(pred: Array, target: Array, mask: Array, *, lam: float) -> float:
    return scale_invariant(pred, target, mask, lam / 2, gradients=True)


def gan(pred: Array, target: Array, mask: Array, *, fake_scores: Array, l1_weight: float) -> float:
    with_depth = [image for image in range(len(mask)) if mask[image].any()]
    squares = [(float(score) - 1) ** 2 for image in with_depth for score in fake_scores[image].ravel()]
    return math.fsum(squares) / len(squares) + l1_weight * l1(pred, target, mask)


REFERENCES = {"l1": l1, "l2": l2, "huber": huber, "berhu": berhu, "eigen": eigen, "eigengrad": eigengrad, "gan": gan}
