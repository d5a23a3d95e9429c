"""From depth maps to the sums that `depthboard.metrics` makes metrics of."""

from __future__ import annotations

from depthboard.metrics import METRICS, SUMS, from_sums, per_image
from worker.metrics.protocol import CROPS, Scored, Window, check_crops, scored, valid, window
from worker.metrics.sharpness import evaluation_sharpness
from worker.metrics.sums import constant_sums, evaluation_sums, image_sums

__all__ = [
    "CROPS",
    "METRICS",
    "SUMS",
    "Scored",
    "Window",
    "check_crops",
    "constant_sums",
    "evaluation_sharpness",
    "evaluation_sums",
    "from_sums",
    "image_sums",
    "per_image",
    "scored",
    "valid",
    "window",
]
