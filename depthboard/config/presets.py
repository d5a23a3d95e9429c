"""Ready experiments. The grid loss × size × encoder × seed is what the paper's views expect."""

from __future__ import annotations

from typing import Any

PAPER_LOSSES = ["l1", "l2", "huber", "berhu", "eigen", "eigengrad", "gan"]

SMALL: dict[str, Any] = {
    "data": {"height": 64, "width": 96},
    "network": {"encoder": "densenet_small"},
    "optimiser": {"lr": 5e-3, "schedule": "one_cycle"},
    "budget": {"images_seen": 4000, "batch_size": 8},
    "evaluation": {"evaluations": 10, "samples": 6},
}


def demo() -> dict[str, Any]:
    """The built-in experiment: seven losses × three sizes on `rooms`, and the ResNet kind of encoder at the middle size."""
    return {
        "name": "Seven losses on rooms",
        "description": "Which loss, given this much data? The paper's study in small: procedural rooms, the small preset, one seed.",
        "base": {**SMALL, "data": {**SMALL["data"], "dataset": "rooms"}},
        "factors": {"loss": PAPER_LOSSES, "size": [16, 64, 512]},
        "also": [{"factors": {"loss": PAPER_LOSSES, "size": [64], "encoder": ["resnet_small"]}}],
        "tags": ["demo"],
    }


def quick() -> dict[str, Any]:
    """A quick look: two losses, one size, a few hundred steps."""
    return {
        "name": "Quick look",
        "base": {
            **SMALL,
            "data": {**SMALL["data"], "dataset": "rooms", "train_size": 64},
            "budget": {"images_seen": 1600, "batch_size": 8},
        },
        "factors": {"loss": ["l1", "eigen"]},
    }


def paper() -> dict[str, Any]:
    """The paper's study at full size: D3-Net at 256×320 on NYUv2, for GPUs. Register the data as `nyuv2` first."""
    base = {
        "data": {"dataset": "nyuv2", "height": 256, "width": 320, "crop": "toolbox"},
        "optimiser": {"lr": 2e-4, "schedule": "constant"},
        "budget": {"images_seen": 400_000, "batch_size": 16},
        "evaluation": {"evaluations": 40, "crop": "toolbox", "resize": "native", "samples": 12},
    }
    return {
        "name": "On regression losses, ICIP 2018",
        "base": base,
        # The authors' NYUv2 script sets dropout for DenseNet; their ResNet has none.
        "factors": {
            "loss": PAPER_LOSSES,
            "size": [795],
            "encoder": ["densenet121"],
            "network.dropout": [0.5],
            "seed": [0, 1, 2],
        },
        "also": [{"factors": {"loss": PAPER_LOSSES, "size": [795], "encoder": ["resnet50"], "seed": [0, 1, 2]}}],
    }


PRESETS = {"demo": demo, "quick": quick, "paper": paper}
