"""How much memory a training takes: counted without a run, from what one step keeps for its backward pass."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from depthboard.config import RunConfig
from depthboard.errors import OutOfMemory
from worker.networks import NETWORKS, D3Net
from worker.precision import Precision

CGROUP = Path("/sys/fs/cgroup")

BYTES_A_PARAMETER = 16
"""float32 weight, gradient, and Adam's two means."""
WORKSPACE = 1.25
"""Over the bytes that are kept: gradients on their way back and the convolutions' own memory. Measured with both preset networks on a CPU."""

HALF = 0.6
"""Of the bytes in bfloat16: not everything that is kept is. An estimate, not measured yet."""


@dataclass(frozen=True)
class Need:
    """Bytes of a training step: `fixed` + batch size × `image`."""

    fixed: int
    image: int

    def of(self, batch_size: int) -> int:
        return self.fixed + self.image * batch_size

    def largest_batch(self, available: int) -> int:
        """The most images that fit, 0 where not one does."""
        return max(0, (available - self.fixed) // self.image)


def need(config: RunConfig, device: torch.device) -> Need:
    """What a step of this configuration takes of one process."""
    with torch.device("meta"):
        network = NETWORKS[config.network.encoder](config.network)
    two, four = (_kept(network, images, config.data.height, config.data.width) for images in (2, 4))
    half = Precision(config.engine, device).format == "bfloat16"
    image = round(WORKSPACE * (four - two) / 2 * (HALF if half else 1) / config.engine.processes)
    return Need(BYTES_A_PARAMETER * sum(p.numel() for p in network.parameters()), image)


def _kept(network: D3Net, images: int, height: int, width: int) -> int:
    """Bytes that autograd keeps of one forward pass, each storage once; on the meta device nothing is computed."""
    storages: dict[int, Tensor] = {}
    own = {id(p) for p in network.parameters()}

    def keep(tensor: Tensor) -> Tensor:
        if id(tensor) not in own:
            storages[tensor.untyped_storage()._cdata] = tensor
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        network.features(torch.empty(images, 3, height, width, device="meta"))
        return sum(tensor.untyped_storage().nbytes() for tensor in storages.values())


def available(device: torch.device, resident: int = 0) -> int:
    """Bytes that a training may take on the device, of the GPU (less the data that is `resident` there), or of this host and its container."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)) - resident
    limits = [_meminfo(), *_cgroup()]
    return min(limits)


def check(config: RunConfig, device: torch.device) -> None:
    """Raises OutOfMemory for a batch that this host cannot hold: Linux would kill the training without a word."""
    if device.type == "cpu":
        needed = need(config, device)
        if needed.of(config.budget.batch_size) > available(device):
            raise explained(config, device)


def explained(config: RunConfig, device: torch.device, resident: int = 0) -> OutOfMemory:
    """The error of a training that does not fit: what it takes, what there is, and what would fit."""
    needed, there, data = need(config, device), available(device, resident), config.data
    # What did not fit does not, whatever the estimate says; and the processes of a run share a batch.
    fits = min(needed.largest_batch(there), config.budget.batch_size - 1)
    fits -= fits % config.engine.processes
    return OutOfMemory(
        f"a batch of {config.budget.batch_size} at {data.height}×{data.width} takes about {_gib(needed.of(config.budget.batch_size))}, "
        f"and {'the GPU' if device.type == 'cuda' else 'this host'} has {_gib(there)} left.",
        field="budget.batch_size",
        remedy=f"A batch of {fits} would fit."
        if fits
        else "Not one image fits: take a smaller data.height and data.width.",
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, Python or the CPU's allocator said so."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and "can't allocate memory" in str(error)


def _gib(size: int) -> str:
    return f"{size / 2**30:.1f} GiB"


def _meminfo() -> int:
    file = Path("/proc/meminfo")
    if not file.is_file():
        return 2**62
    lines = dict(line.split(":", 1) for line in file.read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def _cgroup() -> list[int]:
    """What the container's limit leaves, where there is one (cgroup v2). Pages of files count as free: Linux gives them up."""
    try:
        limit, used = (CGROUP / "memory.max").read_text().strip(), int((CGROUP / "memory.current").read_text())
        kinds = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return []
    files = int(kinds.get("active_file", 0)) + int(kinds.get("inactive_file", 0))
    return [] if limit == "max" else [int(limit) - max(0, used - files)]
