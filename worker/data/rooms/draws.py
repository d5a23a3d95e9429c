"""Random numbers that are the same on every machine and with every numpy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np

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
