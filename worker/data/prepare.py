"""From a frame as stored to a network's input: window and size."""

from __future__ import annotations

import numpy as np
from PIL import Image

from depthboard.config import DataConfig
from worker.metrics.protocol import window


def prepare(rgb: np.ndarray, depth: np.ndarray, config: DataConfig) -> tuple[np.ndarray, np.ndarray]:
    """Cut the window `config.crop` and bring it to `config.height` × `config.width`.

    `rgb` (H,W,3) uint8 is resized bilinearly, antialiased; `depth` (H,W) metres takes the nearest pixel, so that no value mixes two sides
    of an edge or a hole with its rim. Raises InvalidInput for a named crop on frames that are not 480×640.
    """
    rgb, depth = cut(rgb, config), cut(depth, config)
    picture = Image.fromarray(rgb).resize((config.width, config.height), Image.Resampling.BILINEAR)
    return np.asarray(picture), nearest(depth, config.height, config.width)


def cut(array: np.ndarray, config: DataConfig) -> np.ndarray:
    """The window `config.crop` of an array (H,W,…)."""
    top, bottom, left, right = window(config.crop, (array.shape[0], array.shape[1]), "data.crop")
    return np.ascontiguousarray(array[top:bottom, left:right])


def nearest(array: np.ndarray, height: int, width: int) -> np.ndarray:
    """(H,W) to (height,width): each pixel takes the one that its centre falls on."""
    rows = (2 * np.arange(height) + 1) * array.shape[0] // (2 * height)
    columns = (2 * np.arange(width) + 1) * array.shape[1] // (2 * width)
    taken: np.ndarray = array[rows[:, None], columns[None, :]]
    return taken
