"""How much memory a training takes, against what it took; and what a researcher is told when there is too little."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
import torch

from depthboard.config import RunConfig
from depthboard.errors import OutOfMemory
from worker import memory

MEASURE = """
import json, resource, sys, torch
from depthboard.config import RunConfig
from worker.attempt import make_network
from worker.objective import Objective
config = RunConfig.model_validate(json.loads(sys.argv[1]))
torch.set_num_threads(1)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
def step(images):
    network, _ = make_network(config)
    batch = torch.zeros(images, 3, config.data.height, config.data.width)
    depth = torch.full((images, 1, config.data.height, config.data.width), 3.0)
    Objective(network, config, torch.device("cpu")).step(batch, depth, depth > 0)
step(int(sys.argv[2]))
low = peak()
step(int(sys.argv[3]))
print(peak() - low)
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
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=240, check=False
    )


@pytest.mark.parametrize(
    ("config", "low", "high"),
    [
        ({}, 64, 192),
        ({"network": {"encoder": "resnet_small"}}, 64, 192),
        ({"network": {"encoder": "densenet121"}, "data": {"height": 128, "width": 160}}, 8, 16),
    ],
    ids=["densenet_small", "resnet_small", "densenet121"],
)
def test_the_estimate_is_what_a_step_takes(config: dict[str, Any], low: int, high: int) -> None:
    measured = run(MEASURE, json.dumps(config), str(low), str(high))
    assert measured.returncode == 0, measured.stderr
    image = memory.need(RunConfig.model_validate(config)).image
    assert image == pytest.approx(int(measured.stdout) / (high - low), rel=0.3)


def test_a_batch_that_this_host_cannot_hold_is_refused_with_one_that_fits() -> None:
    config = RunConfig.model_validate({"data": {"height": 2048, "width": 2048}, "budget": {"batch_size": 4096}})
    needed, cpu = memory.need(config), torch.device("cpu")
    with pytest.raises(OutOfMemory) as raised:
        memory.check(config, cpu)
    fits = int(str(raised.value).split("A batch of ")[1].split()[0])
    there = memory.available(cpu)
    assert needed.of(fits) == pytest.approx(there, abs=2 * needed.image + 2**30)
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
