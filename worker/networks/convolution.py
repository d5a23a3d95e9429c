"""Convolutions that train faster on a CPU: the same numbers, but for the order of sums, from other weight gradients.

These networks lie channels last, where all of oneDNN is faster but for the weight gradients of large maps: without the wide vectors of AVX-512 they take two to
three times what they take channels first (torch 2.13 on AVX2, D3-Net at 256×320, batch 4: 2.6 s a step against 1.5 s). Here each tap of a kernel is a matrix product:
with a rim of zeros about every image, a shift by a pixel is one by a row of the (pixels, channels) matrix.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

LARGE = 1_000_000
"""Numbers in an input from which this pays; a map of 64 channels at 64×64 in a batch of 4 has as many."""

convolution = torch.ops.aten.convolution.default
backward = torch.ops.aten.convolution_backward.default


class _Convolve(torch.autograd.Function):
    """aten's convolution: 3×3 of stride 1, or 4×4 of stride 2, plain or transposed, all with a padding of 1."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, how: tuple[Any, ...]) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.how, ctx.bias = how, None if bias is None else [bias.shape[0]]
        out: Tensor = convolution(x, weight, bias, *how)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        (gradient,) = gradients
        into_x = None
        if ctx.needs_input_grad[0]:
            into_x = backward(gradient, x, weight, ctx.bias, *ctx.how, [True, False, False])[0]
        stride, transposed = ctx.how[0][0], ctx.how[3]
        into_weight = tap_products(x, gradient, stride) if transposed else tap_products(gradient, x, stride)
        into_bias = None if ctx.bias is None else gradient.sum(dim=(0, 2, 3))
        return into_x, into_weight, into_bias, None


def tap_products(small: Tensor, wide: Tensor, stride: int) -> Tensor:
    """(S,W,k,k), the sum over pixels of small[y, x] · wide[stride·y + row − 1, stride·x + column − 1] for each row and column of a kernel
    of k = stride + 2, from (B,S,H,W) and (B,W,stride·H,stride·W): the weight gradient of a convolution with padding 1.
    """
    reach = small.shape[-1] + 3  # a row of pixels with its rim, and one more
    inner = _rimmed(small)[reach:-reach].t()
    phases = {
        (y, x): _rimmed(wide[..., y::stride, x::stride]) for y in range(stride) for x in range(stride)
    }  # every stride-th pixel, so that a shift is one by whole pixels of `small`
    side = stride + 2
    made = small.new_empty(side, side, small.shape[1], wide.shape[1])
    for row in range(side):
        for column in range(side):
            (down, y), (right, x) = divmod(row - 1, stride), divmod(column - 1, stride)
            start = reach + down * (reach - 1) + right
            torch.mm(inner, phases[y, x][start : start + inner.shape[1]], out=made[row, column])
    return made.permute(2, 3, 0, 1).contiguous(memory_format=torch.channels_last)


def _rimmed(maps: Tensor) -> Tensor:
    """(B,C,H,W) as (B·(H+2)·(W+2), C) with a rim of zeros about each image."""
    return pad(maps.permute(0, 2, 3, 1), (0, 0, 1, 1, 1, 1)).flatten(0, 2)


class Conv2d(nn.Conv2d):
    def forward(self, input: Tensor) -> Tensor:
        if not _pays(self, input):
            return super().forward(input)
        return _Convolve.apply(input, self.weight, self.bias, _how(self, transposed=False))  # type: ignore[no-any-return]


class ConvTranspose2d(nn.ConvTranspose2d):
    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        if output_size is not None or not _pays(self, input):
            return super().forward(input, output_size)
        return _Convolve.apply(input, self.weight, self.bias, _how(self, transposed=True))  # type: ignore[no-any-return]


def _pays(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor) -> bool:
    """Whether `tap_products` is the layer's gradient, and the map large enough for it."""
    wide = x.device.type == "cpu" and x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    stride = layer.stride[0]
    known = (layer.kernel_size, layer.stride, layer.padding) == ((stride + 2,) * 2, (stride,) * 2, (1, 1))
    plain = layer.groups == 1 and layer.dilation == (1, 1) and layer.output_padding == (0, 0)
    return wide and known and plain and layer.training and x.numel() >= LARGE and torch.is_grad_enabled()


def _how(layer: nn.Conv2d | nn.ConvTranspose2d, *, transposed: bool) -> tuple[Any, ...]:
    return layer.stride, layer.padding, layer.dilation, transposed, layer.output_padding, layer.groups
