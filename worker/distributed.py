"""One run over several processes, each on its GPU (or, with gloo, on the CPU): the same training as one process does, up to the order of sums.

Every process draws the whole batch, runs the network on its own part of the images, and then holds all predictions: so a
loss that looks at the whole batch (BerHu's threshold, the discriminator) is what it is on one GPU. Batch normalisation
takes its statistics over all processes. DistributedDataParallel adds the gradients up while they are computed.
"""

from __future__ import annotations

import datetime
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.nn.functional import all_reduce

LONGEST_WAIT = datetime.timedelta(hours=6)
"""The others wait while the first process evaluates and writes."""


class Group:
    """The processes of a run; this one is `rank` of `size`."""

    def __init__(self, rank: int, size: int, device: torch.device) -> None:
        self.rank, self.size, self._device = rank, size, device

    @property
    def leads(self) -> bool:
        """Whether this process evaluates, records and writes checkpoints."""
        return self.rank == 0

    def own(self, batch: Tensor) -> Tensor:
        """This process's images of a whole batch (B,…)."""
        return batch if self.size == 1 else batch.chunk(self.size)[self.rank]

    def whole(self, output: Tensor) -> Tensor:
        """The outputs of all processes (B,…) from this one's; only this one's carries a gradient."""
        if self.size == 1:
            return output
        gathered = [torch.empty_like(output) for _ in range(self.size)]
        dist.all_gather(gathered, output.detach().contiguous())
        gathered[self.rank] = output
        return torch.cat(gathered)

    def share(self, network: nn.Module) -> nn.Module:
        """The network whose backward pass averages the gradients of all processes, its batch statistics joined in place."""
        if self.size == 1:
            return network
        if self._device.type == "cuda":
            joined: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(network)
            return nn.parallel.DistributedDataParallel(joined, device_ids=[self._device], broadcast_buffers=False)
        _join_statistics(network)
        return nn.parallel.DistributedDataParallel(network, broadcast_buffers=False)

    def align(self, network: nn.Module) -> None:
        """Give every process the first one's weights: what each computes for itself may drift apart in the last bits."""
        if self.size > 1:
            for parameter in network.parameters():
                dist.broadcast(parameter.data, src=0)

    def agree(self, verdict: int) -> int:
        """What the first process says, the same everywhere. All processes must ask together."""
        if self.size == 1:
            return verdict
        said = torch.tensor([verdict], dtype=torch.int64, device=self._device)
        dist.broadcast(said, src=0)
        return int(said.item())

    def wait(self) -> None:
        if self.size > 1:
            dist.barrier()


ALONE = Group(0, 1, torch.device("cpu"))


def join(rank: int, size: int, device: torch.device, meeting: Path) -> Group:
    """Meet the run's other processes over a file, NCCL between GPUs, gloo between CPUs."""
    if size == 1:
        return ALONE
    if device.type == "cuda":
        torch.cuda.set_device(device)
    dist.init_process_group(
        "nccl" if device.type == "cuda" else "gloo",
        init_method=f"file://{meeting}",
        rank=rank,
        world_size=size,
        timeout=LONGEST_WAIT,
    )
    return Group(rank, size, device)


def leave() -> None:
    """Part in good order; after a failure the processes simply end, since the others would be waited for."""
    if dist.is_initialized():
        dist.destroy_process_group()


class JoinedBatchNorm(nn.BatchNorm2d):
    """Batch normalisation whose statistics are taken over all processes; torch's own needs a GPU."""

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return super().forward(x)
        wide = x.float()
        count = torch.tensor([float(wide.numel() / wide.shape[1])], device=x.device)
        sums = all_reduce(torch.cat([wide.sum(dim=(0, 2, 3)), count]))
        n = sums[-1]
        mean = sums[:-1] / n
        variance = all_reduce((wide - mean[:, None, None]).square().sum(dim=(0, 2, 3))) / n
        self._remember(mean.detach(), variance.detach() * n / (n - 1))
        scale = self.weight * torch.rsqrt(variance + self.eps)
        shift = self.bias - mean * scale
        normalised: Tensor = wide * scale[:, None, None] + shift[:, None, None]
        return normalised.to(x.dtype)

    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        momentum = self.momentum if self.momentum is not None else 0.1
        self.running_mean.lerp_(mean, momentum)
        self.running_var.lerp_(variance, momentum)
        self.num_batches_tracked.add_(1)


def _join_statistics(network: nn.Module) -> None:
    for module in network.modules():
        if type(module) is nn.BatchNorm2d:
            module.__class__ = JoinedBatchNorm
