"""The grid, its expansion and a run's identity."""

from __future__ import annotations

from typing import Any

import pytest

from depthboard.config import RunConfig
from depthboard.config.presets import PRESETS
from depthboard.errors import InvalidInput
from depthboard.experiment import ExperimentSpec, canonical, expand, identity


def spec(**fields: Any) -> ExperimentSpec:
    return ExperimentSpec.model_validate({"name": "test", **fields})


def test_every_combination_is_one_run() -> None:
    cells = expand(spec(factors={"loss": ["l1", "l2"], "size": [10, 20, 30], "seed": [0, 1]}))
    assert len({canonical(cell.config) for cell in cells}) == 12
    found = {(c.config.loss.name, c.config.data.train_size, c.config.seed) for c in cells}
    assert found == {(name, n, s) for name in ("l1", "l2") for n in (10, 20, 30) for s in (0, 1)}


def test_a_run_named_by_two_grids_is_one_run() -> None:
    cells = expand(
        spec(factors={"loss": ["l1", "l2"], "size": [10]}, also=[{"factors": {"loss": ["l2", "gan"], "size": [10]}}])
    )
    assert [c.config.loss.name for c in cells] == ["l1", "l2", "gan"]


def test_a_run_has_a_level_on_every_axis_also_on_those_that_another_grid_varies() -> None:
    cells = expand(
        spec(
            factors={"loss": ["l1"], "size": [10, 20]},
            also=[
                {"factors": {"loss": [{"name": "eigen", "lam": 0.2}], "encoder": ["resnet_small"], "loss.lam": [0.7]}}
            ],
        )
    )
    encoder, size = "network.encoder", "data.train_size"
    assert [cell.levels for cell in cells] == [
        {"loss": "l1", size: 10, encoder: "densenet_small"},
        {"loss": "l1", size: 20, encoder: "densenet_small"},
        {"loss": "eigen lam=0.7", size: None, encoder: "resnet_small", "loss.lam": 0.7},
    ]


def test_the_order_fills_every_panel_evenly() -> None:
    cells = expand(spec(factors={"loss": ["l1", "l2", "huber"], "size": [1, 2, 3], "seed": [0, 1]}))
    first = [(c.config.loss.name, c.config.data.train_size, c.config.seed) for c in cells[:3]]
    assert first == [("l1", 1, 0), ("l2", 2, 0), ("huber", 3, 0)]
    assert [c.config.seed for c in cells] == [0] * 9 + [1] * 9


def test_any_field_may_be_a_factor() -> None:
    cells = expand(spec(factors={"loss": ["eigen", "eigengrad"], "loss.lam": [0.0, 1.0], "optimiser.lr": [1e-3]}))
    assert [(c.config.loss.name, c.config.loss.lam) for c in cells] == [  # type: ignore[union-attr]
        ("eigen", 0.0),
        ("eigengrad", 1.0),
        ("eigen", 1.0),
        ("eigengrad", 0.0),
    ]
    assert cells[0].levels == {"loss": "eigen lam=0", "loss.lam": 0.0, "optimiser.lr": 0.001}


