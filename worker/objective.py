"""One optimisation step for each kind of loss: a function of prediction and target, or the adversarial game."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from depthboard.config import OptimiserConfig, RunConfig
from depthboard.metrics import METRES_PER_UNIT
from worker.losses import LOSSES, discriminator_loss, loss_of
from worker.networks import prepare_discriminator


class Objective(Protocol):
    def step(self, rgb: Tensor, depth: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Update the weights on one batch; returns the detached loss (under its own name) and its parts."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: dict[str, Any]) -> None: ...


def make_optimiser(parameters: Any, config: OptimiserConfig, steps: int) -> tuple[torch.optim.Optimizer, Any]:
    """Adam and its learning-rate schedule over `steps` updates."""
    adam = torch.optim.Adam(
        parameters, lr=config.lr, betas=(config.beta1, config.beta2), weight_decay=config.weight_decay
    )
    if config.schedule == "one_cycle":
        # total_steps + 1: torch counts the state before the first step too.
        schedule: Any = torch.optim.lr_scheduler.OneCycleLR(
            adam, config.lr, total_steps=steps + 1, pct_start=0.3, cycle_momentum=False
        )
    else:
        schedule = torch.optim.lr_scheduler.ConstantLR(adam, factor=1.0, total_iters=0)
    return adam, schedule


class PixelObjective:
    """A loss that is a function of prediction and target: one Adam step a batch."""

    def __init__(self, network: nn.Module, config: RunConfig) -> None:
        self._network = network
        self._name, self._loss = config.loss.name, loss_of(config.loss)
        self._optimiser, self._schedule = make_optimiser(network.parameters(), config.optimiser, config.steps)

    def step(self, rgb: Tensor, depth: Tensor, mask: Tensor) -> dict[str, Tensor]:
        loss = self._loss(self._network(rgb), depth, mask)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._optimiser.step()
        self._schedule.step()
        return {self._name: loss.detach()}

    def state_dict(self) -> dict[str, Any]:
        return {"optimiser": self._optimiser.state_dict(), "schedule": self._schedule.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])


class AdversarialObjective:
    """The conditional least-squares game: D is updated first, then the network, each once a batch (Carvalho et al., authors' code)."""

    def __init__(self, network: nn.Module, config: RunConfig, device: torch.device) -> None:
        self._network = network
        self._loss = loss_of(config.loss)
        self._discriminator = prepare_discriminator(config.network.encoder, config.seed).to(device)
        self._optimiser, self._schedule = make_optimiser(network.parameters(), config.optimiser, config.steps)
        self._d_optimiser, self._d_schedule = make_optimiser(
            self._discriminator.parameters(), config.optimiser, config.steps
        )

    def step(self, rgb: Tensor, depth: Tensor, mask: Tensor) -> dict[str, Tensor]:
        pred = self._network(rgb)
        d_loss, real_mean = self._discriminate(rgb, depth, mask, pred.detach())
        self._discriminator.requires_grad_(False)
        scores = self._discriminator(_shown(pred, mask), rgb)
        loss = self._loss(pred, depth, mask, fake_scores=scores)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._discriminator.requires_grad_(True)
        self._optimiser.step()
        self._schedule.step()
        return {
            "gan": loss.detach(),
            "gan_adversarial": (scores.detach() - 1).square().mean(),
            "gan_l1": LOSSES["l1"](pred.detach(), depth, mask),
            "gan_discriminator": d_loss,
            "gan_score_real": real_mean,
            "gan_score_fake": scores.detach().mean(),
        }

    def _discriminate(self, rgb: Tensor, depth: Tensor, mask: Tensor, pred: Tensor) -> tuple[Tensor, Tensor]:
        real = self._discriminator(_shown(depth, mask), rgb)
        loss = discriminator_loss(real, self._discriminator(_shown(pred, mask), rgb))
        self._d_optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self._d_optimiser.step()
        self._d_schedule.step()
        return loss.detach(), real.detach().mean()

    def state_dict(self) -> dict[str, Any]:
        return {
            "optimiser": self._optimiser.state_dict(),
            "schedule": self._schedule.state_dict(),
            "discriminator": self._discriminator.state_dict(),
            "d_optimiser": self._d_optimiser.state_dict(),
            "d_schedule": self._d_schedule.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._optimiser.load_state_dict(state["optimiser"])
        self._schedule.load_state_dict(state["schedule"])
        self._discriminator.load_state_dict(state["discriminator"])
        self._d_optimiser.load_state_dict(state["d_optimiser"])
        self._d_schedule.load_state_dict(state["d_schedule"])


def _shown(depth: Tensor, mask: Tensor) -> Tensor:
    """Depth as D sees it, in [−1, 1] over 0–10 m. Holes are 0 m in real and predicted maps alike, so that D cannot tell them by their holes."""
    return torch.where(mask, depth / METRES_PER_UNIT - 1, -1.0)


def make_objective(network: nn.Module, config: RunConfig, device: torch.device) -> Objective:
    if config.loss.name == "gan":
        return AdversarialObjective(network, config, device)
    return PixelObjective(network, config)
