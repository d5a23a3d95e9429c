"""The raw Kinect dumps: which picture goes with which depth map, what is broken, and where a depth falls in the picture."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import map_coordinates

from depthboard.errors import DataProblem, InvalidInput, UnknownName
from tests.worker.data.matlab_writer import write_v73
from worker.data import Source, kinect, open_source
from worker.data.check import check
from worker.data.nyuv2_raw import BYTES, KNOWN_BROKEN, nearest_in_time, read_disparity

ROWS, COLUMNS = 480, 640
FIRST = "basement_0001a"
FRAME = "d-1294886362.665769-3143255701.pgm"


def write_depth(path: Path, disparity: int | np.ndarray = 900) -> Path:
    """As the dump has it: a header that promises big endian, values in little endian."""
    path.parent.mkdir(parents=True, exist_ok=True)
    values = np.broadcast_to(np.asarray(disparity, "<u2"), (ROWS, COLUMNS))
    path.write_bytes(b"P5 640 480 65535\n" + values.tobytes())
    return path


def write_rgb(path: Path, colour: tuple[int, int, int] = (200, 100, 50)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"P6 640 480 255\n" + bytes(colour) * (ROWS * COLUMNS))
    return path


def write_sparse(path: Path) -> None:
    """A file of the right size; only its name and size matter where frames are listed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    os.truncate(path, BYTES[path.name[0]])


def record(folder: Path, depth: list[float], rgb: list[float]) -> None:
    """A recording with frames at these seconds after 1294886362."""
    for time in depth:
        write_sparse(folder / f"d-{1294886362 + time:.6f}-1.pgm")
    for time in rgb:
        write_sparse(folder / f"r-{1294886362 + time:.6f}-2.ppm")
    (folder / "a-1294886362.011060-3164794231.dump").write_bytes(b"tilt")


def opened(root: Path, **options: str) -> Source:
    return open_source("nyuv2_raw", str(root), options)


def partners(source: Source) -> dict[str, str]:
    """Seconds of the depth map to seconds of its picture, below the whole hundred."""
    pairs = {name.removesuffix(" rgb"): path for name, path in source.files() if name.endswith(" rgb")}
    return {frame.split("-")[1][8:13]: path.name.split("-")[1][8:13] for frame, path in pairs.items()}


# Pairing


def pointer_rule(depth: list[float], rgb: list[float]) -> list[int]:
    """get_synched_frames.m, word for word, counted from 0."""
    at, found = 0, []
    for time in depth:
        difference = abs(time - rgb[at])
        while at < len(rgb) - 1:
            following = abs(time - rgb[at + 1])
            if following > difference:
                break
            difference = following
            at += 1
        found.append(at)
    return found


times = st.lists(st.integers(0, 60), min_size=1, max_size=12, unique=True).map(sorted)


@given(times, times)
def test_the_nearest_in_time_is_what_the_toolboxs_pointer_finds(depth: list[float], rgb: list[float]) -> None:
    found = nearest_in_time(np.array(depth, float), np.array(rgb, float))
    assert found.tolist() == pointer_rule(depth, rgb)


def test_each_depth_map_takes_the_nearest_picture_and_a_picture_may_serve_twice(tmp_path: Path) -> None:
    record(tmp_path / FIRST, depth=[0.00, 0.04, 0.07, 0.30], rgb=[0.01, 0.06, 0.25, 0.33])
    source = opened(tmp_path)
    assert partners(source) == {"62.00": "62.01", "62.04": "62.06", "62.07": "62.06", "62.30": "62.33"}
    assert not source.problems


def test_a_depth_map_without_a_picture_near_in_time_is_left_out_and_counted(tmp_path: Path) -> None:
    record(tmp_path / FIRST, depth=[0.00, 0.50, 1.00], rgb=[0.01, 1.09])
    source = opened(tmp_path)
    assert list(partners(source)) == ["62.00", "63.00"]
    assert "1 depth maps have no picture within 0.1 s and are left out." in source.warnings
    assert len(partners(opened(tmp_path, max_gap="inf"))) == 3
    with pytest.raises(InvalidInput, match="max_gap must be a time above 0, not 'soon'"):
        opened(tmp_path, max_gap="soon")


