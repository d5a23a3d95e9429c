"""The numbers that the page of losses draws are the worker's: a fixture that this test computes anew and vitest compares with the browser's functions.

`python -m tests.frontend.test_loss_shapes` writes the fixture.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from depthboard.config import LOSS_CONFIGS
from worker.losses import LOSSES

FIXTURE = Path(__file__).resolve().parents[1] / "fixtures" / "loss_shapes.json"

KNOBS = [
    {"c": 0.4, "lam": 0.5, "s": 0.0, "y": 2.5},
    {"c": 1.0, "lam": 0.85, "s": 1.5, "y": 6.0},
    {"c": 0.1, "lam": 1.0, "s": -1.0, "y": 1.0},
]
RESIDUALS = (-2.0, -1.0, -0.4, -0.35, -0.1, 0.0, 0.05, 0.3, 0.4, 0.9, 1.4, 2.0)
SCENE = (1.2, 1.6, 2.0, 2.5, 2.9, 3.4, 4.2, 5.4)
SCALES = (0.6, 0.8, 1.0, 1.1, 1.3, 1.5)
SHARES = (0.2, 0.5, 0.6, 0.75)
PREDICTIONS = (1.5, 2.0, 2.4, 2.83, 3.0, 3.7, 4.0, 4.5)
CURVES = ("l1", "l2", "huber", "berhu", "eigen", "eigengrad", "huber_textbook", "eigen_as_released", "kendall_gal", "silog_sqrt")  # fmt: skip
TWO_ANSWERS = [name for name in CURVES if name != "eigengrad"]
"""Eigen+grad's differences between neighbours depend on where the two depths lie."""
SIZE = (256, 320)


def whole(pixels: Tensor) -> Tensor:
    """(1,1,256,320) with each value in equal shares, in columns."""
    return pixels.repeat_interleave(SIZE[1] // pixels.numel()).expand(1, 1, *SIZE)


def loss(name: str, pred: Tensor, target: Tensor, *, s: float = 0.0, **settings: float) -> Tensor:
    fields = LOSS_CONFIGS[name].model_fields
    known = {key: value for key, value in settings.items() if key in fields}
    tensors = {"log_scale": torch.full_like(target, s)} if name == "kendall_gal" else {}
    mask = torch.ones_like(target, dtype=torch.bool)
    return LOSSES[name](pred, target, mask, **LOSS_CONFIGS[name](**known).parameters(), **tensors)


def one_error(name: str, residual: float, knobs: dict[str, float]) -> list[float]:
    """Value, and derivative with respect to the residual, where every pixel has it."""
    l = torch.tensor([residual], dtype=torch.float64, requires_grad=True)  # noqa: E741
    target = whole(torch.tensor([knobs["y"]], dtype=torch.float64))
    value = loss(name, target - whole(l), target, s=knobs["s"], threshold=knobs["c"], lam=knobs["lam"])
    (slope,) = torch.autograd.grad(value, l)
    return [value.item(), slope.item()]


def wrong_scale(name: str, scale: float, lam: float) -> float:
    target = whole(torch.tensor(SCENE, dtype=torch.float64))
    return loss(name, target * scale, target, lam=lam).item()


def two_answers(name: str, pred: float, share: float, knobs: dict[str, float]) -> float:
    near = torch.tensor([2.0] * round(20 * share) + [4.0] * round(20 * (1 - share)), dtype=torch.float64)
    target = whole(near)
    return loss(name, torch.full_like(target, pred), target, s=knobs["s"], threshold=knobs["c"], lam=knobs["lam"]).item()  # fmt: skip


def computed() -> dict[str, Any]:
    return {
        "about": "Losses in float64 by worker.losses: value and slope at a residual, over a scene times a scale, and of a pixel with two depths.",
        "one_error": [
            {"name": name, "knobs": knobs, "residual": l, "value_slope": one_error(name, l, knobs)}
            for name in CURVES for knobs in KNOBS for l in RESIDUALS  # noqa: E741
        ],
        "wrong_scale": [
            {"name": name, "scale": s, "lam": lam, "value": wrong_scale(name, s, lam)}
            for name in CURVES for lam in (0.5, 0.85, 1.0) for s in SCALES
        ],
        "two_answers": [
            {"name": name, "pred": pred, "share": share, "knobs": KNOBS[i % 2], "value": two_answers(name, pred, share, KNOBS[i % 2])}
            for name in TWO_ANSWERS for i, share in enumerate(SHARES) for pred in PREDICTIONS
        ],
    }  # fmt: skip


def test_the_fixture_is_what_the_worker_computes() -> None:
    kept, now = json.loads(FIXTURE.read_text(encoding="utf-8")), computed()
    assert kept["about"] == now["about"]
    for part, key in (("one_error", "value_slope"), ("wrong_scale", "value"), ("two_answers", "value")):
        assert [{**row, key: None} for row in kept[part]] == [{**row, key: None} for row in now[part]]
        for old, new in zip(kept[part], now[part], strict=True):
            assert new[key] == pytest.approx(old[key], rel=1e-9, abs=1e-12), new


if __name__ == "__main__":
    rows = {
        part: "[\n  " + ",\n  ".join(json.dumps(row) for row in value) + "\n ]" if isinstance(value, list) else json.dumps(value)
        for part, value in computed().items()
    }  # fmt: skip
    body = ",\n ".join(f'"{part}": {text}' for part, text in rows.items())
    FIXTURE.write_text("{\n " + body + "\n}\n", encoding="utf-8")
