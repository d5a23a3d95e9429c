"""The PatchGAN discriminator of the adversarial loss (Isola et al. 2017), conditional on the image and without normalisation layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Discriminator(nn.Module):
    """Depth (B,1,H,W) and RGB (B,3,H,W), both in −1..1, to a map of scores (B,1,h,w), one a patch, without a sigmoid.

    4×4 convolutions with padding 1: `n_layers` of stride 2, then two of stride 1. With 2 and width 64 a score sees
    34×34 pixels and 256×320 gives 62×78, the paper's map; pix2pix's usual 3 would see 70×70.
    """

    def __init__(self, n_layers: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(4, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for i in range(1, n_layers + 1):
            stride = 2 if i < n_layers else 1
            before, after = width * min(2 ** (i - 1), 8), width * min(2**i, 8)
            layers += [nn.Conv2d(before, after, 4, stride=stride, padding=1, bias=False), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(width * min(2**n_layers, 8), 1, 4, padding=1))

    def forward(self, depth: Tensor, image: Tensor) -> Tensor:
        scores: Tensor = self.layers(torch.cat([depth, image], dim=1))
        return scores
