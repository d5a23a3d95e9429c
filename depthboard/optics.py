"""What is known of the camera behind each format's frames, and so of a network's input made of them."""

from __future__ import annotations

from depthboard import rooms
from depthboard.camera import NYUV2_RGB, Intrinsics
from depthboard.config.data import CROPPED_FRAME, CROPS, Crop

NYUV2 = ("nyuv2_mat", "nyuv2_raw", "densedepth", "bts", "sparse_to_dense")
UNCALIBRATED = {
    "dfd_indoor": "the DFD set comes without a calibration of its camera",
    "folder": "a plain folder says nothing of its camera",
}


def intrinsics(
    format: str, frame_id: str, stored: tuple[int, int] | None, crop: Crop, size: tuple[int, int]
) -> tuple[Intrinsics | None, str]:
    """The camera of a frame cut to `crop` and brought to `size`, with where that is known from; or None and why it is not.

    `stored` are rows and columns of the dataset's own frames.
    """
    if format == "rooms" and not rooms.is_frame(frame_id):
        return None, "no frame of the rooms has this name"
    if format == "rooms" and crop == "none":
        return rooms.intrinsics(frame_id, *size), "the camera that drew this room"
    if format == "rooms":
        native, words = rooms.intrinsics(frame_id, *CROPPED_FRAME), "the camera that drew this room"
    elif format in NYUV2:
        native, words = NYUV2_RGB, "NYUv2's calibration of its RGB camera"
    else:
        return None, UNCALIBRATED.get(format, "the script did not say which camera it was")
    if stored != CROPPED_FRAME:
        return None, f"{words} is for frames of 480×640, and these are {_size(stored)}"
    window = CROPS[crop]
    if window is None:
        return native.resize(CROPPED_FRAME, size), words
    top, bottom, left, right = window
    return native.crop(window).resize((bottom - top, right - left), size), f"{words}, after the crop"


def _size(size: tuple[int, int] | None) -> str:
    return "of unknown size" if size is None else f"{size[0]}×{size[1]}"