def test_a_loss_may_be_a_mapping_with_parameters() -> None:
    (cell,) = expand(spec(factors={"loss": [{"name": "berhu", "threshold": 0.3}]}))
    assert cell.levels == {"loss": "berhu threshold=0.3"}


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"factors": {"loss": ["l3"]}}, "loss", "unknown loss l3"),
        ({"factors": {"loss": ["l1"], "loss.lam": [0.5]}}, "loss.lam", "for the loss l1"),
        ({"base": {"data": {"height": 65}}}, "data.height", "multiple of 32"),
        ({"base": {"nettwork": {}}}, "nettwork", "no setting of this name"),
        ({"base": {"optimiser": {"lr": "fast"}}}, "optimiser.lr", "got 'fast'"),
        ({"base": {"network": {"encoder": "vgg"}}}, "network.encoder", "densenet121"),
        ({"base": {"optimiser": 3}, "factors": {"lr": [1e-3]}}, "optimiser.lr", "not a group"),
    ],
)
def test_a_bad_setting_is_named_with_its_path(fields: dict[str, Any], field: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        expand(spec(**fields))
    assert caught.value.field == field
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({"base": {"nettwork": {}}}, "network"),
        ({"base": {"optimiser": {"lrr": 1}}}, "optimiser.lr"),
        ({"base": {"batch_size": 8}}, "budget.batch_size"),
        ({"factors": {"encodr": ["resnet50"]}}, "encoder"),
        ({"factors": {"loss": [{"name": "berhu", "treshold": 0.3}]}}, "loss.threshold"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_mistyped_setting_is_answered_with_the_one_that_was_meant(fields: dict[str, Any], meant: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        expand(spec(**fields))
    assert f"Did you mean {meant}?" in str(caught.value.remedy)


def test_all_that_is_wrong_is_said_at_once_and_each_thing_once() -> None:
    wrong = spec(base={"data": {"height": 65}, "optimiser": {"lr": -1, "lrr": 2}}, factors={"loss": ["l1", "l3", "l2"]})
    with pytest.raises(InvalidInput) as caught:
        expand(wrong)
    faults = (caught.value, *caught.value.others)
    assert sorted(str(fault.field) for fault in faults) == ["data.height", "loss", "optimiser.lr", "optimiser.lrr"]
    assert str(caught.value).count("\n") == 3


def test_a_fault_of_the_whole_configuration_is_at_the_setting_that_it_names() -> None:
    with pytest.raises(InvalidInput) as caught:
        expand(spec(base={"network": {"dropout": 0.5, "encoder": "resnet50"}}))
    assert caught.value.field == "network.dropout"


def test_a_missing_file_of_weights_is_asked_for_without_showing_what_python_calls_nothing() -> None:
    with pytest.raises(InvalidInput, match="torchvision's alexnet") as caught:
        expand(spec(factors={"loss": ["lpips"]}))
    assert "None" not in str(caught.value)


def test_an_empty_parameter_is_called_none_in_a_label() -> None:
    (cell,) = expand(spec(factors={"loss": [{"name": "gan", "d_lr": None}]}))
    assert cell.levels == {"loss": "gan d_lr=none"}


@pytest.mark.parametrize(
    ("factors", "words"),
    [
        ({"size": [1], "data.train_size": [2]}, "given twice"),
        ({"size": []}, "no levels"),
        ({"seed": [1, 1]}, "names a level twice"),
        ({"labels.owner": ["ada", "bob"]}, "is no factor"),
        ({"seed": list(range(5000)), "size": [1, 2, 3]}, "more than 10000"),
    ],
)
def test_a_grid_that_cannot_be_meant_is_refused(factors: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        spec(factors=factors)


def test_labels_are_no_part_of_a_runs_identity_and_all_else_is() -> None:
    plain = RunConfig.model_validate({"loss": "eigen"})
    labelled = RunConfig.model_validate({"loss": {"name": "eigen", "lam": 0.5}, "labels": {"owner": "ada"}})
    assert identity(plain, "data") == identity(labelled, "data")
    others = [
        identity(RunConfig.model_validate({"loss": {"name": "eigen", "lam": 0.6}}), "data"),
        identity(RunConfig.model_validate({"loss": "eigen", "seed": 1}), "data"),
        identity(plain, "other data"),
        identity(plain, "data", training_version="0"),
    ]
    assert len({identity(plain, "data"), *others}) == 5


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_expands(name: str) -> None:
    assert expand(ExperimentSpec.model_validate(PRESETS[name]()))


def test_the_demo_trains_seven_losses_at_three_sizes_and_another_encoder_at_the_middle_one() -> None:
    cells = [c.config for c in expand(ExperimentSpec.model_validate(PRESETS["demo"]()))]
    sizes = sorted({c.data.train_size or 0 for c in cells})
    dense = {(c.loss.name, c.data.train_size) for c in cells if c.network.encoder == "densenet_small"}
    other = {(c.loss.name, c.data.train_size) for c in cells if c.network.encoder == "resnet_small"}
    assert len(sizes) == 3
    assert len(dense) == 21
    assert len(other) == 7
    assert {size for _, size in other} == {sizes[1]}


def test_the_identity_of_a_configuration_stays_what_it_was() -> None:
    """A new field, or a new default, makes every run on record a stranger: then raise TRAINING_VERSION and this value."""
    assert identity(RunConfig(), "data") == ("67648aca298d6cfc2a5768fed06df5cd7220031a7a09fbb03ca09fb23a29a271")
