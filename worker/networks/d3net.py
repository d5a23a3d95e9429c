"""D3-Net (Carvalho et al. 2018): an encoder, skip connections into five up-convolution blocks, and a tanh that stands for 0–10 m."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from depthboard.errors import InvalidInput
from depthboard.metrics import METRES_PER_UNIT
from worker.networks.convolution import Conv2d, ConvTranspose2d
from worker.networks.densenet import DenseEncoder
from worker.networks.resnet import ResNetEncoder

MULTIPLE = 32
"""The encoder halves the sides five times."""


class UpBlock(nn.Sequential):
    """Twice the size: ConvTranspose 4×4 of stride 2 – BN – [Dropout] – ReLU – 3×3 – BN – [Dropout] – ReLU."""

    def __init__(self, channels: int, out: int, dropout: float) -> None:
        drop = [nn.Dropout(dropout)] if dropout else []
        super().__init__(
            ConvTranspose2d(channels, out, 4, stride=2, padding=1),
            nn.BatchNorm2d(out),
            *drop,
            nn.ReLU(inplace=True),
            Conv2d(out, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            *drop,
            nn.ReLU(inplace=True),
        )


class D3Net(nn.Module):
    """(B,3,H,W) RGB in −1..1 to (B,1,H,W) depth in metres, 0..10, float32. H and W are multiples of 32.

    `widths` are the output channels of the up blocks, the deepest first. Dropout acts in the two deepest. After
    `add_scale_head` the output is (B,2,H,W): the second channel is the log of the error's expected size.
    Raises InvalidInput, naming the side, for an input whose sides are not multiples of 32.
    """

    def __init__(
        self,
        encoder: DenseEncoder | ResNetEncoder,
        widths: tuple[int, int, int, int, int],
        *,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        *skips, channels = encoder.channels
        self.up = nn.ModuleList()
        for i, (out, skip) in enumerate(zip(widths, [*reversed(skips), 0], strict=True)):
            self.up.append(UpBlock(channels, out, dropout if i < 2 else 0.0))
            channels = out + skip
        self.last = nn.Conv2d(channels, 1, 3, padding=1, bias=False)
        self.scale: nn.Conv2d | None = None

    def add_scale_head(self) -> None:
        """A second output for losses that learn how far to trust the first (Kendall and Gal 2017): 0 everywhere before training."""
        self.scale = nn.Conv2d(self.last.in_channels, 1, 3, padding=1)
        nn.init.zeros_(self.scale.weight)
        assert self.scale.bias is not None
        nn.init.zeros_(self.scale.bias)

    def forward(self, image: Tensor) -> Tensor:
        x = self.features(image)
        _keep_layout(x)
        with torch.autocast(image.device.type, enabled=False):
            wide = x.float()  # a bfloat16 head would make stairs of centimetres
            depth = METRES_PER_UNIT * (torch.tanh(self.last(wide)) + 1)
            return depth if self.scale is None else torch.cat([depth, self.scale(wide)], dim=1)

    def features(self, image: Tensor) -> Tensor:
        """(B,C,H,W), what the last convolution sees."""
        check_sides(image.shape[-2], image.shape[-1])
        *skips, x = self.encoder(image)
        for block in self.up:
            x = block(x)
            if skips:
                x = torch.cat([skips.pop(), x], dim=1)
        out: Tensor = x
        return out


def _keep_layout(x: Tensor) -> None:
    """Give x's gradient x's layout. The single channel of the output has none, so the last convolution's backward
    pass would fall back to channels first, and every layer before it would mix the two: half as fast again on a CPU.
    """
    if x.requires_grad and x.is_contiguous(memory_format=torch.channels_last):
        x.register_hook(_channels_last)


def _channels_last(gradient: Tensor) -> Tensor:
    return gradient.contiguous(memory_format=torch.channels_last)


def check_sides(height: int, width: int) -> None:
    """Raises InvalidInput unless both sides are multiples of 32."""
    wrong = [(name, side) for name, side in (("height", height), ("width", width)) if side % MULTIPLE or side == 0]
    if wrong:
        named = " and ".join(f"the {name} {side}" for name, side in wrong)
        raise InvalidInput(
            f"The network halves its input five times, so {named} cannot be used: it must be a multiple of {MULTIPLE}.",
            field=f"data.{wrong[0][0]}",
            remedy="Use " + ", ".join(f"data.{name} {nearest(side)}" for name, side in wrong) + ".",
        )


def nearest(side: int) -> int:
    """The multiple of 32 nearest to a side, at least 32."""
    return max(1, (side + MULTIPLE // 2) // MULTIPLE) * MULTIPLE
