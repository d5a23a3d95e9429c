"""Intrinsics under crop and resize, and points from depth."""

from __future__ import annotations

import numpy as np
import pytest

from depthboard.camera import NYUV2_RGB, Intrinsics
from depthboard.errors import InvalidInput

TOOLBOX = (44, 471, 40, 601)


def scene() -> np.ndarray:
    """(480,640) metres: a tilted wall with a wave."""
    y, x = np.mgrid[:480, :640]
    return np.asarray(2 + 0.004 * x + 0.002 * y + 0.1 * np.sin(x / 30))


def test_the_paper_s_squeeze_makes_the_focal_lengths_differ() -> None:
    """561×427 (width × height) to 320×256: fx by 320/561, fy by 256/427."""
    seen = NYUV2_RGB.crop(TOOLBOX).resize((427, 561), (256, 320))
    assert seen.fx == pytest.approx(518.857901 * 320 / 561, abs=1e-4)
    assert seen.fy == pytest.approx(519.469611 * 256 / 427, abs=1e-4)
    assert seen.fy / seen.fx == pytest.approx(1.052, abs=1e-3)
    assert (seen.fx, seen.fy) == pytest.approx((295.962, 311.438), abs=1e-3)
    assert seen.cx == pytest.approx((325.582449 - 1 - 40 + 0.5) * 320 / 561 - 0.5, abs=1e-5)
    assert seen.cy == pytest.approx((253.736166 - 1 - 44 + 0.5) * 256 / 427 - 0.5, abs=1e-5)


def test_a_resize_keeps_the_middle_of_the_frame_in_the_middle() -> None:
    """Four pixels have their middle at 1.5, two at 0.5, one at 0."""
    camera = Intrinsics(4, 4, 1.5, 1.5)
    assert camera.resize((4, 4), (2, 1)) == Intrinsics(1, 2, 0, 0.5)


def test_resizing_there_and_back_is_nothing() -> None:
    back = NYUV2_RGB.resize((480, 640), (256, 320)).resize((256, 320), (480, 640))
    assert (back.fx, back.fy, back.cx, back.cy) == pytest.approx(
        (NYUV2_RGB.fx, NYUV2_RGB.fy, NYUV2_RGB.cx, NYUV2_RGB.cy)
    )


def test_points_projected_again_are_the_pixels_they_came_from() -> None:
    camera = NYUV2_RGB.crop(TOOLBOX).resize((427, 561), (256, 320))
    depth = scene()[:256, :320]
    y, x = np.mgrid[:256, :320]
    np.testing.assert_allclose(camera.project(camera.points(depth)), np.stack([x, y], axis=-1), atol=1e-9)
    np.testing.assert_array_equal(camera.points(depth)[..., 2], depth)


def test_a_pixel_of_the_crop_is_the_same_point_as_in_the_frame() -> None:
    depth = scene()
    whole, part = NYUV2_RGB.points(depth), NYUV2_RGB.crop(TOOLBOX).points(depth[44:471, 40:601])
    np.testing.assert_allclose(part, whole[44:471, 40:601], atol=1e-12)


def test_a_pixel_of_a_resized_map_is_the_point_that_its_centre_falls_on() -> None:
    """480×640 to a third: the centre of every small pixel is that of the middle one of nine."""
    depth = scene()
    small = NYUV2_RGB.resize((480, 639), (160, 213)).points(depth[1::3, 1:639:3])
    np.testing.assert_allclose(small, NYUV2_RGB.points(depth)[1::3, 1:639:3], atol=1e-12)


def test_the_pixel_at_the_principal_point_lies_on_the_axis_by_hand() -> None:
    points = Intrinsics(2, 4, 1, 0).points(np.array([[3.0, 3.0, 3.0]]))
    assert points.tolist() == [[[-1.5, 0, 3], [0, 0, 3], [1.5, 0, 3]]]


def test_nyu_s_principal_point_is_the_toolbox_s_counted_from_zero() -> None:
    assert (NYUV2_RGB.cx + 1, NYUV2_RGB.cy + 1) == pytest.approx((325.582449, 253.736166), abs=1e-6)
    assert (NYUV2_RGB.fx, NYUV2_RGB.fy) == pytest.approx((518.857901, 519.469611), abs=1e-6)


@pytest.mark.parametrize("numbers", [(0, 1, 0, 0), (1, -1, 0, 0), (1, 1, float("nan"), 0), (float("inf"), 1, 0, 0)])
def test_impossible_intrinsics_are_refused(numbers: tuple[float, float, float, float]) -> None:
    with pytest.raises(InvalidInput, match="positive focal lengths"):
        Intrinsics(*numbers)


def test_empty_windows_and_sizes_are_refused() -> None:
    with pytest.raises(InvalidInput, match="is empty"):
        NYUV2_RGB.crop((10, 10, 0, 5))
    with pytest.raises(InvalidInput, match="at least 1×1"):
        NYUV2_RGB.resize((480, 640), (0, 320))


def test_a_point_in_the_camera_is_nowhere_in_the_picture() -> None:
    assert not np.isfinite(NYUV2_RGB.project(np.array([[1.0, 1.0, 0.0]]))).any()
