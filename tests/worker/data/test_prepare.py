from __future__ import annotations

import numpy as np
import pytest

from depthboard.config import DataConfig
from depthboard.errors import InvalidInput
from worker.data.prepare import nearest, prepare


def coordinates(height: int, width: int) -> np.ndarray:
    """Depth whose value tells the pixel: row × 1000 + column."""
    return (np.arange(height)[:, None] * 1000 + np.arange(width)[None, :]).astype(np.float32)


@pytest.mark.parametrize(
    "crop, first, last",
    [("none", (0, 0), (479, 639)), ("toolbox", (44, 40), (470, 600)), ("eigen", (20, 24), (459, 615))],
)
def test_a_crop_cuts_the_rows_and_columns_of_its_definition(
    crop: str, first: tuple[int, int], last: tuple[int, int]
) -> None:
    depth = coordinates(480, 640)
    config = DataConfig.model_validate({"crop": crop, "height": 2048, "width": 2048})
    _, out = prepare(np.zeros((480, 640, 3), np.uint8), depth, config)
    assert out[0, 0] == first[0] * 1000 + first[1]
    assert out[-1, -1] == last[0] * 1000 + last[1]


def test_a_named_crop_of_frames_of_another_size_is_refused() -> None:
    with pytest.raises(InvalidInput, match=r"480×640.*432×645") as caught:
        prepare(np.zeros((432, 645, 3), np.uint8), np.ones((432, 645), np.float32), DataConfig(crop="toolbox"))
    assert caught.value.field == "data.crop"


def test_depth_takes_the_nearest_pixel_and_never_a_mean() -> None:
    depth = np.where(np.indices((480, 640)).sum(0) % 2, 9.0, 0.0).astype(np.float32)
    _, out = prepare(np.zeros((480, 640, 3), np.uint8), depth, DataConfig(height=64, width=96))
    assert set(np.unique(out)) <= {0.0, 9.0}


def test_nearest_takes_the_pixel_under_each_centre() -> None:
    assert nearest(np.arange(10)[None], 1, 5).tolist() == [[1, 3, 5, 7, 9]]
    assert nearest(np.arange(3)[None], 1, 6).tolist() == [[0, 0, 1, 1, 2, 2]]
    same = coordinates(48, 64)
    np.testing.assert_array_equal(nearest(same, 48, 64), same)


def test_rgb_is_averaged_over_the_pixels_it_replaces() -> None:
    stripes = np.zeros((480, 640, 3), np.uint8)
    stripes[:, ::2] = 200
    out, _ = prepare(stripes, np.ones((480, 640), np.float32), DataConfig(height=64, width=64))
    assert out.shape == (64, 64, 3)
    assert np.abs(out[:, 2:-2].astype(int) - 100).max() <= 2


def test_a_frame_of_the_right_size_is_left_as_it_is() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    depth = coordinates(64, 96)
    out, out_depth = prepare(rgb, depth, DataConfig())
    np.testing.assert_array_equal(out, rgb)
    np.testing.assert_array_equal(out_depth, depth)
