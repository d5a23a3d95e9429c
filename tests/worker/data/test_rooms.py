from __future__ import annotations

import hashlib

import numpy as np
import pytest

from depthboard.config import DataConfig
from depthboard.datasets import ROOMS
from depthboard.rooms import Camera, Draws, turn
from worker.data import open_source
from worker.data.rooms import Rooms
from worker.data.rooms.build import build
from worker.data.rooms.furniture import Parts
from worker.data.rooms.render import render
from worker.data.rooms.scene import Lamp, Material, Pattern, Scene
from worker.data.store import to_millimetres

ROOM = Rooms()
RECORDED = [*(f"train/{n:05d}" for n in (0, 1, 2, 3, 1000, 4095)), *(f"test/{n:05d}" for n in (0, 1, 2, 63))]
GREY = Material(Pattern.plain, (0.5, 0.5, 0.5), (0.5, 0.5, 0.5), 1.0)


def test_the_recorded_fingerprint_is_the_hash_of_the_frames() -> None:
    total = hashlib.sha256()
    for name in RECORDED:
        frame = ROOM.draw(name, 64, 96)
        total.update(frame.rgb.tobytes())
        total.update(to_millimetres(frame.depth).astype("<u2").tobytes())
    assert total.hexdigest() == ROOMS.fingerprint == open_source("rooms").fingerprint()


def test_depth_is_finite_and_lies_between_half_a_metre_and_ten() -> None:
    depths = np.stack([ROOM.draw(frame, 32, 48).depth for frame in ROOM.all_frames()[::29]])
    assert np.isfinite(depths).all()
    assert 0.5 < depths.min() < 1
    assert 8 < depths.max() < 10


def test_rooms_differ_enough_that_a_constant_is_a_bad_prediction() -> None:
    depths = np.stack([ROOM.draw(frame, 32, 48).depth for frame in ROOM.frames("official", "test")])
    assert depths.std() > 1.3
    assert depths.mean(axis=(1, 2)).std() > 0.7


def test_no_room_is_in_both_parts() -> None:
    train = {ROOM.draw(f"train/{n:05d}", 32, 32).depth.tobytes() for n in range(40)}
    test = {ROOM.draw(f"test/{n:05d}", 32, 32).depth.tobytes() for n in range(40)}
    assert len(train) == len(test) == 40
    assert not train & test


def test_occlusion_edges_are_sharp_and_common() -> None:
    depths = np.stack([ROOM.draw(frame, 64, 96).depth for frame in ROOM.frames("official", "test")[:32]])
    jumps = np.abs(np.diff(depths, axis=2)) > 0.5
    assert jumps.any(axis=(1, 2)).mean() > 0.6


def test_a_network_input_is_rendered_at_its_own_size_and_a_crop_is_cut_from_the_nominal_frame() -> None:
    rgb, depth = ROOM.prepared("train/00007", DataConfig(height=64, width=96))
    direct = ROOM.draw("train/00007", 64, 96)
    np.testing.assert_array_equal(rgb, direct.rgb)
    np.testing.assert_array_equal(depth, direct.depth)
    _, cropped = ROOM.prepared("train/00007", DataConfig(height=32, width=32, crop="eigen"))
    whole = ROOM.read("train/00007").depth
    assert whole.shape == (480, 640)
    assert cropped[0, 0] == whole[20 + 440 // 64, 24 + 592 // 64]


def box_scene() -> Scene:
    """A turned box and a cylinder in an empty room, seen by a pitched and rolled camera."""
    parts = Parts()
    parts.box(0, 0, 0, 1.0, 0.8, 0.6, GREY)
    parts.cylinder(1.0, 0.1, 0.5, 0.3, 0.9, GREY)
    cos_yaw, sin_yaw = turn(0.1)
    cos_pitch, sin_pitch = turn(-0.1)
    forward = np.array([sin_yaw * cos_pitch, sin_pitch, cos_yaw * cos_pitch])
    level = np.array([cos_yaw, 0.0, -sin_yaw])
    axes = np.stack([level, np.cross(forward, level), forward])
    camera = Camera((1.6, 1.5, 0.8), axes, 0.6)
    return Scene(
        (4.0, 2.5, 5.0),
        (GREY,) * 6,
        (parts.at(2.0, 3.0, turn(0.3)),),
        (Lamp((2.0, 2.2, 2.0), (3.0,) * 3, True),),
        camera,
        1.0,
        0.2,
    )


def inside(point: np.ndarray) -> bool:
    """Whether a point lies in a solid of `box_scene`, or outside its room; worked out apart from the renderer."""
    x, y, z = point
    if not (0 < x < 4 and 0 < y < 2.5 and 0 < z < 5):
        return True
    angle = 2 * np.arctan(0.3)
    local = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ [x - 2, z - 3]
    in_box = abs(local[0]) < 0.5 and y < 0.8 and abs(local[1]) < 0.3
    return bool(in_box or ((local[0] - 1) ** 2 + (local[1] - 0.5) ** 2 < 0.09 and 0.1 < y < 1.0))


def test_depth_is_where_a_float64_march_along_the_optical_axis_first_meets_something() -> None:
    scene = box_scene()
    _, depth = render(scene, 24, 36)
    seen = set()
    for row in range(1, 24, 4):
        for column in range(1, 36, 4):
            across, down = (2 * column + 1 - 36) / 36 * 0.6, (2 * row + 1 - 24) / 36 * 0.6
            direction = scene.camera.axes.T @ [across, -down, 1.0]
            steps = np.arange(0.3, 8, 0.004)
            first = next(s for s in steps if inside(np.array(scene.camera.position) + s * direction))
            assert first - 0.0045 < depth[row, column] < first + 1e-4
            seen.add(round(float(depth[row, column]), 1))
    assert len(seen) > 8


def test_light_falls_off_and_shadows_are_dark() -> None:
    scene = box_scene()
    colour, depth = render(scene, 48, 72)
    assert np.isfinite(colour).all()
    assert (colour >= 0).all()
    assert colour.max() / colour[colour > 0].min() > 3
    assert depth.shape == (48, 72)


def test_draws_are_the_documented_bits_of_pcg64() -> None:
    raw = np.random.PCG64([1, 2, 3]).random_raw(2)
    draws = Draws(1, 2, 3)
    assert [draws.unit(), draws.unit()] == [int(bits) / 2**11 // 1 / 2**53 for bits in raw]


@pytest.mark.parametrize("half", [0.0, 0.3, -1.0, 2.5])
def test_turn_gives_cosine_and_sine_of_twice_the_arctangent(half: float) -> None:
    angle = 2 * np.arctan(half)
    assert turn(half) == pytest.approx((np.cos(angle), np.sin(angle)), abs=1e-15)


def test_furniture_stands_apart_and_in_front_of_the_camera() -> None:
    for number in range(30):
        scene = build(Draws(5, number))
        assert 0 <= len(scene.pieces) < 16
        for piece in scene.pieces:
            centre, _ = piece.bounds()
            assert scene.camera.axes[2] @ (np.array(centre) - scene.camera.position) > 0.5
