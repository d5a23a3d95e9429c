from __future__ import annotations

import plotly.graph_objects as go
import pytest

from backend.figures import paper
from backend.figures.panels import grid, header, place, reference
from backend.figures.paper import Sheet, fit, parse_sheet
from depthboard.errors import InvalidInput


def three_panels() -> go.Figure:
    figure = grid(1, 3, "light", panel_height=300)
    for i in range(3):
        at = place(i, 3)
        figure.add_scatter(x=[0, 1], y=[1, 2], name="L1", row=1, col=i + 1)
        header(figure, at, "12 000 images", "n = 3", "light")
        reference(figure, at, "mae", 0.931, (0.0, 0.5), "light")
    return figure.update_yaxes(title_text="test MAE (m)", row=1, col=1)


def domains(figure: go.Figure, axis: str) -> list[tuple[float, ...]]:
    return [tuple(figure.layout[f"{axis}axis{i}"].domain) for i in ("", 2, 3)]


def test_the_type_is_so_many_points_high_at_so_many_millimetres() -> None:
    """84 mm in 8 pt: 8 pt are 10.667 px of 1/96 inch, 8/9 of the layout's 12; 84 mm are 317.48 px, so 357.17 of those."""
    sheet = parse_sheet("single", None)
    assert sheet == Sheet(84, 8)
    assert sheet.zoom == pytest.approx(8 / 9)
    assert sheet.units == pytest.approx(357.165, abs=1e-3)
    assert parse_sheet("slide", "20") == Sheet(254, 20)
    assert parse_sheet("120.5mm", "9.5pt") == Sheet(120.5, 9.5)
    assert parse_sheet("960px", None) == Sheet(pytest.approx(254), 9)
    assert parse_sheet(None, "") is None


@pytest.mark.parametrize(
    ("width", "font", "field"),
    [
        ("wide", None, "width"),
        ("5mm", None, "width"),
        ("9999mm", None, "width"),
        ("single", "x", "font"),
        ("84mm", "1", "font"),
    ],
    ids=["word", "narrow", "broad", "letter", "small"],
)
def test_another_width_or_font_is_refused_by_name(width: str, font: str | None, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_sheet(width, font)
    assert caught.value.field == field
    assert caught.value.remedy


def test_panels_stand_below_each_other_where_three_are_too_narrow() -> None:
    fitted = fit(three_panels(), Sheet(84, 8))
    assert {(round(low, 6), round(high, 6)) for low, high in domains(fitted, "x")} == {(0.0, 1.0)}
    (_, top), (low, _) = domains(fitted, "y")[0], domains(fitted, "y")[2]
    assert (top, round(low, 6)) == (1.0, 0.0)
    assert [fitted.layout[f"yaxis{i}"].title.text for i in ("", 2, 3)] == ["test MAE (m)"] * 3
    assert fitted.layout.width == pytest.approx(357.165, abs=1e-3)


def test_panels_that_fit_stay_beside_each_other_and_their_words_in_two_lines() -> None:
    plain, fitted = three_panels(), fit(three_panels(), Sheet(174, 8))
    starts = [low for low, _ in domains(fitted, "x")]
    assert starts == sorted(starts) != [0.0] * 3
    left = next(note for note in fitted.layout.annotations if note.name == "header")
    right = next(note for note in fitted.layout.annotations if note.name == "constant")
    assert left.yshift == right.yshift + paper.LINE
    assert plain.layout.annotations[0].yshift == 5, "the page's figure is left alone"


def test_no_letter_is_smaller_than_the_type_asked_for() -> None:
    fitted = fit(three_panels(), Sheet(84, 8))
    sizes = {note.font.size for note in fitted.layout.annotations}
    sizes |= {axis.tickfont.size for axis in fitted.select_xaxes()}
    assert sizes == {paper.BASE}


def test_a_table_wider_than_the_sheet_is_refused_with_the_width_it_needs() -> None:
    table = go.Figure(go.Table(header={"values": ["loss"]}, cells={"values": [["L1"]]})).update_layout(
        width=900, height=80
    )
    assert fit(table, Sheet(254, 9)).layout.width == pytest.approx(960)
    with pytest.raises(InvalidInput, match="is 212 mm wide in 8 pt") as caught:
        fit(table, Sheet(174, 8))
    assert "212mm or more, or a font of 6.5" in (caught.value.remedy or "")
