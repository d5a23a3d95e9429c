"""The metrics of depth estimation, computed from stored sums: per image or pooled, without the depth maps.

An evaluation stores one row of `SUMS` an image, float64, over that image's valid pixels. With g the ground truth and
p the prediction in metres, e = p − g, d = ln g − ln p. Definitions: Eigen et al. 2014; silog: the KITTI benchmark.

A prediction that is not finite at a valid pixel is scored all the same, as the evaluations of BTS do: NaN and −inf as
the protocol's smallest depth, +inf as its largest. `nonfinite` counts these pixels, so that a broken network shows.

Beside the sums an evaluation may hold one row of `SHARPNESS` an image: measures of edges that no sum over pixels gives
(`worker.metrics.sharpness`, docs/evaluation.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from depthboard.errors import InvalidInput

Array = NDArray[np.float64]
Averaging = Literal["per_image", "pooled"]
AVERAGINGS: tuple[Averaging, ...] = ("per_image", "pooled")
Group = Literal["error", "aligned", "depth", "health", "sharpness"]

EVALUATOR_VERSION = 2
"""Part of every protocol's name. Raise it when a change alters what an evaluation computes from the same prediction."""

METRES_PER_UNIT = 5.0
"""The paper's network spans −1..1 for 0..10 m, so one unit is 5 m; its losses and Figure 3 are in those units."""

DEPTH_BINS: dict[str, tuple[float, float]] = {"0_2m": (0, 2), "2_4m": (2, 4), "4_6m": (4, 6), "6_10m": (6, 10)}
"""Ranges of ground truth in metres, the upper end excluded. What lies at 10 m or beyond is in none."""

SUMS: tuple[str, ...] = (
    "n",  # valid pixels
    "abs",  # Σ|e|
    "sq",  # Σe²
    "abs_rel",  # Σ|e|/g
    "sq_rel",  # Σe²/g
    "log",  # Σd
    "log_sq",  # Σd²
    "log10",  # Σ|log10 g − log10 p|
    "delta1",  # pixels with max(g/p, p/g) < 1.25
    "delta2",  # … < 1.25²
    "delta3",  # … < 1.25³
    "nonfinite",  # valid pixels whose prediction was NaN or infinite
    # Evaluator 2; arrays of evaluator 1 end here.
    "clipped",  # valid pixels whose prediction was finite and outside the protocol's range
    *(f"{sum_}_{bin_}" for bin_ in DEPTH_BINS for sum_ in ("n", "sq")),  # valid pixels of a bin, and their Σe²
    "median_abs_rel",  # with p scaled by median g / median p of the image
    "median_sq",
    "median_delta1",
    "affine_abs_rel",  # with p replaced by a·p + b, least squares over the image
    "affine_sq",
    "affine_delta1",
)
"""Columns of an evaluation's array, in order."""

