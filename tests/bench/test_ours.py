"""Our side of the benchmark, against the real API: what it counts is there, and the answers it times are checked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bench.tracking import workload
from bench.tracking.ours import Ours, check_extremes, check_rows, rows_held
from bench.tracking.processes import Failed


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ours]:
    """A workload of 3 runs × 8 keys × 1,000 steps, pictures of 2 runs."""
    for name, size in {"RUNS": 3, "DRAWN_RUNS": 2, "PICTURED_RUNS": 2, "LISTED_RUNS": 250, "LONG_STEPS": 5000}.items():
        monkeypatch.setattr(workload, name, size)
    side = Ours(tmp_path)
    yield side
    side.stop()


def test_every_point_that_is_counted_is_in_the_database(ours: Ours, tmp_path: Path) -> None:
    assert ours.pieces["bulk-1"]() > 0
    assert rows_held(tmp_path / "home") == 3 * workload.STEPS
    with pytest.raises(Failed, match="0 of 3000 logged rows"):
        check_rows(tmp_path / "home", before=3 * workload.STEPS, runs=3)


def test_the_pictures_are_depth_maps_of_every_run(ours: Ours) -> None:
    assert ours.pieces["pictures"]() > 0
    assert len(set(ours._pictured)) == 2 * workload.SAMPLES


def test_a_long_curve_without_its_extremes_is_no_answer(ours: Ours) -> None:
    assert ours.pieces["long"]() > 0
    flat = {key: {"value": [0.5, 0.6]} for key in workload.KEYS}
    with pytest.raises(Failed, match="the extremes of loss/train are not shown"):
        check_extremes({"series": flat})


def test_start_and_memory_are_of_a_server_that_answers(ours: Ours) -> None:
    assert 0 < ours.pieces["start"]() < 60
    assert ours.pieces["memory"]() > 20