def test_frames_stand_in_natural_order_of_recording_and_time_below_scene_folders_or_not(tmp_path: Path) -> None:
    for folder in ("basements/cellar_0010", "basements/cellar_0002", "study_0001"):
        record(tmp_path / folder, depth=[10, 2], rgb=[2, 10])
    (tmp_path / "study_0001" / "INDEX.txt").write_text("r-1294886364.000000-2.ppm\n")
    (tmp_path / "list.txt").write_text("study_0001\ncellar_0010\ncellar_0002\n")
    source = opened(tmp_path, train_list=str(tmp_path / "list.txt"))
    assert [frame.split("-")[:2] for frame in source.frames("official", "train")] == [
        ["basements/cellar_0002/d", "1294886364.000000"],
        ["basements/cellar_0002/d", "1294886372.000000"],
        ["basements/cellar_0010/d", "1294886364.000000"],
        ["basements/cellar_0010/d", "1294886372.000000"],
        ["study_0001/d", "1294886364.000000"],
        ["study_0001/d", "1294886372.000000"],
    ]


def test_the_folder_given_may_be_one_recording(tmp_path: Path) -> None:
    record(tmp_path / FIRST, depth=[0], rgb=[0])
    source = opened(tmp_path / FIRST)
    assert source.splits() == {"held_out": {"train": 1, "test": 0}}
    assert f"All recordings are of one scene, {FIRST[:-1]}, so that none can be held out." in source.warnings


# Broken files


def test_broken_files_are_found_by_size_and_the_frames_around_them_are_paired_without_them(tmp_path: Path) -> None:
    folder = tmp_path / FIRST
    record(folder, depth=[0.00, 0.05, 0.09], rgb=[0.00, 0.06, 0.08])
    os.truncate(folder / "r-1294886362.060000-2.ppm", 1000)
    os.truncate(folder / "d-1294886362.090000-1.pgm", 0)
    (folder / "r-1294886362.049000-2.ppm").symlink_to("nowhere")
    source = opened(tmp_path)
    assert partners(source) == {"62.00": "62.00", "62.05": "62.08"}
    empty, lost, cut = source.problems
    assert "r-1294886362.049000-2.ppm cannot be read: No such file or directory." in lost
    assert "d-1294886362.090000-1.pgm is empty. Unpack it again" in empty
    assert "r-1294886362.060000-2.ppm is truncated: it has 1000 of 921615 bytes." in cut
    skipping = opened(tmp_path, broken="skip")
    assert len(skipping.problems) == 1
    assert len([warning for warning in skipping.warnings if "It is skipped." in warning]) == 2


def test_the_file_that_nyu_ships_broken_is_skipped_with_a_warning_and_forbids_nothing(tmp_path: Path) -> None:
    record(tmp_path / FIRST, depth=[0], rgb=[0])
    write_sparse(tmp_path / FIRST / KNOWN_BROKEN)
    source = opened(tmp_path)
    assert not source.problems
    assert any(KNOWN_BROKEN in warning and "broken in NYU's own archive" in warning for warning in source.warnings)
    assert KNOWN_BROKEN not in str(source.all_frames())


def test_a_recording_of_one_kind_only_and_one_that_lies_twice_are_left_out_with_a_warning(tmp_path: Path) -> None:
    record(tmp_path / "a" / FIRST, depth=[0], rgb=[0])
    record(tmp_path / "b" / FIRST, depth=[0], rgb=[0])
    record(tmp_path / "b" / "den_0001", depth=[0], rgb=[])
    source = opened(tmp_path)
    assert len(source.all_frames()) == 1
    assert any(f"b/{FIRST} is left out: the recording {FIRST} lies elsewhere too." in w for w in source.warnings)
    assert any("den_0001 has depth maps but no r-….ppm, and is left out." in w for w in source.warnings)


