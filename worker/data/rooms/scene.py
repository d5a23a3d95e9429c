"""A room as numbers: its walls, furniture, lamps and the camera that looks at it. Lengths in metres.

World axes: x along the width, y up from the floor, z along the length; the room fills [0, width] × [0, height] × [0, length].
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

from depthboard.rooms import Camera


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
class Scene:
    size: tuple[float, float, float]
    surfaces: tuple[Material, ...]
    """Six: wall x=0, wall x=width, floor, ceiling, wall z=0, wall z=length."""
    pieces: tuple[Piece, ...]
    lamps: tuple[Lamp, ...]
    camera: Camera
    exposure: float
    ambient: float
