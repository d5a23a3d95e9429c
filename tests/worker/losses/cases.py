"""Inputs for the battery over `LOSSES`: one row a loss, and a random batch with holes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from depthboard.config import LOSS_CONFIGS
from worker.losses import LOSSES, TENSORS

ZERO_WHEN_PERFECT = ("l1", "l2", "berhu", "eigen", "eigengrad")
"""Huber in the paper's form is c/2 there, and GAN still asks what D thinks."""

FIXED: dict[str, dict[str, Any]] = {
    "l1": {},
    "l2": {},
    "huber": {"threshold": 0.4, "threshold_ratio": 0.2},
    "berhu": {"threshold": 0.4, "threshold_ratio": 0.2},
    "eigen": {"lam": 0.5},
    "eigengrad": {"lam": 0.5},
    "gan": {"l1_weight": 20.0},
}
"""Parameters with every batch statistic held fixed."""


def defaults(name: str) -> dict[str, Any]:
    return LOSS_CONFIGS[name]().model_dump(exclude={"name", "weight"})


def tensors(name: str, images: int = 3, dtype: torch.dtype = torch.float64) -> dict[str, Tensor]:
    """The keyword tensors of a loss, made up: D's map for the prediction."""
    generator = torch.Generator().manual_seed(7)
    return {key: torch.randn((images, 1, 2, 3), generator=generator, dtype=dtype) for key in TENSORS.get(name, ())}


def batch(images: int = 3, rows: int = 8, columns: int = 12, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Prediction and target of 0.5–9.5 m in float64 and a mask with a third of holes."""
    generator = torch.Generator().manual_seed(seed)
    shape = (images, 1, rows, columns)
    pred = 0.5 + 9 * torch.rand(shape, generator=generator, dtype=torch.float64)
    target = 0.5 + 9 * torch.rand(shape, generator=generator, dtype=torch.float64)
    return pred, target, torch.rand(shape, generator=generator) > 1 / 3


def compute(name: str, pred: Tensor, target: Tensor, mask: Tensor, **parameters: Any) -> Tensor:
    """The loss with its default parameters, changed by keyword, and made-up tensors."""
    given = {**defaults(name), **tensors(name, len(pred)), **parameters}
    return LOSSES[name](pred, target, mask, **given)
