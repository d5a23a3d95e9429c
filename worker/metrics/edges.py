"""Edges of a depth map with holes: Sobel's magnitude and Canny's detector, in NumPy and SciPy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Map = NDArray[np.float64]
Mask = NDArray[np.bool_]

CANNY_SIGMA, CANNY_LOW, CANNY_HIGH = 2**0.5, 0.15, 0.3
"""The setting of iBims-1's script for depth scaled to 0..1 (Koch et al., ECCV Workshops 2018)."""

_SQUARE = np.ones((3, 3), dtype=bool)


def inner(mask: Mask, *, frame: bool) -> Mask:
    """The valid pixels whose eight neighbours are valid too. What lies beyond the frame counts as `frame`."""
    found: Mask = ndimage.binary_erosion(mask, _SQUARE, border_value=frame)
    return found


def sobel(depth: Map) -> Map:
    """(H,W) magnitude of the unnormalised 3×3 Sobel gradient: 8 on a ramp of one unit a pixel. The frame is mirrored.

    It means something at `inner` pixels only.
    """
    magnitude: Map = np.hypot(ndimage.sobel(depth, 0), ndimage.sobel(depth, 1))
    return magnitude


def canny(depth: Map, mask: Mask) -> Mask:
    """(H,W) edges of depth scaled to 0..1 over the mask, one pixel wide, none beside a hole or the frame.

    Canny, PAMI 1986, with the setting above: Gaussian, Sobel, suppression along the gradient between interpolated
    neighbours, hysteresis over eight neighbours. Holes take no part in the Gaussian. It marks the pixels that
    scikit-image's does. A map without depth, or of one depth, has no edge.
    """
    if not mask.any() or np.ptp(depth[mask]) == 0:
        return np.zeros_like(mask)
    scaled = np.where(mask, (depth - depth[mask].min()) / np.ptp(depth[mask]), 0.0)
    weight = ndimage.gaussian_filter(mask.astype(np.float64), CANNY_SIGMA, mode="constant")
    smooth = ndimage.gaussian_filter(scaled, CANNY_SIGMA, mode="constant") / (weight + np.finfo(np.float64).eps)
    rows, columns = ndimage.sobel(smooth, 0), ndimage.sobel(smooth, 1)
    return _connected(_thin(rows, columns, inner(mask, frame=False)))


def _thin(rows: Map, columns: Map, where: Mask) -> Map:
    """The gradient's magnitude at its maxima along itself, 0 elsewhere."""
    magnitude = np.hypot(rows, columns)
    y, x = np.nonzero(where & (magnitude >= CANNY_LOW))
    down, right = rows[y, x], columns[y, x]
    steep, turn = np.abs(down) > np.abs(right), np.where(np.sign(down) * np.sign(right) < 0, -1, 1)
    share = np.minimum(np.abs(down), np.abs(right)) / np.maximum(np.abs(down), np.abs(right))
    # The gradient crosses the ring of neighbours between a straight one (sy, sx) and a diagonal one (dy, dx).
    sy, sx, dy, dx = np.where(steep, 1, 0), np.where(steep, 0, 1), np.where(steep, 1, turn), np.where(steep, turn, 1)
    highest = np.ones(len(y), dtype=bool)
    for side in (1, -1):
        straight = magnitude[y + side * sy, x + side * sx]
        diagonal = magnitude[y + side * dy, x + side * dx]
        highest &= diagonal * share + straight * (1 - share) <= magnitude[y, x]
    thin = np.zeros_like(magnitude)
    thin[y[highest], x[highest]] = magnitude[y[highest], x[highest]]
    return thin


def _connected(thin: Map) -> Mask:
    """The lines that somewhere reach the upper threshold."""
    lines, n = ndimage.label(thin > 0, _SQUARE)
    strong = np.zeros(n + 1, dtype=bool)
    strong[np.unique(lines[thin >= CANNY_HIGH])] = True
    found: Mask = strong[lines]
    return found
