from __future__ import annotations

from typing import Any

import pytest

from backend.figures.groups import cells, data_title, in_scope, is_nyuv2, pick
from backend.figures.selector import Selection
from backend.store.study import load_study
from depthboard.errors import UnknownName
from tests.backend.figures.world import World


def scope(world: World, **chosen: Any) -> list[int]:
    selection = Selection(world.id, **chosen)
    return [run.id for run in in_scope(world.session, selection).runs]


def test_seeds_share_a_cell_and_losses_come_in_the_papers_order(world: World) -> None:
    for seed in (0, 1):
        for loss in ("gan", "l2", "l1"):
            world.run(loss, seed=seed)
    found = cells(load_study(world.session, world.id).runs)
    assert [(cell.label, len(cell.runs)) for cell in found] == [("L1", 2), ("L2", 2), ("GAN", 2)]


def test_another_factor_is_written_beside_the_name_and_never_averaged_over(world: World) -> None:
    for lr in (0.001, 0.01):
        world.run("l1", config={"optimiser": {"lr": lr}})
    found = cells(load_study(world.session, world.id).runs)
    assert [cell.label for cell in found] == ["L1 · lr 0.001", "L1 · lr 0.01"]


def test_a_loss_with_other_parameters_is_another_line(world: World) -> None:
    world.run("huber")
    world.run("huber", config={"loss": {"name": "huber", "threshold": 0.3}}, loss_label="huber threshold=0.3")
    assert [cell.label for cell in cells(load_study(world.session, world.id).runs)] == ["Huber", "Huber threshold=0.3"]


def test_sizes_encoders_and_data_do_not_change_the_name(world: World) -> None:
    world.run("l1", 16)
    world.run("l1", 64, encoder="resnet_small")
    world.run("l1", 64, dataset="dfd", config={"data": {"split": "block"}})
    assert {cell.label for cell in cells(load_study(world.session, world.id).runs)} == {"L1"}


def test_runs_of_different_protocols_are_never_mixed(world: World) -> None:
    ours = [world.run("l1").id, world.run("l2").id]
    other = world.run("gan", config={"evaluation": {"crop": "eigen"}})
    assert scope(world) == ours
    assert scope(world, protocol=f"test/{other.protocol}") == [other.id]
    selected = in_scope(world.session, Selection(world.id))
    assert selected.other_protocols == 1


def test_runs_scored_on_validation_are_not_mixed_with_those_scored_on_test(world: World) -> None:
    kept = [world.run("l1").id, world.run("l2").id]
    world.run("gan", config={"data": {"validation": 0.1}, "evaluation": {"split": "validation"}})
    assert scope(world) == kept


def test_a_dataset_is_chosen_by_its_name_with_or_without_its_split(world: World) -> None:
    block = world.run("l1", dataset="nyu", config={"data": {"split": "block"}}).id
    scene = world.run("l1", dataset="nyu", config={"data": {"split": "scene"}}).id
    world.run("l1")
    assert scope(world, dataset="nyu") == [block, scene]
    assert scope(world, dataset="nyu/scene") == [scene]
    with pytest.raises(UnknownName, match="no run of this experiment has dataset kitti"):
        scope(world, dataset="kitti")


def test_what_most_runs_have_is_picked_and_the_first_of_equals() -> None:
    assert pick("encoder", None, ["a", "b", "b"]) == "b"
    assert pick("encoder", None, ["a", "b"]) == "a"
    assert pick("encoder", None, []) is None
    with pytest.raises(UnknownName, match="encoder c"):
        pick("encoder", "c", ["a", "b"])


def test_the_official_split_needs_no_mention() -> None:
    assert (data_title("rooms", "official"), data_title("nyu", "block")) == ("rooms", "nyu, block split")


@pytest.mark.parametrize(
    ("name", "format", "expected"),
    [("nyuv2", "folder", True), ("mine", "bts", True), ("rooms", "rooms", False), ("dfd-indoor", "dfd_indoor", False)],
)
def test_nyuv2_is_known_by_its_name_or_its_layout(name: str, format: str, expected: bool) -> None:
    assert is_nyuv2(name, format) is expected