FIRST_SUMS = 12
"""How many of them evaluator 1 stored: such an array is read all the same, its newer metrics NaN."""


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric is written. `unit` "%" marks a share: stored as 0..1, shown times 100; `label` is the short form of the papers' tables.

    `ideal` is the best value of a metric for which neither low nor high is better, such as a ratio.
    """

    name: str
    title: str
    unit: str
    lower_is_better: bool
    label: str
    group: Group = "error"
    ideal: float | None = None


def _named(*metrics: Metric) -> dict[str, Metric]:
    return {metric.name: metric for metric in metrics}


METRICS: dict[str, Metric] = _named(
    Metric("mae", "Mean absolute error", "m", True, "mae"),
    Metric("abs_rel", "Absolute relative error", "", True, "rel"),
    Metric("sq_rel", "Squared relative error", "m", True, "sqrel"),
    Metric("rmse", "Root mean squared error", "m", True, "rms"),
    Metric("rmse_log", "Root mean squared log error", "", True, "rmslog"),
    Metric("log10", "Mean absolute log10 error", "", True, "log10"),
    Metric("silog", "Scale-invariant log error × 100", "", True, "SILog"),
    Metric("delta1", "Share within a factor of 1.25", "%", False, "δ<1.25"),
    Metric("delta2", "Share within a factor of 1.25²", "%", False, "δ<1.25²"),
    Metric("delta3", "Share within a factor of 1.25³", "%", False, "δ<1.25³"),
    Metric("abs_rel_median", "Relative error, median aligned", "", True, "rel (median)", "aligned"),
    Metric("rmse_median", "RMSE, median aligned", "m", True, "rms (median)", "aligned"),
    Metric("delta1_median", "Share within 1.25, median aligned", "%", False, "δ<1.25 (median)", "aligned"),
    Metric("abs_rel_affine", "Relative error, scale and shift aligned", "", True, "rel (affine)", "aligned"),
    Metric("rmse_affine", "RMSE, scale and shift aligned", "m", True, "rms (affine)", "aligned"),
    Metric("delta1_affine", "Share within 1.25, scale and shift aligned", "%", False, "δ<1.25 (affine)", "aligned"),
    Metric("rmse_0_2m", "RMSE where the ground truth is below 2 m", "m", True, "rms 0–2 m", "depth"),
    Metric("rmse_2_4m", "RMSE where the ground truth is 2 to 4 m", "m", True, "rms 2–4 m", "depth"),
    Metric("rmse_4_6m", "RMSE where the ground truth is 4 to 6 m", "m", True, "rms 4–6 m", "depth"),
    Metric("rmse_6_10m", "RMSE where the ground truth is 6 to 10 m", "m", True, "rms 6–10 m", "depth"),
    Metric("clipped", "Share predicted outside the scored range", "%", True, "clipped", "health"),
    Metric("nonfinite", "Share predicted NaN or infinite", "%", True, "non-finite", "health"),
)

_MEANS: dict[str, tuple[str, str]] = {
    "mae": ("abs", "n"),
    "abs_rel": ("abs_rel", "n"),
    "sq_rel": ("sq_rel", "n"),
    "log10": ("log10", "n"),
    **{name: (name, "n") for name in ("delta1", "delta2", "delta3", "clipped", "nonfinite")},
    **{f"{name}_{how}": (f"{how}_{name}", "n") for how in ("median", "affine") for name in ("abs_rel", "delta1")},
}
_ROOTS: dict[str, tuple[str, str]] = {
    "rmse": ("sq", "n"),
    "rmse_log": ("log_sq", "n"),
    "rmse_median": ("median_sq", "n"),
    "rmse_affine": ("affine_sq", "n"),
    **{f"rmse_{bin_}": (f"sq_{bin_}", f"n_{bin_}") for bin_ in DEPTH_BINS},
}
"""Metric → its sum and its count; a root is taken of the mean of each of `_ROOTS`."""


def per_image(sums: Array) -> dict[str, Array]:
    """Each metric as an (images,) array, from an (images, columns) array of `SUMS`; NaN for an image that has no valid
    pixel, or none in the metric's depth bin.

    The sums lose silog below about 1e-6: its variance is the difference of two sums in float64.
    Raises InvalidInput for an array of another shape.
    """
    column = _columns(sums)
    found = {name: _over(column, *parts) for name, parts in _MEANS.items()}
    found |= {name: np.sqrt(_over(column, *parts)) for name, parts in _ROOTS.items()}
    variance = _over(column, "log_sq", "n") - _over(column, "log", "n") ** 2
    found["silog"] = 100 * np.sqrt(np.maximum(variance, 0))
    return {name: found[name] for name in METRICS}


def from_sums(sums: Array, averaging: Averaging) -> dict[str, float]:
    """Each metric of an evaluation, from an (images, columns) array of `SUMS`.

    per_image: the mean over images of the image's metric (roots are taken first). pooled: all valid pixels as one
    set; an aligned prediction is aligned by its own image in both. Images without a valid pixel, or without one in the
    metric's depth bin, are left out of that metric; NaN where none is left. Raises InvalidInput for an array of
    another shape.
    """
    column = _columns(sums)
    if averaging == "pooled":
        sums = np.stack(list(column.values()), axis=1)[column["n"] > 0].sum(axis=0, keepdims=True)
        return {name: float(values[0]) for name, values in per_image(sums).items()}
    return {name: _mean(values[column[_count(name)] > 0]) for name, values in per_image(sums).items()}


def _count(metric: str) -> str:
    """The column that says in how many pixels of an image the metric is defined."""
    return {**_MEANS, **_ROOTS}.get(metric, ("", "n"))[1]


def _over(column: dict[str, Array], part: str, count: str) -> Array:
    ratio: Array = column[part] / np.where(column[count] > 0, column[count], np.nan)
    return ratio


def _mean(values: Array) -> float:
    return float(values.mean()) if len(values) else float("nan")


def _columns(sums: Array) -> dict[str, Array]:
    """The columns by name; those that evaluator 1 did not store are NaN."""
    sums = np.asarray(sums, dtype=np.float64)
    if sums.ndim != 2 or sums.shape[1] not in (FIRST_SUMS, len(SUMS)):
        raise InvalidInput(
            f"An evaluation's sums must be (images, {len(SUMS)}), or (images, {FIRST_SUMS}) from evaluator 1, but have shape {sums.shape}.",
            field="sums",
        )
    known = np.full((len(sums), len(SUMS)), np.nan)
    known[:, : sums.shape[1]] = sums
    return dict(zip(SUMS, known.T, strict=True))


def full_name(protocol: str, averaging: Averaging) -> str:
    """A protocol's name with the averaging, as a figure names what it shows: `bts-0.001-10m-native-v2` -> `…-native-per-image-v2`."""
    words = averaging.replace("_", "-")
    what, mark, version = protocol.rpartition("-v")
    return f"{what}-{words}-v{version}" if mark and version.isdecimal() else f"{protocol}-{words}"


