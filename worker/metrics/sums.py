"""Per-image sums of an evaluation, in float64 and in the order of `depthboard.metrics.SUMS`."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from depthboard.config import DataConfig, EvaluationConfig
from depthboard.metrics import DEPTH_BINS, SUMS
from worker.metrics.protocol import scored


def image_sums(pred: Tensor, target: Tensor, mask: Tensor, *, min_depth: float, max_depth: float) -> Tensor:
    """(B, columns) sums over each image's valid pixels, from (B,1,H,W) metres and a bool mask; on the tensors'
    device.

    The prediction is clamped to [min_depth, max_depth]; NaN counts as min_depth, as BTS evaluates, and so never hides
    in a mean. An aligned prediction is aligned first and clamped then.
    """

    def clamp(depth: Tensor) -> Tensor:
        return depth.clamp(min_depth, max_depth)

    finite = torch.isfinite(pred)
    # 1 m outside the mask, in both: no error there, so that only counts have to look at the mask.
    target = torch.where(mask, target.double(), 1.0)
    unclamped = torch.where(mask, pred.double().nan_to_num(min_depth, max_depth, min_depth), 1.0)
    clamped = torch.where(mask, clamp(unclamped), 1.0)
    counts = {"n": mask, "nonfinite": mask & ~finite, "clipped": mask & finite & (clamped != unclamped)}
    columns = {name: _total(pixels) for name, pixels in counts.items()}
    columns |= _errors(clamped, target, mask) | _log_errors(clamped, target) | _by_depth(clamped, target, mask)
    for how, align in (("median", median_aligned), ("affine", affine_aligned)):
        aligned = torch.where(mask, clamp(align(unclamped, target, mask)), 1.0)
        columns |= {f"{how}_{name}": total for name, total in _aligned_errors(aligned, target, mask).items()}
    return torch.stack([columns[name] for name in SUMS], dim=1)


def median_aligned(pred: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Each image's prediction times median(target) / median(pred) over its valid pixels (Zhou et al., CVPR 2017).

    (B,1,H,W), finite. A prediction whose median is not positive has no scale and stays as it is.
    """
    medians = _medians(pred, mask)
    scale = torch.where(medians > 0, _medians(target, mask) / medians, 1.0)
    return pred * scale.view(-1, 1, 1, 1)


def affine_aligned(pred: Tensor, target: Tensor, mask: Tensor) -> Tensor:
    """Each image's a·pred + b that is nearest to the target in least squares, in metres, over its valid pixels.

    (B,1,H,W), finite. The alignment of Ranftl et al., TPAMI 2022, there in inverse depth. A constant prediction
    becomes the target's mean.
    """
    n = mask.sum(dim=(1, 2, 3), keepdim=True).clamp(min=1)
    mean_pred, mean_target = (torch.where(mask, x, 0.0).sum(dim=(1, 2, 3), keepdim=True) / n for x in (pred, target))
    centred = torch.where(mask, pred - mean_pred, 0.0)
    variance = centred.square().sum(dim=(1, 2, 3), keepdim=True)
    covariance = (centred * (target - mean_target)).sum(dim=(1, 2, 3), keepdim=True)
    slope = torch.where(variance > 0, covariance / variance, 0.0)
    return mean_target + slope * (pred - mean_pred)


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


def _total(values: Tensor) -> Tensor:
    return values.sum(dim=(1, 2, 3), dtype=torch.float64)


def _errors(pred: Tensor, target: Tensor, mask: Tensor) -> dict[str, Tensor]:
    error = (pred - target).abs()
    factor = torch.maximum(target / pred, pred / target)
    columns = {"abs": error, "sq": error.square(), "abs_rel": error / target, "sq_rel": error.square() / target}
    columns |= {f"delta{k}": mask & (factor < 1.25**k) for k in (1, 2, 3)}
    return {name: _total(values) for name, values in columns.items()}


def _log_errors(pred: Tensor, target: Tensor) -> dict[str, Tensor]:
    d = torch.log(target) - torch.log(pred)
    return {"log": _total(d), "log_sq": _total(d.square()), "log10": _total(d.abs()) / math.log(10)}


def _by_depth(pred: Tensor, target: Tensor, mask: Tensor) -> dict[str, Tensor]:
    columns: dict[str, Tensor] = {}
    squared = (pred - target).square()
    for name, (low, high) in DEPTH_BINS.items():
        inside = mask & (target >= low) & (target < high)
        columns |= {f"n_{name}": _total(inside), f"sq_{name}": _total(torch.where(inside, squared, 0.0))}
    return columns


def _aligned_errors(pred: Tensor, target: Tensor, mask: Tensor) -> dict[str, Tensor]:
    error, within = (pred - target).abs(), torch.maximum(target / pred, pred / target) < 1.25
    return {"abs_rel": _total(error / target), "sq": _total(error.square()), "delta1": _total(mask & within)}


def _medians(values: Tensor, mask: Tensor) -> Tensor:
    """(B,) medians over each image's mask, the mean of the two middle values where they are two; NaN for an empty mask."""
    known = torch.where(mask, values, torch.nan)
    # Image by image: along a dimension CUDA's median also looks for indices, and those are not deterministic.
    return torch.stack([(image.nanmedian() - (-image).nanmedian()) / 2 for image in known])
