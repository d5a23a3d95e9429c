"""Which frames a run trains on and is judged on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from depthboard.config import DataConfig
from depthboard.config.data import EquallySpaced, RandomSubset
from depthboard.division import equally_spaced, held_out_count
from depthboard.errors import InvalidInput
from worker.data.source import FrameId, Source


def subset_indices(n_total: int, n: int, subset: EquallySpaced | RandomSubset) -> list[int]:
    """n of N frames, ascending. Raises InvalidInput if there are not that many."""
    if n > n_total:
        raise InvalidInput(
            f"{n} training images are asked for, but there are only {n_total}.",
            field="data.train_size",
            remedy=f"Take at most {n_total}, or leave the size empty for all.",
        )
    if isinstance(subset, RandomSubset):
        drawn = np.random.Generator(np.random.PCG64(subset.seed)).permutation(n_total)[:n]
        return sorted(int(i) for i in drawn)
    return equally_spaced(n_total, n)


def training_frames(source: Source, config: DataConfig) -> list[FrameId]:
    """The frames to train on: first the validation part is taken out, then the size is drawn from the rest."""
    frames, _ = _divided(source, config)
    size = len(frames) if config.train_size is None else config.train_size
    return [frames[i] for i in subset_indices(len(frames), size, config.subset)]


def validation_frames(source: Source, config: DataConfig) -> list[FrameId]:
    """The share `config.validation` of the training part, equally spaced; empty at 0."""
    return _divided(source, config)[1]


def test_frames(source: Source, config: DataConfig) -> list[FrameId]:
    return list(source.frames(config.split, "test"))


test_frames.__test__ = False  # type: ignore[attr-defined]  # pytest would take an import of it for a test


def _divided(source: Source, config: DataConfig) -> tuple[Sequence[FrameId], list[FrameId]]:
    """Training part without validation, and validation. Raises InvalidInput if nothing is left to train on."""
    frames = source.frames(config.split, "train")
    if not frames:
        raise InvalidInput(
            f"The training part of split {config.split!r} is empty.", field="data.split", remedy="Take another split."
        )
    if config.validation == 0:
        return frames, []
    count = held_out_count(len(frames), config.validation)
    if count >= len(frames):
        raise InvalidInput(
            f"A validation share of {config.validation:g} leaves none of the {len(frames)} training images.",
            field="data.validation",
            remedy="Take a smaller share.",
        )
    held = set(equally_spaced(len(frames), count))
    return [f for i, f in enumerate(frames) if i not in held], [frames[i] for i in sorted(held)]
