"""Least-squares adversarial losses (Mao et al. 2017) with labels 1 for real and 0 for fake; the scores are the
discriminator's map.

In each batch the discriminator is updated first, with `pred` detached, and then the network.
"""

from __future__ import annotations

import torch
from torch import Tensor

from depthboard.config.losses.base import Unit
from worker.losses.masked import mean_of_images
from worker.losses.regression import l1


def gan(
    pred: Tensor,
    target: Tensor,
    mask: Tensor,
    *,
    fake_scores: Tensor,
    l1_weight: float,
    unit: Unit,
    adversarial_weight: float,
) -> Tensor:
    """w mean (D(x, pred) − 1)² + λ mean |l|; λ = `l1_weight` per `unit`, w = `adversarial_weight`. `fake_scores` is
    (B,1,h,w), D's map for `pred`, with its graph.

    The authors have λ = 100 per network unit, 20 per metre, and w = 0.5 in 2017, 1 in 2018. Images without a valid pixel are
    skipped in both terms: they show D no real depth to compare with.
    """
    adversarial = mean_score((_widened(fake_scores) - 1).square(), mask)
    return adversarial_weight * adversarial + l1_weight * l1(pred, target, mask, unit=unit)


def discriminator_loss(real_scores: Tensor, fake_scores: Tensor, mask: Tensor) -> Tensor:
    """0.5 [mean (D(x, target) − 1)² + mean D(x, pred)²] over the images that have a valid pixel (Mao et al. 2017, eq. 2)."""
    return 0.5 * (
        mean_score((_widened(real_scores) - 1).square(), mask) + mean_score(_widened(fake_scores).square(), mask)
    )


def mean_score(scores: Tensor, mask: Tensor) -> Tensor:
    """Mean of D's maps (B,1,h,w) over the images that have a valid pixel: the others show D nothing but their colours."""
    return mean_of_images(_widened(scores).flatten(start_dim=1).mean(dim=1), mask)


def _widened(scores: Tensor) -> Tensor:
    """In float32 or wider, to be summed."""
    return scores.to(torch.promote_types(scores.dtype, torch.float32))
