"""The geometry of NYU's Kinect: disparity to metres, lens distortion, and depth seen from the RGB camera.

Constants and steps are those of the NYU Depth v2 toolbox (Silberman, Hoiem, Kohli, Fergus, ECCV 2012; cs.nyu.edu/~silberman/code/
toolbox_nyu_depth_v2.zip): camera_params.m, project_depth_map.m and what that calls. BTS made its depth with it, and so its peculiarities
are kept: of the one frame at hand, depth and picture equal BTS's in every pixel.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.sparse import csr_array

ROWS, COLUMNS = 480, 640
NO_READING = 2047
"""The 11-bit disparity of a pixel without depth."""
NEAREST = 600
"""Smaller disparities, nearer than 0.713 m, are dropped by the toolbox, and so from the prepared NYU sets."""
DEEPEST = 10.0
"""Metres at which the toolbox cuts depth off."""


@dataclass(frozen=True)
class Camera:
    """Focal lengths and centre in pixels; Brown's radial (k) and tangential (p) distortion."""

    fx: float
    fy: float
    cx: float
    cy: float
    k1: float
    k2: float
    p1: float
    p2: float
    k3: float


RGB = Camera(
    fx=5.1885790117450188e02, fy=5.1946961112127485e02, cx=3.2558244941119034e02, cy=2.5373616633400465e02,
    k1=2.0796615318809061e-01, k2=-5.8613825163911781e-01, p1=7.2231363135888329e-04, p2=1.0479627195765181e-03,
    k3=4.9856986684705107e-01,
)  # fmt: skip
DEPTH = Camera(
    fx=5.8262448167737955e02, fy=5.8269103270988637e02, cx=3.1304475870804731e02, cy=2.3844389626620386e02,
    k1=-9.9897236553084481e-02, k2=3.9065324602765344e-01, p1=1.9290592870229277e-03, p2=-1.9422022475975055e-03,
    k3=-5.1031725053400578e-01,
)  # fmt: skip
# camera_params.m writes R = inv(reshape(-[…], 3, 3)'), filled by columns, which is minus this matrix transposed; the sign cancels against
# that of T when a point is divided by its depth, so a point goes to ROTATIONᵀ · point − TRANSLATION.
ROTATION = np.array(
    [
        [9.9997798940829263e-01, 5.0518419386157446e-03, 4.3011152014118693e-03],
        [-5.0359919480810989e-03, 9.9998051861143999e-01, -3.6879781309514218e-03],
        [-4.3196624923060242e-03, 3.6662365748484798e-03, 9.9998394948385538e-01],
    ]
)
# The toolbox puts t_z before t_y.
TRANSLATION = np.array([2.5031875059141302e-02, -2.9342312935846411e-04, 6.6238747008330102e-04])


