"""How much memory a training takes: counted without a run, from what one step keeps for its backward pass."""

from __future__ import annotations

import resource
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from depthboard.config import LossBase, RunConfig, parts_of
from depthboard.config.losses import GAN, LPIPS
from depthboard.errors import OutOfMemory
from worker.losses import TENSORS, loss_of
from worker.losses.backbones import TRUNKS
from worker.losses.perceptual import Backbone, channel_weights
from worker.networks import NETWORKS, discriminator_for
from worker.precision import Precision

CGROUP = Path("/sys/fs/cgroup")

BYTES_A_PARAMETER = 16
"""float32 weight, gradient, and Adam's two means."""
WORKSPACE = 1.6
"""Over the bytes that are kept: gradients on their way back, the convolutions' own memory, and what the allocator holds between steps. Measured
with both small networks over four steps on a CPU; D3-Net takes less there, two thirds of this estimate with AVX2 and nine tenths with AVX-512."""

OF_TARGET = 1.4
"""LPIPS' prediction and target over its prediction alone: the target's features wait for the other's. Measured with its three backbones on a CPU."""

HALF = 0.55
"""Of the bytes in bfloat16: not everything that is kept is. Measured on a CPU: 0.49 with densenet_small, 0.59 with resnet_small, 0.54 with D3-Net."""


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
    """What a step of this configuration takes of a device: of a GPU one process of the run, of a host all of them together.

    A process runs its share of the images through the network, and all of them through what the loss brings along.
    """
    shape = (3, config.data.height, config.data.width)
    processes = config.engine.processes
    shares, copies = (processes, 1) if device.type == "cuda" else (1, processes)
    half = HALF if Precision(config.engine, device).format == "bfloat16" else 1
    with torch.device("meta"):
        network = NETWORKS[config.network.encoder](config.network)
        discriminator = discriminator_for(config.network.encoder)
    image = half * _kept(network.features, _pictures(shape)) / shares
    weights = sum(p.numel() for p in network.parameters())
    for part in parts_of(config.loss):
        if isinstance(part, GAN):  # real and predicted depth
            image += copies * half * 2 * _kept(lambda x: discriminator(x[:, :1], x), _pictures(shape))
            weights += sum(p.numel() for p in discriminator.parameters())
        image += copies * _kept_by_loss(part, shape)
    return Need(copies * BYTES_A_PARAMETER * weights, round(WORKSPACE * image))


def _kept_by_loss(part: LossBase, shape: tuple[int, int, int]) -> float:
    """Bytes an image that a loss keeps, in float32 whatever the network runs in."""
    if isinstance(part, LPIPS):
        with torch.device("meta"):
            trunk = TRUNKS[part.net]()
        backbone = Backbone(part.net, trunk, [weights.to("meta") for weights in channel_weights(part.net)])
        return OF_TARGET * _kept(
            lambda x: [(features - 1).square() for features in backbone(x[:, :1])], _pictures(shape)
        )

    def compute(pred: Tensor) -> Tensor:
        extra = dict.fromkeys(TENSORS.get(part.name, ()), pred)
        return loss_of(part)(pred, torch.ones_like(pred), torch.ones_like(pred, dtype=torch.bool), **extra)

    # Not every loss runs on the meta device: a small picture is computed, and what it keeps grows with the pixels.
    small = (64, 96)
    pixels = shape[1] * shape[2] / (small[0] * small[1])
    return pixels * _kept(compute, lambda images: torch.ones(images, 1, *small, requires_grad=True))


def _pictures(shape: tuple[int, int, int]) -> Callable[[int], Tensor]:
    """So many images on the meta device, where nothing is computed."""
    return lambda images: torch.empty(images, *shape, device="meta", requires_grad=True)


def _kept(run: Callable[[Tensor], object], batch: Callable[[int], Tensor]) -> float:
    """Bytes an image that autograd keeps of one forward pass, each storage once."""

    def of(images: int) -> int:
        storages: dict[int, Tensor] = {}

        def keep(tensor: Tensor) -> Tensor:
            storages[tensor.untyped_storage()._cdata] = tensor
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            run(batch(images))
            return sum(tensor.untyped_storage().nbytes() for tensor in storages.values())

    return (of(4) - of(2)) / 2  # weights are in both


def available(device: torch.device, resident: int = 0) -> int:
    """Bytes that a training may take on the device, of the GPU (less the data that is `resident` there), or of this host and its container."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0] + torch.cuda.memory_reserved(device)) - resident
    limits = [_meminfo(), *_cgroup(), *_process()]
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
    smallest = f"Not {'one image' if config.engine.processes == 1 else 'an image a process'} fits"
    return OutOfMemory(
        f"a batch of {config.budget.batch_size} at {data.height}×{data.width} takes about {_size(needed.of(config.budget.batch_size))}, "
        f"and {'the GPU' if device.type == 'cuda' else 'this host'} has {_size(there)} of memory left.",
        field="budget.batch_size",
        remedy=f"A batch of {fits} would fit." if fits else f"{smallest}: take a smaller data.height and data.width.",
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether a device, Python or the CPU's allocator said so."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    said = ("can't allocate memory", "could not create a primitive", "could not create a memory object")
    return isinstance(error, RuntimeError) and any(words in str(error) for words in said)


def _size(size: int) -> str:
    return f"{size / 2**30:.1f} GiB" if size >= 2**30 else f"{size / 2**20:.0f} MiB"


def _meminfo() -> int:
    file = Path("/proc/meminfo")
    if not file.is_file():
        return 2**62
    lines = dict(line.split(":", 1) for line in file.read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def _process() -> list[int]:
    """What the limit on this process's address space leaves, where there is one."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    statm = Path("/proc/self/statm")
    if limit == resource.RLIM_INFINITY or not statm.is_file():
        return []
    return [max(0, limit - int(statm.read_text().split()[0]) * resource.getpagesize())]


def _cgroup() -> list[int]:
    """What the container's limit leaves, where there is one (cgroup v2). Pages of files count as free: Linux gives them up."""
    try:
        limit, used = (CGROUP / "memory.max").read_text().strip(), int((CGROUP / "memory.current").read_text())
        kinds = dict(line.split() for line in (CGROUP / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return []
    files = int(kinds.get("active_file", 0)) + int(kinds.get("inactive_file", 0))
    return [] if limit == "max" else [int(limit) - max(0, used - files)]
