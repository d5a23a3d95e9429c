from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench import screens, ui
from bench.pages import PAGES
from bench.ui import Measured


def test_the_table_has_median_largest_limit_and_what_stands_beside() -> None:
    found = [Measured("first paint: runs", "ms", [100.0, 120.0, 400.0], "plain text", [50.0], 1000)]
    line = ui.table(found).splitlines()[2]
    assert line == "| first paint: runs | 120 ms | 400 ms | ≤ 1000 | plain text | 50.0 ms |"
    assert ui.table(found, found).splitlines()[2].endswith("| 120 ms |")


def test_numbers_and_table_are_written(tmp_path: Path) -> None:
    ui.write([Measured("gaps", "", [0.0, 1.0], limit=0)], tmp_path / "speed", "156", 2)
    assert json.loads((tmp_path / "speed.json").read_text())["measured"][0]["values"] == [0.0, 1.0]
    assert "| gaps | 0 | 1 | ≤ 0 |" in (tmp_path / "speed.md").read_text()


@pytest.mark.long
@pytest.mark.browser
@pytest.mark.timeout(900)
def test_a_small_record_is_measured_and_pictured(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert ui.main(["--small", "--rounds", "1", "--home", str(home), "--out", str(tmp_path / "speed")]) == 0
    measured = {m["what"]: m["values"] for m in json.loads((tmp_path / "speed.json").read_text())["measured"]}
    assert {f"first paint: {name}" for name in PAGES} <= set(measured)
    assert all(values and min(values) >= 0 for values in measured.values())
    assert screens.main(["--home", str(home), "--out", str(tmp_path / "screens")]) == 0
    pictures = list((tmp_path / "screens").iterdir())
    assert len(pictures) == 2 * len(PAGES)
    assert sum(picture.stat().st_size for picture in pictures) < 4_000_000
