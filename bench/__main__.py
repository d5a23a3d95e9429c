"""`make bench`: CPU time of the training's parts, in turn, several rounds, so that a noisy neighbour touches both sides alike."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import torch

from depthboard.config import DataConfig, RunConfig
from depthboard.config.presets import PAPER_LOSSES
from worker.data import FrameStore, open_source
from worker.networks import prepare_network
from worker.objective import Objective

ROUNDS = 15
BATCH = 8


def frames() -> dict[str, Callable[[], object]]:
    """Eight frames of 64×96: rendered anew, and read from the prepared arrays."""
    source = open_source("rooms")
    names = list(source.frames("official", "train")[:64])
    with tempfile.TemporaryDirectory() as folder:
        kept = FrameStore(source, names, DataConfig(), fingerprint="bench", cache=Path(folder))
        drawn = FrameStore(source, names, DataConfig(), fingerprint="bench", cache=Path(folder), byte_limit=0)
        return {"rendered": lambda: drawn.batch(range(BATCH)), "prepared": lambda: kept.batch(range(BATCH))}


def steps() -> dict[str, Callable[[], object]]:
    """One optimisation step of each of the paper's losses with the small network, batch 8."""
    rgb, depth = torch.rand(BATCH, 3, 64, 96) * 2 - 1, torch.rand(BATCH, 1, 64, 96) * 5 + 1
    mask = depth > 0
    made = {}
    for loss in PAPER_LOSSES:
        config = RunConfig.model_validate({"loss": loss, "optimiser": {"lr": 1e-4}})
        objective = Objective(prepare_network(config.network, 0).network, config, torch.device("cpu"))
        made[loss] = lambda objective=objective: objective.step(rgb, depth, mask)
    return made


def compare(title: str, sides: dict[str, Callable[[], object]]) -> None:
    """Median CPU time of each side, and its ratio to the first."""
    times: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(ROUNDS + 2):
        for name, side in sides.items():
            begin = time.process_time()
            side()
            if turn >= 2:  # the first turns warm caches
                times[name].append(time.process_time() - begin)
    base = statistics.median(next(iter(times.values())))
    print(f"{title} (median CPU time of {ROUNDS} rounds)")
    for name, values in times.items():
        middle = statistics.median(values)
        print(f"  {name:12s} {1000 * middle:8.2f} ms   × {middle / base:.2f}")


def main() -> int:
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    compare("eight frames, 64×96", frames())
    compare("one step, densenet_small, batch 8", steps())
    return 0


if __name__ == "__main__":
    sys.exit(main())
