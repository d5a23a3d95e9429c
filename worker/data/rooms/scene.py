"""A room as numbers: its walls, furniture, lamps and the camera that looks at it. Lengths in metres.

World axes: x along the width, y up from the floor, z along the length; the room fills [0, width] × [0, height] × [0, length].
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from worker.data.rooms.draws import Draws, turn


class Pattern(IntEnum):
    plain = 0
    checks = 1
    tiles = 2
    planks = 3
    stripes = 4
    bricks = 5
    mottled = 6
    glowing = 7


Colour = tuple[float, float, float]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Material:
    """Two reflectances and the pattern that mixes them; `scale` is the pattern's period in metres."""

    pattern: Pattern
    first: Colour
    second: Colour
    scale: float


@dataclass(frozen=True)
class Box:
    """An upright box in the axes of its piece."""

    centre: tuple[float, float, float]
    half: tuple[float, float, float]
    material: Material


@dataclass(frozen=True)
class Cylinder:
    """An upright closed cylinder in the axes of its piece, standing on `foot`."""

    foot: tuple[float, float, float]
    radius: float
    height: float
    material: Material


@dataclass(frozen=True)
class Piece:
    """Boxes and cylinders about a spot on the floor, turned about the vertical by the angle with this (cos, sin)."""

    x: float
    z: float
    facing: tuple[float, float]
    boxes: tuple[Box, ...]
    cylinders: tuple[Cylinder, ...]

    @property
    def materials(self) -> list[Material]:
        return [*(b.material for b in self.boxes), *(c.material for c in self.cylinders)]

    def extents(self) -> list[tuple[Point, Point]]:
        """Centre and half extent of each part, in the piece's axes."""
        boxes = [(b.centre, b.half) for b in self.boxes]
        round_ = [
            ((c.foot[0], c.foot[1] + c.height / 2, c.foot[2]), (c.radius, c.height / 2, c.radius))
            for c in self.cylinders
        ]
        return boxes + round_

    def bounds(self) -> tuple[Point, float]:
        """Centre (world axes) and radius of a ball that holds all parts."""
        extents = self.extents()
        low = [min(centre[k] - half[k] for centre, half in extents) for k in range(3)]
        high = [max(centre[k] + half[k] for centre, half in extents) for k in range(3)]
        x, y, z = ((low[k] + high[k]) / 2 for k in range(3))
        cos, sin = self.facing
        radius = math.sqrt(sum((high[k] - low[k]) ** 2 for k in range(3))) / 2
        return (self.x + cos * x + sin * z, y, self.z - sin * x + cos * z), radius


@dataclass(frozen=True)
class Lamp:
    position: tuple[float, float, float]
    colour: Colour
    shadows: bool


@dataclass(frozen=True)
class Camera:
    """Rows of `axes` are right, up and forward; `tangent` is that of half the horizontal field of view."""

    position: tuple[float, float, float]
    axes: np.ndarray
    tangent: float


@dataclass(frozen=True)
class Scene:
    size: tuple[float, float, float]
    surfaces: tuple[Material, ...]
    """Six: wall x=0, wall x=width, floor, ceiling, wall z=0, wall z=length."""
    pieces: tuple[Piece, ...]
    lamps: tuple[Lamp, ...]
    camera: Camera
    exposure: float
    ambient: float


FARTHEST = 9.9
NEAREST = 0.55
CLEARANCE = 0.75
"""Camera to any wall: with half a diagonal field of view of at most 41 degrees, nothing on a wall is nearer than NEAREST."""


def look(draws: Draws, size: tuple[float, float, float]) -> Camera:
    """A hand-held camera at standing height, near one end of the room and turned roughly towards the other."""
    width, _, length = size
    position = (
        draws.between(CLEARANCE, width - CLEARANCE),
        draws.between(1.25, 1.6),
        draws.between(CLEARANCE, min(length - CLEARANCE, CLEARANCE + 0.9)),
    )
    # Turned back towards the middle of the room: a camera left of it looks a little to the right.
    drift = 0.5 - position[0] / width
    cos_yaw, sin_yaw = turn(drift * 0.5 + draws.between(-0.3, 0.3))
    cos_pitch, sin_pitch = turn(draws.between(-0.14, -0.01))
    cos_roll, sin_roll = turn(draws.between(-0.012, 0.012))
    forward = np.array([sin_yaw * cos_pitch, sin_pitch, cos_yaw * cos_pitch])
    level = np.array([cos_yaw, 0.0, -sin_yaw])
    above = np.array([-sin_yaw * sin_pitch, cos_pitch, -cos_yaw * sin_pitch])
    axes = np.stack([cos_roll * level + sin_roll * above, cos_roll * above - sin_roll * level, forward])
    return Camera(position, axes, draws.between(0.56, 0.64))


def farthest_corner(size: tuple[float, float, float], camera: Camera) -> float:
    """Depth along the optical axis of the room's deepest corner, seen or not."""
    right, up, forward = camera.axes[2]
    x, y, z = camera.position
    return float(
        max(right * -x, right * (size[0] - x))
        + max(up * -y, up * (size[1] - y))
        + max(forward * -z, forward * (size[2] - z))
    )
