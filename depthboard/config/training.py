"""Network, optimiser, budget and evaluation of a run."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from depthboard.config.base import Frozen
from depthboard.config.data import Crop
from depthboard.metrics import EVALUATOR_VERSION

DEFAULT_IMAGES = 4_000

Encoder = Literal["densenet121", "resnet50", "densenet_small", "resnet_small"]


class NetworkConfig(Frozen):
    """D3-Net: an encoder with skip connections into five up-convolution blocks, tanh output standing for 0–10 m."""

    encoder: Encoder = Field(
        "densenet_small",
        description="densenet121 is D3-Net's; the small ones are for CPU, 64×96, about 0.7 M parameters.",
    )
    dropout: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Dropout in the two deepest up blocks (DenseNet only); the authors' NYU script uses 0.5.",
    )
    weights: str | None = Field(
        None,
        max_length=1000,
        description="Whole path of an ImageNet weights file on the worker; empty trains from scratch.",
    )


class OptimiserConfig(Frozen):
    name: Literal["adam"] = "adam"
    lr: float = Field(2e-4, gt=0, le=10, description="Learning rate; the peak with one_cycle.")
    beta1: float = Field(0.5, ge=0, lt=1)
    beta2: float = Field(0.999, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    schedule: Literal["constant", "one_cycle"] = Field(
        "constant", description="one_cycle rises for 30 % of the steps, then falls to zero."
    )


class BudgetConfig(Frozen):
    """How long a run trains: the least of the lengths given. Without any, 4,000 images."""

    images_seen: int | None = Field(
        None,
        ge=1,
        le=10**10,
        description="Training images shown in all; the same for every run makes losses comparable. Empty without another length: 4,000.",
    )
    epochs: float | None = Field(
        None, gt=0, le=10**6, description="Passes over the training images; needs data.train_size."
    )
    steps: int | None = Field(None, ge=1, le=10**10, description="Updates of the weights.")
    minutes: float | None = Field(
        None,
        gt=0,
        le=10**6,
        description="Minutes of training, over all attempts, after which the run is evaluated and ends wherever it is. "
        "A cap by the clock: such a run is not repeatable to the step.",
    )
    batch_size: int = Field(8, ge=1, le=4096)

    @model_validator(mode="before")
    @classmethod
    def _some_length(cls, value: Any) -> Any:
        if isinstance(value, dict) and all(value.get(name) is None for name in ("images_seen", "epochs", "steps")):
            return {**value, "images_seen": DEFAULT_IMAGES}
        return value

    def updates(self, train_size: int | None) -> int:
        """Updates of the weights that the plan has; the schedule and the evaluations are spread over them."""
        lengths = [
            self.steps,
            None if self.images_seen is None else self.images_seen // self.batch_size,
            None if self.epochs is None or train_size is None else round(self.epochs * train_size / self.batch_size),
        ]
        return max(1, min(length for length in lengths if length is not None))


PROTOCOLS: dict[str, dict[str, Any]] = {
    "paper": {"crop": "toolbox", "resize": "network"},
    "bts": {"crop": "bts", "resize": "native"},
    "eigen": {"crop": "eigen", "resize": "native"},
    "raw": {"crop": "none", "resize": "native"},
}
"""Protocols by name: the fields each sets beside the range of 1e-3 to 10 m and no flip. `paper` goes with data.height 256, data.width 320, data.crop toolbox."""

_RANGE = {"min_depth": 1e-3, "max_depth": 10.0, "flip_average": False}


class EvaluationConfig(Frozen):
    """What is scored, when, and by which protocol. No checkpoint is ever chosen on this split.

    `evaluation: bts` and `evaluation: {protocol: bts, evaluations: 5}` are short for the fields of a named protocol
    (`PROTOCOLS`); what is stored are the fields.
    """

    split: Literal["test", "validation"] = "test"
    evaluations: int = Field(
        10, ge=1, le=10_000, description="How many times during the run, equally spaced, the last at the end."
    )
    crop: Crop = Field("none", description="Window of the frame that is scored.")
    min_depth: float = Field(1e-3, gt=0, description="Ground truth at or below this, in metres, is not scored.")
    max_depth: float = Field(10.0, gt=0, description="Ground truth at or above this, in metres, is not scored.")
    resize: Literal["network", "native"] = Field(
        "network", description="Score at the network's size, or upsampled to the ground truth's."
    )
    flip_average: bool = Field(False, description="Mean of the prediction and the mirrored image's.")
    samples: int = Field(
        6, ge=0, le=64, description="Test images, equally spaced, whose depth maps are kept at each evaluation."
    )
    sharpness: Literal["last", "all", "off"] = Field(
        "last", description="Measure edges at the last evaluation, at all, or never; always at the network's size."
    )

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        """Expand a protocol's name. Raises ValueError for an unknown one, and for a field that contradicts it."""
        value = {"protocol": value} if isinstance(value, str) else value
        if not isinstance(value, dict) or "protocol" not in value:
            return value
        name, given = value["protocol"], {key: v for key, v in value.items() if key != "protocol"}
        if not isinstance(name, str) or name not in PROTOCOLS:
            raise ValueError(
                f"there is no protocol {name}: choose one of {', '.join(PROTOCOLS)}, or set crop and resize"
            )
        fixed = _RANGE | PROTOCOLS[name]
        wrong = [key for key in fixed if given.get(key, fixed[key]) != fixed[key]]
        if wrong:
            raise ValueError(f"the protocol {name} has {wrong[0]} {fixed[wrong[0]]}: leave {wrong[0]} or protocol out")
        return given | fixed

    @property
    def protocol(self) -> str | None:
        """The named protocol that these fields are, if they are one."""
        own = self.model_dump(include={"crop", "resize", *_RANGE})
        return next((name for name, fields in PROTOCOLS.items() if own == _RANGE | fields), None)

    def protocol_name(self, height: int, width: int, seen: Crop) -> str:
        """How evaluations are filed: crop, range, resize, flip and the evaluator's version; two runs compare only under one name.

        The averaging is no part of it, since both are computed from the same sums; `depthboard.metrics.full_name` adds it.
        At the network's size the pixels are those of the window it has `seen`, so that is named where it is another than the one scored.
        """
        size = f"{height}x{width}" if self.resize == "network" else "native"
        if self.resize == "network" and seen != self.crop:
            size += f"-of-{seen}"
        flip = "-flip" if self.flip_average else ""
        return f"{self.crop}-{self.min_depth:g}-{self.max_depth:g}m-{size}{flip}-v{EVALUATOR_VERSION}"
