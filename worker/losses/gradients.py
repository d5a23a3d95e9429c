"""Losses on the differences between neighbouring errors: they see edges, and no offset."""

from __future__ import annotations

import torch
from torch import Tensor

from worker.losses.masked import differences, error


def gradient_matching(pred: Tensor, target: Tensor, mask: Tensor, *, scales: int) -> Tensor:
    """Σk [Σ |∇x l| + Σ |∇y l|] / nk on the grids of every 2^k-th pixel, k < `scales` (MiDaS, Ranftl et al. 2022, eq. 11 and `GradientLoss`).

    l = target − pred in metres, pixels of the finest grid unaveraged; differences between valid pixels alone; nk counts the
    valid pixels of grid k in the batch. MiDaS takes l on disparity, aligned to the target in scale and shift; here nothing is aligned.
    """
    miss = error(pred, target, mask)
    return torch.stack([_steps(miss[..., :: 2**k, :: 2**k], mask[..., :: 2**k, :: 2**k]) for k in range(scales)]).sum()


def _steps(miss: Tensor, mask: Tensor) -> Tensor:
    pairs = [differences(miss, mask, axis) for axis in (-1, -2)]
    total = torch.stack([torch.where(both, step.abs(), 0.0).sum() for step, both in pairs]).sum()
    return total / mask.sum().clamp(min=1)
