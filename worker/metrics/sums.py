"""Per-image sums of an evaluation, in float64 and in the order of `depthboard.metrics.SUMS`."""

from __future__ import annotations

import torch
from torch import Tensor

from depthboard.config import DataConfig, EvaluationConfig
from worker.metrics.protocol import scored


def image_sums(pred: Tensor, target: Tensor, mask: Tensor, *, min_depth: float, max_depth: float) -> Tensor:
    """(B, columns) sums over each image's valid pixels, from (B,1,H,W) metres and a bool mask; on the tensors'
    device.

    The prediction is clamped to [min_depth, max_depth]; NaN counts as min_depth, as BTS evaluates, and so never hides
    in a mean.
    """
    g = torch.where(mask, target.double(), 1.0)
    p = pred.double().nan_to_num(min_depth, max_depth, min_depth).clamp(min_depth, max_depth)
    e, d = (p - g).abs(), torch.log(g) - torch.log(p)
    factor = torch.maximum(g / p, p / g)
    values = (
        torch.ones_like(g),
        e,
        e.square(),
        e / g,
        e.square() / g,
        d,
        d.square(),
        (torch.log10(g) - torch.log10(p)).abs(),
        factor < 1.25,
        factor < 1.25**2,
        factor < 1.25**3,
        ~torch.isfinite(pred),
    )
    return torch.stack([torch.where(mask, value.double(), 0.0).sum(dim=(1, 2, 3)) for value in values], dim=1)


def evaluation_sums(
    pred: Tensor, target: Tensor, *, evaluation: EvaluationConfig, data: DataConfig, frame: tuple[int, int]
) -> Tensor:
    """(B, columns) sums of a batch under a protocol; arguments and errors are those of `protocol.scored`."""
    pair = scored(pred, target, evaluation=evaluation, data=data, frame=frame)
    return image_sums(*pair, min_depth=evaluation.min_depth, max_depth=evaluation.max_depth)


def constant_sums(
    depth: float, target: Tensor, *, evaluation: EvaluationConfig, data: DataConfig, frame: tuple[int, int]
) -> Tensor:
    """(B, columns) sums of the prediction that is `depth` metres everywhere: what any network must beat."""
    pred = target.new_full((len(target), 1, data.height, data.width), depth)
    return evaluation_sums(pred, target, evaluation=evaluation, data=data, frame=frame)
