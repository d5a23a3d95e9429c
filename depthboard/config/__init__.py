"""The run configuration: the one description of a run, validated at the API, stored as JSON, parsed again by the worker."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, ModelWrapValidatorHandler, model_validator

from depthboard.config.base import Frozen
from depthboard.config.data import Crop, DataConfig, EquallySpaced, RandomSubset
from depthboard.config.engine import EngineConfig
from depthboard.config.losses import L1, LOSS_CONFIGS, LossBase, LossConfig, Sum, parts_of
from depthboard.config.training import (
    DEFAULT_IMAGES,
    PROTOCOLS,
    BudgetConfig,
    EvaluationConfig,
    NetworkConfig,
    OptimiserConfig,
)
from depthboard.metrics import FULL_SIZE

SCHEMA_VERSION: Literal[1] = 1


class RunConfig(Frozen):
    """Everything that determines one training. `labels` are for people and are no part of a run's identity."""

    schema_version: Literal[1] = SCHEMA_VERSION
    data: DataConfig = DataConfig()
    network: NetworkConfig = NetworkConfig()
    loss: LossConfig = L1()
    optimiser: OptimiserConfig = OptimiserConfig()
    budget: BudgetConfig = BudgetConfig(images_seen=DEFAULT_IMAGES)
    evaluation: EvaluationConfig = EvaluationConfig()
    engine: EngineConfig = EngineConfig()
    seed: int = Field(0, ge=0, le=2**31 - 1)
    labels: dict[str, str] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _loss_by_name(cls, value: Any) -> Any:
        """`loss: l1` is short for `loss: {name: l1}`."""
        if isinstance(value, dict) and isinstance(value.get("loss"), str):
            return {**value, "loss": {"name": value["loss"]}}
        return value

    @model_validator(mode="wrap")
    @classmethod
    def _paper_size(cls, value: Any, build: ModelWrapValidatorHandler[RunConfig]) -> RunConfig:
        """The paper's protocol, asked for by name, is one of the toolbox window squeezed to 256×320."""
        config = build(value)
        evaluation = value.get("evaluation") if isinstance(value, dict) else None
        name = evaluation.get("protocol") if isinstance(evaluation, dict) else evaluation
        data = config.data
        if name == "paper" and (data.height, data.width, data.crop) != (*FULL_SIZE, "toolbox"):
            raise ValueError(
                "evaluation.protocol paper scores the toolbox window at 256×320, but the network sees the window "
                f"{data.crop} at {data.height}×{data.width}: set data.height 256, data.width 320 and data.crop toolbox"
            )
        return config

    @model_validator(mode="after")
    def _consistent(self) -> RunConfig:
        if self.evaluation.min_depth >= self.evaluation.max_depth:
            raise ValueError("evaluation.min_depth must be below evaluation.max_depth")
        if self.evaluation.split == "validation" and self.data.validation == 0:
            raise ValueError("evaluation.split is validation but data.validation is 0: give it a share such as 0.1")
        if not _holds(self.data.crop, self.evaluation.crop):
            raise ValueError(
                f"evaluation.crop {self.evaluation.crop} cannot be scored: the network sees only data.crop {self.data.crop}; "
                f"set evaluation.crop to {self.data.crop}, or data.crop to none"
            )
        if self.network.dropout > 0 and self.network.encoder.startswith("resnet"):
            raise ValueError(f"network.dropout: {self.network.encoder} has none in the authors' code; set it to 0")
        if self.budget.epochs is not None and self.data.train_size is None:
            raise ValueError("budget.epochs needs data.train_size: without it nobody knows how long an epoch is")
        if self.budget.batch_size % self.engine.processes:
            raise ValueError(
                f"budget.batch_size {self.budget.batch_size} cannot be shared by engine.processes {self.engine.processes}: take a multiple"
            )
        return self

    @property
    def steps(self) -> int:
        return self.budget.updates(self.data.train_size)

    @property
    def protocol(self) -> str:
        return self.evaluation.protocol_name(self.data.height, self.data.width, self.data.crop)


def _holds(seen: Crop, scored: Crop) -> bool:
    """Whether the window that the network sees contains the one that is scored."""
    return seen in ("none", scored) or (seen, scored) == ("toolbox", "bts")


__all__ = [
    "LOSS_CONFIGS",
    "PROTOCOLS",
    "SCHEMA_VERSION",
    "BudgetConfig",
    "DataConfig",
    "EngineConfig",
    "EquallySpaced",
    "EvaluationConfig",
    "LossBase",
    "LossConfig",
    "NetworkConfig",
    "OptimiserConfig",
    "RandomSubset",
    "RunConfig",
    "Sum",
    "parts_of",
]
