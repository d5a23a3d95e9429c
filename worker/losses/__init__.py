"""The losses a network is trained with: `LOSSES[name](pred, target, mask, *, parameters…)` is a scalar.

`pred` and `target` are (B,1,H,W) in metres, `mask` the same shape, bool, true where the target is valid. Pixels
outside the mask may hold anything. Sums are taken in float32 or wider. Without a valid pixel the loss is 0 with zero
gradients. Parameters are keyword-only and have no defaults: these, the ranges and the meaning stand in
`depthboard.config.losses`. `weight` is applied by `loss_of`.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from depthboard.config.losses import LossBase
from worker.losses.adversarial import discriminator_loss, gan
from worker.losses.regression import berhu, huber, l1, l2
from worker.losses.scale_invariant import eigen, eigengrad

LOSSES: dict[str, Callable[..., Tensor]] = {
    "l1": l1,
    "l2": l2,
    "huber": huber,
    "berhu": berhu,
    "eigen": eigen,
    "eigengrad": eigengrad,
    "gan": gan,
}

TENSORS: dict[str, tuple[str, ...]] = {"gan": ("fake_scores",)}
"""What a loss takes beside pred, target and mask, as keyword arguments, from the training loop rather than from its configuration."""


def loss_of(config: LossBase) -> Callable[..., Tensor]:
    """The loss of a configuration as a function (pred, target, mask, **tensors): its parameters filled in, its weight multiplied."""
    settings = config.model_dump()
    name, weight = settings.pop("name"), settings.pop("weight")
    function = LOSSES[name]

    def loss(pred: Tensor, target: Tensor, mask: Tensor, **tensors: Tensor) -> Tensor:
        value: Tensor = weight * function(pred, target, mask, **settings, **tensors)
        return value

    return loss


__all__ = ["LOSSES", "TENSORS", "discriminator_loss", "loss_of"]
