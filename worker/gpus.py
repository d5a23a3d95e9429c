"""The GPUs of this host, found without loading torch: which of them this worker may use, and how busy they are."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from typing import Any

from depthboard.errors import Misconfigured
from depthboard.protocol import Gpu as Use

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Gpu:
    index: int
    uuid: str
    name: str

    def is_called(self, name: str) -> bool:
        """By its number, or by its UUID or the beginning of it, as CUDA_VISIBLE_DEVICES may."""
        return name == str(self.index) or (not name.isdecimal() and bool(name) and self.uuid.startswith(name))


@cache
def gpus() -> tuple[Gpu, ...]:
    """What nvidia-smi lists; empty without a GPU."""
    query = ["nvidia-smi", "--query-gpu=index,uuid,name", "--format=csv,noheader"]
    if shutil.which(query[0]) is None:
        return ()
    done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    lines = [line.split(",", 2) for line in done.stdout.splitlines()] if done.returncode == 0 else []
    return tuple(Gpu(int(i), uuid.strip(), name.strip()) for i, uuid, name in lines)


def visible_gpus() -> list[str]:
    """The GPUs that this worker may use, as CUDA_VISIBLE_DEVICES names them."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name.strip() for name in given.split(",") if name.strip()]
    return [str(gpu.index) for gpu in gpus()]


def restrict(wanted: str) -> None:
    """Let this process and its trainings use only these GPUs (numbers or UUIDs, with commas). Raises Misconfigured for one that is not there."""
    names = list(dict.fromkeys(name.strip() for name in wanted.split(",") if name.strip()))
    for name in names:
        if not any(gpu.is_called(name) for gpu in gpus()):
            there = ", ".join(f"{gpu.index} ({gpu.name})" for gpu in gpus()) or "none"
            raise Misconfigured(f"there is no GPU {name} on this host.", field="--gpus", remedy=f"There is: {there}.")
    os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(names)


def device_name() -> str:
    """The name of the first GPU that this worker may use, or cpu."""
    visible = visible_gpus()
    if not gpus() or not visible:
        return "cpu"
    called = [gpu.name for gpu in gpus() if gpu.is_called(visible[0])]
    return called[0] if called else gpus()[0].name  # a slice of a GPU has a UUID of its own


def use() -> list[Use]:
    """How busy the GPUs are that this worker may use, by NVML; empty where there is none or nvidia-ml-py is not installed."""
    mine = [gpu for gpu in gpus() if any(gpu.is_called(name) for name in visible_gpus())]
    nvml = _nvml() if mine else None
    return [_use_of(gpu, nvml) for gpu in mine] if nvml is not None else []


@cache
def _nvml() -> Any:
    try:
        import pynvml
    except ImportError:
        log.info("no use of GPUs is reported: nvidia-ml-py is not installed")
        return None
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        log.info("no use of GPUs is reported: %s", error)
        return None
    return pynvml


def _use_of(gpu: Gpu, nvml: Any) -> Use:
    """Without numbers for one that does not answer."""
    known = Use(index=gpu.index, name=gpu.name, uuid=gpu.uuid)
    try:
        handle = nvml.nvmlDeviceGetHandleByUUID(gpu.uuid)
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        busy = float(nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
    except nvml.NVMLError:
        return known
    update: dict[str, float] = {"utilisation": busy, "memory_used": memory.used, "memory_total": memory.total}
    with contextlib.suppress(nvml.NVMLError):  # slices of a GPU do not say them
        update["power"] = nvml.nvmlDeviceGetPowerUsage(handle) / 1000
        update["temperature"] = float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU))
    return known.model_copy(update=update)
