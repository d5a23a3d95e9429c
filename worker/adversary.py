"""The discriminator's side of the least-squares game: its network, its optimiser and its update."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from depthboard.config import RunConfig
from depthboard.metrics import METRES_PER_UNIT
from worker.distributed import Group
from worker.losses import discriminator_loss, mean_score
from worker.networks import prepare_discriminator
from worker.optimiser import Optimiser
from worker.precision import Precision


class Adversary:
    """D sees depth and image; it is updated first in each batch, with the prediction detached, then the network (authors' code)."""

    def __init__(
        self, config: RunConfig, device: torch.device, precision: Precision, group: Group, lr: float | None
    ) -> None:
        self._precision, self._group = precision, group
        self._network = prepare_discriminator(config.network.encoder, config.seed).to(device)
        own = config.optimiser if lr is None else config.optimiser.model_copy(update={"lr": lr})
        self._optimiser = Optimiser(self._network.parameters(), own, config.steps)

    def learn(self, rgb: Tensor, depth: Tensor, mask: Tensor, pred: Tensor) -> dict[str, Tensor]:
        """One update of D on real and predicted depth: its loss, and its mean scores of both before the update, detached."""
        self._network.requires_grad_(True)
        with self._precision.autocast():
            real = self._network(_shown(depth, mask), rgb)
            fake = self._network(_shown(pred, mask), rgb)
        loss = discriminator_loss(real, fake, mask)
        self._optimiser.step(loss)
        self._group.align(self._network)
        scores = {"gan_score_real": real, "gan_score_fake": fake}
        return {"gan_discriminator": loss.detach()} | {
            name: mean_score(score.detach(), mask) for name, score in scores.items()
        }

    def judge(self, rgb: Tensor, mask: Tensor, pred: Tensor) -> Tensor:
        """D's scores (B,1,h,w) for `pred`, whose gradient reaches `pred` and not D."""
        self._network.requires_grad_(False)
        with self._precision.autocast():
            scores: Tensor = self._network(_shown(pred, mask), rgb)
        return scores

    def state_dict(self) -> dict[str, Any]:
        return {"discriminator": self._network.state_dict(), "optimiser": self._optimiser.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._network.load_state_dict(state["discriminator"])
        self._optimiser.load_state_dict(state["optimiser"])


def _shown(depth: Tensor, mask: Tensor) -> Tensor:
    """Depth as D sees it, in [−1, 1] over 0–10 m. Holes are 0 m in real and predicted maps alike, so that D cannot tell them by their holes."""
    return torch.where(mask, depth / METRES_PER_UNIT - 1, -1.0)
