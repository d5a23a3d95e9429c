"""Reading picture files, with one sentence for each way they are broken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from depthboard.errors import DataProblem

COPY_AGAIN = "Copy the file again from its source, or take it and its partner out of the dataset."
DEPTH_MODES = {"L", "I", "F", "I;16", "I;16L", "I;16B", "I;16N"}
BROKEN = (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError)
"""What PIL raises on damaged files, by format and kind of damage."""


def read_rgb(path: Path) -> np.ndarray:
    """(H,W,3) uint8. Raises DataProblem."""
    with _open(path) as picture:
        return np.asarray(_decoded(picture, path).convert("RGB"))


def read_values(path: Path) -> np.ndarray:
    """A depth picture's values as stored, (H,W) uint8, uint16, int32 or float32. Raises DataProblem.

    Never through `convert("L")`, which cuts 16 bits to 8.
    """
    with _open(path) as picture:
        _expect_single_channel(picture, path)
        values = np.asarray(_decoded(picture, path))
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def probe_rgb(path: Path) -> tuple[int, int]:
    """Rows and columns, from the header; that the end is there too. Raises DataProblem."""
    with _open(path) as picture:
        _expect_end(picture, path)
        return picture.height, picture.width


def probe_depth(path: Path) -> tuple[int, int]:
    with _open(path) as picture:
        _expect_single_channel(picture, path)
        _expect_end(picture, path)
        return picture.height, picture.width


def missing(path: Path, remedy: str) -> DataProblem:
    return DataProblem(f"{path} is missing.", remedy=remedy)


def _open(path: Path) -> Image.Image:
    try:
        return Image.open(path)
    except FileNotFoundError:
        raise missing(path, "Restore the file, or take its partner out of the dataset.") from None
    except PermissionError:
        raise DataProblem(f"{path} may not be read by this user.", remedy="Give read permission on the file.") from None
    except UnidentifiedImageError:
        empty = path.stat().st_size == 0
        what = "is empty" if empty else "is not a picture, or its beginning is damaged"
        raise DataProblem(f"{path} {what}.", remedy=COPY_AGAIN) from None
    except BROKEN as error:
        raise DataProblem(f"{path} cannot be read: {error}.", remedy=COPY_AGAIN) from None


def _decoded(picture: Image.Image, path: Path) -> Image.Image:
    try:
        picture.load()
    except BROKEN as error:
        raise DataProblem(f"{path} is truncated or damaged: {error}.", remedy=COPY_AGAIN) from None
    return picture


def _expect_single_channel(picture: Image.Image, path: Path) -> None:
    if picture.mode not in DEPTH_MODES:
        raise DataProblem(
            f"{path} is not a depth map: it is a {picture.mode} picture, where one number a pixel is due.",
            remedy="Give the depth as 8- or 16-bit grey or as float, not as a coloured rendering.",
        )


ENDS = {"JPEG": b"\xff\xd9", "PNG": b"IEND\xaeB`\x82"}


def _expect_end(picture: Image.Image, path: Path) -> None:
    """Look for the mark that ends a JPEG or PNG: finds a cut copy without decoding it."""
    mark = ENDS.get(picture.format or "")
    if mark is None:
        return
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 4096))
        if mark not in file.read():
            raise DataProblem(f"{path} is truncated: the file ends before the picture does.", remedy=COPY_AGAIN)
