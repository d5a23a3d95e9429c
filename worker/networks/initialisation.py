"""Weights before training, from a seed of their own: the same seed gives the same weights, whatever was drawn before."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

Initialisation = Literal["normal", "kaiming"]

STD = 0.02


def initialise(network: nn.Module, seed: int, rule: Initialisation) -> None:
    """Set every parameter and running statistic of a network of convolutions and batch normalisations.

    normal: the authors' rule, convolutions N(0, 0.02), BN weights N(1, 0.02), biases 0. kaiming: convolutions N(0,
    √(2/inputs)), where inputs are those that one output sees (He et al. 2015), BN weights 1, biases 0.

    The small networks take kaiming, because their last convolution has eight inputs, all rectified, and no bias: from
    N(0, 0.02) all its weights soon turn negative, and then no pixel can be predicted beyond 5 m again.
    """
    generator = torch.Generator().manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.reset_running_stats()
            _draw(module.weight, 1.0, STD if rule == "normal" else 0.0, generator)
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            _draw(module.weight, 0.0, _spread(module) if rule == "kaiming" else STD, generator)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def _spread(layer: nn.Conv2d | nn.ConvTranspose2d) -> float:
    height, width = layer.kernel_size
    if isinstance(layer, nn.ConvTranspose2d):
        height, width = height // layer.stride[0], width // layer.stride[1]
    return math.sqrt(2 / (layer.in_channels * height * width))


def _draw(weight: Tensor, mean: float, std: float, generator: torch.Generator) -> None:
    """Drawn apart and then copied: the order of numbers in memory must not depend on the layout of the weight."""
    drawn = torch.randn(weight.shape, generator=generator)
    with torch.no_grad():
        weight.copy_(mean + std * drawn)
