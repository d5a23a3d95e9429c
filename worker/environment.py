"""What a training needs to be set before it starts: its threads, its GPU, and how freed memory is kept."""

from __future__ import annotations

import os

# glibc gives every freed tensor of more than 32 MiB back to Linux, and gets it again page by page, each filled with zeros: a tenth of a step
# of D3-Net at 256×320 on a CPU. Here it stays with the process, whose sizes repeat each step. Without effect on other libraries' malloc.
KEEP_FREED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**40)}


def training_environment(threads: int, gpu: str | None = None) -> dict[str, str]:
    """This process's environment, for a training child with so many CPU threads, on this GPU or, without one, a CPU."""
    kept = {} if gpu is not None else {name: os.environ.get(name, value) for name, value in KEEP_FREED.items()}
    order = os.environ.get("CUDA_DEVICE_ORDER", "PCI_BUS_ID")  # as nvidia-smi numbers them
    shown = {} if gpu is None else {"CUDA_VISIBLE_DEVICES": gpu, "CUDA_DEVICE_ORDER": order}
    return {**os.environ, **kept, **shown, "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
