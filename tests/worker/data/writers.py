"""Picture pairs for small datasets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image


def save_rgb(path: Path, seed: int = 0, size: tuple[int, int] = (24, 32)) -> np.ndarray:
    """A picture of random blocks, (rows, columns) = size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    blocks = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    rgb = np.asarray(Image.fromarray(blocks).resize((size[1], size[0]), Image.Resampling.NEAREST))
    Image.fromarray(rgb).save(path)
    return rgb


def save_depth(
    path: Path, seed: int = 0, size: tuple[int, int] = (24, 32), low: int = 700, high: int = 6000
) -> np.ndarray:
    """16-bit values with a corner of zeros."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.random.default_rng(seed).integers(low, high, size).astype(np.uint16)
    values[:3, :3] = 0
    Image.fromarray(values).save(path)
    return values
