"""Whatever is wrong with a dataset is said in one sentence with the remedy, and the check goes on past it."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest
from PIL import Image

from depthboard.datasets import MAX_PROBLEMS
from depthboard.errors import DataProblem, InvalidInput, UnknownName
from tests.worker.data.conftest import MakeFolder
from tests.worker.data.writers import save_depth, save_rgb
from worker.data import open_source, open_unchanged
from worker.data.check import check


def problems(root: Path, **options: str) -> list[str]:
    return check(open_source("folder", str(root), {"unit": "mm", **options}))[0].problems


def test_a_sound_folder_has_no_problems(folder_pair: MakeFolder) -> None:
    assert problems(folder_pair()) == []


def test_a_truncated_png_is_named_and_the_rest_is_checked(folder_pair: MakeFolder) -> None:
    root = folder_pair()
    file = root / "depth" / "frame 3.png"
    file.write_bytes(file.read_bytes()[:-30])
    report, sheet = check(open_source("folder", str(root), {"unit": "mm"}))
    assert len(report.problems) == 1
    assert "frame 3.png is truncated: the file ends before the picture does. Copy the file again" in report.problems[0]
    assert report.counts.decoded == 9
    assert sheet


def test_a_truncated_jpeg_is_found_without_decoding_it(tmp_path: Path) -> None:
    for name in "abc":
        save_rgb(tmp_path / "rgb" / f"{name}.jpg", size=(240, 320))
        save_depth(tmp_path / "depth" / f"{name}.png", size=(240, 320))
    file = tmp_path / "rgb" / "b.jpg"
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert "b.jpg is truncated" in problems(tmp_path)[0]


def test_damage_in_the_middle_of_a_picture_is_found_by_reading_it(folder_pair: MakeFolder) -> None:
    root = folder_pair(size=(100, 100))
    file = root / "depth" / "frame 2.png"
    content = bytearray(file.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40] = bytes(40)
    file.write_bytes(content)
    assert "frame 2.png is truncated or damaged" in problems(root)[0]


def test_empty_and_foreign_files_are_told_apart(folder_pair: MakeFolder) -> None:
    root = folder_pair()
    (root / "rgb" / "frame 1.png").write_bytes(b"")
    (root / "rgb" / "frame 2.png").write_text("not a picture")
    first, second = problems(root)
    assert "frame 1.png is empty. Copy" in first
    assert "frame 2.png is not a picture, or its beginning is damaged." in second


def test_unpaired_files_are_named_on_both_sides(folder_pair: MakeFolder) -> None:
    root = folder_pair()
    (root / "depth" / "frame 4.png").unlink()
    (root / "rgb" / "frame 7.png").unlink()
    found = problems(root)
    assert any("frame 4.png has no depth map of the same name" in problem for problem in found)
    assert any("frame 7.png has no picture of the same name" in problem for problem in found)
    assert len(found) == 2


def test_no_more_than_twenty_problems_are_listed_but_all_are_counted(folder_pair: MakeFolder) -> None:
    root = folder_pair(30)
    for file in (root / "depth").iterdir():
        file.write_bytes(b"")
    report, sheet = check(open_source("folder", str(root), {"unit": "mm"}))
    assert len(report.problems) == MAX_PROBLEMS
    assert report.problem_count == 30
    assert not report.usable
    assert sheet == b""


@pytest.mark.parametrize("unit, right", [("m", "mm"), ("cm", "mm"), ("100000", "mm")])
def test_a_wrong_unit_is_noticed_and_the_right_one_proposed(folder_pair: MakeFolder, unit: str, right: str) -> None:
    (problem,) = problems(folder_pair(), unit=unit)
    assert "the unit must be wrong" in problem
    assert f"With unit={right} it would be in range" in problem


def test_a_coloured_rendering_is_no_depth_map(folder_pair: MakeFolder) -> None:
    root = folder_pair()
    Image.new("RGB", (32, 24), "red").save(root / "depth" / "frame 5.png")
    assert "frame 5.png is not a depth map: it is a RGB picture" in problems(root)[0]


def test_a_depth_map_of_another_size_is_named_with_both_sizes(folder_pair: MakeFolder) -> None:
    root = folder_pair()
    save_depth(root / "depth" / "frame 6.png", size=(12, 16))
    assert "has 24×32 pixels (rows × columns), but its depth" in problems(root)[0]
    assert "has 12×16" in problems(root)[0]


def test_depth_maps_without_any_depth_are_refused(folder_pair: MakeFolder) -> None:
    root = folder_pair()
    for file in (root / "depth").iterdir():
        Image.fromarray(np.zeros((24, 32), np.uint16)).save(file)
    report, _ = check(open_source("folder", str(root), {"unit": "mm"}))
    assert "No frame has any valid depth" in report.problems[0]
    assert "frame 1 has no valid depth at all." in report.warnings


def test_frames_of_different_sizes_and_far_depths_are_warnings(folder_pair: MakeFolder) -> None:
    root = folder_pair()
    save_rgb(root / "rgb" / "wide.png", size=(24, 64))
    save_depth(root / "depth" / "wide.png", size=(24, 64), low=9000, high=15000)
    report, _ = check(open_source("folder", str(root), {"unit": "mm"}))
    assert report.usable
    assert any("Frames differ in size: 24×32 (10), 24×64 (1)" in warning for warning in report.warnings)
    assert any("10 m or more" in warning for warning in report.warnings)


def test_one_part_without_the_other_is_refused(folder_pair: MakeFolder) -> None:
    with pytest.raises(DataProblem, match="has a train part but no test part"):
        open_source("folder", str(folder_pair(below="train")), {"unit": "mm"})


def test_a_folder_without_rgb_or_depth_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rgb").mkdir()
    with pytest.raises(DataProblem, match=r"has no folder depth/"):
        open_source("folder", str(tmp_path), {"unit": "mm"})
    with pytest.raises(DataProblem, match="is not a folder"):
        open_source("folder", str(tmp_path / "nowhere"), {"unit": "mm"})


def test_formats_and_options_that_do_not_exist_are_refused_with_those_that_do(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"no format 'kitti'.*densedepth"):
        open_source("kitti", str(tmp_path))
    with pytest.raises(InvalidInput, match=r"folder has no option 'units'.*unit, test_share"):
        open_source("folder", str(tmp_path), {"units": "mm"})
    with pytest.raises(InvalidInput, match=r"folder needs the option unit.*mm, cm, m"):
        open_source("folder", str(tmp_path))
    with pytest.raises(InvalidInput, match="'feet' is no depth unit"):
        open_source("folder", str(tmp_path), {"unit": "feet"})
    with pytest.raises(InvalidInput, match="N4"):
        open_source("dfd_indoor", str(tmp_path), {"aperture": "N4"})


def test_missing_images_of_a_list_are_named_and_the_rest_is_used(tmp_path: Path) -> None:
    names = [f"data/nyu2_train/room/{n}" for n in (1, 2, 10)]
    for name in names:
        save_rgb(tmp_path / f"{name}.jpg")
        save_depth(tmp_path / f"{name}.png")
    lines = [f"{name}.jpg,{name}.png" for name in names]
    (tmp_path / "data" / "nyu2_train.csv").write_text("\n".join(lines))
    (tmp_path / "data" / "nyu2_test.csv").write_text(lines[0] + "\n")
    (tmp_path / f"{names[1]}.png").unlink()
    source = open_source("densedepth", str(tmp_path))
    assert [problem for problem in source.problems if "2.png is missing. Restore it, or remove its line" in problem]
    assert source.frames("official", "train") == (f"{names[0]}.jpg", f"{names[2]}.jpg")
    report, _ = check(source)
    assert "The split official has frames in both its train and its test part" in report.problems[1]


def test_a_line_that_is_no_pair_is_named_by_its_number(tmp_path: Path) -> None:
    (tmp_path / "nyu2_train.csv").write_text("a.jpg,a.png\nb.jpg\n")
    with pytest.raises(DataProblem, match=r"nyu2_train\.csv, line 2: 'b\.jpg' is not `rgb,depth`"):
        open_source("densedepth", str(tmp_path))
    (tmp_path / "train.txt").write_text("only_one_word\n")
    with pytest.raises(DataProblem, match=r"line 1: 'only_one_word' is not `rgb depth focal`"):
        open_source("bts", str(tmp_path), {"train_list": str(tmp_path / "train.txt")})


def test_lists_that_are_not_there_are_asked_for(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match=r"holds no nyu2_train\.csv"):
        open_source("densedepth", str(tmp_path))
    with pytest.raises(DataProblem, match=r"Give train_list and test_list"):
        open_source("bts", str(tmp_path))
    with pytest.raises(DataProblem, match=r"The list .*gone\.txt is missing"):
        open_source("bts", str(tmp_path), {"train_list": str(tmp_path / "gone.txt")})


def test_a_dfd_part_with_a_depth_map_missing_is_not_paired_by_position(tmp_path: Path) -> None:
    base = tmp_path / "dfd_dataset_indoor_N8"
    for part in ("train", "test"):
        for n in range(4):
            save_rgb(base / "rgb" / part / f"2018-04-26T16:38:3{n}.JPG")
            save_depth(base / "depth" / part / f"2018-04-26T16:38:3{n}.png")
    next((base / "depth" / "train").iterdir()).unlink()
    source = open_source("dfd_indoor", str(tmp_path))
    assert source.splits() == {"official": {"train": 0, "test": 4}}
    assert "4 pictures, but" in source.problems[0]
    assert "3 depth maps: they pair by position" in source.problems[0]


def write_h5(path: Path, **arrays: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            file[name] = array


def test_sparse_to_dense_frames_are_read_and_broken_ones_named(tmp_path: Path) -> None:
    rgb, depth = np.zeros((3, 24, 32), np.uint8), np.full((24, 32), 2.5, np.float32)
    rgb[0, :, 0], depth[0, :] = 99, 0
    for n in (1, 2, 10):
        write_h5(tmp_path / "train" / "kitchen" / f"{n:05d}.h5", rgb=rgb, depth=depth)
    write_h5(tmp_path / "val" / "official" / "00001.h5", rgb=rgb, depth=depth)
    write_h5(tmp_path / "val" / "official" / "00002.h5", rgb=rgb.transpose(1, 2, 0), depth=depth)
    broken = tmp_path / "train" / "kitchen" / "00002.h5"
    broken.write_bytes(broken.read_bytes()[:500])
    source = open_source("sparse_to_dense", str(tmp_path))
    frame = source.read("train/kitchen/00010.h5")
    assert frame.rgb.shape == (24, 32, 3)
    assert (frame.rgb[:, 0, 0] == 99).all()
    assert (frame.depth[0] == 0).all()
    report, _ = check(source)
    assert any("00002.h5 is truncated, damaged or no HDF5 file" in problem for problem in report.problems)
    assert any("does not hold rgb (3,H,W) and depth (H,W)" in problem for problem in report.problems)
    assert report.counts.decoded == 3


def test_a_dataset_that_changed_since_it_was_registered_is_refused(folder_pair: MakeFolder, tmp_path: Path) -> None:
    root = folder_pair()
    options = {"unit": "mm"}
    fingerprint = open_source("folder", str(root), options).fingerprint()
    assert open_unchanged("folder", str(root), options, fingerprint, tmp_path).splits()
    save_depth(root / "depth" / "frame 2.png", seed=99)
    with pytest.raises(DataProblem, match="are not those that were registered"):
        open_unchanged("folder", str(root), options, fingerprint, tmp_path)
