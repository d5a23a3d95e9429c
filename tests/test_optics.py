"""The camera of a network's input, by the format of the frames."""

from __future__ import annotations

import numpy as np
import pytest

from depthboard import optics, rooms
from depthboard.camera import NYUV2_RGB
from depthboard.config import DataConfig
from worker.data.rooms import Rooms

FRAME = (480, 640)


@pytest.mark.parametrize("format", optics.NYUV2)
def test_nyuv2_has_its_toolbox_s_camera_after_crop_and_squeeze(format: str) -> None:
    found, words = optics.intrinsics(format, "a", FRAME, "toolbox", (256, 320))
    assert found == NYUV2_RGB.crop((44, 471, 40, 601)).resize((427, 561), (256, 320))
    assert words == "NYUv2's calibration of its RGB camera, after the crop"
    whole, _ = optics.intrinsics(format, "a", FRAME, "none", (240, 320))
    assert whole == NYUV2_RGB.resize(FRAME, (240, 320))


@pytest.mark.parametrize(
    ("format", "stored", "why"),
    [
        ("dfd_indoor", (400, 600), "without a calibration"),
        ("folder", FRAME, "says nothing of its camera"),
        ("", None, "the script did not say"),
        ("bts", (240, 320), "for frames of 480×640, and these are 240×320"),
    ],
)
def test_what_is_not_known_says_why(format: str, stored: tuple[int, int] | None, why: str) -> None:
    found, words = optics.intrinsics(format, "a", stored, "none", (64, 96))
    assert found is None
    assert why in words


@pytest.mark.parametrize("crop", ["none", "eigen"])
def test_the_floor_of_a_room_is_flat_in_the_points_of_its_camera(crop: str) -> None:
    """The lowest points of a frame lie on one plane only if focal lengths and centre are right."""
    config = DataConfig(crop=crop, height=96, width=128)  # type: ignore[arg-type]
    _, depth = Rooms().prepared("test/00033", config)
    camera, _ = optics.intrinsics("rooms", "test/00033", FRAME, crop, (96, 128))  # type: ignore[arg-type]
    assert camera is not None
    _, view = rooms.shell(rooms.draws_of("test/00033"))
    right, up, forward = view.axes
    x, y, z = np.moveaxis(camera.points(depth), -1, 0)
    height = view.position[1] + x * right[1] - y * up[1] + z * forward[1]
    floor = height[height < 0.02]
    assert floor.size > 50
    assert floor == pytest.approx(0, abs=0.02)


def test_a_name_that_is_no_room_has_no_camera() -> None:
    assert optics.intrinsics("rooms", "office/1", FRAME, "none", (64, 96))[0] is None
