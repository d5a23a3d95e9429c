"""Depth maps that a script shows: from what it has to the millimetres and pictures of the protocol."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from depthboard.errors import InvalidInput
from depthboard.protocol import ScriptDepth, pack_depth

MOST_PIXELS = 3_000_000
"""With ground truth and picture they fit into one request, whatever they show."""
LONGEST_SIDE = 8192
DEEPEST = 65535
"""Millimetres; what is farther is kept as this."""


def shown(
    name: str, step: int, depth: object, target: object | None, rgb: object | None
) -> dict[str, NDArray[Any] | None]:
    """What is kept of a call of `log_depth`: small integers, quickly made. Raises InvalidInput naming the argument."""
    prediction = plane("depth", depth)
    truth = None if target is None else plane("target", target)
    picture = None if rgb is None else photograph(rgb)
    for field, other in (("target", truth), ("rgb", picture)):
        if other is not None and other.shape[:2] != prediction.shape:
            raise InvalidInput(
                f"it is {other.shape[0]}×{other.shape[1]}, and the depth map {prediction.shape[0]}×{prediction.shape[1]}.",
                field=field,
                remedy="Give both the same size.",
            )
    return {
        "about": np.frombuffer(f"{step} {int((~np.isfinite(prediction)).sum())} {name}".encode(), np.uint8),
        "depth": millimetres(prediction),
        "target": None if truth is None else millimetres(truth),
        "rgb": picture,
    }


def plane(field: str, given: object) -> NDArray[np.float64]:
    """(H, W) metres of an array or tensor that may have further axes of length 1. Raises InvalidInput."""
    array = np.squeeze(array_of(field, given))
    fits = array.ndim == 2 and 0 < array.size <= MOST_PIXELS and max(array.shape) <= LONGEST_SIDE
    if not fits or array.dtype.kind not in "fiu":
        raise InvalidInput(
            f"an array of {array.dtype} and shape {array.shape} is no depth map.",
            field=field,
            remedy=f"Give metres as an array of numbers, H×W, at most {LONGEST_SIDE} a side and {MOST_PIXELS:,} in all.",
        )
    return array.astype(np.float64, copy=False)


def photograph(given: object) -> NDArray[np.uint8]:
    """(H, W, 3) of an array H×W×3 or 3×H×W, bytes or floats from 0 to 1; grey ones too. Raises InvalidInput."""
    array = np.squeeze(array_of("rgb", given))
    if array.ndim == 2:
        array = np.stack([array] * 3, axis=-1)
    if array.ndim == 3 and array.shape[0] == 3 and array.shape[2] != 3:
        array = array.transpose(1, 2, 0)
    if array.ndim != 3 or array.shape[2] != 3 or not (array.dtype.kind == "f" or array.dtype == np.uint8):
        raise InvalidInput(
            f"an array of {array.dtype} and shape {array.shape} is no picture.",
            field="rgb",
            remedy="Give H×W×3 or 3×H×W, uint8, or floats from 0 to 1.",
        )
    if array.dtype.kind == "f":
        array = np.nan_to_num(array).clip(0, 1) * 255 + 0.5
    return np.ascontiguousarray(array, np.uint8)


def array_of(field: str, given: Any) -> NDArray[Any]:
    """Of a tensor on any device, or of anything that NumPy reads."""
    if hasattr(given, "detach"):
        given = given.detach().cpu()
        given = given.float() if "bfloat16" in str(given.dtype) else given
    try:
        return np.asarray(given)
    except (TypeError, ValueError, RuntimeError) as error:
        raise InvalidInput(f"{type(given).__name__} is no array ({error}).", field=field) from error


def millimetres(metres: NDArray[np.float64]) -> NDArray[np.uint16]:
    """0 for what is not finite or not above 0."""
    with np.errstate(invalid="ignore", over="ignore"):
        valid = np.isfinite(metres) & (metres > 0)
        rounded = np.where(valid, (1000 * np.where(valid, metres, 0)).round().clip(1, DEEPEST), 0)
    return rounded.astype("<u2")


def write(path: Path, content: dict[str, NDArray[Any] | None]) -> None:
    """Whole or not at all. Raises OSError."""
    temporary = path.with_suffix(".part")
    try:
        with temporary.open("wb") as file:
            np.savez(file, **{name: array for name, array in content.items() if array is not None})  # type: ignore[arg-type]
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def read(path: Path) -> dict[str, NDArray[Any] | None]:
    with np.load(path) as file:
        return {name: file.get(name) for name in ("about", "depth", "target", "rgb")}


def message(content: dict[str, NDArray[Any] | None]) -> ScriptDepth:
    """As it is sent: packed, and the picture as PNG."""
    about, depth, target, rgb = (content[name] for name in ("about", "depth", "target", "rgb"))
    assert about is not None
    assert depth is not None
    step, nonfinite, name = about.tobytes().decode().split(" ", 2)
    return ScriptDepth(
        step=int(step),
        frame=name,
        height=depth.shape[0],
        width=depth.shape[1],
        nonfinite=int(nonfinite),
        depth=pack_depth(depth),
        target=None if target is None else pack_depth(target),
        rgb=None if rgb is None else _png(rgb),
    )


def _png(rgb: NDArray[Any]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG")
    return file.getvalue()