# --- sharpness ------------------------------------------------------------------------------------------------------

EDGE_THRESHOLDS: dict[str, float] = {"25cm": 0.25, "50cm": 0.5, "100cm": 1.0}
"""An edge is where the unnormalised Sobel magnitude of depth, in metres, exceeds this (Hu et al., WACV 2019)."""

SHARPNESS_METRICS: dict[str, Metric] = _named(
    Metric("mae_edge", "Mean absolute error at edges", "m", True, "mae edge", "sharpness"),
    Metric("mae_flat", "Mean absolute error away from edges", "m", True, "mae flat", "sharpness"),
    Metric("gradient_ratio_edge", "Gradient of prediction over ground truth, at edges", "", False, "∇ edge", "sharpness", 1),
    Metric("gradient_ratio_all", "Gradient of prediction over ground truth, everywhere", "", False, "∇ all", "sharpness", 1),
    *(
        Metric(f"edge_{name}_{cm}", f"Edge {title}, edges above {m:g} m", "%", False, f"{label}@{m:g}", "sharpness")
        for cm, m in EDGE_THRESHOLDS.items()
        for name, title, label in (("precision", "precision", "P"), ("recall", "recall", "R"), ("f1", "F1", "F1"))
    ),
    Metric("dbe_acc", "Depth boundary error, accuracy", "px", True, "DBE acc", "sharpness"),
    Metric("dbe_comp", "Depth boundary error, completeness", "px", True, "DBE comp", "sharpness"),
    Metric("spectrum_ratio", "Power above ¼ cycle a pixel, prediction over ground truth", "", False, "spectrum", "sharpness", 1),
)  # fmt: skip

SHARPNESS: tuple[str, ...] = tuple(SHARPNESS_METRICS)
"""Columns of an evaluation's array of sharpness, in order; NaN where a measure is undefined for an image."""

FULL_SIZE = (256, 320)
"""Rows and columns of the paper's network: the size at which sharpness compares with others'."""


class Mean(NamedTuple):
    """A mean over the `images` for which the measure is defined; NaN over none."""

    value: float
    images: int


def sharpness_means(array: Array) -> dict[str, Mean]:
    """Each measure's mean over the images where it is defined, from an (images, len(SHARPNESS)) array.

    The mean of the spectrum's ratio is geometric: an image with hardly any detail has a ratio of thousands, which would be all that an arithmetic mean shows.
    Raises InvalidInput for an array of another shape.
    """
    array = np.asarray(array, dtype=np.float64)
    if array.ndim != 2 or array.shape[1] != len(SHARPNESS):
        raise InvalidInput(
            f"An evaluation's sharpness must be (images, {len(SHARPNESS)}), but has shape {array.shape}.",
            field="sharpness",
        )
    defined = [column[~np.isnan(column)] for column in array.T]
    return {name: Mean(_middle(name, values), len(values)) for name, values in zip(SHARPNESS, defined, strict=True)}


def _middle(name: str, values: Array) -> float:
    if name != "spectrum_ratio":
        return _mean(values)
    with np.errstate(divide="ignore"):  # a prediction without any detail: the mean is 0
        return float(np.exp(_mean(np.log(values))))


def resolution_limited(height: int, width: int) -> bool:
    """Whether maps of height × width are smaller than the paper's 256×320: their edges are fewer and coarser, so their
    sharpness is not to be set beside the paper's or that of another size."""
    return height < FULL_SIZE[0] or width < FULL_SIZE[1]
