"""Real depth maps, where this machine has them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.worker.data.conftest import real_data
from worker.data import Source, open_source
from worker.data.prepare import nearest

__all__ = ["real_data"]


def depths(source: Source, frames: Sequence[str]) -> np.ndarray:
    return np.stack([source.read(frame).depth.astype(np.float64) for frame in frames])


@pytest.fixture(scope="session")
def nyu(real_data: Path) -> np.ndarray:
    """(66,480,640): every 16th frame of the four scenes, filled, 8-bit."""
    source = open_source("densedepth", str(real_data / "nyuv2-densedepth-4scenes"))
    parts = source.parts["scene_split"]
    return depths(source, [*parts["train"], *parts["test"]][::16])


@pytest.fixture(scope="session")
def dfd(real_data: Path) -> np.ndarray:
    """(29,432,645): the test frames, filled."""
    source = open_source("dfd_indoor", str(real_data / "dfd-indoor"))
    return depths(source, source.frames("official", "test"))


def at_paper_size(maps: np.ndarray) -> np.ndarray:
    return np.stack([nearest(depth, 256, 320) for depth in maps])
