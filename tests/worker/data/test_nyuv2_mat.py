from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.io

from depthboard.errors import DataProblem, InvalidInput
from tests.worker.data.matlab_writer import write_v73
from worker.data import open_source
from worker.data.nyuv2_mat import read_splits

FRAMES, ROWS, COLUMNS = 5, 12, 16


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """Five frames in MATLAB's shapes: red left column, green top row, depth 1 m along the top and 2 m down the left."""
    images = np.zeros((ROWS, COLUMNS, 3, FRAMES), np.uint8)
    images[:, 0, 0, :] = 200
    images[0, :, 1, :] = 250
    images[:, :, 2, :] = 10 * (1 + np.arange(FRAMES))
    filled = np.full((ROWS, COLUMNS, FRAMES), 5, np.float32)
    filled[:, 0, :], filled[0, :, :] = 2, 1
    raw = filled.copy()
    raw[-1, -1, :] = 0
    arrays: dict[str, np.ndarray] = {"images": images, "depths": filled, "rawDepths": raw}
    write_v73(tmp_path / "labelled.mat", arrays, {"scenes": [f"kitchen_{i:04d}" for i in range(FRAMES)]})
    scipy.io.savemat(
        tmp_path / "splits.mat",
        {"trainNdxs": np.array([[5], [2]], np.uint16), "testNdxs": np.array([[1], [3], [4]], np.uint16)},
    )
    return tmp_path / "labelled.mat"


def test_frames_are_transposed_and_not_mirrored_or_turned(labelled: Path) -> None:
    frame = open_source("nyuv2_mat", str(labelled)).read("0001")
    assert frame.rgb.shape == (ROWS, COLUMNS, 3)
    assert frame.depth.shape == (ROWS, COLUMNS)
    assert (frame.rgb[:, 0, 0] == 200).all()
    assert (frame.rgb[:, 1:, 0] == 0).all()
    assert (frame.rgb[0, :, 1] == 250).all()
    assert (frame.rgb[1:, :, 1] == 0).all()
    assert (frame.depth[0] == 1).all()
    assert (frame.depth[1:, 0] == 2).all()
    assert (frame.depth[1:, 1:] == 5).all()


def test_frame_numbers_are_matlabs_counted_from_one(labelled: Path) -> None:
    source = open_source("nyuv2_mat", str(labelled))
    assert source.frames("official", "train") == ("0002", "0005")
    assert source.frames("official", "test") == ("0001", "0003", "0004")
    assert source.read("0005").rgb[3, 3, 2] == 50


def test_names_are_read_through_object_references(labelled: Path) -> None:
    assert open_source("nyuv2_mat", str(labelled)).label("0003") == "0003 kitchen_0002"


def test_raw_depth_has_holes_and_filled_has_none(labelled: Path) -> None:
    raw = open_source("nyuv2_mat", str(labelled), {"depth": "raw"})
    filled = open_source("nyuv2_mat", str(labelled))
    assert raw.read("0001").depth[-1, -1] == 0
    assert filled.read("0001").depth[-1, -1] == 5
    assert raw.fingerprint() != filled.fingerprint()


def test_an_unknown_depth_is_refused(labelled: Path) -> None:
    with pytest.raises(InvalidInput, match="filled, raw"):
        open_source("nyuv2_mat", str(labelled), {"depth": "smoothed"})


def test_a_v5_file_is_refused_where_v73_is_due(tmp_path: Path) -> None:
    scipy.io.savemat(tmp_path / "old.mat", {"images": np.zeros((2, 2))})
    with pytest.raises(DataProblem, match=r"old\.mat is a MATLAB v5 file, where v7\.3 \(HDF5\) is due.*-v7\.3"):
        open_source("nyuv2_mat", str(tmp_path / "old.mat"))


def test_a_v73_file_is_refused_where_splits_are_due(labelled: Path) -> None:
    with pytest.raises(DataProblem, match=r"is a MATLAB v7\.3 file, where v5 is due") as caught:
        open_source("nyuv2_mat", str(labelled), {"splits": str(labelled)})
    assert caught.value.field == "options.splits"


def test_a_truncated_file_is_refused(labelled: Path) -> None:
    labelled.write_bytes(labelled.read_bytes()[:2000])
    with pytest.raises(DataProblem, match=r"labelled\.mat is truncated.*Download"):
        open_source("nyuv2_mat", str(labelled))


def test_a_file_without_depths_is_refused_naming_them(tmp_path: Path) -> None:
    write_v73(tmp_path / "short.mat", {"images": np.zeros((4, 6, 3, 5), np.uint8)}, {})
    with pytest.raises(DataProblem, match="no such variable for depths"):
        open_source("nyuv2_mat", str(tmp_path / "short.mat"))


def test_splits_beyond_the_file_are_refused(labelled: Path) -> None:
    scipy.io.savemat(labelled.parent / "splits.mat", {"trainNdxs": np.array([[1449]]), "testNdxs": np.array([[1]])})
    with pytest.raises(DataProblem, match=r"names frame 1449, but .* has the frames 1 to 5"):
        open_source("nyuv2_mat", str(labelled))


def test_a_missing_file_or_splits_is_named(labelled: Path) -> None:
    with pytest.raises(DataProblem, match=r"nowhere\.mat cannot be opened"):
        open_source("nyuv2_mat", str(labelled.parent / "nowhere.mat"))
    (labelled.parent / "splits.mat").unlink()
    with pytest.raises(DataProblem, match=r"splits\.mat is missing.*option splits"):
        open_source("nyuv2_mat", str(labelled))


def test_nyus_own_splits_divide_the_1449_frames_and_agree_with_the_bts_list(real_data: Path) -> None:
    splits = read_splits(real_data / "nyuv2-lists" / "splits.mat")
    assert (len(splits["train"]), len(splits["test"])) == (795, 654)
    assert sorted(splits["train"] + splits["test"]) == list(range(1, 1450))
    listed = (real_data / "nyuv2-lists" / "nyudepthv2_test_files_with_gt.txt").read_text().split("\n")
    numbers = sorted(int(line.split()[0].rsplit("_", 1)[1].removesuffix(".jpg")) for line in listed if line)
    assert numbers == [n - 1 for n in sorted(splits["test"])]
