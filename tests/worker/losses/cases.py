"""Inputs for the battery over `LOSSES`: one row a loss, and a random batch with holes."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from depthboard.config import LOSS_CONFIGS
from depthboard.config.losses import LossBase
from worker.losses import LOSSES, TENSORS
from worker.losses.backbones import TRUNKS

ZERO_WHEN_PERFECT = [name for name in LOSSES if name not in ("huber", "gan", "kendall_gal", "silog_sqrt")]
"""Huber in the paper's form is c/2 there, GAN still asks what D thinks, Kendall & Gal what s is, and SILog's root has a floor."""

FIXED: dict[str, dict[str, Any]] = {
    name: {"threshold": 0.4} if name in ("huber", "berhu", "huber_textbook") else {} for name in LOSSES
}
"""Parameters with every batch statistic held fixed."""

SIZES: dict[str, tuple[int, int]] = {"ms_ssim": (24, 30), "lpips": (32, 40)}
"""Rows and columns, where 8 × 12 are too few."""

_KEPT = tempfile.TemporaryDirectory()


@cache
def backbone_file(net: str) -> Path:
    """Weights of a backbone as torchvision names them, drawn at random from a seed."""
    with torch.random.fork_rng():
        torch.manual_seed(11)
        state = TRUNKS[net]().state_dict()
    file = Path(_KEPT.name) / f"{net}.pth"
    torch.save({f"features.{name}": value for name, value in state.items()}, file)
    return file


def configured(name: str, **settings: Any) -> LossBase:
    if name == "lpips":
        settings = {"weights": str(backbone_file(settings.get("net", "alex"))), **settings}
    return LOSS_CONFIGS[name](**settings)


def defaults(name: str, **settings: Any) -> dict[str, Any]:
    return configured(name, **settings).parameters()


def tensors(name: str, pred: Tensor) -> dict[str, Tensor]:
    """The keyword tensors of a loss for `pred`, made up: D's map, or the second output."""
    generator = torch.Generator().manual_seed(7)
    shapes = {"fake_scores": (len(pred), 1, 2, 3), "log_scale": pred.shape}
    return {
        key: torch.randn(shapes[key], generator=generator, dtype=torch.float64).to(pred.dtype)
        for key in TENSORS.get(name, ())
    }


def batch(
    name: str = "", images: int = 3, seed: int = 0, size: tuple[int, int] | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """Prediction and target of 0.5–9.5 m in float64 and a mask with a third of holes, large enough for the loss `name`."""
    generator = torch.Generator().manual_seed(seed)
    shape = (images, 1, *(size or SIZES.get(name, (8, 12))))
    pred = 0.5 + 9 * torch.rand(shape, generator=generator, dtype=torch.float64)
    target = 0.5 + 9 * torch.rand(shape, generator=generator, dtype=torch.float64)
    return pred, target, torch.rand(shape, generator=generator) > 1 / 3


def compute(name: str, pred: Tensor, target: Tensor, mask: Tensor, **parameters: Any) -> Tensor:
    """The loss with its default parameters, changed by keyword, and made-up tensors."""
    given = {**defaults(name), **tensors(name, pred), **parameters}
    return LOSSES[name](pred, target, mask, **given)
