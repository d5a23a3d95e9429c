"""The losses a network is trained with: `LOSSES[name](pred, target, mask, *, parameters…)` is a scalar.

`pred` and `target` are (B,1,H,W) in metres, `mask` the same shape, bool, true where the target is valid. Pixels
outside the mask may hold anything. Sums are taken in float32 or wider. Without a valid pixel the loss is 0 with zero
gradients. Parameters are keyword-only and have no defaults: these, the ranges and the meaning stand in
`depthboard.config.losses`. `weight` is applied by `loss_of`. Nothing is copied from the host and nothing waits for the
device, but for LPIPS' backbone at its first use.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

from depthboard.config.losses import LPIPS, LossBase
from worker.losses.adversarial import discriminator_loss, gan, mean_score
from worker.losses.gradients import gradient_matching
from worker.losses.heteroscedastic import kendall_gal
from worker.losses.perceptual import load_backbone, lpips
from worker.losses.regression import berhu, huber, huber_textbook, l1, l2
from worker.losses.released import eigen_as_released, eigengrad_as_released
from worker.losses.scale_invariant import eigen, eigengrad, silog_sqrt
from worker.losses.structural import l1_ms_ssim, ms_ssim

LOSSES: dict[str, Callable[..., Tensor]] = {
    "l1": l1,
    "l2": l2,
    "huber": huber,
    "berhu": berhu,
    "eigen": eigen,
    "eigengrad": eigengrad,
    "gan": gan,
    "huber_textbook": huber_textbook,
    "eigen_as_released": eigen_as_released,
    "eigengrad_as_released": eigengrad_as_released,
    "ms_ssim": ms_ssim,
    "l1_ms_ssim": l1_ms_ssim,
    "lpips": lpips,
    "kendall_gal": kendall_gal,
    "silog_sqrt": silog_sqrt,
    "gradient_matching": gradient_matching,
}

TENSORS: dict[str, tuple[str, ...]] = {"gan": ("fake_scores",), "kendall_gal": ("log_scale",)}
"""What a loss takes beside pred, target and mask, as keyword arguments, from the training loop rather than from its configuration."""


def loss_of(config: LossBase) -> Callable[..., Tensor]:
    """One loss as a function (pred, target, mask, **tensors): its parameters filled in, its weight multiplied.

    A sum is not one loss: take `depthboard.config.parts_of` first. Raises Unavailable where lpips' backbone cannot be read.
    """
    settings, weight = config.parameters(), config.weight
    function = LOSSES[config.name]
    if isinstance(config, LPIPS):
        load_backbone(config.net, config.weights)

    def loss(pred: Tensor, target: Tensor, mask: Tensor, **tensors: Tensor) -> Tensor:
        value: Tensor = weight * function(pred, target, mask, **settings, **tensors)
        return value

    return loss


__all__ = ["LOSSES", "TENSORS", "discriminator_loss", "loss_of", "mean_score"]
