"""How fast this host trains: measured once for each version of the code, so that a dry run can say how long an experiment will take.

As many copies are measured side by side as the worker has slots, since they share memory bandwidth and cores.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

from depthboard.errors import Misconfigured
from depthboard.settings import Settings, get_settings
from worker.code import source_hash
from worker.environment import training_environment
from worker.gpus import device_name

MEASURED_STEPS = 12
BATCH = 8


@dataclass(frozen=True)
class Calibration:
    """`speeds`: training images per second in bare steps of one slot by `loss/encoder@heightxwidth` (l1 stands for every pixel-wise loss)."""

    speeds: dict[str, float]
    startup_seconds: float


def calibrate(settings: Settings, places: list[str]) -> Calibration:
    """Read the measurement of this host, or take it (about ten seconds). Raises Misconfigured when training does not work here at all."""
    key = f"{platform.node()} {device_name()} {len(places)} {settings.threads} {source_hash()}"
    file = settings.cache / f"calibration-{hashlib.sha256(key.encode()).hexdigest()[:16]}.json"
    if file.is_file():
        return Calibration(**json.loads(file.read_text()))
    measured = _measure(settings, places)
    file.parent.mkdir(parents=True, exist_ok=True)
    temporary = file.with_suffix(f".{os.getpid()}")
    temporary.write_text(json.dumps(asdict(measured)))
    temporary.rename(file)
    return measured


def _measure(settings: Settings, places: list[str]) -> Calibration:
    environments = [training_environment(settings.threads, place or None) for place in places]
    command = [sys.executable, "-m", "worker.calibrate", str(time.time())]
    children = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
        for environment in environments
    ]
    try:
        found = [_answer(child) for child in children]
    finally:
        for child in children:
            child.kill()
    mean = {name: sum(f["speeds"][name] for f in found) / len(found) for name in found[0]["speeds"]}
    return Calibration(mean, sum(f["startup_seconds"] for f in found) / len(found))


def _answer(child: subprocess.Popen[str]) -> dict[str, Any]:
    output, errors = child.communicate(timeout=600)
    if child.returncode != 0:
        raise Misconfigured(
            "training does not work on this host.",
            remedy=f"The last line says: {(errors.strip().splitlines() or ['nothing'])[-1]}",
        )
    return dict(json.loads(output))


def main(started: float) -> None:
    """The measuring child: prints a Calibration as JSON."""
    import torch

    from depthboard.config import EngineConfig, RunConfig
    from worker.attempt import prepare_torch
    from worker.networks import prepare_network
    from worker.objective import Objective

    startup, speeds = 0.0, {}
    device = prepare_torch(get_settings(), EngineConfig(), 0)
    for encoder in ("densenet_small", "resnet_small"):
        for loss in ("l1", "gan"):
            config = RunConfig.model_validate(
                {"loss": loss, "network": {"encoder": encoder}, "optimiser": {"lr": 1e-4}}
            )
            network = prepare_network(config.network, 0).network.to(device)
            objective = Objective(network, config, device)
            rgb = torch.zeros(BATCH, 3, 64, 96, device=device)
            depth = torch.full((BATCH, 1, 64, 96), 3.0, device=device)
            mask = torch.ones_like(depth, dtype=torch.bool)
            for _ in range(2):
                objective.step(rgb, depth, mask)
            startup = startup or time.time() - started
            began = time.monotonic()
            for _ in range(MEASURED_STEPS):
                float(objective.step(rgb, depth, mask)[loss])
            speeds[f"{loss}/{encoder}@64x96"] = round(MEASURED_STEPS * BATCH / (time.monotonic() - began), 1)
    print(json.dumps({"speeds": speeds, "startup_seconds": round(startup, 2)}))


if __name__ == "__main__":
    main(float(sys.argv[1]))
