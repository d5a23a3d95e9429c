"""What the API computes in place of the worker, which it must not import, equals what the worker does."""

from __future__ import annotations

import pytest

from backend.catalogue import ENCODERS
from backend.store.predictions import equally_spaced
from backend.store.submission import held_out_count
from depthboard.config import DataConfig, NetworkConfig
from worker.data import subset
from worker.networks import NETWORKS


class Frames:
    """A source of n training frames."""

    def __init__(self, n: int) -> None:
        self._frames = list(range(n))

    def frames(self, split: str, part: str) -> list[int]:
        return self._frames if (split, part) == ("official", "train") else []


@pytest.mark.parametrize("n", [2, 7, 81, 4096])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.1, 0.25, 0.5])
def test_the_validation_part_takes_as_many_images_here_as_there(n: int, share: float) -> None:
    held = subset.validation_frames(Frames(n), DataConfig(validation=share))  # type: ignore[arg-type]
    assert len(held) == held_out_count(n, share)


@pytest.mark.parametrize("n", [1, 2, 5, 28, 654])
def test_the_sample_frames_are_the_same_positions(n: int) -> None:
    for samples in range(1, min(n, 12) + 1):
        assert equally_spaced(n, samples) == subset.equally_spaced(n, samples)


@pytest.mark.parametrize("name", ENCODERS)
def test_the_catalogue_counts_the_networks_parameters_right(name: str) -> None:
    network = NETWORKS[name](NetworkConfig(encoder=name))  # type: ignore[index]
    assert sum(p.numel() for p in network.parameters()) == ENCODERS[name].parameters
