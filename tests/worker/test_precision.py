"""Number formats: bfloat16 inside the network, float32 where it matters."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from depthboard.config import EngineConfig, RunConfig
from worker import precision
from worker.attempt import make_network
from worker.objective import Objective
from worker.precision import Precision, computes_in

CPU = torch.device("cpu")
HALF = {"engine": {"precision": "bfloat16"}}
Make = Callable[..., Any]


def test_a_map_from_bfloat16_layers_holds_more_than_20000_depths() -> None:
    """A bfloat16 head knows 128 numbers between 4 and 8 m."""
    config = RunConfig.model_validate({**HALF, "data": {"height": 256, "width": 320}})
    network, _ = make_network(config)
    picture = torch.rand(2, 3, 256, 320, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad(), Precision(config.engine, CPU).autocast():
        depth = network(picture)
    assert depth.dtype == torch.float32
    assert len(depth[0].unique()) > 20_000
    assert len(depth[0].bfloat16().unique()) < 2000


@pytest.mark.parametrize("loss", ["l1", "berhu", "eigengrad", "gan", "kendall_gal"])
def test_weights_and_losses_stay_float32_and_the_training_goes_as_in_float32(training: Make, loss: str) -> None:
    half, full = training(loss=loss, **HALF), training(loss=loss, engine={"precision": "float32"})
    assert half.run()
    assert full.run()
    assert all(weight.dtype == torch.float32 for weight in half.network.parameters())
    ours, theirs = (run.record.points[0][1][f"train/loss/{loss}"] for run in (half, full))
    assert ours == pytest.approx(theirs, rel=0.03)
    assert ours != theirs


def test_auto_takes_bfloat16_only_where_the_processor_multiplies_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert computes_in(CPU) == (
        "bfloat16" if {"avx512_bf16", "amx_bf16", "bf16"} & precision.processor_flags() else "float32"
    )
    for flags, expected in (({"avx2", "avx512_bf16"}, "bfloat16"), ({"avx2"}, "float32"), (set(), "float32")):
        monkeypatch.setattr(precision, "processor_flags", lambda flags=flags: flags)
        assert Precision(EngineConfig(), CPU).format == expected
    assert Precision(EngineConfig(precision="bfloat16"), CPU).format == "bfloat16"


def test_the_processor_is_named_with_family_and_model() -> None:
    assert precision.processor()
    assert "family" in precision.processor() or not precision._cpuinfo()


@pytest.mark.long
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own, while it loads its compiler
def test_a_compiled_step_computes_the_same_loss() -> None:
    config = {"data": {"height": 32, "width": 32}, "network": {"encoder": "resnet_small"}}
    batch = (
        torch.rand(4, 3, 32, 32) * 2 - 1,
        torch.rand(4, 1, 32, 32) * 5 + 1,
        torch.ones(4, 1, 32, 32, dtype=torch.bool),
    )
    losses = []
    for compiled in (False, True):
        made = RunConfig.model_validate({**config, "engine": {"compile": compiled}})
        objective = Objective(make_network(made)[0], made, CPU)
        losses.append([objective.step(*batch)["l1"].item() for _ in range(3)])
    assert losses[1][0] == pytest.approx(losses[0][0], rel=1e-4)
    assert losses[1] == pytest.approx(losses[0], rel=5e-3)  # Adam enlarges what the last bits differ by
