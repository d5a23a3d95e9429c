"""The ResNet encoder of the paper's comparison (He et al. 2016), with torchvision's parameter names."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor, nn
from torch.nn.functional import relu


class Bottleneck(nn.Module):
    """1×1, 3×3 (with the stride, as in torchvision), 1×1 to four times `width`; added to the input and rectified."""

    expansion: ClassVar[int] = 4

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, width * self.expansion, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width * self.expansion)
        self.downsample = shortcut(channels, width * self.expansion, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = relu(self.bn1(self.conv1(x)), inplace=True)
        out = relu(self.bn2(self.conv2(out)), inplace=True)
        out = self.bn3(self.conv3(out))
        return relu(out + (x if self.downsample is None else self.downsample(x)), inplace=True)


class BasicBlock(nn.Module):
    """Two 3×3 convolutions, the first with the stride; added to the input and rectified: the block of ResNet-18."""

    expansion: ClassVar[int] = 1

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = shortcut(channels, width, stride)

    def forward(self, x: Tensor) -> Tensor:
        out = relu(self.bn1(self.conv1(x)), inplace=True)
        out = self.bn2(self.conv2(out))
        return relu(out + (x if self.downsample is None else self.downsample(x)), inplace=True)


def shortcut(channels: int, out: int, stride: int) -> nn.Sequential | None:
    """A 1×1 convolution with BN where the block changes size or width, else nothing."""
    if channels == out and stride == 1:
        return None
    return nn.Sequential(nn.Conv2d(channels, out, 1, stride=stride, bias=False), nn.BatchNorm2d(out))


class ResNetEncoder(nn.Module):
    """(B,3,H,W) to five feature maps of 1/2, 1/4 … 1/32 the size, with `channels` each: the stem's and those of
    layer1..4.

    The stem has stride 2; a 4×4 convolution of stride 2, with bias, stands where torchvision max-pools.
    """

    def __init__(
        self,
        block: type[Bottleneck] | type[BasicBlock],
        stem: int,
        kernel: int,
        widths: tuple[int, int, int, int],
        depths: tuple[int, int, int, int],
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, stem, kernel, stride=2, padding=kernel // 2, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        self.downconv1 = nn.Conv2d(stem, stem, 4, stride=2, padding=1)
        self.downbn1 = nn.BatchNorm2d(stem)
        channels = [stem]
        for i, (width, depth) in enumerate(zip(widths, depths, strict=True), start=1):
            stride = 1 if i == 1 else 2
            blocks = [block(channels[-1], width, stride)]
            blocks += [block(width * block.expansion, width, 1) for _ in range(depth - 1)]
            self.add_module(f"layer{i}", nn.Sequential(*blocks))
            channels.append(width * block.expansion)
        self.channels = tuple(channels)

    def forward(self, image: Tensor) -> list[Tensor]:
        maps = [relu(self.bn1(self.conv1(image)), inplace=True)]
        x = relu(self.downbn1(self.downconv1(maps[0])), inplace=True)
        for i in (1, 2, 3, 4):
            x = self.get_submodule(f"layer{i}")(x)
            maps.append(x)
        return maps
