from __future__ import annotations

import pytest

from backend.figures import FIGURES
from backend.figures.selector import Selection, parse_selection, selector_words
from depthboard.errors import InvalidInput, UnknownName

OPTIONS = FIGURES["convergence"].options


def test_without_parameters_the_selection_is_the_default() -> None:
    assert parse_selection(3, {}, OPTIONS) == Selection(3)
    assert (Selection(3).value, Selection(3).averaging, Selection(3).metric) == ("last3", "per_image", "mae")


def test_parameters_become_a_selection_and_empty_ones_count_as_absent() -> None:
    query = {
        "metric": "rmse",
        "x": "images",
        "y_log": "yes",
        "published": "yes",
        "value": "last",
        "encoder": "resnet50",
    }
    assert parse_selection(1, {**query, "dataset": ""}, OPTIONS) == Selection(
        1, metric="rmse", x="images", y_log=True, published=True, value="last", encoder="resnet50"
    )


def test_an_unknown_parameter_names_those_there_are() -> None:
    with pytest.raises(UnknownName, match="no option colour") as caught:
        parse_selection(1, {"colour": "red"}, OPTIONS)
    assert caught.value.field == "colour"
    assert "metric" in (caught.value.remedy or "")


def test_an_unknown_value_names_those_there_are() -> None:
    with pytest.raises(UnknownName, match="value cannot be 'best'") as caught:
        parse_selection(1, {"value": "best"}, OPTIONS)
    assert "last3, last, best_validation" in (caught.value.remedy or "")


@pytest.mark.parametrize("text", ["ten", "-1", "1.5", "٣", "9" * 40])
def test_a_size_must_be_a_whole_number(text: str) -> None:
    with pytest.raises(InvalidInput, match="train_size must be a whole number"):
        parse_selection(1, {"train_size": text}, FIGURES["encoders"].options)


@pytest.mark.parametrize(
    "query, field",
    [
        ({"smoothing": "1"}, "smoothing"),
        ({"smoothing": "-0.1"}, "smoothing"),
        ({"smoothing": "nan"}, "smoothing"),
        ({"target": "low"}, "target"),
        ({"target": "inf"}, "target"),
        ({"band": "2 sigma"}, "band"),
    ],
    ids=["one", "below", "nan", "word", "inf", "band"],
)
def test_a_number_that_is_none_and_a_smoothing_out_of_its_range_are_named(query: dict[str, str], field: str) -> None:
    with pytest.raises((InvalidInput, UnknownName)) as caught:
        parse_selection(1, query, OPTIONS)
    assert caught.value.field == field


def test_several_names_in_one_option_come_apart() -> None:
    query = {"group": "loss,size,loss", "hidden": "L2|L1 + 2 MS-SSIM", "only": "GAN"}
    found = parse_selection(1, query, OPTIONS)
    assert (found.group, found.hidden, found.only) == (("loss", "size"), ("L2", "L1 + 2 MS-SSIM"), ("GAN",))


def test_the_selector_is_printed_in_words() -> None:
    assert selector_words(Selection(1)) == "mean of the last three evaluations, averaged per image"
    assert (
        selector_words(Selection(1, value="best_validation", averaging="pooled"))
        == "evaluation with the lowest validation RMSE, pooled over all pixels"
    )