def test_folders_without_a_dump_are_refused_with_what_is_due(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match=r"no folder with r-….ppm and d-….pgm files. Unpack NYU's raw archives"):
        opened(tmp_path)
    with pytest.raises(DataProblem, match="is not a folder"):
        opened(tmp_path / "nowhere")


def test_disparity_in_the_other_byte_order_and_frames_of_another_size_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataProblem, match="values above 2047: it is not Kinect disparity in NYU's byte order"):
        read_disparity(write_depth(tmp_path / "swapped.pgm", np.uint16(900).byteswap()))
    record(tmp_path / FIRST, depth=[0], rgb=[0])
    write_depth(tmp_path / FIRST / "d-1294886362.000000-1.pgm")
    (tmp_path / FIRST / "r-1294886362.000000-2.ppm").write_bytes(b"P6 960 640 255\n" + bytes(960 * 640 * 3))
    source = opened(tmp_path)
    with pytest.raises(DataProblem, match=r"has 640×960 pixels .* calibration is for 480×640"):
        source.read(source.all_frames()[0])


# Parts


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """Six recordings of five scenes."""
    for name in ("attic_0001a", "attic_0001b", "bath_0002", "cellar_0003", "den_0004", "foyer_0010"):
        record(tmp_path / name, depth=[0, 1], rgb=[0, 1])
    return tmp_path


def rooms(source: Source, split: str, part: str) -> list[str]:
    return sorted({frame.split("/")[0] for frame in source.frames(split, part)})


def test_without_a_list_whole_scenes_are_held_out(house: Path) -> None:
    source = opened(house, test_share="0.4")
    assert source.default_split == "held_out"
    assert rooms(source, "held_out", "test") == ["attic_0001a", "attic_0001b", "foyer_0010"]
    assert rooms(source, "held_out", "train") == ["bath_0002", "cellar_0003", "den_0004"]


def test_lists_name_recordings_or_scenes_or_btss_files(house: Path) -> None:
    (house / "train_scenes.txt").write_text("attic_0001\nbath_0002\nnot_here_0009\n")
    test_list = house / "test.txt"
    test_list.write_text("/den_0004/rgb_00045.jpg /den_0004/sync_depth_00045.png 518.8579\n")
    source = opened(house, test_list=str(test_list))
    assert rooms(source, "official", "train") == ["attic_0001a", "attic_0001b", "bath_0002"]
    assert rooms(source, "official", "test") == ["den_0004"]
    assert source.options["train_list"] == str(house / "train_scenes.txt")
    assert f"1 of 3 names in {house / 'train_scenes.txt'} are not here: not_here_0009." in source.warnings


def test_a_test_list_alone_leaves_all_other_scenes_to_train_on(house: Path) -> None:
    (house / "test.txt").write_text("attic_0001a\n")
    source = opened(house, test_list=str(house / "test.txt"))
    assert rooms(source, "official", "train") == ["bath_0002", "cellar_0003", "den_0004", "foyer_0010"]


def test_a_training_list_alone_says_how_to_name_a_test_part(house: Path) -> None:
    (house / "train_scenes.txt").write_text("attic_0001\n")
    source = opened(house)
    assert "Give that file with labeled=…, or recordings of your choice with test_list=…." in source.warnings[-1]
    with pytest.raises(UnknownName, match="has no test part"):
        source.frames("official", "test")
    assert not check(source, sample=1)[0].usable


def test_a_scene_in_both_parts_is_warned_of_and_a_list_of_strangers_refused(house: Path) -> None:
    (house / "train.txt").write_text("attic_0001a\n")
    (house / "test.txt").write_text("attic_0001b\n")
    source = opened(house, train_list=str(house / "train.txt"), test_list=str(house / "test.txt"))
    assert "1 scenes are in both the train and the test part: attic_0001." in source.warnings
    (house / "train.txt").write_text("kitchen_0001\n")
    with pytest.raises(DataProblem, match=r"names none of the recordings in .*One recording or scene a line"):
        opened(house, train_list=str(house / "train.txt"))


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    """NYU's labelled file with four frames: two of training scenes, two of test scenes."""
    arrays: dict[str, np.ndarray] = {
        "images": np.full((ROWS, COLUMNS, 3, 4), 7, np.uint8),
        "depths": np.full((ROWS, COLUMNS, 4), 5, np.float32),
        "rawDepths": np.zeros((ROWS, COLUMNS, 4), np.float32),
    }
    scenes = ["attic_0001a", "foyer_0010", "bath_0002", "den_0004"]
    file = tmp_path / "labels" / "nyu_depth_v2_labeled.mat"
    file.parent.mkdir()
    write_v73(file, arrays, {"scenes": scenes})
    indices = {"trainNdxs": np.array([[1], [3]], np.uint16), "testNdxs": np.array([[2], [4]], np.uint16)}
    scipy.io.savemat(file.parent / "splits.mat", indices)
    return file


