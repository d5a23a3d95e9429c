"""How much memory a training takes, against what it took; and what a researcher is told when there is too little."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from depthboard.config import LOSS_CONFIGS, RunConfig
from depthboard.errors import OutOfMemory
from tests.worker.losses.cases import backbone_file
from worker import memory
from worker.environment import training_environment

CPU = torch.device("cpu")

MEASURE = """
import json, sys, torch
from depthboard.config import RunConfig
from worker.attempt import make_network
from worker.objective import Objective
config, images = RunConfig.model_validate(json.loads(sys.argv[1])), int(sys.argv[2])
torch.set_num_threads(1)
network, _ = make_network(config)
depth = torch.full((images, 1, config.data.height, config.data.width), 3.0)
objective = Objective(network, config, torch.device("cpu"))
for _ in range(4):  # the allocator holds more after the first
    objective.step(depth.expand(-1, 3, -1, -1), depth, depth > 0)
# Not ru_maxrss, which begins with that of the process that started this one.
print(next(int(line.split()[1]) * 1024 for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
STARVED = """
import resource, sys, threading, json
from pathlib import Path
sys.path.insert(0, ".")
import torch
from depthboard.config import RunConfig
from depthboard.errors import OutOfMemory
from worker import memory
config = RunConfig.model_validate({"budget": {"batch_size": 512}})
resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))
try:
    kept = [torch.ones(1 << 28) for _ in range(64)]
except Exception as error:
    assert memory.is_out_of_memory(error), repr(error)
    raise SystemExit(str(memory.explained(config, torch.device("cpu"))))
"""


def run(code: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=training_environment(1),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.parametrize(
    "encoder, loss",
    [
        pytest.param("densenet_small", "l1", marks=pytest.mark.long),
        pytest.param("resnet_small", "l1", marks=pytest.mark.long),
        pytest.param("densenet_small", "gan", marks=pytest.mark.long),
        pytest.param("densenet_small", "lpips", marks=pytest.mark.long),
    ],
)
def test_the_estimate_is_what_a_step_takes(encoder: str, loss: str) -> None:
    brought = {"net": "squeeze", "weights": str(backbone_file("squeeze"))} if loss == "lpips" else {}
    config = {"network": {"encoder": encoder}, "loss": {"name": loss, **brought}}
    low, high = (32, 96) if brought else (48, 144)
    peaks = [run(MEASURE, json.dumps(config), str(images)) for images in (low, high)]
    assert [peak.returncode for peak in peaks] == [0, 0], peaks[0].stderr
    measured = (int(peaks[1].stdout) - int(peaks[0].stdout)) / (high - low)
    assert memory.need(RunConfig.model_validate(config), CPU).image == pytest.approx(measured, rel=0.3)


def test_bfloat16_and_more_processes_take_less_each() -> None:
    usual, half, shared = (
        memory.need(RunConfig.model_validate({"engine": engine}), torch.device("cuda")).image
        for engine in ({"precision": "float32"}, {"precision": "bfloat16"}, {"precision": "float32", "processes": 4})
    )
    assert half == pytest.approx(memory.HALF * usual, rel=0.02)
    assert shared == pytest.approx(usual / 4, rel=0.05)


def test_the_processes_of_a_run_share_a_hosts_memory() -> None:
    def need(loss: str, processes: int) -> memory.Need:
        engine = {"processes": processes, "precision": "float32"}
        return memory.need(RunConfig.model_validate({"loss": loss, "engine": engine}), CPU)

    assert need("l1", 8).image == pytest.approx(need("l1", 1).image, rel=0.1)
    assert need("l1", 8).fixed == 8 * need("l1", 1).fixed
    assert need("gan", 8).image > 3 * need("gan", 1).image, "each runs D on every image"


@pytest.mark.parametrize("loss", LOSS_CONFIGS)
def test_every_losss_memory_is_counted(loss: str) -> None:
    more = {"lpips": {"weights": "/alexnet.pth"}, "sum": {"parts": ["l1", "ms_ssim"]}}.get(loss, {})
    config = RunConfig.model_validate({"loss": {"name": loss, **more}, "data": {"height": 256, "width": 320}})
    assert memory.need(config, CPU).image > memory.need(RunConfig(data=config.data), CPU).image * 0.999


def test_a_containers_limit_counts_but_not_the_files_it_holds_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "CGROUP", tmp_path)
    assert memory._cgroup() == []
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("950\n")
    (tmp_path / "memory.stat").write_text("anon 50\nactive_file 300\ninactive_file 600\n")
    assert memory._cgroup() == [950]
    (tmp_path / "memory.max").write_text("max\n")
    assert memory._cgroup() == []


def test_a_batch_that_this_host_cannot_hold_is_refused_with_one_that_fits() -> None:
    config = RunConfig.model_validate({"data": {"height": 2048, "width": 2048}, "budget": {"batch_size": 4096}})
    needed, cpu = memory.need(config, CPU), CPU
    with pytest.raises(OutOfMemory) as raised:
        memory.check(config, cpu)
    fits = int(str(raised.value).split("A batch of ")[1].split()[0])
    assert needed.of(fits) == pytest.approx(memory.available(cpu), abs=2 * needed.image + 2**30)
    assert f"takes about {needed.of(4096) / 2**30:.1f} GiB" in str(raised.value)
    memory.check(RunConfig(), cpu)


def test_where_not_one_image_fits_the_input_is_to_be_smaller() -> None:
    assert memory.Need(fixed=100, image=10).largest_batch(90) == 0
    assert memory.Need(fixed=100, image=10).largest_batch(135) == 3


def test_the_allocators_own_error_is_recognised_and_explained() -> None:
    starved = run(STARVED)
    assert "budget.batch_size: a batch of 512 at 64×96 takes about" in starved.stderr
    assert memory.is_out_of_memory(MemoryError())
    assert memory.is_out_of_memory(torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"))
    assert not memory.is_out_of_memory(RuntimeError("shapes differ"))
