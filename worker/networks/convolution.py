"""Convolutions that train faster on a CPU: the same numbers, but for the order of sums, from other gradients.

These networks lie channels last, where oneDNN is faster but for two gradients of large maps (torch 2.13, D3-Net at 256×320, batch 4):

- Of the weights, without the wide vectors of AVX-512: two to three times what they take channels first (2.6 s a step against 1.5 s on AVX2). There each tap of a kernel is
  a matrix product: with a rim of zeros about every image, a shift by a pixel is one by a row of the (pixels, channels) matrix.
- Of the bias, together with the others of a transposed convolution: 120 of 270 ms for the largest in bfloat16. Summed by itself it takes 7 ms.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from worker.precision import processor_flags

LARGE = 1_000_000
"""Numbers in an input from which this pays; a map of 64 channels at 64×64 in a batch of 4 has as many."""

convolution = torch.ops.aten.convolution.default
backward = torch.ops.aten.convolution_backward.default


class _Convolve(torch.autograd.Function):
    """aten's convolution, its bias' gradient summed by itself and, with `taps`, its weights' by `tap_products`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor | None, how: tuple[Any, ...], taps: bool) -> Tensor:
        ctx.save_for_backward(x, weight)
        ctx.how, ctx.taps, ctx.has_bias = how, taps, bias is not None
        out: Tensor = convolution(x, weight, bias, *how)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight = ctx.saved_tensors
        (gradient,) = gradients
        needs_x, needs_weight = ctx.needs_input_grad[:2]
        wanted = [needs_x, needs_weight and not ctx.taps, False]
        into_x, into_weight, _ = backward(gradient, x, weight, None, *ctx.how, wanted)
        if ctx.taps:
            stride, transposed = ctx.how[0][0], ctx.how[3]
            into_weight = tap_products(x, gradient, stride) if transposed else tap_products(gradient, x, stride)
        into_bias = gradient.sum(dim=(0, 2, 3)) if ctx.has_bias else None
        return into_x, into_weight, into_bias, None, None


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
        return _convolved(self, input) if _pays(self, input) else super().forward(input)


class ConvTranspose2d(nn.ConvTranspose2d):
    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        if output_size is None and _pays(self, input):
            return _convolved(self, input)
        return super().forward(input, output_size)


def _convolved(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor) -> Tensor:
    transposed = isinstance(layer, nn.ConvTranspose2d)
    how = layer.stride, layer.padding, layer.dilation, transposed, layer.output_padding, layer.groups
    taps, weight, bias = _takes_taps(layer, x), layer.weight, layer.bias
    if torch.is_autocast_enabled("cpu"):  # which knows torch's own functions only
        half = torch.get_autocast_dtype("cpu")
        x, weight, bias = x.to(half), weight.to(half), None if bias is None else bias.to(half)
    return _Convolve.apply(x, weight, bias, how, taps)  # type: ignore[no-any-return]


def _pays(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor) -> bool:
    """Whether oneDNN's own gradient is the slower one, and the map large enough to matter."""
    large = x.device.type == "cpu" and x.numel() >= LARGE and layer.training and torch.is_grad_enabled()
    sums_bias = isinstance(layer, nn.ConvTranspose2d) and layer.bias is not None
    return large and (sums_bias or _takes_taps(layer, x))


def _takes_taps(layer: nn.Conv2d | nn.ConvTranspose2d, x: Tensor) -> bool:
    """Whether `tap_products` is the gradient of the layer's weights, and faster than oneDNN's."""
    single = x.dtype == torch.float32 and not torch.is_autocast_enabled("cpu")
    stride = layer.stride[0]
    known = (layer.kernel_size, layer.stride, layer.padding) == ((stride + 2,) * 2, (stride,) * 2, (1, 1))
    plain = layer.groups == 1 and layer.dilation == (1, 1) and layer.output_padding == (0, 0)
    return single and known and plain and not has_wide_vectors()


@cache
def has_wide_vectors() -> bool:
    """Whether this processor has AVX-512."""
    return "avx512f" in processor_flags()
