from __future__ import annotations

import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.worker.data.conftest import MakeFolder
from tests.worker.data.writers import save_depth, save_rgb
from worker.data import open_source
from worker.data.folder import metres_per_value
from worker.data.images import read_rgb, read_values


def test_16_bit_depth_is_not_cut_to_8_bits(tmp_path: Path) -> None:
    values = np.array([[0, 255, 256, 1000], [40_000, 65_534, 65_535, 1]], np.uint16)
    Image.fromarray(values).save(tmp_path / "d.png")
    np.testing.assert_array_equal(read_values(tmp_path / "d.png"), values)


def test_a_big_endian_pgm_is_read_in_its_byte_order(tmp_path: Path) -> None:
    (tmp_path / "d.pgm").write_bytes(b"P5 2 1 65535\n" + bytes([0x01, 0x02, 0x10, 0x00]))
    assert read_values(tmp_path / "d.pgm").tolist() == [[0x0102, 0x1000]]


def test_float_tiff_depth_is_read_with_its_nan_as_holes(tmp_path: Path) -> None:
    save_rgb(tmp_path / "rgb" / "a.png", size=(2, 2))
    save_rgb(tmp_path / "rgb" / "b.png", size=(2, 2))
    for name in "ab":
        (tmp_path / "depth").mkdir(exist_ok=True)
        Image.fromarray(np.array([[1.5, np.nan], [np.inf, -1]], np.float32)).save(tmp_path / "depth" / f"{name}.tif")
    assert open_source("folder", str(tmp_path), {"unit": "m"}).read("a").depth.tolist() == [[1.5, 0], [0, 0]]


def test_grey_and_transparent_pictures_become_rgb(tmp_path: Path) -> None:
    Image.new("L", (3, 2), 77).save(tmp_path / "grey.png")
    Image.new("RGBA", (3, 2), (1, 2, 3, 128)).save(tmp_path / "alpha.png")
    assert (read_rgb(tmp_path / "grey.png") == 77).all()
    assert read_rgb(tmp_path / "alpha.png")[0, 0].tolist() == [1, 2, 3]


@pytest.mark.parametrize(
    "unit, metres",
    [("mm", 0.001), ("cm", 0.01), ("m", 1.0), ("5000", 1 / 5000), ("0.001", 0.001), (256, 1 / 256), ("1", 1.0)],
)
def test_a_unit_is_a_name_or_values_per_metre_or_metres_per_value(unit: str | int, metres: float) -> None:
    assert metres_per_value(unit) == metres


def test_a_folder_holds_out_an_equally_spaced_share(folder_pair: MakeFolder) -> None:
    source = open_source("folder", str(folder_pair(12)), {"unit": "mm", "test_share": "0.25"})
    assert source.frames("held_out", "test") == ("frame 1", "frame 7", "frame 12")
    assert source.frames("held_out", "train")[:6] == ("frame 2", "frame 3", "frame 4", "frame 5", "frame 6", "frame 8")


@pytest.mark.parametrize("layout", ["{part}/{kind}", "{kind}/{part}"])
def test_a_folder_takes_train_and_test_on_either_side(tmp_path: Path, layout: str) -> None:
    for part, count in (("train", 3), ("test", 2)):
        for n in range(count):
            save_rgb(tmp_path / layout.format(part=part, kind="rgb") / f"{n}.jpg")
            save_depth(tmp_path / layout.format(part=part, kind="depth") / f"{n}.png")
    source = open_source("folder", str(tmp_path), {"unit": "mm"})
    assert source.frames("official", "train") == ("train/0", "train/1", "train/2")
    assert source.frames("official", "test") == ("test/0", "test/1")


def test_densedepth_tells_8_bit_from_16_bit_files(tmp_path: Path) -> None:
    root = tmp_path / "data"
    save_rgb(root / "nyu2_train" / "room" / "1.jpg")
    Image.fromarray(np.full((24, 32), 51, np.uint8)).save(root / "nyu2_train" / "room" / "1.png")
    save_rgb(root / "nyu2_test" / "00000_colors.png")
    Image.fromarray(np.full((24, 32), 3210, np.uint16)).save(root / "nyu2_test" / "00000_depth.png")
    (root / "nyu2_train.csv").write_text("data/nyu2_train/room/1.jpg,data/nyu2_train/room/1.png\n")
    (root / "nyu2_test.csv").write_text("data/nyu2_test/00000_colors.png,data/nyu2_test/00000_depth.png")
    for path in (tmp_path, root):
        source = open_source("densedepth", str(path))
        (train,), (test,) = source.frames("official", "train"), source.frames("official", "test")
        assert source.read(train).depth[0, 0] == pytest.approx(2.0)
        assert source.read(test).depth[0, 0] == pytest.approx(3.21)


def test_a_bts_line_without_depth_is_left_out_with_a_warning(tmp_path: Path) -> None:
    save_rgb(tmp_path / "a" / "rgb.jpg")
    save_depth(tmp_path / "a" / "d.png")
    lines = "/a/rgb.jpg /a/d.png 518.8\n/a/rgb.jpg None 518.8\n"
    (tmp_path / "nyudepthv2_train_files_with_gt.txt").write_text(lines)
    source = open_source("bts", str(tmp_path))
    assert source.splits() == {"official": {"train": 1}}
    assert "line 2: a/rgb.jpg has no depth and is left out." in source.warnings[0]


def test_a_fingerprint_follows_contents_names_and_splits_but_not_the_place(
    folder_pair: MakeFolder, tmp_path: Path
) -> None:
    root = folder_pair()

    def fingerprint(path: Path = root, **options: str) -> str:
        return open_source("folder", str(path), {"unit": "mm", **options}).fingerprint()

    first = fingerprint()
    shutil.copytree(root, tmp_path / "moved")
    assert fingerprint(tmp_path / "moved") == first
    assert fingerprint(unit="0.001") == first
    assert fingerprint(unit="cm") != first
    assert fingerprint(test_share="0.5") != first
    (tmp_path / "moved" / "rgb" / "frame 1.png").rename(tmp_path / "moved" / "rgb" / "frame 0.png")
    (tmp_path / "moved" / "depth" / "frame 1.png").rename(tmp_path / "moved" / "depth" / "frame 0.png")
    assert fingerprint(tmp_path / "moved") != first
    save_depth(root / "depth" / "frame 3.png", seed=1234)
    assert fingerprint() != first


def test_remembered_hashes_give_the_same_fingerprint_and_notice_a_change(
    folder_pair: MakeFolder, tmp_path: Path
) -> None:
    root, cache = folder_pair(), tmp_path / "cache"

    def fingerprint() -> str:
        return open_source("folder", str(root), {"unit": "mm"}).fingerprint(cache)

    first = fingerprint()
    assert first == fingerprint() == open_source("folder", str(root), {"unit": "mm"}).fingerprint()
    file = root / "depth" / "frame 3.png"
    content = bytearray(file.read_bytes())
    content[-20] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(1, 1))
    assert fingerprint() != first
    for memory in (cache / "hashes").iterdir():
        memory.write_text("{ damaged")
    assert len(fingerprint()) == 64
