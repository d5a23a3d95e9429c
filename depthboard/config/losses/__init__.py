"""One configuration class a loss: its parameters with defaults, ranges and meaning. The functions live in `worker.losses`.

The class docstring is what people read beside the form; `formula` is KaTeX. l = y − ŷ, in metres unless `unit` says otherwise,
d = ln y − ln ŷ with depths in metres, over valid pixels n.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from depthboard.config.losses.base import LossBase
from depthboard.config.losses.further import (
    L1MSSSIM,
    LPIPS,
    MSSSIM,
    EigenAsReleased,
    EigenGradAsReleased,
    GradientMatching,
    HuberTextbook,
    KendallGal,
    SILogSqrt,
)
from depthboard.config.losses.paper import GAN, L1, L2, BerHu, Eigen, EigenGrad, Huber

__all__ = [
    "GAN",
    "L1",
    "LOSS_CONFIGS",
    "LPIPS",
    "MSSSIM",
    "LossBase",
    "LossConfig",
    "Sum",
    "ms_ssim_scales",
    "parts_of",
]

AnyPart = (
    L1
    | L2
    | Huber
    | BerHu
    | Eigen
    | EigenGrad
    | GAN
    | HuberTextbook
    | EigenAsReleased
    | EigenGradAsReleased
    | MSSSIM
    | L1MSSSIM
    | LPIPS
    | KendallGal
    | SILogSqrt
    | GradientMatching
)
PartConfig = Annotated[AnyPart, Field(discriminator="name")]


class Sum(LossBase):
    """A weighted sum of other losses; each part is logged on its own. In YAML: {name: sum, parts: [l1, {name: ms_ssim, weight: 2}]}."""

    title = "Sum"
    measured_in = "that of its parts"
    formula = r"w\sum_i w_i L_i"
    sources = ("Each part has its own.",)
    residual = ""
    name: Literal["sum"] = "sum"
    parts: tuple[PartConfig, ...] = Field(
        min_length=2,
        max_length=16,
        description="The losses that are added, each once, each with its weight and parameters; written in the YAML.",
        examples=[["l1", {"name": "ms_ssim", "weight": 2}]],
    )

    @field_validator("parts", mode="before")
    @classmethod
    def _part_by_name(cls, parts: Any) -> Any:
        """`l1` is short for `{name: l1}`."""
        if not isinstance(parts, (list, tuple)) or len(parts) < 2:
            raise ValueError("parts is a list of two losses or more, such as [l1, {name: ms_ssim, weight: 2}]")
        if any(part == "sum" or (isinstance(part, dict) and part.get("name") == "sum") for part in parts):
            raise ValueError("a sum cannot be a part of a sum: write its parts here instead")
        return [{"name": part} if isinstance(part, str) else part for part in parts]

    @field_validator("parts", mode="after")
    @classmethod
    def _each_once(cls, parts: tuple[PartConfig, ...]) -> tuple[PartConfig, ...]:
        names = [part.name for part in parts]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"{twice} is there {names.count(twice)} times: name each part once, with its weight")
        return parts


LossConfig = Annotated[AnyPart | Sum, Field(discriminator="name")]

LOSS_CONFIGS: dict[str, type[LossBase]] = {
    "l1": L1,
    "l2": L2,
    "huber": Huber,
    "berhu": BerHu,
    "eigen": Eigen,
    "eigengrad": EigenGrad,
    "gan": GAN,
    "huber_textbook": HuberTextbook,
    "eigen_as_released": EigenAsReleased,
    "eigengrad_as_released": EigenGradAsReleased,
    "ms_ssim": MSSSIM,
    "l1_ms_ssim": L1MSSSIM,
    "lpips": LPIPS,
    "kendall_gal": KendallGal,
    "silog_sqrt": SILogSqrt,
    "gradient_matching": GradientMatching,
    "sum": Sum,
}


def parts_of(config: LossBase) -> tuple[LossBase, ...]:
    """The parts of a sum, each with its own weight; of any other loss, itself."""
    return config.parts if isinstance(config, Sum) else (config,)


def ms_ssim_scales(height: int, width: int) -> int:
    """Number of MS-SSIM scales for images of this size: the largest L up to 5 with 10·2^(L−1) below the smaller side; 0 where none fits."""
    return sum(10 * 2**scale < min(height, width) for scale in range(5))