def test_the_labelled_file_gives_nyus_training_scenes_and_its_own_test_frames(house: Path, labelled: Path) -> None:
    source = opened(house, labeled=str(labelled))
    assert rooms(source, "official", "train") == ["attic_0001a", "attic_0001b", "bath_0002"]
    assert source.frames("official", "test") == ("labeled/0002", "labeled/0004")
    assert (source.read("labeled/0002").depth == 5).all()
    assert source.probe("labeled/0002").rgb == (ROWS, COLUMNS)
    assert source.label("labeled/0004") == "labelled 0004 den_0004"
    raw = opened(house, labeled=str(labelled), labeled_depth="raw")
    assert (raw.read("labeled/0002").depth == 0).all()
    assert raw.fingerprint() != source.fingerprint() != opened(house, train_list=listing(house)).fingerprint()


def listing(house: Path) -> str:
    (house / "list.txt").write_text("attic_0001\nbath_0002\n")
    return str(house / "list.txt")


def test_a_small_dump_passes_the_check_whole(tmp_path: Path) -> None:
    for room in ("attic_0001", "bath_0002", "cellar_0003"):
        write_depth(tmp_path / room / FRAME)
        write_rgb(tmp_path / room / "r-1294886362.638178-3118787619.ppm")
    report, sheet = check(opened(tmp_path))
    assert report.usable, report.problems
    assert report.splits == report.scenes == {"held_out": {"train": 2, "test": 1}}
    assert (report.height, report.width) == (ROWS, COLUMNS)
    assert report.depth is not None
    assert report.depth.median == pytest.approx(351.3 / 192.5, abs=1e-3)
    assert sheet


# Geometry


@pytest.mark.parametrize(
    "disparity, metres",
    [(741, 351.3 / 351.5), (390, 351.3 / 702.5), (1057, 351.3 / 35.5), (1058, 10), (1092, 10), (1093, 0), (2047, 0)],
)
def test_disparity_becomes_metres_up_to_10_and_2047_none(disparity: int, metres: float) -> None:
    assert kinect.to_metres(np.array([float(disparity)]))[0] == pytest.approx(metres, rel=1e-12)


def test_the_pgm_is_read_in_little_endian_whatever_its_header_says(tmp_path: Path) -> None:
    values = np.arange(ROWS * COLUMNS, dtype=np.uint16).reshape(ROWS, COLUMNS) % 2048
    found = read_disparity(write_depth(tmp_path / FRAME, values))
    assert found.dtype == np.uint16
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("metres, place", [(2.0, (254, 316)), (0.5, (255, 296))])
def test_one_pixel_lands_where_a_calculation_by_hand_puts_it(metres: float, place: tuple[int, int]) -> None:
    """Row 237, column 312 counted from 0, next to the depth camera's centre.

    At 2 m the ray ends at (−0.00015, −0.00152, 2), which the rotation takes to (−0.00879, 0.00581, 1.99997) and the shift to
    (−0.03382, 0.00610, 1.99931): column 518.858·(−0.03382/1.99931) + 325.582 = 316.81, row 519.470·(0.00610/1.99931) + 253.736 = 255.32,
    rounded and counted from 0. At 0.5 m: (−0.02723, 0.00175, 0.49933), column 297.29, row 255.55.
    """
    depth = np.zeros((ROWS, COLUMNS))
    depth[237, 312] = metres
    found = kinect.project(depth)
    assert [tuple(at) for at in np.argwhere(found).tolist()] == [place]
    assert found[place] == metres


