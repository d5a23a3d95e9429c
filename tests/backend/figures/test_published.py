from __future__ import annotations

import pytest

from backend.figures import published


def test_table_2_has_the_papers_row_and_its_dashes() -> None:
    rows = {row.label: row for row in published.table2()}
    assert rows["Carvalho et al., D3-Net"].values == {
        "abs_rel": 0.135,
        "log10": 0.059,
        "rmse": 0.600,
        "rmse_log": 0.199,
        "delta1": 0.819,
        "delta2": 0.957,
        "delta3": 0.987,
    }
    assert rows["Saxena et al."].values["log10"] is None
    assert len(rows) == 8


def test_figure_2_gives_metres_and_shares_by_size() -> None:
    assert published.figure2("rmse")["gan"] == {795: 0.724, 12000: 0.656, 230000: 0.600}
    assert published.figure2("delta1")["eigen"] == {795: 0.724, 12000: 0.787, 230000: 0.819}
    assert published.figure2("log10") == {}


def test_figure_3_is_in_metres_which_are_five_network_units() -> None:
    curve = published.figure3(230_000)["gan"]
    assert curve.epoch[-1] == 13.87
    assert curve.mae[-1] == pytest.approx(0.0733 * 5)
    assert min(published.figure3(795)["l1"].mae) == pytest.approx(0.0929 * 5)


@pytest.mark.parametrize(("size", "found"), [(795, True), (735, True), (12_500, True), (200, False), (5000, False)])
def test_figure_3_answers_for_sizes_near_the_papers_alone(size: int, found: bool) -> None:
    assert bool(published.figure3(size)) is found


def test_figure_5_gives_both_encoders() -> None:
    assert published.figure5("abs_rel")["resnet50"]["l1"] == 0.159
    assert published.figure5("delta1")["densenet121"]["l1"] == 0.794


@pytest.mark.parametrize("part", ["figure2", "figure3", "figure5", "table2"])
def test_every_part_names_its_source(part: str) -> None:
    assert "ICIP 2018" in published.source(part)
