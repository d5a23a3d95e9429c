"""The networks a configuration can name, the discriminators that go with them, and how one is made ready to train."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn

from depthboard.config.training import Encoder, NetworkConfig
from depthboard.errors import InvalidInput
from worker.networks.d3net import D3Net
from worker.networks.densenet import DenseEncoder
from worker.networks.discriminator import Discriminator
from worker.networks.initialisation import Initialisation, initialise
from worker.networks.pretrained import PretrainedReport, load_pretrained
from worker.networks.resnet import BasicBlock, Bottleneck, ResNetEncoder

RULES: dict[Encoder, Initialisation] = {
    "densenet121": "normal",
    "resnet50": "normal",
    "densenet_small": "kaiming",
    "resnet_small": "kaiming",
}
"""The authors' rule for their networks. The small ones learn faster in few steps from a spread that follows their width."""


def densenet121(config: NetworkConfig) -> D3Net:
    """D3-Net: 24,220,224 parameters, 18.4 GMAC an image of 256×320."""
    encoder = DenseEncoder(stem=64, kernel=7, growth=32, bottleneck=4, layers=(6, 12, 24, 16))
    return D3Net(encoder, (512, 256, 128, 64, 64), dropout=config.dropout)


def resnet50(config: NetworkConfig) -> D3Net:
    """The paper's ResNet-50 variant: 91,225,280 parameters, 38.7 GMAC an image of 256×320."""
    _refuse_dropout(config)
    encoder = ResNetEncoder(Bottleneck, stem=64, kernel=7, widths=(64, 128, 256, 512), depths=(3, 4, 6, 3))
    return D3Net(encoder, (1024, 512, 256, 64, 64))


def densenet_small(config: NetworkConfig) -> D3Net:
    """D3-Net for a CPU at 64×96: most of its weights are deep, where a pixel is one of six, and few channels are at full size."""
    encoder = DenseEncoder(stem=16, kernel=3, growth=16, bottleneck=2, layers=(2, 2, 2, 4))
    return D3Net(encoder, (128, 48, 24, 8, 8), dropout=config.dropout)


def resnet_small(config: NetworkConfig) -> D3Net:
    """The small network with residual blocks in its encoder."""
    _refuse_dropout(config)
    encoder = ResNetEncoder(BasicBlock, stem=16, kernel=3, widths=(16, 24, 48, 64), depths=(1, 1, 1, 2))
    return D3Net(encoder, (128, 48, 24, 8, 8))


def discriminator_for(encoder: Encoder) -> Discriminator:
    """Two strided layers of width 64 for the paper's networks, 34×34 pixels a score; one of width 32 for the small ones, 16×16."""
    small = encoder in ("densenet_small", "resnet_small")
    return Discriminator(n_layers=1, width=32) if small else Discriminator(n_layers=2, width=64)


NETWORKS: dict[Encoder, Callable[[NetworkConfig], D3Net]] = {
    "densenet121": densenet121,
    "resnet50": resnet50,
    "densenet_small": densenet_small,
    "resnet_small": resnet_small,
}


class Prepared(NamedTuple):
    """A network ready to train, and what a run records of its beginning."""

    network: D3Net
    initialisation: Initialisation
    pretrained: PretrainedReport | None


def prepare_network(config: NetworkConfig, seed: int, *, scale_head: bool = False) -> Prepared:
    """The configured network with its weights drawn from `seed` and, where configured, the encoder's copied from a
    file. The first output's weights are the same with a `scale_head` and without.

    The weights lie channels last, the layout in which oneDNN runs these networks faster on a CPU; inputs may come in
    any. Raises what `load_pretrained` raises.
    """
    network = NETWORKS[config.encoder](config)
    rule = RULES[config.encoder]
    initialise(network, seed, rule)
    report = None if config.weights is None else load_pretrained(network, config.weights)
    if scale_head:
        network.add_scale_head()
    _lay_channels_last(network)
    return Prepared(network, rule, report)


def prepare_discriminator(encoder: Encoder, seed: int) -> Discriminator:
    """The discriminator that goes with an encoder, its weights N(0, 0.02) drawn from `seed`, channels last."""
    discriminator = discriminator_for(encoder)
    initialise(discriminator, seed, "normal")
    _lay_channels_last(discriminator)
    return discriminator


def _lay_channels_last(module: nn.Module) -> None:
    module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _refuse_dropout(config: NetworkConfig) -> None:
    if config.dropout:
        raise InvalidInput(
            f"The encoder {config.encoder} has no dropout: the authors' ResNet does not use it.",
            field="network.dropout",
            remedy="Set network.dropout to 0, or take a DenseNet encoder.",
        )
