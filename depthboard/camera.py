"""A pinhole camera's intrinsics, and what cropping and resizing a picture does to them.

Pixel centres lie at whole numbers: the first pixel of a row covers −0.5..0.5 and (0, 0) is the centre of the top left
one, as in OpenCV and NumPy indices. So a resize keeps the frame's edges, not its first centre: x' = s·(x + ½) − ½.
Matlab counts from (1, 1): its principal point is larger by 1 in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from depthboard.errors import InvalidInput

Points = NDArray[np.float64]
Size = tuple[int, int]
Ends = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """Focal lengths and principal point in pixels. x runs to the right, y down, z (the depth, in metres) forward.

    A point (X, Y, Z) is seen at x = fx·X/Z + cx, y = fy·Y/Z + cy. Raises InvalidInput for a focal length that is not
    positive and for a number that is not finite.
    """

    fx: float
    fy: float
    cx: float
    cy: float

    def __post_init__(self) -> None:
        if not np.isfinite([self.fx, self.fy, self.cx, self.cy]).all() or min(self.fx, self.fy) <= 0:
            raise InvalidInput(
                f"Intrinsics need finite numbers and positive focal lengths, but are {self.fx}, {self.fy}, {self.cx}, {self.cy}.",
                field="intrinsics",
                remedy="Give fx, fy, cx, cy in pixels.",
            )

    def crop(self, window: Ends) -> Intrinsics:
        """Inside the window (top, bottom, left, right), the ends excluded: the principal point moves, the focal lengths stay."""
        top, bottom, left, right = window
        if top >= bottom or left >= right:
            raise InvalidInput(f"The window {tuple(window)} (top, bottom, left, right) is empty.", field="window")
        return Intrinsics(self.fx, self.fy, self.cx - left, self.cy - top)

    def resize(self, from_size: Size, to_size: Size) -> Intrinsics:
        """After a resize between sizes of (rows, columns), as PIL, OpenCV and torch (align_corners=False) do it.

        Each direction has its own factor, so a squeeze such as 427×561 to 256×320 makes fx and fy differ.
        """
        if min(*from_size, *to_size) < 1:
            raise InvalidInput(f"Cannot resize {from_size} to {to_size}: a size is at least 1×1.", field="size")
        down, right = to_size[0] / from_size[0], to_size[1] / from_size[1]
        return Intrinsics(self.fx * right, self.fy * down, (self.cx + 0.5) * right - 0.5, (self.cy + 0.5) * down - 0.5)

    def points(self, depth: NDArray[np.floating]) -> Points:
        """(H,W,3) X, Y, Z in metres of a depth map (H,W) in metres, depth along the axis and not along the ray."""
        y, x = np.mgrid[: depth.shape[0], : depth.shape[1]].astype(np.float64)
        rays = np.stack([(x - self.cx) / self.fx, (y - self.cy) / self.fy, np.ones_like(x)], axis=-1)
        found: Points = rays * np.asarray(depth, np.float64)[..., None]
        return found

    def project(self, points: Points) -> Points:
        """(…,2) x, y in pixels of (…,3) points in front of the camera; not finite where Z is 0."""
        with np.errstate(divide="ignore", invalid="ignore"):
            seen: Points = points[..., :2] / points[..., 2:] * (self.fx, self.fy) + (self.cx, self.cy)
        return seen


NYUV2_RGB = Intrinsics(
    fx=518.85790117450188, fy=519.46961112127485, cx=325.58244941119034 - 1, cy=253.73616633400465 - 1
)
"""NYUv2's RGB camera for frames of 480×640: fx_rgb … cy_rgb of the toolbox's camera_params.m.

The toolbox projects depth onto the grid 1..640 × 1..480, so its principal point is Matlab's; here it is less by 1.
BTS and others use the numbers as they stand, which is one pixel off to the right and down.
"""
