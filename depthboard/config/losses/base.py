"""What every loss's configuration has: its weight, its title, formula and sources."""

from __future__ import annotations

from typing import Any, ClassVar, Literal

from pydantic import Field

from depthboard.config.base import Frozen

CARVALHO = "Carvalho et al., On regression losses for deep depth estimation, ICIP 2018, Table 1"
LAINA = "Laina et al., Deeper depth prediction with fully convolutional residual networks, 3DV 2016"

Unit = Literal["metre", "network"]


class LossBase(Frozen):
    title: ClassVar[str]
    formula: ClassVar[str]
    sources: ClassVar[tuple[str, ...]] = (CARVALHO,)
    training: ClassVar[frozenset[str]] = frozenset()
    """Fields that the training loop reads and the loss function does not take."""
    measured_in: ClassVar[str] = "no unit"
    brief: ClassVar[str] = ""
    """The formula in one short line, where it has a longer one."""
    residual: ClassVar[str] = r"\ell=y-\hat y"
    """What the loss is a function of, as KaTeX; empty where it is more than one error a pixel."""
    differs: ClassVar[str] = ""
    """Where the paper, its code and this differ, in sentences."""

    name: str
    weight: float = Field(1.0, gt=0, description="Factor on the whole loss.")

    def parameters(self) -> dict[str, Any]:
        """What the loss function takes as keyword arguments: every field but name, weight and those of the training loop."""
        return self.model_dump(exclude={"name", "weight", *self.training})


class UnitLoss(LossBase):
    differs = (
        "The authors' code averages over all pixels, masked ones as 0, so that images with holes count less; here over valid pixels."
    )
    unit: Unit = Field(
        "metre",
        description="Unit of the error; network is the paper's, whose output in [−1, 1] means 0–10 m: 1 unit = 5 m.",
    )


class LogLoss(LossBase):
    """Of ratios, and so without a unit."""

    residual = r"d=\ln y-\ln\hat y"


class ThresholdLoss(UnitLoss):
    sources = (CARVALHO, LAINA)
    threshold: float | None = Field(
        None,
        gt=0,
        le=10,
        description="c in the chosen unit; empty takes threshold_ratio × the largest error of the batch, anew each step.",
    )
    threshold_ratio: float = Field(0.2, gt=0, le=1, description="c as a share of the batch's largest absolute error.")
