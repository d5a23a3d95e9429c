"""Frames decoded once, kept as arrays on disk, handed out in batches."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from depthboard.config import DataConfig
from depthboard.errors import Unavailable
from worker.data.pack import Pack, Packed
from worker.data.source import FrameId, Source
from worker.metrics.protocol import window

LAYOUT = 2
"""Part of every key: raise it when the arrays or their preparation change."""
LARGEST_MM = 65535
MOST_DECODERS = 16
PIECE = 256
"""Frames looked at together for their median."""

Batch = tuple[Tensor, Tensor, Tensor]


class FrameStore:
    """The prepared frames of one part of a dataset.

    They are kept below `cache` in the dataset's `Pack` of this size and crop: rgb uint8, depth uint16 millimetres, 0 invalid (float depth, as of
    .mat, h5 and rooms, is rounded to the millimetre). Stores with other frames of the dataset share it, so that none is decoded twice. Where
    the frames take more than `byte_limit`, they are decoded each time they are asked for.
    """

    def __init__(
        self,
        source: Source,
        frames: Sequence[FrameId],
        config: DataConfig,
        *,
        fingerprint: str,
        cache: Path,
        byte_limit: int = 32 << 30,
    ) -> None:
        self.frames = list(frames)
        self.source = source
        self.config = config
        self.nbytes = len(self.frames) * config.height * config.width * 5
        self.cached = self.nbytes <= byte_limit
        if self.cached:
            self._packed = self._open(cache / "frames" / self._key(fingerprint))

    def __len__(self) -> int:
        return len(self.frames)

    def batch(self, indices: Sequence[int]) -> Batch:
        """Frames by position: rgb (B,3,h,w) float32 in [−1,1], depth (B,1,h,w) float32 metres, mask (B,1,h,w) bool, true where valid."""
        rgb, millimetres = self.raw(indices)
        return as_batch(torch.from_numpy(rgb), torch.from_numpy(millimetres.view(np.int16)))

    @cached_property
    def aspect(self) -> float:
        """Width over height of the window that becomes the input, in the pixels of the frame."""
        seen = window(self.config.crop, self.source.probe(self.frames[0]).rgb, "data.crop")
        return seen.size[1] / seen.size[0]

    def raw(self, indices: Sequence[int] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The same frames as stored: rgb (B,3,h,w) uint8 and depth (B,h,w) uint16 millimetres."""
        if self.cached:
            return self._packed.read(np.asarray(indices, dtype=np.intp))
        with ThreadPoolExecutor(_decoders(), thread_name_prefix="decode") as threads:
            pairs = list(threads.map(self._prepared, (self.frames[i] for i in indices)))
        return np.stack([rgb for rgb, _ in pairs]), np.stack([depth for _, depth in pairs])

    def median_depth(self) -> float:
        """Median of all valid depths in metres: the constant prediction that a network has to beat. 0.0 without a valid pixel."""
        counts = np.zeros(LARGEST_MM + 1, np.int64)
        for start in range(0, len(self), PIECE):
            piece = np.arange(start, min(start + PIECE, len(self)))
            depth = self._packed.depth(piece) if self.cached else self.raw(piece)[1]
            counts += np.bincount(depth.ravel(), minlength=LARGEST_MM + 1)
        counts[0] = 0
        return middle(counts) / 1000

    def _prepared(self, frame: FrameId) -> tuple[np.ndarray, np.ndarray]:
        rgb, depth = self.source.prepared(frame, self.config)
        return rgb.transpose(2, 0, 1), to_millimetres(depth)

    def _decoded(self, frames: Sequence[FrameId]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Frames in order, decoded by a thread a core (the decoders let go of the interpreter), a few ahead of the reader."""
        workers = _decoders()
        with ThreadPoolExecutor(workers, thread_name_prefix="decode") as threads:
            waiting = iter(frames)
            ahead = deque(threads.submit(self._prepared, frame) for frame in islice(waiting, 4 * workers))
            while ahead:
                yield ahead.popleft().result()
                ahead.extend(threads.submit(self._prepared, frame) for frame in islice(waiting, 1))

    def _key(self, fingerprint: str) -> str:
        c = self.config
        text = "\0".join([str(LAYOUT), fingerprint, f"{c.height} {c.width} {c.crop}"])
        return hashlib.sha256(text.encode()).hexdigest()[:40]

    def _open(self, folder: Path) -> Packed:
        try:
            return Pack(folder, self.config.height, self.config.width).frames(self.frames, self._decoded)
        except OSError as error:
            raise Unavailable(
                f"The frames cannot be kept in {folder.parent}: {error.strerror}.",
                remedy=f"Free {self.nbytes / 2**20:.0f} MiB there, or set another cache folder.",
            ) from error


def _decoders() -> int:
    return min(os.cpu_count() or 1, MOST_DECODERS)


def as_batch(rgb: Tensor, millimetres: Tensor) -> Batch:
    """Stored frames, rgb (B,3,h,w) uint8 and depth (B,h,w) uint16 whose bits are held as int16, in the form of `FrameStore.batch`, on their device."""
    depth = (millimetres.int() & LARGEST_MM).float().div_(1000).unsqueeze(1)
    return rgb.float().div_(127.5).sub_(1), depth, depth > 0


def to_millimetres(depth: np.ndarray) -> np.ndarray:
    """Metres to uint16 millimetres, rounded; 0 where invalid, not finite, or too deep to be written."""
    millimetres = np.rint(np.minimum(depth, np.float32(100)) * np.float32(1000))
    return np.where((millimetres > 0) & (millimetres <= LARGEST_MM), millimetres, 0).astype(np.uint16)


def middle(counts: np.ndarray) -> float:
    """Median of values given as counts a value, the mean of the two middle ones for an even number."""
    total = int(counts.sum())
    if total == 0:
        return 0.0
    upto = counts.cumsum()
    low, high = np.searchsorted(upto, [(total - 1) // 2 + 1, total // 2 + 1])
    return float(low + high) / 2
