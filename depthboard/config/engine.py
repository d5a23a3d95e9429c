"""How a run computes: number format, determinism, compilation, and over how many processes."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from depthboard.config.base import Frozen


class EngineConfig(Frozen):
    """Part of a run's identity, since each of these changes its last bits. What `auto` came to is in the run's record."""

    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto",
        description="Number format of the convolutions; auto is bfloat16 where the hardware computes in it, else float32. "
        "The network's last layer, the losses and the weights are float32 always.",
    )
    deterministic: bool = Field(
        False, description="On a GPU, only kernels that give the same bits each time; slower. A CPU always does."
    )
    compile: bool = Field(
        False,
        description="torch.compile for the training step; takes minutes at the start, pays in long runs on a GPU.",
    )
    processes: int = Field(
        1, ge=1, le=64, description="GPUs (or CPU processes) that share one run; each takes its part of every batch."
    )
