from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from backend.figures import colouring

SHARED = json.loads((Path(__file__).parents[2] / "fixtures" / "depth_colouring.json").read_text("utf-8"))
SHAPE = (SHARED["height"], SHARED["width"])


def millimetres(values: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.uint16]]:
    return np.array(values, np.uint16).reshape(SHAPE)


@pytest.mark.parametrize("name", colouring.DEPTH_MAPS)
def test_depth_is_coloured_as_in_the_fixture_shared_with_the_browser(name: str) -> None:
    image = colouring.colour_depth(millimetres(SHARED["millimetres"]), SHARED["low"], SHARED["high"], name)
    assert image.ravel().tolist() == SHARED["rgba"][name]


def test_error_is_coloured_as_in_the_fixture_shared_with_the_browser() -> None:
    error = SHARED["error"]
    image = colouring.colour_error(millimetres(error["predicted"]), millimetres(error["truth"]), error["limit"])
    assert image.ravel().tolist() == error["rgba"]


def test_the_relative_error_is_coloured_as_in_the_fixture_shared_with_the_browser() -> None:
    error = SHARED["relative"]
    image = colouring.colour_relative(millimetres(error["predicted"]), millimetres(error["truth"]), error["limit"])
    assert image.ravel().tolist() == error["rgba"]


def test_the_entry_of_a_depth_is_the_one_worked_out_by_hand() -> None:
    # 255·(2 − 1)/(7 − 1) = 42.5, and a half goes up: entry 43. 4 m lies at 127.5: entry 128.
    depth = np.array([[1000, 2000, 4000, 7000]], np.uint16)
    table = colouring.colormap("depth")
    assert (colouring.colour_depth(depth, 1.0, 7.0)[0, :, :3] == table[[0, 43, 128, 255]]).all()


def test_values_beyond_the_range_take_its_ends_and_invalid_ones_are_transparent() -> None:
    image = colouring.colour_depth(np.array([[500, 9000, 0]], np.uint16), 1.0, 7.0)
    table = colouring.colormap("depth")
    assert image[0, 0].tolist() == [*table[0].tolist(), 255]
    assert image[0, 1].tolist() == [*table[255].tolist(), 255]
    assert image[0, 2].tolist() == [0, 0, 0, 0]


def test_the_depth_map_runs_through_the_colours_of_the_design() -> None:
    stops = ["fdebac", "feb67c", "fa7d5e", "e34e65", "b5367a", "842681", "56147d", "241253", "03030f"]
    table = colouring.colormap("depth").astype(int)
    for i, stop in enumerate(stops):
        designed = [int(stop[k : k + 2], 16) for k in (0, 2, 4)]
        assert np.abs(table[round(i * 255 / 8)] - designed).max() <= 3


def test_the_error_map_is_nearly_white_at_zero_and_blue_where_too_near() -> None:
    table = colouring.colormap("error").astype(int)
    assert np.abs(table[128] - [0xF3, 0xF2, 0xF0]).max() <= 2
    assert (table[0].tolist(), table[255].tolist()) == ([0x0A, 0x2F, 0x63], [0x5C, 0x24, 0x03])


@pytest.mark.parametrize("name", [*colouring.DEPTH_MAPS, "error"])
def test_every_table_has_256_colours(name: str) -> None:
    assert colouring.colormap(name).shape == (256, 3)


@pytest.mark.parametrize("name", colouring.PERCEPTUAL)
def test_near_is_light_and_far_is_dark_without_a_turn(name: str) -> None:
    luma = colouring.colormap(name) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luma) < 1).all()
    assert luma[0] > luma[-1] + 100


def test_the_range_is_the_2nd_to_98th_percentile_of_all_valid_ground_truth() -> None:
    first = np.arange(1, 101, dtype=np.uint16).reshape(10, 10) * 100
    second = np.zeros((10, 10), np.uint16)
    assert colouring.depth_range([first, second]) == pytest.approx((0.298, 9.802))


def test_the_range_is_never_empty() -> None:
    assert colouring.depth_range([np.zeros((2, 2), np.uint16)]) == (0.0, 10.0)
    assert colouring.depth_range([np.full((2, 2), 2000, np.uint16)]) == (1.5, 2.5)


def test_the_hatch_is_opaque_and_has_both_colours() -> None:
    image = colouring.hatch(16, 24, "#6b707b", "#f4f4f6")
    assert image.shape == (16, 24, 4)
    assert (image[..., 3] == 255).all()
    assert {tuple(pixel) for pixel in image[..., :3].reshape(-1, 3).tolist()} == {
        (0x6B, 0x70, 0x7B),
        (0xF4, 0xF4, 0xF6),
    }
