"""What the patterns look like. Only +, −, ×, ÷, √ and integer arithmetic: the same bytes on every machine."""

from __future__ import annotations

import numpy as np

from worker.data.rooms.scene import Pattern

F = np.float32
Array = np.ndarray


def scramble(a: Array, b: Array) -> Array:
    """A number in [0, 1) for each pair of whole numbers (float32 holding integers)."""
    x = a.astype(np.int32).astype(np.uint32) * np.uint32(0x9E3779B1)
    x += b.astype(np.int32).astype(np.uint32) * np.uint32(0x85EBCA77)
    x ^= x >> np.uint32(15)
    x *= np.uint32(0x2C1B3C6D)
    x ^= x >> np.uint32(12)
    return (x >> np.uint32(8)).astype(F) * F(2.0**-24)


def noise(u: Array, v: Array) -> Array:
    """Value noise of period 1, in [0, 1): random at whole numbers, smooth between."""
    i, j = np.floor(u), np.floor(v)
    a, b = u - i, v - j
    a, b = a * a * (F(3) - F(2) * a), b * b * (F(3) - F(2) * b)
    low = scramble(i, j) * (F(1) - a) + scramble(i + F(1), j) * a
    high = scramble(i, j + F(1)) * (F(1) - a) + scramble(i + F(1), j + F(1)) * a
    mixed: Array = low * (F(1) - b) + high * b
    return mixed


def _plain(u: Array, _: Array) -> Array:
    return np.zeros_like(u)


def _checks(u: Array, v: Array) -> Array:
    total = np.floor(u) + np.floor(v)
    odd: Array = total - F(2) * np.floor(total * F(0.5))
    return odd


def _tiles(u: Array, v: Array) -> Array:
    i, j = np.floor(u), np.floor(v)
    edge = np.minimum(u - i, v - j) < F(0.08)
    return np.where(edge, F(1), F(0.3) * scramble(i, j))


def _planks(u: Array, v: Array) -> Array:
    i = np.floor(u)
    j = np.floor(v * F(0.125) + scramble(i, i))
    return np.where(u - i < F(0.06), F(1), F(0.6) * scramble(i, j) + F(0.3) * noise(u * F(5), v * F(0.5)))


def _stripes(u: Array, _: Array) -> Array:
    half = u * F(0.5)
    return (half - np.floor(half) < F(0.5)).astype(F)


def _bricks(u: Array, v: Array) -> Array:
    row = np.floor(v * F(2.5))
    shifted = u + F(0.5) * (row - F(2) * np.floor(row * F(0.5)))
    i = np.floor(shifted)
    mortar = (shifted - i < F(0.06)) | (v * F(2.5) - row < F(0.14))
    return np.where(mortar, F(1), F(0.5) * scramble(i, row))


MIX = {
    Pattern.plain: _plain,
    Pattern.checks: _checks,
    Pattern.tiles: _tiles,
    Pattern.planks: _planks,
    Pattern.stripes: _stripes,
    Pattern.bricks: _bricks,
    Pattern.mottled: noise,
    Pattern.glowing: _plain,
}
"""Share of a material's second colour at (u, v), given in periods of the pattern."""

MEAN = {
    Pattern.plain: 0.0,
    Pattern.checks: 0.5,
    Pattern.tiles: 0.28,
    Pattern.planks: 0.48,
    Pattern.stripes: 0.5,
    Pattern.bricks: 0.4,
    Pattern.mottled: 0.5,
    Pattern.glowing: 0.0,
}
"""What a pattern fades to when its period is smaller than a pixel."""


def mix(kind: Array, u: Array, v: Array, footprint: Array) -> Array:
    """Share of the second colour a pixel; `footprint` is the pixel's width in periods, `kind` the pattern's number."""
    out = np.zeros_like(u)
    sharp = np.clip(F(1.2) - F(1.6) * footprint, F(0), F(1))
    for pattern, function in MIX.items():
        at = np.flatnonzero(kind == F(pattern))
        if at.size and function is not _plain:
            mean = F(MEAN[pattern])
            out[at] = mean + (function(u[at], v[at]) - mean) * sharp[at]
    return out
