"""What the API computes in place of the worker, which it must not import, equals what the worker does."""

from __future__ import annotations

import pytest

from backend.catalogue import ENCODERS
from depthboard.config import NetworkConfig
from worker.networks import NETWORKS


@pytest.mark.parametrize("name", ENCODERS)
def test_the_catalogue_counts_the_networks_parameters_right(name: str) -> None:
    network = NETWORKS[name](NetworkConfig(encoder=name))  # type: ignore[index]
    assert sum(p.numel() for p in network.parameters()) == ENCODERS[name].parameters
