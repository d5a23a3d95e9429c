"""Adam and its learning-rate schedule, stepped together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from depthboard.config import OptimiserConfig


class Optimiser:
    """Adam, fused into one kernel, and its learning rate over `steps` updates."""

    def __init__(self, parameters: Iterable[nn.Parameter], config: OptimiserConfig, steps: int) -> None:
        betas, decay = (config.beta1, config.beta2), config.weight_decay
        self._adam = torch.optim.Adam(parameters, lr=config.lr, betas=betas, weight_decay=decay, fused=True)
        self._schedule = schedule(self._adam, config, steps)

    def step(self, loss: Tensor) -> None:
        """One update down the gradient of `loss`."""
        self._adam.zero_grad(set_to_none=True)
        loss.backward()
        self._adam.step()
        self._schedule.step()

    def state_dict(self) -> dict[str, Any]:
        return {"adam": self._adam.state_dict(), "schedule": self._schedule.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._adam.load_state_dict(state["adam"])
        self._schedule.load_state_dict(state["schedule"])


def schedule(adam: torch.optim.Optimizer, config: OptimiserConfig, steps: int) -> Any:
    if config.schedule == "one_cycle":
        # total_steps + 1: torch counts the state before the first step too.
        return torch.optim.lr_scheduler.OneCycleLR(
            adam, config.lr, total_steps=steps + 1, pct_start=0.3, cycle_momentum=False
        )
    return torch.optim.lr_scheduler.ConstantLR(adam, factor=1.0, total_iters=0)
