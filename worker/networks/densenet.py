"""The DenseNet encoder of D3-Net (Huang et al. 2017; Carvalho et al. 2018), with torchvision's parameter names under `features.`"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from worker.networks.convolution import Conv2d


class DenseLayer(nn.Module):
    """BN-ReLU-1×1-BN-ReLU-3×3 with `bottleneck` × `growth` channels between, its `growth` channels appended to the input's."""

    def __init__(self, channels: int, growth: int, bottleneck: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv1 = nn.Conv2d(channels, bottleneck * growth, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(bottleneck * growth)
        self.conv2 = Conv2d(bottleneck * growth, growth, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        new = self.conv1(relu(self.norm1(x), inplace=True))
        new = self.conv2(relu(self.norm2(new), inplace=True))
        return torch.cat([x, new], dim=1)


class DenseBlock(nn.Sequential):
    """`layers` dense layers: channels grow by `layers` × `growth`."""

    def __init__(self, channels: int, layers: int, growth: int, bottleneck: int) -> None:
        super().__init__()
        for i in range(layers):
            self.add_module(f"denselayer{i + 1}", DenseLayer(channels + i * growth, growth, bottleneck))


class Transition(nn.Sequential):
    """BN-ReLU-1×1 to half the channels. torchvision's pool is left to the encoder: the skip connection is taken before it."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.add_module("norm", nn.BatchNorm2d(channels))
        self.add_module("relu", nn.ReLU(inplace=True))
        self.add_module("conv", nn.Conv2d(channels, channels // 2, 1, bias=False))


class DenseEncoder(nn.Module):
    """(B,3,H,W) to five feature maps of 1/2, 1/4 … 1/32 the size, with `channels` each.

    A stem of stride 2; a 4×4 convolution of stride 2 where torchvision max-pools; four dense blocks with a transition
    and a 2×2 mean pool between them. The maps are the stem's, the three transitions' before their pools, and the last
    block's. The stem and the ends use LeakyReLU 0.2, as the authors' code does.
    """

    def __init__(self, stem: int, kernel: int, growth: int, bottleneck: int, layers: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.features = nn.ModuleDict(
            {
                "conv0": nn.Conv2d(3, stem, kernel, stride=2, padding=kernel // 2, bias=False),
                "norm0": nn.BatchNorm2d(stem),
                "downconv0": Conv2d(stem, stem, 4, stride=2, padding=1, bias=False),
                "downnorm0": nn.BatchNorm2d(stem),
            }
        )
        channels, skips = stem, [stem]
        for i, count in enumerate(layers, start=1):
            self.features[f"denseblock{i}"] = DenseBlock(channels, count, growth, bottleneck)
            channels += count * growth
            if i < len(layers):
                self.features[f"transition{i}"] = Transition(channels)
                channels //= 2
                skips.append(channels)
        self.features["norm5"] = nn.BatchNorm2d(channels)
        self.activation = nn.LeakyReLU(0.2)
        self.pool = nn.AvgPool2d(2)
        self.channels = (*skips, channels)

    def forward(self, image: Tensor) -> list[Tensor]:
        layers = self.features
        maps = [self.activation(layers["norm0"](layers["conv0"](image)))]
        x = self.activation(layers["downnorm0"](layers["downconv0"](maps[0])))
        for i in (1, 2, 3):
            maps.append(layers[f"transition{i}"](layers[f"denseblock{i}"](x)))
            x = self.pool(maps[-1])
        return [*maps, self.activation(layers["norm5"](layers["denseblock4"](x)))]