def register(rgb: np.ndarray, disparity: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A raw pair as a frame: `rgb` (480,640,3) uint8 undistorted, depth (480,640) float32 metres in its pixels, 0 where there is none."""
    return undistort_rgb(rgb), project(to_metres(undistort_disparity(disparity)))


def undistort_rgb(rgb: np.ndarray) -> np.ndarray:
    """(480,640,3) uint8, bilinear; white where the lens saw nothing, as in the toolbox's rect.m."""
    mixing = resampling(RGB)
    out = np.add(mixing @ rgb.reshape(-1, 3).astype(np.float32), 0.5).astype(np.uint8)
    out[_unseen(mixing)] = 255
    undistorted: np.ndarray = out.reshape(rgb.shape)
    return undistorted


def undistort_disparity(disparity: np.ndarray) -> np.ndarray:
    """(480,640) float64; 2047 where one of the four source pixels has no reading, below 600, and outside of the lens' view."""
    mixing = resampling(DEPTH)
    values = disparity.reshape(-1).astype(np.float64)
    missing = (mixing @ (values == NO_READING).astype(np.float64) > 0) | _unseen(mixing)
    # The toolbox masks the source pixels by the undistorted mask. A slip, but one that BTS's depth has been through.
    total, mixed = mixing @ ~missing, mixing @ (values * ~missing)
    known = (total > 0) & ~missing & (mixed >= NEAREST * total)
    out = np.full(values.shape, float(NO_READING))
    np.divide(mixed, total, out=out, where=known)
    return out.reshape(disparity.shape)


def to_metres(disparity: np.ndarray) -> np.ndarray:
    """351.3 / (1092.5 − v), at most 10 m; 0 for 2047 and whatever else lies beyond 1092.5 (depth_rel2depth_abs.m)."""
    before = disparity < 1092.5
    metres = 351.3 / np.where(before, 1092.5 - disparity, 1)
    return np.where(before, np.minimum(metres, DEEPEST), 0.0)


def project(depth: np.ndarray) -> np.ndarray:
    """Undistorted depth (480,640) in metres, moved to the pixels of the undistorted RGB camera; float32, the nearest wins, 0 where none falls.

    A value stays the distance along the depth camera's axis, as in the toolbox; along the RGB camera's it would differ by millimetres.
    """
    seen = np.flatnonzero(depth)
    z = depth.reshape(-1)[seen]
    x, y, ahead = (z * ray[seen] - shift for ray, shift in zip(_rays(), TRANSLATION, strict=True))
    column = _rounded(x * RGB.fx / ahead + RGB.cx)
    row = _rounded(y * RGB.fy / ahead + RGB.cy)
    # MATLAB counts from 1, and the toolbox lets the last row and column go.
    hit = (column > 0) & (column < COLUMNS) & (row > 0) & (row < ROWS)
    nearest = np.full(ROWS * COLUMNS, np.inf)
    np.minimum.at(nearest, (row[hit] - 1) * COLUMNS + column[hit] - 1, z[hit])
    return np.where(np.isfinite(nearest), nearest, 0).astype(np.float32).reshape(depth.shape)


@cache
def resampling(camera: Camera) -> csr_array:
    """What undoes a camera's distortion: a matrix of bilinear weights (480·640, 480·640), float64, by which flat pixels are multiplied.

    The camera's matrix is kept (rect.m of Bouguet's calibration toolbox). Pixels outside of the lens' view have no weights.
    """
    row, column = np.indices((ROWS, COLUMNS), dtype=np.float64).reshape(2, -1)
    x, y = distort(camera, (column - camera.cx) / camera.fx, (row - camera.cy) / camera.fy)
    column, row = camera.fx * x + camera.cx, camera.fy * y + camera.cy
    left, top = np.floor(column), np.floor(row)
    inside = (left >= 0) & (left <= COLUMNS - 2) & (top >= 0) & (top <= ROWS - 2)
    right, down = (column - left)[inside], (row - top)[inside]
    weights = np.stack([(1 - down) * (1 - right), (1 - down) * right, down * (1 - right), down * right], axis=1)
    corner = (top * COLUMNS + left)[inside].astype(np.int32)
    sources = corner[:, None] + np.array([0, 1, COLUMNS, COLUMNS + 1], np.int32)
    starts = np.concatenate([[0], 4 * np.cumsum(inside)]).astype(np.int32)
    return csr_array((weights.ravel(), sources.ravel(), starts), shape=(ROWS * COLUMNS, ROWS * COLUMNS))


def _unseen(mixing: csr_array) -> np.ndarray:
    """Pixels without weights."""
    nothing: np.ndarray = np.diff(mixing.indptr) == 0
    return nothing


def distort(camera: Camera, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Where the lens puts a ray (x, y, 1), in the same units (Brown 1966; Bouguet's apply_distortion.m)."""
    r2 = x * x + y * y
    radial = 1 + r2 * (camera.k1 + r2 * (camera.k2 + r2 * camera.k3))
    return (
        x * radial + 2 * camera.p1 * x * y + camera.p2 * (r2 + 2 * x * x),
        y * radial + camera.p1 * (r2 + 2 * y * y) + 2 * camera.p2 * x * y,
    )


@cache
def _rays() -> np.ndarray:
    """Directions (3, 480·640) of the depth camera's pixels, counted from 1 as in depth_plane2depth_world.m, turned into the RGB camera."""
    row, column = np.indices((ROWS, COLUMNS), dtype=np.float64).reshape(2, -1) + 1
    rays = np.stack([(column - DEPTH.cx) / DEPTH.fx, (row - DEPTH.cy) / DEPTH.fy, np.ones(ROWS * COLUMNS)])
    turned: np.ndarray = ROTATION.T @ rays
    return turned


def _rounded(values: np.ndarray) -> np.ndarray:
    """To whole numbers, halves up."""
    return np.floor(values + 0.5).astype(np.intp)
