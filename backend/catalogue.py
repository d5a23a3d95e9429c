"""The catalogue: everything an experiment can be made of, from the registries that hold it."""

from __future__ import annotations

import inspect
from functools import cache
from typing import NamedTuple

from backend.figures import entries
from backend.figures.tokens import ENCODER_TITLES, LOSS_TOKENS
from backend.schemas import Catalogue, EncoderEntry, FormatEntry, LossEntry, MetricEntry, PresetEntry
from depthboard.config import LOSS_CONFIGS, RunConfig
from depthboard.config.presets import PRESETS
from depthboard.datasets import FORMATS
from depthboard.experiment import ExperimentSpec
from depthboard.metrics import METRICS, SHARPNESS_METRICS


class EncoderNote(NamedTuple):
    """`parameters` of the whole network with this encoder; a contract test counts them."""

    parameters: int
    description: str


ENCODERS: dict[str, EncoderNote] = {
    "densenet121": EncoderNote(24_220_224, "D3-Net's encoder, as in the paper. For 256×320 on a GPU."),
    "resnet50": EncoderNote(91_225_280, "The paper's ResNet variant of D3-Net. For 256×320 on a GPU."),
    "densenet_small": EncoderNote(597_884, "D3-Net in small: dense blocks, for 64×96 on a CPU."),
    "resnet_small": EncoderNote(670_704, "The small network with residual blocks, for 64×96 on a CPU."),
}


@cache
def build() -> Catalogue:
    return Catalogue(
        losses=[_loss(name) for name in LOSS_CONFIGS],
        encoders=[
            EncoderEntry(
                name=name, title=ENCODER_TITLES[name], description=note.description, parameters=note.parameters
            )
            for name, note in ENCODERS.items()
        ],
        metrics=[
            MetricEntry(
                name=m.name,
                title=m.title,
                label=m.label,
                unit=m.unit,
                lower_is_better=m.lower_is_better,
                group=m.group,
                ideal=m.ideal,
            )
            for m in (METRICS | SHARPNESS_METRICS).values()
        ],
        figures=entries(),
        presets=[_preset(name) for name in PRESETS],
        formats=[
            FormatEntry(name=name, description=f"{info.summary} {info.path}", options=list(info.options))
            for name, info in FORMATS.items()
        ],
        run_config_schema=RunConfig.model_json_schema(),
    )


def _loss(name: str) -> LossEntry:
    config, token = LOSS_CONFIGS[name], LOSS_TOKENS[name]
    return LossEntry(
        name=name,
        title=config.title,
        description=inspect.getdoc(config) or "",
        formula=config.formula,
        brief=config.brief or config.formula,
        residual=config.residual,
        measured_in=config.measured_in,
        differs=config.differs,
        sources=list(config.sources),
        json_schema=config.model_json_schema(),
        colour={"light": token.light, "dark": token.dark},
        dash=token.css_dash,
        marker=token.marker,
    )


def _preset(name: str) -> PresetEntry:
    spec = ExperimentSpec.model_validate(PRESETS[name]())
    return PresetEntry(
        name=name,
        title=spec.name,
        description=spec.description or (inspect.getdoc(PRESETS[name]) or ""),
        spec=PRESETS[name](),
    )
