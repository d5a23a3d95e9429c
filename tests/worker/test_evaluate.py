"""The evaluator on real frames of `rooms`, with networks whose answer is known."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from depthboard import protocol
from depthboard.metrics import SHARPNESS, SUMS, from_sums, sharpness_means
from tests.worker.conftest import Training
from worker.data import FrameStore
from worker.evaluate import Evaluator
from worker.schedule import evaluation_steps


class Constant(nn.Module):
    """`depth` metres everywhere in the first of `channels`, rubbish in the others."""

    def __init__(self, depth: float, channels: int = 1) -> None:
        super().__init__()
        self.depth, self.channels = depth, channels

    def forward(self, rgb: Tensor) -> Tensor:
        maps = torch.full((len(rgb), self.channels, *rgb.shape[-2:]), -99.0)
        maps[:, 0] = self.depth
        return maps


class Truth(nn.Module):
    """The ground truth of the evaluator's own frames, in their order."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__()
        depths = [evaluator._store.batch([i])[1] for i in range(evaluator.images)]
        self.depths, self.at = torch.cat(depths), 0

    def forward(self, rgb: Tensor) -> Tensor:
        self.at += len(rgb)
        return self.depths[self.at - len(rgb) : self.at]


def sums_of(evaluation: protocol.Evaluation) -> np.ndarray:
    return np.frombuffer(evaluation.sums, "<f8").reshape(evaluation.images, len(SUMS))


def sharpness_of(evaluation: protocol.Evaluation) -> np.ndarray:
    assert evaluation.sharpness is not None
    return np.frombuffer(evaluation.sharpness, "<f8").reshape(evaluation.images, len(SHARPNESS))


Make = Callable[..., Training]


def test_a_constant_network_scores_as_the_constant_prediction(training: Make) -> None:
    evaluator = training().evaluators[0]
    evaluation, maps = evaluator.score(Constant(2.5), 3)
    np.testing.assert_array_equal(sums_of(evaluation), sums_of(evaluator.constant(2.5)))
    assert evaluation.protocol == "none-0.001-10m-64x96-v2"
    assert len(maps) == 2


def test_a_second_channel_is_no_depth(training: Make) -> None:
    for flip_average in (False, True):
        evaluator = training(evaluation={"evaluations": 3, "samples": 2, "flip_average": flip_average}).evaluators[0]
        one, two = (evaluator.score(Constant(2.5, channels), 3) for channels in (1, 2))
        assert one[0].sums == two[0].sums
        assert [m.depth for m in one[1]] == [m.depth for m in two[1]]


def test_the_truth_scores_as_a_perfect_prediction(training: Make) -> None:
    run = training(evaluation={"evaluations": 3, "samples": 2, "sharpness": "all"})
    evaluation, _ = run.evaluators[0].score(Truth(run.evaluators[0]), 1)
    metrics = from_sums(sums_of(evaluation), "per_image")
    for name in ("mae", "rmse", "silog", "rmse_median", "rmse_affine", "rmse_2_4m", "clipped", "nonfinite"):
        assert metrics[name] == pytest.approx(0, abs=1e-6)
    means = sharpness_means(sharpness_of(evaluation))
    assert means["mae_edge"].value == 0
    assert means["mae_flat"].images == evaluation.images
    assert 0.9 * evaluation.images < means["mae_edge"].images <= evaluation.images, "nearly every room has an edge"
    assert means["gradient_ratio_edge"].value == means["spectrum_ratio"].value == 1
    assert means["edge_f1_25cm"].value == 1


@pytest.mark.parametrize(("when", "due"), [("last", [False, False, True]), ("all", [True] * 3), ("off", [False] * 3)])
def test_sharpness_is_measured_when_the_configuration_says(training: Make, when: str, due: list[bool]) -> None:
    run = training(evaluation={"evaluations": 3, "samples": 0, "sharpness": when})
    steps = evaluation_steps(run.trainer._config)
    found = [run.evaluators[0].score(Constant(2.5), step)[0].sharpness is not None for step in steps]
    assert found == due


def test_a_run_that_ends_early_is_measured_where_it_ends(training: Make) -> None:
    evaluator = training().evaluators[0]
    assert evaluator.score(Constant(2.5), 2, last=True)[0].sharpness is not None


def test_sharpness_is_that_of_the_network_s_size_whatever_size_is_scored(training: Make, tmp_path: Path) -> None:
    found = []
    for resize in ("network", "native"):
        run = training(evaluation={"evaluations": 3, "samples": 0, "sharpness": "all", "resize": resize})
        whole = run.evaluators[0]._store
        few = FrameStore(whole.source, whole.frames[:3], whole.config, fingerprint="few", cache=tmp_path)
        evaluator = Evaluator(few, run.trainer._config, "test", torch.device("cpu"))
        found.append(evaluator.score(Constant(2.5), 1)[0])
    np.testing.assert_array_equal(sharpness_of(found[0]), sharpness_of(found[1]))
    assert sums_of(found[0])[0, 0] == 64 * 96
    assert sums_of(found[1])[0, 0] > 64 * 96


def test_only_the_split_that_the_run_is_judged_by_is_measured_for_sharpness(training: Make) -> None:
    run = training(data={"train_size": 16, "validation": 0.1})
    test, validation = (e.score(Constant(2.5), 6)[0] for e in run.evaluators)
    assert (test.split, validation.split) == ("test", "validation")
    assert test.sharpness is not None
    assert validation.sharpness is None


def test_every_look_at_the_test_images_is_counted_and_told(training: Make, capsys: pytest.CaptureFixture[str]) -> None:
    """A resumed attempt counts those before it: the first look here is at the second of three evaluations."""
    run = training()
    evaluator = run.evaluators[0]
    for step in evaluation_steps(run.trainer._config)[1:]:
        evaluator.score(Constant(2.5), step)
    lines = capsys.readouterr().out.splitlines()
    told = f"scored {evaluator.images} test images under none-0.001-10m-64x96-v2"
    assert lines == [f"step 4: {told} (test touched 2 times)", f"step 6: {told} (test touched 3 times)"]


def test_a_training_ends_with_its_sharpness_and_an_answer_for_every_column(training: Make) -> None:
    def finite(evaluation: protocol.Evaluation) -> dict[str, Any]:
        return from_sums(sums_of(evaluation), "pooled")

    run = training()
    assert run.run()
    measured = [evaluation.sharpness is not None for evaluation in run.record.evaluations]
    assert measured == [False, False, True]
    assert all(np.isfinite(value) for name, value in finite(run.record.evaluations[-1]).items() if "_10m" not in name)
