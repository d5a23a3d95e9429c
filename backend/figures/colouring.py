"""Depth and signed error as colours: the rule that the browser's canvas and the exported figure share.

`colormaps.json` holds the tables (256 × RGB, near → far; `error` from too near to too far); the browser reads the same file.
A value d in [lo, hi] takes entry floor(255·(d − lo)/(hi − lo) + 0.5), clamped to 0..255; an invalid value is transparent, so that the
hatch behind it shows. All arithmetic is float64 in this order, which JavaScript's numbers repeat bit for bit.
"""

from __future__ import annotations

import base64
import io
import json
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

RGBA = NDArray[np.uint8]

PERCEPTUAL = ("depth", "viridis", "cividis", "inferno", "plasma", "grey")
NOT_PERCEPTUAL = ("turbo", "jet")
"""They show edges where depth has none."""
DEPTH_MAPS = (*PERCEPTUAL, *NOT_PERCEPTUAL)
EDGE_COLOUR = (0, 240, 255)
"""In none of the perceptual tables, nor in that of the error."""
EDGE_STEP = 0.1
"""By how much of its depth a surface stands before the next one."""
SHARE_STEPS = 8000
PERCENTILES = (0, 1, 2, 5, 95, 98, 99, 100)
HATCH_SPACING = 8


@cache
def colormap(name: str) -> NDArray[np.uint8]:
    """The table `name`, (256, 3) uint8. Raises KeyError for a name that is not in colormaps.json."""
    tables = json.loads(Path(__file__).with_name("colormaps.json").read_text("utf-8"))
    table = np.array(tables[name], dtype=np.uint8)
    table.setflags(write=False)
    return table


def colour_depth(millimetres: NDArray[np.uint16], low: float, high: float, name: str = "depth") -> RGBA:
    """Depth (H, W) in millimetres, 0 = invalid -> (H, W, 4); `low` < `high` in metres."""
    return _look_up(millimetres / 1000.0, low, high, name, millimetres > 0)


def colour_error(predicted: NDArray[np.uint16], truth: NDArray[np.uint16], limit: float) -> RGBA:
    """Prediction − ground truth, both (H, W) in millimetres, symmetric about 0 within ±`limit` metres; transparent where either is invalid."""
    signed = (predicted.astype(np.float64) - truth.astype(np.float64)) / 1000.0
    return _look_up(signed, -limit, limit, "error", (predicted > 0) & (truth > 0))


def colour_relative(predicted: NDArray[np.uint16], truth: NDArray[np.uint16], limit: float) -> RGBA:
    """As `colour_error`, as a share of the ground truth, rounded to 1/8000 as depth is to millimetres."""
    known = np.where(truth > 0, truth, 1).astype(np.float64)
    share = np.floor(SHARE_STEPS * (predicted - known) / known + 0.5).clip(-32767, 32767) / SHARE_STEPS
    return _look_up(share, -limit, limit, "error", (predicted > 0) & (truth > 0))


def median_scaled(predicted: NDArray[np.uint16], truth: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """The prediction × median(truth) / median(prediction), both over the pixels that have both, in whole millimetres; as it is where none has."""
    both = (predicted > 0) & (truth > 0)
    if not both.any():
        return predicted
    scale = float(np.median(truth[both])) / float(np.median(predicted[both]))
    scaled = np.floor(predicted * scale + 0.5).clip(1, 65535)
    return np.where(predicted > 0, scaled, 0).astype(np.uint16)


def edges(millimetres: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Where a surface stands before a farther one: 2 − z/a − z/b > EDGE_STEP with a and b the depths on both sides, left and right or above and below.

    1/z is linear over the picture of a plane, so this is 0 on floors and walls however steep they are, and the lines are one pixel wide.
    """
    z = millimetres.astype(np.float64)
    found = np.zeros(z.shape, dtype=np.bool_)
    for here, before, after in (
        (np.s_[:, 1:-1], np.s_[:, :-2], np.s_[:, 2:]),
        (np.s_[1:-1], np.s_[:-2], np.s_[2:]),
    ):
        a, b = z[before], z[after]
        known = (z[here] > 0) & (a > 0) & (b > 0)
        step = 2 - z[here] / np.where(known, a, 1) - z[here] / np.where(known, b, 1)
        found[here] |= known & (step > EDGE_STEP)
    return found


def with_edges(image: RGBA, where: NDArray[np.bool_]) -> RGBA:
    """A copy of the image (H, W, 4) with these pixels in EDGE_COLOUR."""
    out = image.copy()
    out[where] = (*EDGE_COLOUR, 255)
    return out


def _look_up(values: NDArray[np.float64], low: float, high: float, name: str, valid: NDArray[np.bool_]) -> RGBA:
    index = np.floor(255 * (values - low) / (high - low) + 0.5).clip(0, 255).astype(np.intp)
    out = np.zeros((*values.shape, 4), dtype=np.uint8)
    out[..., :3] = colormap(name)[index]
    out[..., 3] = 255
    out[~valid] = 0
    return out


def percentiles(truths: list[NDArray[np.uint16]]) -> dict[int, float]:
    """PERCENTILES in metres of all valid ground truth shown; empty where there is none."""
    valid = [truth[truth > 0] for truth in truths]
    if not any(len(v) for v in valid):
        return {}
    found = np.percentile(np.concatenate(valid), PERCENTILES)
    return {p: float(value) / 1000.0 for p, value in zip(PERCENTILES, found, strict=True)}


def depth_range(truths: list[NDArray[np.uint16]], low: int = 2, high: int = 98) -> tuple[float, float]:
    """Two of PERCENTILES in metres of all valid ground truth shown; (0, 10) where there is none, never an empty interval."""
    found = percentiles(truths)
    return stretched(found[low], found[high]) if found else (0.0, 10.0)


def stretched(low: float, high: float) -> tuple[float, float]:
    """Never an empty interval."""
    return (low, high) if high > low else (low - 0.5, low + 0.5)


def colorscale(name: str) -> list[tuple[float, str]]:
    """The table as a Plotly colour scale."""
    return [(i / 255, f"rgb({r},{g},{b})") for i, (r, g, b) in enumerate(colormap(name).tolist())]


def hatch(height: int, width: int, colour: str, background: str) -> RGBA:
    """Diagonal lines, opaque: what shows where there is no depth."""
    y, x = np.indices((height, width))
    out = np.empty((height, width, 4), dtype=np.uint8)
    out[...] = _rgba(background)
    out[(x + y) % HATCH_SPACING < HATCH_SPACING // 4] = _rgba(colour)
    return out


def data_uri(image: NDArray[np.uint8]) -> str:
    """(H, W, 3 or 4) as a PNG data URI."""
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG")
    return png_uri(buffer.getvalue())


def png_uri(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _rgba(colour: str) -> tuple[int, int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16), 255
