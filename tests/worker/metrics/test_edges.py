"""Sobel by hand, Canny against scikit-image."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from worker.metrics.edges import canny, inner, sobel

BY_SCIKIT_IMAGE = Path(__file__).parent / "canny_of_scikit_image.txt"
"""What skimage.feature.canny 0.26 marks on `scene()` scaled to 0..1, sigma √2, thresholds 0.15 and 0.3: whole, and with `holes()`."""


def scene() -> np.ndarray:
    y, x = np.mgrid[:48, :64].astype(float)
    depth = 2 + 0.03 * x + 0.01 * y
    depth[(y - 20) ** 2 + (x - 18) ** 2 < 120] = 1.2
    depth[10:40, 40:56] = 6 - 0.05 * y[10:40, 40:56]
    depth[:, 60:] += 1.5
    return np.asarray(depth + 0.25 * np.sin(x * y / 40.0))


def holes() -> np.ndarray:
    mask = np.ones((48, 64), dtype=bool)
    mask[14:26, 36:44] = mask[30:32] = mask[::7, ::9] = False
    return mask


@pytest.mark.parametrize(("block", "mask"), [(0, np.ones((48, 64), dtype=bool)), (1, holes())])
def test_canny_marks_the_pixels_that_scikit_image_marks(block: int, mask: np.ndarray) -> None:
    lines = BY_SCIKIT_IMAGE.read_text().split("\n\n")[block].split()
    np.testing.assert_array_equal(canny(scene(), mask), np.array([[c == "#" for c in line] for line in lines]))


def test_canny_does_not_look_into_holes() -> None:
    changed = np.where(holes(), scene(), np.nan)
    np.testing.assert_array_equal(canny(np.nan_to_num(changed, nan=99.0), holes()), canny(scene(), holes()))


def test_canny_is_the_same_for_a_scaled_and_shifted_map() -> None:
    mask = np.ones((48, 64), dtype=bool)
    np.testing.assert_array_equal(canny(3 * scene() + 7, mask), canny(scene(), mask))


@pytest.mark.parametrize("depth", [0.0, 2.5])
def test_a_map_of_one_depth_or_without_any_has_no_edge(depth: float) -> None:
    maps = np.full((20, 20), depth)
    assert not canny(maps, np.ones((20, 20), dtype=bool)).any()
    assert not canny(maps, np.zeros((20, 20), dtype=bool)).any()


def test_sobel_is_eight_on_a_ramp_of_one_a_pixel_and_four_at_a_step_of_one() -> None:
    ramp = np.tile(np.arange(9.0), (7, 1))
    np.testing.assert_array_equal(sobel(ramp)[1:-1, 1:-1], 8)
    np.testing.assert_allclose(sobel(ramp + 2 * ramp[:, :7].T.repeat(2, 1)[:, :9])[1:-1, 1:-1], 8 * np.hypot(1, 2))
    step = np.where(np.arange(9) < 4, 1.0, 2.0) * np.ones((7, 1))
    assert sobel(step)[3].tolist() == [0, 0, 0, 4, 4, 0, 0, 0, 0]


def test_a_pixel_beside_a_hole_is_no_inner_one_and_the_frame_counts_as_asked() -> None:
    mask = np.ones((5, 6), dtype=bool)
    mask[2, 3] = False
    assert (~inner(mask, frame=True)).sum() == 9
    assert inner(mask, frame=False).sum() == 12 - 9