def test_a_scalar_projection_of_random_pixels_agrees_and_the_nearest_wins() -> None:
    rng = np.random.default_rng(3)
    depth = np.where(rng.random((ROWS, COLUMNS)) < 0.2, rng.uniform(0.7, 10, (ROWS, COLUMNS)), 0)
    due = np.zeros((ROWS, COLUMNS))
    hidden = 0
    for row, column in np.argwhere(depth).tolist():
        z = depth[row, column]
        at = scalar_projection(row, column, z)
        if at is not None:
            hidden += due[at] > 0
            due[at] = min(z, due[at] or np.inf)
    assert hidden > 100
    np.testing.assert_allclose(kinect.project(depth), due, rtol=1e-6)


def scalar_projection(row: int, column: int, z: float) -> tuple[int, int] | None:
    """Plain numbers, from camera_params.m as it is written: R = inv(reshape(-[…], 3, 3)'), T = [t_x; t_z; t_y]."""
    flat = -np.array(
        [9.9997798940829263e-01, 5.0518419386157446e-03, 4.3011152014118693e-03, -5.0359919480810989e-03, 9.9998051861143999e-01,
         -3.6879781309514218e-03, -4.3196624923060242e-03, 3.6662365748484798e-03, 9.9998394948385538e-01]
    )  # fmt: skip
    rotation = np.linalg.inv(flat.reshape(3, 3, order="F").T)
    point = [
        (column + 1 - 313.04475870804731) * z / 582.62448167737955,
        (row + 1 - 238.44389626620386) * z / 582.69103270988637,
        z,
    ]
    x, y, ahead = rotation @ point + [2.5031875059141302e-02, -2.9342312935846411e-04, 6.6238747008330102e-04]
    u = round(x * 518.85790117450188 / ahead + 325.58244941119034)
    v = round(y * 519.46961112127485 / ahead + 253.73616633400465)
    return (v - 1, u - 1) if 0 < u < COLUMNS and 0 < v < ROWS else None


def lens(camera: kinect.Camera) -> np.ndarray:
    """Row and column that each undistorted pixel is read at, by the five-parameter formula written out."""
    v, u = np.indices((ROWS, COLUMNS), float)
    x, y = (u - camera.cx) / camera.fx, (v - camera.cy) / camera.fy
    r = np.hypot(x, y)
    radial = 1 + camera.k1 * r**2 + camera.k2 * r**4 + camera.k3 * r**6
    bent_x = x * radial + 2 * camera.p1 * x * y + camera.p2 * (r**2 + 2 * x**2)
    bent_y = y * radial + camera.p1 * (r**2 + 2 * y**2) + 2 * camera.p2 * x * y
    return np.stack([camera.fy * bent_y + camera.cy, camera.fx * bent_x + camera.cx])


def seen(at: np.ndarray) -> np.ndarray:
    return (at[0] >= 0) & (at[0] < ROWS - 1) & (at[1] >= 0) & (at[1] < COLUMNS - 1)


def test_the_picture_is_undistorted_bilinearly_and_white_outside_of_the_lens() -> None:
    rgb = np.random.default_rng(5).integers(0, 255, (ROWS, COLUMNS, 3), np.uint8)
    at = lens(kinect.RGB)
    found = kinect.undistort_rgb(rgb)
    due = np.stack([map_coordinates(rgb[..., k].astype(float), at, order=1) for k in range(3)], axis=-1)
    assert found.dtype == np.uint8
    assert np.abs(found - due)[seen(at)].max() <= 0.5 + 1e-4
    assert (found[~seen(at)] == 255).all()
    assert 0.04 < (~seen(at)).mean() < 0.05


