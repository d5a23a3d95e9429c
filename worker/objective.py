"""One optimisation step: the network's prediction of a batch, the parts of the loss, the update."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from depthboard.config import RunConfig
from depthboard.config.losses import GAN, L1, LossBase, Sum, parts_of
from worker.adversary import Adversary
from worker.distributed import ALONE, Group
from worker.losses import TENSORS, loss_of, mean_score
from worker.optimiser import Optimiser
from worker.precision import Precision


class Objective:
    """A loss, or a weighted sum of losses, and the optimiser that follows it. Where a part is adversarial, D is updated first, with the prediction detached."""

    def __init__(self, network: nn.Module, config: RunConfig, device: torch.device, group: Group = ALONE) -> None:
        self._name, self._parts = config.loss.name, parts_of(config.loss)
        self._weight = config.loss.weight if isinstance(config.loss, Sum) else 1.0  # a part's own is in `loss_of`
        self._losses = {part.name: loss_of(part) for part in self._parts}
        self._precision, self._group = Precision(config.engine, device), group
        self._optimiser = Optimiser(network.parameters(), config.optimiser, config.steps)
        shared = group.share(network)
        self._network = torch.compile(shared) if config.engine.compile else shared
        lr = [part.d_lr for part in self._parts if isinstance(part, GAN)]
        self._adversary = Adversary(config, device, self._precision, group, lr[0]) if lr else None
        self.finite = torch.tensor(True)
        """Whether the network's output in the last step was: a loss may be NaN of it, or of its own."""

    def step(self, rgb: Tensor, depth: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Update the weights on one batch: the detached loss, under its own name, and what it is made of."""
        with self._precision.autocast():
            output = self._network(self._group.own(rgb))
        output = self._group.whole(output)
        pred, extra = output[:, :1], {"log_scale": output[:, 1:]}
        shown: dict[str, Tensor] = {}
        if self._adversary is not None:
            shown = self._adversary.learn(rgb, depth, mask, pred.detach())
            extra["fake_scores"] = self._adversary.judge(rgb, mask, pred)
            adversarial = mean_score((extra["fake_scores"].detach().float() - 1).square(), mask)
            shown |= {"gan_adversarial": adversarial, "gan_l1": loss_of(L1())(pred.detach(), depth, mask)}
        parts = {part.name: self._weight * self._part(part, pred, depth, mask, extra) for part in self._parts}
        loss = torch.stack(list(parts.values())).sum()
        # Each process sees the whole loss and sends its own share of the gradient back; the mean over them divides by their number.
        self._optimiser.step(loss * self._group.size)
        self.finite = torch.isfinite(output.detach()).all()
        return {name: value.detach() for name, value in {self._name: loss, **parts}.items()} | shown

    def _part(self, part: LossBase, pred: Tensor, depth: Tensor, mask: Tensor, extra: dict[str, Tensor]) -> Tensor:
        tensors = {name: extra[name] for name in TENSORS.get(part.name, ())}
        return self._losses[part.name](pred, depth, mask, **tensors)

    def state_dict(self) -> dict[str, Any]:
        state = {"optimiser": self._optimiser.state_dict()}
        return state if self._adversary is None else {**state, "adversary": self._adversary.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._optimiser.load_state_dict(state["optimiser"])
        if self._adversary is not None:
            self._adversary.load_state_dict(state["adversary"])
