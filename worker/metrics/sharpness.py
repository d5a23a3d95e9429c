"""How sharp a predicted depth map is against its ground truth, image by image, at the network's size.

Holes: a pixel is compared where the ground truth is valid; a gradient, where its whole 3×3 neighbourhood is; edges are
sought in both maps with the same holes. docs/evaluation.md has the definitions and what a blur does to each.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from scipy import fft, ndimage
from torch import Tensor

from depthboard.config import DataConfig, EvaluationConfig
from depthboard.metrics import EDGE_THRESHOLDS, SHARPNESS, Array
from worker.metrics.edges import Map, Mask, canny, inner, sobel
from worker.metrics.protocol import scored

BAND = 3
"""Pixels within this distance of an edge of the ground truth are at the edge, the others are flat."""
DBE_REACH = 10
"""Edges farther apart than this many pixels are not matched; also the worst value (Koch et al. 2018)."""
HIGH_FREQUENCY = 0.25
"""Cycles a pixel above which power counts as detail; ½ is the finest."""

NAN = float("nan")


def evaluation_sharpness(
    pred: Tensor, target: Tensor, *, evaluation: EvaluationConfig, data: DataConfig, frame: tuple[int, int]
) -> Array:
    """(B, len(SHARPNESS)) of a batch, from (B,1,data.height,data.width) metres, whatever size the protocol scores at.

    Prediction and mask are those of the protocol: its range, its window, the prediction clamped. Raises InvalidInput
    as `protocol.scored` does.
    """
    at_network = evaluation.model_copy(update={"resize": "network"})
    pair = scored(pred, target, evaluation=at_network, data=data, frame=frame)
    low, high = evaluation.min_depth, evaluation.max_depth
    clamped = pair.pred.double().nan_to_num(low, high, low).clamp(low, high)
    maps = (x[:, 0].cpu().numpy() for x in (clamped, pair.target.double(), pair.mask))
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        return np.stack(list(pool.map(sharpness, *maps)))


def sharpness(pred: Map, target: Map, mask: Mask) -> Array:
    """One row of `depthboard.metrics.SHARPNESS` from (H,W) metres; NaN where a measure is undefined for this image.

    `pred` must be finite; `target` counts at the mask alone.
    """
    pred, target = np.where(mask, pred, 0.0), np.where(mask, target, 0.0)
    solid = inner(mask, frame=True)
    gradients = sobel(pred), sobel(target)
    edges = canny(pred, mask), canny(target, mask)
    distances = _distance(edges[0]), _distance(edges[1])
    band = distances[1] <= BAND
    found = _errors(np.abs(pred - target), mask, band) | _gradient_ratios(*gradients, solid, band)
    for name, threshold in EDGE_THRESHOLDS.items():
        strong = [(gradient > threshold) & solid for gradient in gradients]
        found |= {f"edge_{score}_{name}": value for score, value in _match(*strong).items()}
    found |= _boundary_error(*edges, *distances)
    found["spectrum_ratio"] = _spectrum_ratio(pred, target, mask)
    return np.array([found[name] for name in SHARPNESS])


def _errors(error: Map, mask: Mask, band: Mask) -> dict[str, float]:
    return {"mae_edge": _mean(error[mask & band]), "mae_flat": _mean(error[mask & ~band])}


def _gradient_ratios(pred: Map, target: Map, solid: Mask, band: Mask) -> dict[str, float]:
    """Mean |∇pred| over mean |∇target|: 1 is as sharp, less is smoothed, more off the edges is noise."""
    places = {"gradient_ratio_edge": solid & band, "gradient_ratio_all": solid}
    return {name: _ratio(pred[place].sum(), target[place].sum()) for name, place in places.items()}


def _match(pred: Mask, target: Mask) -> dict[str, float]:
    """Precision, recall and F1 of edge pixels, exact to the pixel (Hu et al., WACV 2019).

    Undefined where the ground truth has no edge; precision also where the prediction has none.
    """
    if not target.any():
        return dict.fromkeys(("precision", "recall", "f1"), NAN)
    hits, predicted, true = float((pred & target).sum()), float(pred.sum()), float(target.sum())
    return {"precision": _ratio(hits, predicted), "recall": hits / true, "f1": 2 * hits / (predicted + true)}


def _boundary_error(pred: Mask, target: Mask, to_pred: Map, to_target: Map) -> dict[str, float]:
    """iBims-1's depth boundary errors in pixels, from the edges and the distances to them (Koch et al. 2018).

    NaN without an edge in the ground truth; both `DBE_REACH` where no predicted edge lies within it of a true one.
    """
    if not target.any():
        return {"dbe_acc": NAN, "dbe_comp": NAN}
    near = to_target[pred & (to_target < DBE_REACH)]
    if near.size == 0:
        return {"dbe_acc": float(DBE_REACH), "dbe_comp": float(DBE_REACH)}
    both = np.concatenate([to_target[pred], to_pred[target]])
    return {"dbe_acc": float(near.mean()), "dbe_comp": float(np.minimum(both, DBE_REACH).mean())}


def _spectrum_ratio(pred: Map, target: Map, mask: Mask) -> float:
    """Power of the prediction over the ground truth's above `HIGH_FREQUENCY`, in any direction.

    Holes take the depth of the nearest valid pixel, in both maps; a Hann window keeps the frame from being an edge.
    """
    if not mask.any():
        return NAN
    if not mask.all():
        nearest = ndimage.distance_transform_edt(~mask, return_distances=False, return_indices=True)
        pred, target = pred[tuple(nearest)], target[tuple(nearest)]
    return _ratio(_detail(pred), _detail(target))


def _detail(depth: Map) -> float:
    height, width = depth.shape
    window = np.outer(np.hanning(height + 1)[:-1], np.hanning(width + 1)[:-1])
    power = np.abs(fft.rfft2((depth - depth.mean()) * window)) ** 2
    radius = np.hypot(fft.fftfreq(height)[:, None], fft.rfftfreq(width)[None])
    # A real map's spectrum is symmetric: all columns but the first, and the last of an even width, stand for two.
    twice = np.full(power.shape[1], 2.0)
    twice[0], twice[-1] = 1, 2 if width % 2 else 1
    return float((power * twice)[radius > HIGH_FREQUENCY].sum())


def _distance(edges: Mask) -> Map:
    """Euclidean distance in pixels of every pixel to the nearest edge; infinite without an edge."""
    if not edges.any():
        return np.full(edges.shape, np.inf)
    found: Map = ndimage.distance_transform_edt(~edges)
    return found


def _mean(values: Map) -> float:
    return float(values.mean()) if values.size else NAN


def _ratio(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else NAN
