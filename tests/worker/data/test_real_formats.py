"""The formats on real files, against what their READMEs say of them."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from worker.data import Source, open_source

FIRST = "basement_0001a"


@pytest.fixture
def bts(real_data: Path, tmp_path: Path) -> Source:
    """The three BTS frames as one dataset; paths in its list begin with a slash, as in BTS's own."""
    frames = real_data / "rgbd-original-formats" / "nyuv2_bts_sync"
    (tmp_path / "sync").mkdir()
    (tmp_path / "sync" / FIRST).symlink_to(frames / FIRST)
    lines = [f"/{FIRST}/rgb_{n:05d}.jpg /{FIRST}/sync_depth_{n:05d}.png 518.8579" for n in (100, 0, 50)]
    (tmp_path / "train.txt").write_text("\n".join(lines))
    (tmp_path / "test.txt").write_text(lines[0] + "\n")
    (tmp_path / "official_splits" / "test").mkdir(parents=True)
    (tmp_path / "official_splits" / "test" / FIRST).symlink_to(frames / FIRST)
    options = {"train_list": str(tmp_path / "train.txt"), "test_list": str(tmp_path / "test.txt")}
    return open_source("bts", str(tmp_path), options)


def test_bts_frames_are_sorted_naturally_and_a_leading_slash_stays_in_the_folder(bts: Source) -> None:
    assert not bts.problems
    assert list(bts.frames("official", "train")) == [f"train/{FIRST}/rgb_{n:05d}.jpg" for n in (0, 50, 100)]
    assert bts.splits() == {"official": {"train": 3, "test": 1}}


def test_the_bts_and_densedepth_twins_of_one_frame_agree_to_8_bit_rounding(bts: Source, real_data: Path) -> None:
    dense = open_source("densedepth", str(real_data / "nyuv2-densedepth-4scenes"))
    twin = dense.read(f"data/nyu2_train/{FIRST}_out/1.jpg")
    frame = bts.read(f"train/{FIRST}/rgb_00000.jpg")
    np.testing.assert_array_equal(twin.rgb, frame.rgb)
    difference = np.abs(twin.depth - frame.depth)[frame.depth > 0]
    step = 10 / 255
    assert difference.mean() < step / 2
    assert np.quantile(difference, 0.95) < step


def test_bts_depth_is_in_millimetres_with_zero_for_holes(bts: Source) -> None:
    depth = bts.read(f"train/{FIRST}/rgb_00000.jpg").depth
    assert depth.dtype == np.float32
    assert round(float((depth > 0).mean()), 2) == 0.73
    assert 0.5 < depth[depth > 0].min() < depth.max() <= 10


def test_densedepth_has_the_two_marked_splits_and_leaves_the_gap_out(real_data: Path) -> None:
    source = open_source("densedepth", str(real_data / "nyuv2-densedepth-4scenes"))
    assert source.splits() == {"block_split": {"train": 818, "test": 190}, "scene_split": {"train": 805, "test": 243}}
    scenes = {frame.split("/")[2] for frame in source.frames("scene_split", "test")}
    assert scenes == {"office_0011_out"}
    first = source.frames("block_split", "train")[:3]
    assert [Path(frame).name for frame in first] == ["1.jpg", "2.jpg", "3.jpg"]


def test_densedepth_8_bit_values_are_tenths_of_255(real_data: Path) -> None:
    root = real_data / "nyuv2-densedepth-4scenes"
    name = "data/nyu2_train/bedroom_0004_out/7"
    with Image.open(root / f"{name}.png") as picture:
        values = np.asarray(picture)
    depth = open_source("densedepth", str(root)).read(f"{name}.jpg").depth
    np.testing.assert_allclose(depth, values * (10 / 255), rtol=1e-6)


@pytest.mark.parametrize("aperture, column", [("N8", "rgb_sharp_f8"), ("N2_8", "rgb_defocused_f2.8")])
def test_dfd_pairs_are_those_of_pairs_csv(real_data: Path, aperture: str, column: str) -> None:
    root = real_data / "dfd-indoor"
    source = open_source("dfd_indoor", str(root), {"aperture": aperture})
    with (root / "pairs.csv").open(newline="") as lines:
        due = {(row["split"], row[column], row["depth_mm"]) for row in csv.DictReader(lines)}
    found = {
        (part, str(pair.rgb.relative_to(root)), str(pair.depth.relative_to(root)))
        for part in ("train", "test")
        for frame in source.frames("official", part)
        for pair in [source.pairs[frame]]  # type: ignore[attr-defined]
    }
    assert found == due
    assert source.splits() == {"official": {"train": 81, "test": 29}}


def test_dfd_depth_keeps_its_16_bits(real_data: Path) -> None:
    source = open_source("dfd_indoor", str(real_data / "dfd-indoor"))
    depths = np.concatenate([source.read(frame).depth.ravel() for frame in source.frames("official", "test")[:5]])
    assert depths.max() > 2.55
    assert np.unique(np.rint(depths * 1000)).size > 256


def test_a_folder_of_7_scenes_has_zero_and_65535_as_holes(real_data: Path, tmp_path: Path) -> None:
    for kind, suffix in (("rgb", "color.jpg"), ("depth", "depth.png")):
        (tmp_path / kind).mkdir()
        for file in (real_data / "sevenscenes-redkitchen").glob(f"*.{suffix}"):
            (tmp_path / kind / f"{file.name[:12]}.{suffix[-3:]}").symlink_to(file)
    source = open_source("folder", str(tmp_path), {"unit": "mm"})
    assert source.splits() == {"held_out": {"train": 40, "test": 10}}
    depth = np.stack([source.read(frame).depth for frame in source.frames("held_out", "test")])
    assert depth.max() < 10
    assert 0.05 < (depth == 0).mean() < 0.2


def test_a_tum_frame_has_5000_units_a_metre(real_data: Path, tmp_path: Path) -> None:
    for kind, suffix in (("rgb", "color"), ("depth", "depth")):
        (tmp_path / kind).mkdir()
        for copy in "ab":
            target = real_data / "rgbd-original-formats" / "tum" / f"TUM_{suffix}.png"
            (tmp_path / kind / f"{copy}.png").symlink_to(target)
    with Image.open(tmp_path / "depth" / "a.png") as picture:
        values = np.asarray(picture).astype(np.float64)
    depth = open_source("folder", str(tmp_path), {"unit": "5000"}).read("a").depth
    np.testing.assert_allclose(depth, values / 5000, rtol=1e-6)
