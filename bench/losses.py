"""`python -m bench.losses` writes docs/losses.md and docs/losses.svg: every loss, and its value and slope against the residual.

What is drawn is what trains: the functions of `worker.losses`, and torch's derivative of them.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from backend.figures.tokens import LOSS_TOKENS
from depthboard.config import LOSS_CONFIGS
from worker.losses import LOSSES

DOCS = Path(__file__).resolve().parents[1] / "docs"
DRAWN = [name for name in LOSSES if name != "lpips"]
FIXED = {"huber": {"threshold": 0.4}, "berhu": {"threshold": 0.4}, "huber_textbook": {"threshold": 0.4}}
RESIDUALS = (-1.0, -0.5, -0.1, 0.0, 0.1, 0.5, 1.0)
CURVE = tuple(i / 10 for i in range(-15, 16))
COLUMNS, WIDTH, HEIGHT, GAP = 4, 216, 132, 24

HEAD = """# Losses

Written by `python -m bench.losses` from the configuration classes and the functions that train; a test keeps it current.

ℓ = y − ŷ with y the ground truth, in metres unless `unit: network` (1 unit = 5 m); d = ln y − ln ŷ with depths in metres, clamped at 1 mm. Means are
over valid pixels, n of the batch or, for Eigen's family and the similarities, of each image and then over the images that have one; N counts all pixels.
Every reduction runs in float32 or wider, also under autocast. Without a valid pixel a loss is 0 with zero gradients.
Every loss has a `weight`; a weighted sum is `{name: sum, parts: [l1, {name: ms_ssim, weight: 2}]}`.
"""

PROBE = """## Value and slope against the residual

One image of 64×96: a wall 2–4 m away, every pixel valid, the middle third of the columns wrong by ŷ − y = e. The solid line is the loss at e, the dashed
one its derivative with respect to e (the sum of the gradients of the wrong pixels); each is scaled to its largest, which the panel states. The
threshold c or δ is held at 0.4 m, D's score at 0.5, Kendall & Gal's s at 0. LPIPS is left out: it depends on a file of weights.

![Value and slope of each loss against the residual](losses.svg)

"""


def probe(name: str, residual: float) -> tuple[float, float]:
    """Value of a loss and its derivative with respect to e, where the middle third of a 64×96 wall at 2–4 m is e metres off."""
    e = torch.tensor(residual, dtype=torch.float64, requires_grad=True)
    target = torch.linspace(2, 4, 96, dtype=torch.float64).expand(1, 1, 64, 96)
    wrong = torch.zeros_like(target)
    wrong[..., 32:64] = 1
    value = _loss(name, target + e * wrong, target)
    (slope,) = torch.autograd.grad(value, e)
    return value.item(), slope.item()


def _loss(name: str, pred: Tensor, target: Tensor) -> Tensor:
    tensors = {
        "gan": {"fake_scores": torch.full((1, 1, 2, 3), 0.5, dtype=torch.float64)},
        "kendall_gal": {"log_scale": torch.zeros_like(target)},
    }
    parameters = LOSS_CONFIGS[name](**FIXED.get(name, {})).parameters()
    mask = torch.ones_like(target, dtype=torch.bool)
    return LOSSES[name](pred, target, mask, **parameters, **tensors.get(name, {}))


def page() -> str:
    """docs/losses.md as it should be."""
    return "\n".join([HEAD, *_losses(), "", PROBE.rstrip("\n"), "", *_values(), ""])


def _losses() -> Iterator[str]:
    yield "| loss | formula | measured in | what it does | sources |"
    yield "|---|---|---|---|---|"
    for name, config in LOSS_CONFIGS.items():
        formula = config.formula.replace(r"\|", r"\Vert ").replace("|", r"\vert ")
        words = " ".join((inspect.getdoc(config) or "").split()).replace("|", r"\|")
        yield f"| {config.title}<br>`{name}` | $`{formula}`$ | {config.measured_in} | {words} | {'; '.join(config.sources)} |"


def _values() -> Iterator[str]:
    yield "Value and, behind the stroke, slope at a residual e in metres:"
    yield ""
    yield "| loss | " + " | ".join(f"{e:g}" for e in RESIDUALS) + " |"
    yield "|---|" + "---:|" * len(RESIDUALS)
    for name in DRAWN:
        cells = (f"{_short(value)} / {_short(slope)}" for value, slope in (probe(name, e) for e in RESIDUALS))
        yield f"| `{name}` | " + " | ".join(cells) + " |"


def _short(number: float) -> str:
    """Three digits; what is only rounding is 0."""
    return f"{number:.3g}" if abs(number) > 1e-9 else "0"


def drawing() -> str:
    """docs/losses.svg as it should be."""
    rows = -(-len(DRAWN) // COLUMNS)
    width, height = COLUMNS * (WIDTH + GAP) + GAP, rows * (HEIGHT + 2 * GAP) + GAP
    panels = (_panel(name, *divmod(i, COLUMNS)) for i, name in enumerate(DRAWN))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="10">'
    return "\n".join([head, f'<rect width="{width}" height="{height}" fill="#fff"/>', *panels, "</svg>", ""])


def _panel(name: str, row: int, column: int) -> str:
    x, y = GAP + column * (WIDTH + GAP), 2 * GAP + row * (HEIGHT + 2 * GAP)
    values, slopes = zip(*(probe(name, e) for e in CURVE), strict=True)
    colour = LOSS_TOKENS[name].light
    tops = [max(map(abs, numbers)) for numbers in (values, slopes)]
    return "\n".join(
        [
            f'<g transform="translate({x} {y})"><rect width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#e4e5e9"/>',
            f'<path d="M0 {HEIGHT / 2:g}H{WIDTH}M{WIDTH / 2:g} 0V{HEIGHT}" stroke="#e4e5e9"/>',
            f'<text y="-6" font-size="12" fill="#17181c">{LOSS_CONFIGS[name].title.replace("&", "&amp;")}</text>',
            f'<text x="{WIDTH / 2:g}" y="{HEIGHT + 13}" text-anchor="middle" fill="#555a64">to {_short(tops[0])}, slope {_short(tops[1])}</text>',
            f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{_points(values, tops[0])}"/>',
            f'<polyline fill="none" stroke="{colour}" stroke-dasharray="3 3" points="{_points(slopes, tops[1])}"/>',
            f'<text y="{HEIGHT + 13}" fill="#555a64">−1.5 m</text>',
            f'<text x="{WIDTH}" y="{HEIGHT + 13}" text-anchor="end" fill="#555a64">1.5 m</text></g>',
        ]
    )


def _points(numbers: tuple[float, ...], top: float) -> str:
    """Scaled so that `top` is the panel's upper edge and −`top` its lower one."""
    scaled = (HEIGHT / 2 * (1 - number / (top or 1)) for number in numbers)
    return " ".join(f"{WIDTH * i / (len(numbers) - 1):.1f},{y:.1f}" for i, y in enumerate(scaled))


if __name__ == "__main__":
    (DOCS / "losses.md").write_text(page(), encoding="utf-8")
    (DOCS / "losses.svg").write_text(drawing(), encoding="utf-8")
