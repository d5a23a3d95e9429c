"""Which pixels of which two depth maps are compared: crop window, valid range and resize of an `EvaluationConfig`.

The network sees the window `data.crop` of a frame, squeezed to data.height × data.width. Scored is the window
`evaluation.crop` of the same frame, so it must lie inside the first one. The toolbox's window contains that of BTS;
Eigen's and these do not contain each other (the toolbox's reaches further down, Eigen's further to the sides), and
`none` is the whole frame.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from depthboard.config import DataConfig, EvaluationConfig
from depthboard.config.data import CROPPED_FRAME, Crop
from depthboard.config.data import CROPS as config_crops
from depthboard.errors import InvalidInput


class Window(NamedTuple):
    """Rows top..bottom and columns left..right, the ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @property
    def size(self) -> tuple[int, int]:
        return self.bottom - self.top, self.right - self.left

    def holds(self, inner: Window) -> bool:
        rows = self.top <= inner.top and inner.bottom <= self.bottom
        return rows and self.left <= inner.left and inner.right <= self.right

    def of(self, maps: Tensor) -> Tensor:
        """This window of (…,H,W) maps."""
        return maps[..., self.top : self.bottom, self.left : self.right]


CROPS: dict[Crop, Window | None] = {name: ends and Window(*ends) for name, ends in config_crops.items()}


class Scored(NamedTuple):
    """Prediction and ground truth in metres and the pixels to compare, all (B,1,h,w). The prediction is not clamped yet."""

    pred: Tensor
    target: Tensor
    mask: Tensor


def window(crop: Crop, frame: tuple[int, int], field: str = "evaluation.crop") -> Window:
    """A crop's window in frames of (rows, columns). Raises InvalidInput where a named crop meets frames that are not 480×640."""
    named = CROPS[crop]
    if named is None:
        return Window(0, frame[0], 0, frame[1])
    if frame != CROPPED_FRAME:
        raise InvalidInput(
            f"The crop {crop!r} is defined for frames of 480×640 (rows × columns), but these are {frame[0]}×{frame[1]}.",
            field=field,
            remedy="Use the crop 'none' with this dataset.",
        )
    return named


def check_crops(data: Crop, evaluation: Crop, frame: tuple[int, int]) -> tuple[Window, Window]:
    """The window that is the network's input and the one that is scored. Raises InvalidInput unless the first holds the second."""
    seen, judged = window(data, frame, "data.crop"), window(evaluation, frame)
    if not seen.holds(judged):
        raise InvalidInput(
            f"The crop {evaluation!r} cannot be scored: the network sees only the window {data!r}, and that does not hold all of it.",
            field="evaluation.crop",
            remedy=f"Set evaluation.crop to {data!r}, or data.crop to 'none'.",
        )
    return seen, judged


def valid(target: Tensor, evaluation: EvaluationConfig) -> Tensor:
    """Where the ground truth lies strictly between min_depth and max_depth; a missing reading (0, NaN, inf) does not."""
    return (target > evaluation.min_depth) & (target < evaluation.max_depth)


def scored(
    pred: Tensor, target: Tensor, *, evaluation: EvaluationConfig, data: DataConfig, frame: tuple[int, int]
) -> Scored:
    """Bring a prediction and its ground truth together as the protocol says.

    `pred` is (B,1,data.height,data.width). `target` is as large with resize 'network' (made from the data.crop window
    as the input is), and (B,1,*frame), the whole frame, with 'native': there the prediction is stretched bilinearly
    over the data.crop window. `frame` is the (rows, columns) of the dataset's frames. Raises InvalidInput for crops
    that do not fit and for a target of another size.
    """
    seen, judged = check_crops(data.crop, evaluation.crop, frame)
    if evaluation.resize == "network":
        _expect(target, (data.height, data.width), "network")
        return Scored(pred, target, valid(target, evaluation) & _centres_inside(judged, seen, pred))
    _expect(target, frame, "native")
    stretched = interpolate(pred.to(target.dtype), size=seen.size, mode="bilinear", align_corners=False)
    shifted = Window(judged.top - seen.top, judged.bottom - seen.top, judged.left - seen.left, judged.right - seen.left)
    inside = judged.of(target)
    return Scored(shifted.of(stretched), inside, valid(inside, evaluation))


def _centres_inside(judged: Window, seen: Window, maps: Tensor) -> Tensor:
    """(H,W), true where a pixel of the squeezed input has its centre inside the scored window of the frame."""

    def along(pixels: int, start: int, stop: int, low: int, high: int) -> Tensor:
        steps = torch.arange(pixels, dtype=torch.float64, device=maps.device) + 0.5
        centres = start + steps * (stop - start) / pixels
        return (centres >= low) & (centres < high)

    rows, columns = maps.shape[-2:]
    inside_rows = along(rows, seen.top, seen.bottom, judged.top, judged.bottom)
    return inside_rows[:, None] & along(columns, seen.left, seen.right, judged.left, judged.right)


def _expect(target: Tensor, size: tuple[int, int], resize: str) -> None:
    found = tuple(target.shape[-2:])
    if found != size:
        raise InvalidInput(
            f"With resize {resize!r} the ground truth must be {size[0]}×{size[1]} (rows × columns), but it is {found[0]}×{found[1]}.",
            field="evaluation.resize",
        )