def test_disparity_is_undistorted_bilinearly_where_it_has_no_holes() -> None:
    rows, columns = np.indices((ROWS, COLUMNS))
    disparity = (700 + rows // 3 + columns // 4).astype(np.uint16)
    at = lens(kinect.DEPTH)
    found = kinect.undistort_disparity(disparity)
    whole = seen(at) & (found < kinect.NO_READING)
    due = map_coordinates(disparity.astype(float), at, order=1)
    assert whole.mean() > 0.97
    # Next to the rim the toolbox leaves source pixels out, so that the mean is of fewer than four.
    assert np.quantile(np.abs(found - due)[whole], 0.98) < 1e-9
    assert np.abs(found - due)[whole].max() < 1
    assert (found[~seen(at)] == kinect.NO_READING).all()


def test_a_hole_grows_but_never_mixes_with_the_depth_around_it() -> None:
    disparity = np.full((ROWS, COLUMNS), 900, np.uint16)
    disparity[200:210, 300:310] = kinect.NO_READING
    found = kinect.undistort_disparity(disparity)
    inner = found[100:380, 100:540]
    assert set(np.unique(inner.round(9))) == {900.0, float(kinect.NO_READING)}
    assert 100 < (inner == kinect.NO_READING).sum() < 250


def test_what_is_nearer_than_disparity_600_is_dropped_as_by_the_toolbox() -> None:
    disparity = np.full((ROWS, COLUMNS), 601, np.uint16)
    disparity[:, 320:] = 599
    found = kinect.to_metres(kinect.undistort_disparity(disparity))[50:430]
    assert found[:, 50:300].min() == pytest.approx(351.3 / 491.5)
    assert not found[:, 340:].any()


# The real frame, in three forms


@pytest.fixture
def frame(real_data: Path, tmp_path: Path) -> Source:
    """The one raw NYU frame at hand, under names of the dump."""
    files = real_data / "rgbd-original-formats" / "nyuv2_raw_kinect"
    if not files.is_dir():
        pytest.skip(f"no raw NYU frame: {files} does not exist")
    for room in (FIRST, "copy_0002"):
        (tmp_path / room).mkdir()
        shutil.copy(files / "NYU_depth.pgm", tmp_path / room / FRAME)
        shutil.copy(files / "NYU_color.ppm", tmp_path / room / "r-1294886362.638178-3118787619.ppm")
    return opened(tmp_path)


def test_depth_equals_its_bts_twin_to_the_millimetre_in_every_pixel(frame: Source, real_data: Path) -> None:
    twin = real_data / "rgbd-original-formats" / "nyuv2_bts_sync" / FIRST / "sync_depth_00000.png"
    with Image.open(twin) as picture:
        millimetres = np.asarray(picture).astype(int)
    depth = frame.read(f"{FIRST}/{FRAME}").depth
    np.testing.assert_array_equal(depth > 0, millimetres > 0)
    # BTS rounded doubles; ours are float32.
    assert np.abs(depth.astype(float) * 1000 - millimetres).max() <= 0.5 + 1e-3
    assert round(float((depth > 0).mean()), 4) == 0.7328


def test_depth_agrees_with_its_densedepth_twin_to_8_bits(frame: Source, real_data: Path) -> None:
    dense = open_source("densedepth", str(real_data / "nyuv2-densedepth-4scenes"))
    twin = dense.read(f"data/nyu2_train/{FIRST}_out/1.jpg").depth
    depth = frame.read(f"{FIRST}/{FRAME}").depth
    difference = np.abs(twin - depth)[depth > 0]
    assert np.median(difference) < 10 / 255 / 2
    assert np.quantile(difference, 0.95) < 10 / 255


def test_the_picture_is_its_bts_twin_once_written_as_jpeg(frame: Source, real_data: Path) -> None:
    twin = real_data / "rgbd-original-formats" / "nyuv2_bts_sync" / FIRST / "rgb_00000.jpg"
    jpeg = io.BytesIO()
    Image.fromarray(frame.read(f"{FIRST}/{FRAME}").rgb).save(jpeg, "JPEG", quality=75)
    with Image.open(jpeg) as ours, Image.open(twin) as theirs:
        difference = np.abs(np.asarray(ours).astype(int) - np.asarray(theirs).astype(int))
    assert difference.mean() < 0.5
