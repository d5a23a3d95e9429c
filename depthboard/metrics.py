"""The metrics of depth estimation, computed from stored sums: per image or pooled, without the depth maps.

An evaluation stores one row of `SUMS` an image, float64, over that image's valid pixels. With g the ground truth and
p the prediction in metres, e = p − g, d = ln g − ln p. Definitions: Eigen et al. 2014; silog: the KITTI benchmark.

A prediction that is not finite at a valid pixel is scored all the same, as the evaluations of BTS do: NaN and −inf as
the protocol's smallest depth, +inf as its largest. `nonfinite` counts these pixels, so that a broken network shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from depthboard.errors import InvalidInput

Array = NDArray[np.float64]
Averaging = Literal["per_image", "pooled"]

METRES_PER_UNIT = 5.0
"""The paper's network spans −1..1 for 0..10 m, so one unit is 5 m; its losses and Figure 3 are in those units."""

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
)
"""Columns of an evaluation's array, in order."""


@dataclass(frozen=True, slots=True)
class Metric:
    """How a metric is written. `unit` "%" marks a share: stored as 0..1, shown times 100; `label` is the short form of the papers' tables."""

    name: str
    title: str
    unit: str
    lower_is_better: bool
    label: str


METRICS: dict[str, Metric] = {
    "mae": Metric("mae", "Mean absolute error", "m", True, "mae"),
    "abs_rel": Metric("abs_rel", "Absolute relative error", "", True, "rel"),
    "sq_rel": Metric("sq_rel", "Squared relative error", "m", True, "sqrel"),
    "rmse": Metric("rmse", "Root mean squared error", "m", True, "rms"),
    "rmse_log": Metric("rmse_log", "Root mean squared log error", "", True, "rmslog"),
    "log10": Metric("log10", "Mean absolute log10 error", "", True, "log10"),
    "silog": Metric("silog", "Scale-invariant log error × 100", "", True, "SILog"),
    "delta1": Metric("delta1", "Share within a factor of 1.25", "%", False, "δ<1.25"),
    "delta2": Metric("delta2", "Share within a factor of 1.25²", "%", False, "δ<1.25²"),
    "delta3": Metric("delta3", "Share within a factor of 1.25³", "%", False, "δ<1.25³"),
}


def per_image(sums: Array) -> dict[str, Array]:
    """Each metric as an (images,) array, from an (images, columns) array of `SUMS`; NaN for an image without a valid
    pixel.

    The sums lose silog below about 1e-6: its variance is the difference of two sums in float64.
    Raises InvalidInput for an array of another shape.
    """
    column = _columns(sums)
    n = np.where(column["n"] > 0, column["n"], np.nan)
    log_sq, log = column["log_sq"] / n, column["log"] / n
    return {
        "mae": column["abs"] / n,
        "abs_rel": column["abs_rel"] / n,
        "sq_rel": column["sq_rel"] / n,
        "rmse": np.sqrt(column["sq"] / n),
        "rmse_log": np.sqrt(log_sq),
        "log10": column["log10"] / n,
        "silog": 100 * np.sqrt(np.maximum(log_sq - log**2, 0)),
        "delta1": column["delta1"] / n,
        "delta2": column["delta2"] / n,
        "delta3": column["delta3"] / n,
    }


def from_sums(sums: Array, averaging: Averaging) -> dict[str, float]:
    """Each metric of an evaluation, from an (images, columns) array of `SUMS`.

    per_image: the mean over images of the image's metric (roots are taken first). pooled: all valid pixels as one
    set. Images without a valid pixel are left out; NaN where none is left. Raises InvalidInput for an array of
    another shape.
    """
    scored = np.asarray(sums, dtype=np.float64)[_columns(sums)["n"] > 0]
    if len(scored) == 0:
        return dict.fromkeys(METRICS, float("nan"))
    if averaging == "pooled":
        scored = scored.sum(axis=0, keepdims=True)
    return {name: float(values.mean()) for name, values in per_image(scored).items()}


def _columns(sums: Array) -> dict[str, Array]:
    sums = np.asarray(sums, dtype=np.float64)
    if sums.ndim != 2 or sums.shape[1] != len(SUMS):
        raise InvalidInput(
            f"An evaluation's sums must be (images, {len(SUMS)}), but have shape {sums.shape}.", field="sums"
        )
    return dict(zip(SUMS, sums.T, strict=True))
