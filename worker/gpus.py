"""The GPUs of this host, found without loading torch, and which slot trains on which."""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache


@cache
def gpu_names() -> tuple[str, ...]:
    """What nvidia-smi lists, e.g. NVIDIA H200; empty without a GPU."""
    query = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    if shutil.which(query[0]) is None:
        return ()
    done = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    return tuple(line.strip() for line in done.stdout.splitlines() if line.strip()) if done.returncode == 0 else ()


def visible_gpus() -> list[str]:
    """The GPUs that this worker may use, as CUDA_VISIBLE_DEVICES names them."""
    given = os.environ.get("CUDA_VISIBLE_DEVICES")
    if given is not None:
        return [name.strip() for name in given.split(",") if name.strip()]
    return [str(number) for number in range(len(gpu_names()))]


def gpu_of(slot: int) -> str | None:
    """The GPU on which a slot trains: slots take them in turn, so that several share one only when there are more slots than GPUs."""
    gpus = visible_gpus()
    return gpus[slot % len(gpus)] if gpus else None


def device_name() -> str:
    """The name of the first GPU that this worker may use, or cpu."""
    names, visible = gpu_names(), visible_gpus()
    if not names or not visible:
        return "cpu"
    # A GPU may be named by its UUID too: its number is then unknown here, and a host's GPUs are mostly of one kind.
    first = int(visible[0]) if visible[0].isdecimal() else 0
    return names[first] if first < len(names) else names[0]
