"""Networks from RGB to depth in metres, and the discriminator of the adversarial loss."""

from __future__ import annotations

from worker.networks.catalogue import NETWORKS, Prepared, discriminator_for, prepare_discriminator, prepare_network
from worker.networks.d3net import D3Net, check_sides
from worker.networks.discriminator import Discriminator
from worker.networks.initialisation import initialise
from worker.networks.pretrained import PretrainedReport, load_pretrained

__all__ = [
    "NETWORKS",
    "D3Net",
    "Discriminator",
    "Prepared",
    "PretrainedReport",
    "check_sides",
    "discriminator_for",
    "initialise",
    "load_pretrained",
    "prepare_discriminator",
    "prepare_network",
]
