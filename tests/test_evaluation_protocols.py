"""Protocols by name, and how an evaluation's name says what was scored."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from depthboard.config import PROTOCOLS, RunConfig
from depthboard.experiment import ExperimentSpec, canonical, expand

PAPER = {"height": 256, "width": 320, "crop": "toolbox"}


def config(evaluation: Any, **data: Any) -> RunConfig:
    return RunConfig.model_validate({"evaluation": evaluation, "data": data})


@pytest.mark.parametrize(
    ("name", "data", "filed"),
    [
        ("paper", PAPER, "toolbox-0.001-10m-256x320-v2"),
        ("bts", {}, "bts-0.001-10m-native-v2"),
        ("bts", PAPER, "bts-0.001-10m-native-v2"),
        ("eigen", {}, "eigen-0.001-10m-native-v2"),
        ("raw", {}, "none-0.001-10m-native-v2"),
    ],
)
def test_a_protocol_s_name_is_short_for_its_fields(name: str, data: dict[str, Any], filed: str) -> None:
    short = config(name, **data)
    assert short.protocol == filed
    assert short.evaluation.protocol == name
    assert short == config(PROTOCOLS[name], **data)
    assert '"protocol"' not in canonical(short)
    assert RunConfig.model_validate_json(short.model_dump_json()) == short


def test_a_named_protocol_leaves_the_other_fields_free() -> None:
    evaluation = config({"protocol": "bts", "evaluations": 5, "sharpness": "all"}).evaluation
    assert (evaluation.crop, evaluation.resize, evaluation.evaluations) == ("bts", "native", 5)
    assert evaluation.sharpness == "all"


def test_fields_that_are_no_named_protocol_have_no_name() -> None:
    assert config({"crop": "bts", "resize": "native", "flip_average": True}).evaluation.protocol is None


@pytest.mark.parametrize(
    ("evaluation", "data", "said"),
    [
        ("kitti", {}, "there is no protocol kitti: choose one of paper, bts, eigen, raw"),
        ({"protocol": ["bts"]}, {}, "there is no protocol"),
        ({"protocol": "bts", "crop": "eigen"}, {}, "the protocol bts has crop bts: leave crop or protocol out"),
        ({"protocol": "raw", "max_depth": 80}, {}, "the protocol raw has max_depth 10.0"),
        ("paper", PAPER | {"height": 64}, "but the network sees the window toolbox at 64×320"),
        ({"protocol": "paper"}, PAPER | {"crop": "none"}, "but the network sees the window none at 256×320"),
        ("eigen", PAPER, "evaluation.crop eigen cannot be scored: the network sees only data.crop toolbox"),
    ],
)
def test_what_a_protocol_cannot_be_is_refused_in_a_sentence(evaluation: Any, data: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        config(evaluation, **data)


def test_protocols_are_levels_of_a_factor() -> None:
    cells = expand(ExperimentSpec(name="two", factors={"evaluation.protocol": ["bts", "raw"]}))
    assert [cell.levels for cell in cells] == [{"evaluation.protocol": "bts"}, {"evaluation.protocol": "raw"}]
    assert [cell.config.evaluation.crop for cell in cells] == ["bts", "none"]


def test_a_protocol_s_name_tells_apart_what_does_not_compare() -> None:
    names = [
        config({}).protocol,
        config({"crop": "toolbox"}, crop="toolbox").protocol,
        config({"crop": "toolbox"}).protocol,
        config({"flip_average": True}).protocol,
        config({"max_depth": 80}).protocol,
        config({}, height=96).protocol,
    ]
    assert names == [
        "none-0.001-10m-64x96-v2",
        "toolbox-0.001-10m-64x96-v2",
        "toolbox-0.001-10m-64x96-of-none-v2",
        "none-0.001-10m-64x96-flip-v2",
        "none-0.001-80m-64x96-v2",
        "none-0.001-10m-96x96-v2",
    ]
