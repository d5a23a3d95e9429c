"""The contact sheet: a dozen frames to look at, each picture beside its depth."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from worker.data.prepare import nearest
from worker.data.source import Frame

# Magma reversed between 4 and 97 %: near is light, far is dark, equal steps look equal.
STOPS = ("fdebac", "feb67c", "fa7d5e", "e34e65", "b5367a", "842681", "56147d", "241253", "03030f")
COLUMNS, TILE, GAP, TEXT, BAR = 3, (150, 200), 12, 20, 44
INK = "#7a7f8a"
"""Read on white and on black: the sheet has no ground of its own."""


def colour_map(steps: int = 256) -> np.ndarray:
    """(steps,3) uint8."""
    stops = np.array([[int(stop[i : i + 2], 16) for i in (0, 2, 4)] for stop in STOPS], float)
    at = np.linspace(0, len(STOPS) - 1, steps)
    return (
        np.stack([np.interp(at, np.arange(len(STOPS)), stops[:, k]) for k in range(3)], axis=1).round().astype(np.uint8)
    )


def colour_depth(depth: np.ndarray, near: float, far: float) -> np.ndarray:
    """(H,W) metres to (H,W,3) uint8; invalid pixels are hatched in greys, which the map does not hold."""
    share = np.clip((depth - near) / max(far - near, 1e-6), 0, 1)
    coloured = colour_map()[(share * 255).round().astype(int)]
    rows, columns = np.indices(depth.shape)
    hatch = np.where((rows + columns) % 8 < 2, 120, 200).astype(np.uint8)
    return np.where((depth > 0)[..., None], coloured, hatch[..., None])


def contact_sheet(frames: Sequence[tuple[str, Frame]]) -> bytes:
    """PNG of labelled frames, all depths on one scale with its bar; empty bytes for no frames."""
    if not frames:
        return b""
    near, far = _scale([frame.depth for _, frame in frames])
    height, width = TILE
    cell = (2 * width + GAP, height + TEXT + GAP)
    rows = -(-len(frames) // COLUMNS)
    sheet = Image.new("RGBA", (COLUMNS * (cell[0] + GAP) + GAP, rows * cell[1] + GAP + BAR))
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(12)
    for number, (label, frame) in enumerate(frames):
        left = GAP + number % COLUMNS * (cell[0] + GAP)
        top = GAP + number // COLUMNS * cell[1]
        pen.text((left, top), _shortened(label, 2 * width, font), fill=INK, font=font)
        sheet.paste(_fitted(Image.fromarray(frame.rgb)), (left, top + TEXT))
        depth = nearest(frame.depth, *_fit(frame.depth.shape))
        sheet.paste(Image.fromarray(colour_depth(depth, near, far)), (left + width + 4, top + TEXT))
    _draw_bar(sheet, pen, font, near, far)
    png = io.BytesIO()
    sheet.save(png, "PNG")
    return png.getvalue()


def _scale(depths: Sequence[np.ndarray]) -> tuple[float, float]:
    valid = np.concatenate([depth[depth > 0][::17] for depth in depths])
    return (float(np.percentile(valid, 1)), float(np.percentile(valid, 99))) if valid.size else (0.0, 10.0)


def _fit(shape: tuple[int, ...]) -> tuple[int, int]:
    """Largest rows and columns of this shape's proportions within a tile."""
    factor = min(TILE[0] / shape[0], TILE[1] / shape[1])
    return max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor))


def _fitted(picture: Image.Image) -> Image.Image:
    rows, columns = _fit((picture.height, picture.width))
    return picture.resize((columns, rows), Image.Resampling.BILINEAR)


def _shortened(label: str, room: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Cut from the front: the end of a path tells frames apart."""
    text = label
    while font.getlength(text) > room:
        text = "…" + text[2:]
    return text


def _draw_bar(
    sheet: Image.Image,
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    near: float,
    far: float,
) -> None:
    width, top = 320, sheet.height - BAR + 6
    bar = np.repeat(colour_map(width)[None], 12, axis=0)
    sheet.paste(Image.fromarray(bar), (GAP, top))
    middle = (near + far) / 2
    for share, metres in ((0.0, near), (0.5, middle), (1.0, far)):
        pen.text(
            (GAP + share * width, top + 15),
            f"{metres:.1f} m",
            fill=INK,
            font=font,
            anchor=("la", "ma", "ra")[int(2 * share)],
        )
    hatch = colour_depth(np.zeros((12, 40), np.float32), 0, 1)
    sheet.paste(Image.fromarray(hatch), (GAP + width + 40, top))
    pen.text((GAP + width + 88, top - 1), "no depth", fill=INK, font=font)
