"""The training loop: repeatable, resumable, and it learns."""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from depthboard.config import LOSS_CONFIGS
from depthboard.config.presets import demo
from depthboard.errors import OutOfMemory
from depthboard.metrics import AVERAGINGS, from_sums
from depthboard.protocol import unpack_depth
from tests.worker.losses.cases import backbone_file
from worker.attempt import batch_hash
from worker.evaluate import BATCH, millimetres
from worker.stop import EXIT_STOPPED, Stop
from worker.train import Diverged, Progress

Make = Callable[..., Any]


def weights(training: Any) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in training.network.parameters()])


def any_loss(name: str) -> dict[str, Any]:
    """A configuration of each loss that can be trained here."""
    if name == "sum":
        return {"name": name, "parts": ["l1", "eigen"]}
    return {"name": name, "weights": str(backbone_file("alex"))} if name == "lpips" else {"name": name}


KINDS = ("l1", "gan", "lpips", "kendall_gal", "sum")
"""Losses each of another kind: of pixels, with a network that learns, with one that does not, with parameters, with parts."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in KINDS else pytest.mark.long) for name in LOSS_CONFIGS]
)
def test_the_same_configuration_gives_the_same_bits(training: Make, name: str) -> None:
    changes = {"loss": any_loss(name), "evaluation": {"evaluations": 1, "samples": 0, "sharpness": "off"}}
    first, second = training(**changes), training(**changes)
    assert first.run()
    assert second.run()
    assert torch.equal(weights(first), weights(second))
    assert first.record.points == second.record.points
    assert [e.sums for e in first.record.evaluations] == [e.sums for e in second.record.evaluations]


@pytest.mark.parametrize("loss", ["berhu", "gan", "kendall_gal", {"name": "sum", "parts": ["gan", "eigen"]}], ids=str)
@pytest.mark.parametrize("network", [{}, {"dropout": 0.5}], ids=["", "dropout"])
def test_a_resumed_run_ends_with_the_bits_of_an_unbroken_one(
    training: Make, loss: Any, network: dict[str, float]
) -> None:
    changes = {"loss": loss, "network": network, "data": {"train_size": 16, "zoom": 1.5, "rotation": 2, "colour": 0.2}}
    whole = training(**changes)
    assert whole.run()
    resumed = training(**changes)
    resumed.trainer.load(whole.states[1])
    assert resumed.trainer.step == 4
    assert resumed.run()
    assert torch.equal(weights(whole), weights(resumed))
    assert whole.record.points[-2:] == resumed.record.points
    assert whole.record.evaluations[-1].sums == resumed.record.evaluations[-1].sums


def test_runs_of_one_seed_differ_only_in_the_loss(training: Make) -> None:
    made = [training(loss=any_loss(name)) for name in LOSS_CONFIGS]
    image = torch.rand(1, 3, 64, 96)
    first = [run.network.eval()(image)[:, :1] for run in made]
    hashes = {run.initialisation["weights_sha256"] for run in made}
    batches = {batch_hash(run.trainer) for run in made}
    assert len(hashes) == len(batches) == 1
    assert all(torch.equal(depth, first[0]) for depth in first)
    for other in made[1:]:
        for step in range(3):
            for ours, theirs in zip(made[0].trainer.batch(step), other.trainer.batch(step), strict=True):
                assert torch.equal(ours, theirs)


def test_what_dropout_draws_does_not_depend_on_the_loss(training: Make) -> None:
    draws = set()
    for name in ("l1", "gan", "kendall_gal"):
        training(loss=name, network={"dropout": 0.5})
        draws.add(torch.rand(()).item())
    assert len(draws) == 1


def test_weights_that_are_not_finite_are_not_saved(training: Make) -> None:
    run = training(budget={"images_seen": 48, "batch_size": 8})
    advance = run.trainer._objective.step

    def spoiled(*batch: torch.Tensor) -> dict[str, torch.Tensor]:
        parts = advance(*batch)
        if run.trainer.step == 3:  # the loss of step 4 is finite, its gradient was not
            next(iter(run.network.parameters())).data[0] = float("nan")
        return dict(parts)

    run.trainer._objective.step = spoiled
    with pytest.raises(Diverged, match="a gradient was not finite before step 4"):
        run.run()
    assert [state["step"] for state in run.states] == [2]


def test_the_hashes_tell_another_seed_and_another_augmentation(training: Make) -> None:
    usual, seed, zoom = training(), training(seed=1), training(data={"train_size": 16, "zoom": 1.5})
    assert usual.initialisation["weights_sha256"] == zoom.initialisation["weights_sha256"]
    assert usual.initialisation["weights_sha256"] != seed.initialisation["weights_sha256"]
    assert len({batch_hash(run.trainer) for run in (usual, seed, zoom)}) == 3


def test_another_seed_begins_with_other_weights_and_other_images(training: Make) -> None:
    first, second = training(seed=0), training(seed=1)
    assert not torch.equal(weights(first), weights(second))
    assert first.trainer.names(0) != second.trainer.names(0)


def test_the_adversarial_part_alone_changes_the_generator(training: Make) -> None:
    run = training(loss={"name": "gan", "l1_weight": 0.0})
    before = weights(run).clone()
    run.trainer._objective.step(*run.trainer.batch(0))
    assert not torch.equal(before, weights(run))


def test_a_stop_leaves_a_checkpoint_and_says_so(training: Make) -> None:
    run = training()
    stop = Stop()
    stop.set()
    assert not run.run(stop)
    assert [state["step"] for state in run.states] == [1]


class StopAfter(Stop):
    """A wish that comes before batch `batches` of an evaluation."""

    def __init__(self, batches: int) -> None:
        super().__init__()
        self._left = batches

    def check(self) -> None:
        self._left -= 1
        if self._left < 0:
            self.set()
        super().check()


@pytest.mark.parametrize("step", [2, 6], ids=["in the middle", "at the end"])
def test_a_run_stopped_within_an_evaluation_makes_it_when_it_goes_on_and_ends_with_the_same_bits(
    training: Make, step: int
) -> None:
    changes = {"data": {"train_size": 16, "validation": 0.008}, "network": {"dropout": 0.2}}
    whole = training(**changes)
    whole.run()
    batches = sum(-(-evaluator.images // BATCH) for evaluator in whole.evaluators)
    broken = training(**changes)
    assert not broken.run(StopAfter(1 if step == 2 else 3 * batches - 1))
    state = broken.states[-1]
    assert (state["step"], state["owed"]) == (step, True)
    assert step not in {evaluation.step for evaluation in broken.record.evaluations}, "half of its parts are none"
    resumed = training(**changes)
    resumed.trainer.load(state)
    assert resumed.run()
    assert torch.equal(weights(resumed), weights(whole))
    both = broken.record.evaluations + resumed.record.evaluations
    assert [(e.step, e.split, e.sums) for e in both] == [(e.step, e.split, e.sums) for e in whole.record.evaluations]
    assert resumed.states[-1]["best"] == whole.states[-1]["best"]
    assert not resumed.states[-1]["owed"]


def test_a_wish_before_the_first_step_of_an_attempt_ends_it_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[int] = []
    monkeypatch.setattr("os._exit", ended.append)
    stop = Stop()
    stop.ask()
    assert ended == [EXIT_STOPPED]
    stop.moved = True
    stop.ask()
    assert ended == [EXIT_STOPPED]


def test_an_evaluation_counts_as_progress(training: Make, home: Path) -> None:
    run, seen = training(), []
    file = home / "progress.json"
    file.unlink(missing_ok=True)

    class Watching(Stop):
        def check(self) -> None:
            seen.append(file.stat().st_mtime_ns)
            time.sleep(0.2)

    run.trainer.evaluate(Watching(), run._progress)
    assert len(set(seen)) == len(seen) > 1


def test_a_training_whose_loss_is_not_finite_stops_with_its_cause_named(training: Make) -> None:
    run = training(
        loss={"name": "sum", "parts": ["eigen", "l2"]},
        budget={"images_seen": 80, "batch_size": 8},
        evaluation={"evaluations": 5},
    )
    advance = run.trainer._objective.step

    def spoiled(rgb: torch.Tensor, depth: torch.Tensor, mask: torch.Tensor) -> dict[str, torch.Tensor]:
        deep = (
            depth * 1e20 if run.trainer.step == 6 else depth
        )  # squares of it are beyond float32, its logarithm is not
        return advance(rgb, deep, mask)

    run.trainer._objective.step = spoiled
    with pytest.raises(Diverged, match=r"diverged: l2 was inf at step 7, on the images train/") as raised:
        run.run()
    assert all(name in str(raised.value) for name in run.trainer.names(6))
    assert [state["step"] for state in run.states] == [2, 4, 6], "the last checkpoint is from before"
    assert all(torch.isfinite(value).all() for value in run.states[-1]["network"].values())
    step, values = run.record.points[-1]
    assert (step, values["train/loss/l2"], values["train/loss/sum"]) == (7, float("inf"), float("inf"))
    assert np.isfinite(values["train/loss/eigen"])


def test_a_gradient_that_is_not_finite_is_blamed_on_its_own_step(training: Make) -> None:
    """The loss of step 3 is finite and its gradient is not: the weights and all that follows are NaN."""
    run = training(budget={"images_seen": 80, "batch_size": 8}, evaluation={"evaluations": 1})
    advance = run.trainer._objective.step

    def spoiled(*batch: torch.Tensor) -> dict[str, torch.Tensor]:
        parts = dict(advance(*batch))
        if run.trainer.step == 2:
            for value in run.network.parameters():
                value.data.fill_(float("nan"))
        return parts

    run.trainer._objective.step = spoiled
    with pytest.raises(Diverged, match="at step 4 the network's output was not finite") as raised:
        run.run()
    assert all(name in str(raised.value) for name in run.trainer.names(2))
    assert "The losses of step 3 were, but a gradient was not, on the images train/" in str(raised.value)


def test_a_training_that_runs_out_of_memory_says_what_would_fit(training: Make) -> None:
    run = training()

    def starved(*_: torch.Tensor) -> dict[str, torch.Tensor]:
        raise torch.OutOfMemoryError("CUDA out of memory")

    run.trainer._objective.step = starved
    with pytest.raises(OutOfMemory, match=r"a batch of 8 at 64×96 takes about .* A batch of 7 would fit"):
        run.run()


def test_the_balance_of_the_game_is_logged_over_images_with_depth(training: Make) -> None:
    run = training(loss="gan")
    objective = run.trainer._objective
    rgb, depth, mask = run.trainer.batch(0)
    mask = mask.clone()
    mask[2:] = False  # of the others D sees nothing but their colours
    with torch.no_grad():
        pred = copy.deepcopy(run.network)(rgb)
        judge = copy.deepcopy(objective._adversary._network)
        shown = [torch.where(mask, d / 5 - 1, -1.0) for d in (depth, pred)]
        real, fake = (judge(d, rgb)[:2].mean().item() for d in shown)
        loss = 0.5 * ((judge(shown[0], rgb)[:2] - 1).square().mean() + judge(shown[1], rgb)[:2].square().mean()).item()
    parts = objective.step(rgb, depth, mask)
    assert parts["gan_score_real"].item() == pytest.approx(real, rel=1e-4)
    assert parts["gan_score_fake"].item() == pytest.approx(fake, rel=1e-4)
    assert parts["gan_discriminator"].item() == pytest.approx(loss, rel=1e-4)
    assert parts["gan_l1"].item() == pytest.approx((pred - depth).abs()[mask].mean().item(), rel=1e-4)
    assert parts["gan"].item() == pytest.approx(parts["gan_adversarial"].item() + 20 * parts["gan_l1"].item(), rel=1e-5)


@pytest.mark.parametrize(
    ("budget", "steps"),
    [
        ({"steps": 3}, 3),
        ({"epochs": 1.5}, 3),
        ({"images_seen": 48, "steps": 4}, 4),
        ({"images_seen": 24, "epochs": 9}, 3),
    ],
)
def test_a_budget_is_the_least_of_its_lengths(training: Make, budget: dict[str, float], steps: int) -> None:
    run = training(budget={**budget, "batch_size": 8})
    assert run.run()
    assert run.trainer.step == steps
    assert run.record.evaluations[-1].step == steps


def test_a_run_whose_minutes_are_over_is_evaluated_and_ends(training: Make) -> None:
    run = training(
        budget={"images_seen": 80_000, "minutes": 0.02, "batch_size": 8}, evaluation={"evaluations": 2, "samples": 0}
    )
    assert run.run()
    assert 0 < run.trainer.step < 10_000
    assert run.record.evaluations[-1].step == run.trainer.step == run.states[-1]["step"]
    again = training(
        budget={"images_seen": 80_000, "minutes": 0.02, "batch_size": 8}, evaluation={"evaluations": 2, "samples": 0}
    )
    again.trainer.load(run.states[-1])
    assert again.run()
    assert again.trainer.step == run.trainer.step, "the minutes of earlier attempts count"
    steps = [evaluation.step for evaluation in run.record.evaluations]
    assert len(steps) == len(set(steps))
    assert run.record.evaluations[-1].sharpness is not None


def test_what_a_process_of_several_draws_follows_from_the_step(training: Make, tmp_path: Path) -> None:
    """Dropout of a run over several processes, gone on from a checkpoint, is what it would have been."""
    trainer = training(network={"dropout": 0.2}).trainer
    drawn = {}
    for rank, step in ((0, 0), (1, 0), (1, 1), (0, 0)):
        trainer._group = SimpleNamespace(size=2, rank=rank, leads=rank == 0)  # type: ignore[assignment]
        trainer.step = step
        trainer._advance(Progress(tmp_path / "progress"))
        state = torch.get_rng_state()
        assert torch.equal(drawn.setdefault((rank, step), state), state)
        torch.rand(3)
    assert len({bytes(state.numpy()) for state in drawn.values()}) == 3


def test_the_step_that_was_best_on_validation_is_remembered(training: Make) -> None:
    run = training(
        data={"train_size": 16, "validation": 0.01},
        budget={"images_seen": 96, "batch_size": 8},
        evaluation={"evaluations": 4},
    )
    assert run.run()
    scores = {}
    for evaluation in run.record.evaluations:
        if evaluation.split == "validation":
            sums = np.frombuffer(evaluation.sums, "<f8").reshape(evaluation.images, -1)
            scores[evaluation.step] = {averaging: from_sums(sums, averaging)["rmse"] for averaging in AVERAGINGS}
    for averaging in AVERAGINGS:
        best = min(scores, key=lambda step: scores[step][averaging])
        assert run.states[-1]["best"][averaging] == [best, scores[best][averaging]]


def test_sample_frames_are_the_same_for_every_run_and_carry_their_ground_truth(training: Make) -> None:
    first, second = (
        training(loss="l1").evaluators[0].sample_frames(),
        training(loss="gan").evaluators[0].sample_frames(),
    )
    assert first == second
    assert [f.position for f in first] == [0, 63]
    _, depth, _ = training().evaluators[0]._store.batch([0])
    stored = unpack_depth(first[0].depth, first[0].height, first[0].width)
    assert np.array_equal(stored, np.rint(depth[0, 0].numpy() * 1000))


def test_kept_maps_are_millimetres_and_count_what_is_not_finite() -> None:
    depth = torch.tensor([[1.2344, float("nan")], [float("inf"), -0.5]])
    packed, nonfinite = millimetres(depth)
    assert packed.tolist() == [[1234, 0], [0, 0]]
    assert nonfinite == 2


def test_the_kept_map_is_what_was_scored(training: Make) -> None:
    run = training()
    run.run()
    (kept,) = [m for m in run.record.maps if m.step == 6 and m.frame == run.evaluators[0].sample_frames()[0].frame]
    _, depth, mask = run.evaluators[0]._store.batch([0])
    predicted = unpack_depth(kept.depth, kept.height, kept.width) / 1000
    error = np.abs(predicted - depth[0, 0].numpy())[mask[0, 0].numpy()].mean()
    sums = np.frombuffer(run.record.evaluations[-1].sums, "<f8").reshape(64, -1)
    assert error == pytest.approx(sums[0, 1] / sums[0, 0], abs=5e-4)  # half a millimetre of rounding


@pytest.mark.long
def test_more_images_and_training_beat_the_constant_prediction_on_rooms(training: Make) -> None:
    """The demo's promise for one loss, at half its budget: RMSE falls with the size, and at the largest is below 0.6 × the constant prediction's."""
    spec = demo()
    base, sizes = spec["base"], spec["factors"]["size"]
    errors, constant = [], float("nan")
    for size in (sizes[0], sizes[-1]):
        short = {"budget": {"images_seen": 2000, "batch_size": 8}, "evaluation": {"evaluations": 1, "samples": 0}}
        run = training(**{**base, **short, "data": {**base["data"], "train_size": size}})
        run.record.evaluation(run.evaluators[0].constant(run.train.median_depth()))
        constant = run.record.metrics(0)["rmse"]
        assert run.run()
        errors.append(run.record.metrics()["rmse"])
    assert errors[1] < errors[0]
    assert errors[1] < 0.6 * constant


# Bump TRAINING_VERSION with these values: a change here is a change of what every run computes.
GOLDEN = {
    "l1": (1.7083, 2.3387),
    "l2": (5.1308, 2.2493),
    "huber": (1.9059, 2.3217),
    "berhu": (2.1405, 2.2562),
    "eigen": (0.36391, 2.6799),
    "eigengrad": (1.12666, 2.8206),
    "gan": (35.1395, 2.33315),
}


@pytest.mark.parametrize("loss", GOLDEN)
def test_what_a_training_computes_is_what_this_version_computed(training: Make, loss: str) -> None:
    run = training(loss=loss)
    run.run()
    last = run.record.points[-1][1][f"train/loss/{loss}"]
    assert (last, run.record.metrics()["rmse"]) == pytest.approx(GOLDEN[loss], rel=1e-2)


def test_a_training_that_moves_on_a_full_disk_is_seen_to_move(tmp_path: Path) -> None:
    file = tmp_path / "progress.json"
    file.write_text("{}")
    os.utime(file, (0, 0))
    file.with_suffix(f".{os.getpid()}").mkdir()  # what is written there fails as on a full disk
    Progress(file).update(1, 8)
    assert file.stat().st_mtime > 0
