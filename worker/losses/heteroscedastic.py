"""Losses that weigh each pixel's error with the uncertainty that the network gives for it."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from depthboard.errors import InvalidInput
from worker.losses.masked import error, mean

MAX_LOG_SCALE = 7.0
"""s stays within ±7, e⁷ ≈ 1100: exp(−s) would explode on pixels that are learned by heart. Beyond it s has no gradient."""


def kendall_gal(
    pred: Tensor, target: Tensor, mask: Tensor, *, log_scale: Tensor, form: Literal["gaussian", "laplace"]
) -> Tensor:
    """gaussian: mean [exp(−s) l²/2 + s/2], s = ln σ²; laplace: mean [exp(−s) |l| + s], s = ln b (Kendall and Gal 2017, eq. 8).

    `log_scale` is s, (B,1,H,W), the network's second output; l in metres, over the valid pixels of the batch. At s = 0 gaussian
    is half of `l2` and laplace is `l1`. Negative where the network is sure and right. Raises InvalidInput for another shape of s.
    """
    if log_scale.shape != pred.shape:
        raise InvalidInput(f"log_scale must have the shape of pred, {tuple(pred.shape)}, not {tuple(log_scale.shape)}.")
    miss = error(pred, target, mask)
    s = torch.where(mask, log_scale.to(miss.dtype), 0.0)
    s = s.clamp(-MAX_LOG_SCALE, MAX_LOG_SCALE) + (s - s).detach()  # clamp alone would hide an infinite s
    if form == "gaussian":
        return mean(0.5 * (torch.exp(-s) * miss.square() + s), mask)
    return mean(torch.exp(-s) * miss.abs() + s, mask)
