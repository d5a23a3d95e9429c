"""When things happen in a run, and in which order it sees its images: functions of the configuration and the step alone, so a resumed run is the same run."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from depthboard.config import RunConfig

LOGGED = 1000


def evaluation_steps(config: RunConfig) -> list[int]:
    """Steps (1-based, counted after the update) of the evaluations: equally spaced, the last at the end."""
    n = min(config.evaluation.evaluations, config.steps)
    return [round((i + 1) * config.steps / n) for i in range(n)]


def log_every(config: RunConfig) -> int:
    """Steps between logged training losses, so that a curve has at most about a thousand points."""
    return max(1, config.steps // LOGGED)


class ImageOrder:
    """The stream of training images: one permutation after another, cut into batches. The same for every loss under one seed."""

    def __init__(self, images: int, batch_size: int, seed: int) -> None:
        self._images, self._batch, self._seed = images, batch_size, seed
        self._permutation = lru_cache(maxsize=2)(self._drawn)  # a batch may reach from one epoch into the next

    def batch(self, step: int) -> np.ndarray:
        """Indices (batch_size,) of the images of update `step`, counted from 0."""
        epochs, places = np.divmod(np.arange(step * self._batch, (step + 1) * self._batch), self._images)
        indices = np.empty(self._batch, np.int64)
        for epoch in range(int(epochs[0]), int(epochs[-1]) + 1):
            here = epochs == epoch
            indices[here] = self._permutation(epoch)[places[here]]
        return indices

    def _drawn(self, epoch: int) -> np.ndarray:
        return np.random.Generator(np.random.PCG64([self._seed, 1, epoch])).permutation(self._images)
