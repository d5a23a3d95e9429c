"""LPIPS in NumPy float64, layer by layer from the list of layers of each paper: independent of torch's modules."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view

Array = np.ndarray

# (kind, number of the parameters in torchvision, stride, padding); * marks the layers that LPIPS compares.
ALEX = "conv 0 4 2 * pool conv 3 1 2 * pool conv 6 1 1 * conv 8 1 1 * conv 10 1 1 *"
VGG = (
    "conv 0 1 1 conv 2 1 1 * half conv 5 1 1 conv 7 1 1 * half conv 10 1 1 conv 12 1 1 conv 14 1 1 * half "
    "conv 17 1 1 conv 19 1 1 conv 21 1 1 * half conv 24 1 1 conv 26 1 1 conv 28 1 1 *"
)
SQUEEZE = "conv 0 2 0 * ceil fire 3 fire 4 * ceil fire 6 fire 7 * ceil fire 9 * fire 10 * fire 11 * fire 12 *"
LAYERS = {"alex": ALEX, "vgg": VGG, "squeeze": SQUEEZE}


def convolved(x: Array, weight: Array, bias: Array, stride: int, padding: int) -> Array:
    """(C,H,W) to (K,h,w), rectified."""
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    windows = sliding_window_view(x, weight.shape[2:], axis=(1, 2))[:, ::stride, ::stride]
    return np.maximum(np.einsum("chwij,kcij->khw", windows, weight, optimize=True) + bias[:, None, None], 0)


def pooled(x: Array, side: int, ceil: bool) -> Array:
    """Maxima of windows of `side` every 2 pixels; with `ceil` also of a last window that reaches over the edge."""
    if ceil:
        x = np.pad(x, ((0, 0), *((0, -(length - side) % 2) for length in x.shape[1:])), constant_values=-np.inf)
    return sliding_window_view(x, (side, side), axis=(1, 2))[:, ::2, ::2].max(axis=(3, 4))


@cache
def parameters(file: str) -> dict[str, Array]:
    return {name: value.double().numpy() for name, value in torch.load(file, weights_only=True).items()}


def features(x: Array, net: str, file: str) -> list[Array]:
    made, words, state = [], iter(LAYERS[net].split()), parameters(file)

    def conv(x: Array, name: str, stride: int, padding: int) -> Array:
        return convolved(x, state[f"features.{name}.weight"], state[f"features.{name}.bias"], stride, padding)

    for word in words:
        if word == "*":
            made.append(x)
        elif word == "conv":
            x = conv(x, next(words), int(next(words)), int(next(words)))
        elif word == "fire":
            number = next(words)
            x = conv(x, f"{number}.squeeze", 1, 0)
            x = np.concatenate([conv(x, f"{number}.expand1x1", 1, 0), conv(x, f"{number}.expand3x3", 1, 1)])
        else:
            x = pooled(x, 2 if word == "half" else 3, word == "ceil")
    return made


def channel_weights(net: str) -> list[Array]:
    package = Path(importlib.util.find_spec("torchmetrics").origin).parent  # type: ignore[union-attr, arg-type]
    file = package / "functional" / "image" / "lpips_models" / f"{net}.pth"
    state = torch.load(file, weights_only=True, map_location="cpu")
    return [state[f"lin{i}.model.1.weight"].double().numpy().ravel() for i in range(len(state))]


def picture(depth: Array) -> Array:
    """(H,W) metres to the three channels that the trunk is given."""
    grey = 2 * depth / 10 - 1
    return np.stack([(grey + 0.030) / 0.458, (grey + 0.088) / 0.448, (grey + 0.188) / 0.450])


def lpips(pred: Array, target: Array, mask: Array, *, net: str, weights: str) -> float:
    values = []
    for x, y, m in zip(pred[:, 0], target[:, 0], mask[:, 0], strict=True):
        if not m.any():
            continue
        hole: Any = y[m].mean()
        pairs = zip(*(features(picture(np.where(m, v, hole)), net, weights) for v in (x, y)), strict=True)
        total = 0.0
        for (a, b), w in zip(pairs, channel_weights(net), strict=True):
            unit = [f / np.sqrt((f**2).sum(axis=0) + 1e-10) for f in (a, b)]
            total += float((w[:, None, None] * (unit[0] - unit[1]) ** 2).sum(axis=0).mean())
        values.append(total)
    return float(np.mean(values))
