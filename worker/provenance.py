"""What determined a result besides its configuration: code, libraries, machine."""

from __future__ import annotations

import importlib.metadata
import platform

import torch

from depthboard.config import EngineConfig
from depthboard.protocol import Provenance
from worker.code import code_version, source_hash
from worker.precision import Precision, processor

LIBRARIES = ("torch", "numpy", "pillow", "h5py", "scipy", "pydantic", "celery")


def library_versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in LIBRARIES}


def describe(
    network: torch.nn.Module,
    engine: EngineConfig,
    device: torch.device,
    images: tuple[int, int],
    initialisation: dict[str, str | int | list[str]],
    *,
    first_batch: list[str],
    first_batches_sha256: str,
) -> Provenance:
    """The provenance of an attempt about to begin; `images` = (training, evaluation)."""
    return Provenance(
        code_version=code_version(),
        code_sha256=source_hash(),
        libraries=library_versions(),
        python=platform.python_version(),
        host=platform.node(),
        device=torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        processor=processor(),
        threads=torch.get_num_threads(),
        torch_build=torch_build(),
        precision=Precision(engine, device).format,
        deterministic=torch.are_deterministic_algorithms_enabled(),
        processes=engine.processes,
        parameters=sum(p.numel() for p in network.parameters()),
        train_images=images[0],
        evaluation_images=images[1],
        initialisation=initialisation,
        first_batch=first_batch,
        first_batches_sha256=first_batches_sha256,
    )


def torch_build() -> str:
    """Version, commit and CPU instruction set of the torch in use: another build may sum in another order."""
    return f"{torch.__version__} {torch.version.git_version[:12]} {torch.backends.cpu.get_cpu_capability()}"
