from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from depthboard.datasets import FORMATS, ROOMS, DatasetReport
from tests.worker.data.conftest import MakeFolder
from worker.data import DATASETS, open_source
from worker.data.__main__ import main
from worker.data.check import check, histogram
from worker.data.sheet import colour_depth, colour_map


def test_every_described_format_has_a_source_and_the_other_way_round() -> None:
    assert set(DATASETS) == set(FORMATS)


def test_a_report_counts_and_measures_what_is_there(folder_pair: MakeFolder) -> None:
    source = open_source("folder", str(folder_pair()), {"unit": "mm"})
    report, _ = check(source, "mine")
    depths = np.stack([source.read(frame).depth for frame in source.all_frames()])
    valid = depths[depths > 0].astype(np.float64)
    assert report.depth is not None
    assert (report.name, report.format, report.height, report.width) == ("mine", "folder", 24, 32)
    assert report.splits == {"held_out": {"train": 8, "test": 2}}
    assert report.default_split == "held_out"
    assert report.depth.min == pytest.approx(valid.min(), abs=1e-6)
    assert report.depth.max == pytest.approx(valid.max(), abs=1e-6)
    assert report.depth.median == pytest.approx(np.median(valid), abs=1e-6)
    assert report.depth.p1 == pytest.approx(np.quantile(valid, 0.01, method="inverted_cdf"), abs=1e-6)
    assert report.depth.p99 == pytest.approx(np.quantile(valid, 0.99, method="inverted_cdf"), abs=1e-6)
    assert report.invalid_share == pytest.approx(9 / (24 * 32))
    assert report.histogram is not None
    edges = np.append(np.arange(41) * 0.25, np.inf)
    assert report.histogram.pixels == np.histogram(valid.round(3), edges)[0].tolist()
    assert report.scenes == {}
    assert report.counts.model_dump() == {"frames": 10, "opened": 10, "decoded": 10}
    assert report.usable
    assert DatasetReport.model_validate_json(report.model_dump_json()) == report


def test_a_depth_is_counted_in_the_quarter_of_a_metre_where_it_lies_and_none_is_not_counted() -> None:
    millimetres = np.zeros(65536, np.int64)
    for depth, pixels in ((0, 7), (1, 1), (249, 2), (250, 3), (9999, 4), (10_000, 5), (65535, 6)):
        millimetres[depth] = pixels
    found = histogram(millimetres)
    assert (found.bin_metres, len(found.pixels)) == (0.25, 41)
    assert {k: n for k, n in enumerate(found.pixels) if n} == {0: 3, 1: 3, 39: 4, 40: 11}


def test_the_built_in_histogram_has_every_pixel_of_the_frames_that_were_read() -> None:
    assert ROOMS.histogram is not None
    assert sum(ROOMS.histogram.pixels) == ROOMS.counts.decoded * 480 * 640


def test_a_report_of_before_there_was_a_histogram_is_still_read() -> None:
    old = ROOMS.model_dump(mode="json", exclude={"histogram", "scenes"})
    report = DatasetReport.model_validate(old)
    assert (report.histogram, report.scenes) == (None, {})


def test_the_picture_of_rooms_in_the_dashboard_is_of_these_rooms() -> None:
    """Drawn by `check(open_source("rooms"), sample=12)`; the name says which rooms they are."""
    folder = Path(__file__).resolve().parents[3] / "frontend" / "src" / "pages" / "datasets"
    assert [file.name for file in folder.glob("rooms-*")] == [f"rooms-{ROOMS.fingerprint[:8]}.webp"]


def test_a_large_dataset_is_sampled_in_equal_steps(folder_pair: MakeFolder) -> None:
    report, _ = check(open_source("folder", str(folder_pair()), {"unit": "mm"}), sample=4)
    assert report.counts.model_dump() == {"frames": 10, "opened": 10, "decoded": 4}


def test_the_built_in_report_is_what_the_built_in_dataset_says() -> None:
    rooms = open_source("rooms")
    assert rooms.splits() == ROOMS.splits
    assert rooms.fingerprint() == ROOMS.fingerprint
    report, sheet = check(rooms, sample=3)
    assert report.usable
    assert report.depth is not None
    assert (report.height, report.width, report.counts.frames) == (ROOMS.height, ROOMS.width, ROOMS.counts.frames)
    with Image.open(io.BytesIO(sheet)) as picture:
        assert picture.format == "PNG"


def test_the_sheet_shows_holes_as_a_hatch_of_greys_that_the_map_does_not_hold() -> None:
    depth = np.array([[0.0, 1.0, 3.0, 5.0]] * 8, np.float32)
    out = colour_depth(depth, 1, 5)
    assert {tuple(pixel) for pixel in out[:, 0].tolist()} == {(120,) * 3, (200,) * 3}
    colours = colour_map().astype(int)
    assert (np.abs(colours - colours.mean(axis=1, keepdims=True)).max(axis=1) > 4).all()
    assert out[0, 1].tolist() == colours[0].tolist()
    assert out[0, 3].tolist() == colours[-1].tolist()


def test_the_map_darkens_steadily_with_distance() -> None:
    luminance = colour_map().astype(float) @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(luminance) < 0.5).all()
    assert luminance[0] - luminance[-1] > 200


def test_the_command_prints_the_report_and_writes_the_sheet(folder_pair: MakeFolder, tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    command = [sys.executable, "-m", "worker.data", "check", "--format", "folder", "--option", "unit=mm", "--name", "x"]
    done = subprocess.run(
        [*command, "--sheet", str(sheet), str(folder_pair())], capture_output=True, text=True, check=True, timeout=120
    )
    report = DatasetReport.model_validate_json(done.stdout)
    assert report.name == "x"
    assert report.options == {"unit": "mm", "test_share": 0.2}
    with Image.open(sheet) as picture:
        assert picture.width > 600


def test_the_command_reports_a_dataset_that_cannot_be_opened_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["check", "--format", "densedepth", str(tmp_path)])
    report = DatasetReport.model_validate(json.loads(capsys.readouterr().out))
    assert status == 1
    assert "holds no nyu2_train.csv" in report.problems[0]
    assert not report.usable


def test_an_option_that_is_no_pair_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check", "--format", "folder", "--option", "unit", "x"])
    assert "is not KEY=VALUE" in capsys.readouterr().err
