"""The procedural rooms as far as everybody knows them: their random numbers, and for each frame its room and camera.

The worker draws what stands in a room and renders it (worker.data.rooms); whoever wants the camera alone draws as far as that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from depthboard.camera import Intrinsics

Size = tuple[float, float, float]
T = TypeVar("T")


class Draws:
    """Uniform numbers from the raw output of PCG64, the only part of numpy's generators that is promised never to change."""

    def __init__(self, *seed: int) -> None:
        self._bits = np.random.PCG64(list(seed))

    def unit(self) -> float:
        """A number in [0, 1) with 53 random bits."""
        return float(self._bits.random_raw() >> 11) * 2.0**-53

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.unit()

    def below(self, n: int) -> int:
        return min(int(self.unit() * n), n - 1)

    def one_of(self, items: Sequence[T]) -> T:
        return items[self.below(len(items))]

    def chance(self, probability: float) -> bool:
        return self.unit() < probability

    def colour(self, low: float, high: float, saturation: float = 0.5) -> tuple[float, float, float]:
        """A reflectance: brightness in [low, high], each channel lowered by at most `saturation`."""
        brightness = self.between(low, high)
        return tuple(brightness * (1 - saturation * self.unit()) for _ in range(3))  # type: ignore[return-value]

    def bytes_of(self, count: int) -> np.ndarray:
        """`count` random uint8."""
        raw = self._bits.random_raw((count + 7) // 8)
        return np.asarray(raw, dtype="<u8").view(np.uint8)[:count]


def turn(half_tangent: float) -> tuple[float, float]:
    """(cos, sin) of the angle whose half has this tangent: exact arithmetic where libm's sine differs by machine."""
    square = half_tangent * half_tangent
    return (1 - square) / (1 + square), 2 * half_tangent / (1 + square)


SEED = 20180711
PARTS = {"train": 0, "test": 1}
"""Frames of the two parts come from different seeds, so no room is in both."""
FARTHEST = 9.9
NEAREST = 0.55
CLEARANCE = 0.75
"""Camera to any wall: with half a diagonal field of view of at most 41 degrees, nothing on a wall is nearer than NEAREST."""


@dataclass(frozen=True)
class Camera:
    """Rows of `axes` are right, up and forward; `tangent` is that of half the horizontal field of view."""

    position: tuple[float, float, float]
    axes: np.ndarray
    tangent: float


def draws_of(frame_id: str) -> Draws:
    """The numbers of a frame such as test/00033."""
    part, number = frame_id.split("/")
    return Draws(SEED, PARTS[part], int(number))


def is_frame(frame_id: str) -> bool:
    part, _, number = frame_id.partition("/")
    return part in PARTS and number.isdecimal() and number.isascii()


def shell(draws: Draws) -> tuple[Size, Camera]:
    """Walls and a camera that sees none of them beyond FARTHEST; drawn again until that holds."""
    while True:
        size = (draws.between(2.6, 6.5), draws.between(2.35, 3.1), draws.between(2.6, 9.8))
        camera = look(draws, size)
        if farthest_corner(size, camera) < FARTHEST:
            return size, camera


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


def intrinsics(frame_id: str, height: int, width: int) -> Intrinsics:
    """Of a frame drawn at height × width: square pixels, the axis through the middle."""
    _, camera = shell(draws_of(frame_id))
    focal = width / (2 * camera.tangent)
    return Intrinsics(focal, focal, (width - 1) / 2, (height - 1) / 2)
