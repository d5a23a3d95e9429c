"""Batches on the device where the network computes, from the fastest memory that the frames fit in."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from worker.data.store import Batch, FrameStore, as_batch

Place = Literal["GPU memory", "page cache", "files"]
Raw = tuple[Tensor, Tensor]

GPU_SHARE = 0.7
"""Of the free GPU memory: NYUv2's 230k frames, 94 GB, lie on an H200 and leave 40 GB for the network."""
PIECE = 1024
"""Frames copied to a GPU at a time."""


class Feed:
    """The frames of a store in batches: uint8 and uint16 travel, and become float on the device.

    Packed frames that fit stay in the GPU's memory. Otherwise, and where frames are decoded anew, a thread gathers the next batch while
    the network computes, into pinned memory if a GPU waits for it. On a CPU packed frames are read where they are mapped.
    """

    def __init__(self, store: FrameStore, device: torch.device) -> None:
        self._store, self._device = store, device
        self._resident = _copied(store, device) if _fits(store, device) else None
        self.place: Place = "GPU memory" if self._resident else "page cache" if store.cached else "files"
        ahead = self.place == "files" or (self.place == "page cache" and device.type == "cuda")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feed") if ahead else None
        self._next: tuple[int, Future[Raw]] | None = None
        self.waited = 0.0

    @property
    def resident(self) -> int:
        """Bytes of the device's memory that the frames take."""
        return self._store.nbytes if self._resident else 0

    def batch(self, step: int, indices: Callable[[int], np.ndarray]) -> Batch:
        """The batch of update `step`; `indices(step)` are its frames. `waited` counts the seconds this took."""
        began = time.monotonic()
        raw = self._ahead(step, indices) if self._thread is not None else self._gather(indices(step))
        made = as_batch(*(part.to(self._device, non_blocking=True) for part in raw))
        self.waited += time.monotonic() - began
        return made

    def close(self) -> None:
        if self._thread is not None:
            self._thread.shutdown(cancel_futures=True)

    def _ahead(self, step: int, indices: Callable[[int], np.ndarray]) -> Raw:
        assert self._thread is not None
        known, self._next = self._next, None
        raw = known[1].result() if known is not None and known[0] == step else self._gather(indices(step))
        self._next = step + 1, self._thread.submit(self._gather, indices(step + 1))
        return raw

    def _gather(self, chosen: np.ndarray) -> Raw:
        if self._resident is not None:
            index = torch.from_numpy(chosen).to(self._device, non_blocking=True)
            return self._resident[0][index], self._resident[1][index]
        rgb, millimetres = self._store.raw(chosen)
        raw = torch.from_numpy(rgb), torch.from_numpy(millimetres.view(np.int16))
        return (raw[0].pin_memory(), raw[1].pin_memory()) if self._device.type == "cuda" else raw


def _fits(store: FrameStore, device: torch.device) -> bool:
    return device.type == "cuda" and store.cached and store.nbytes < GPU_SHARE * torch.cuda.mem_get_info(device)[0]


def _copied(store: FrameStore, device: torch.device) -> Raw | None:
    """All frames of a store on the device; None where another training took the memory meanwhile."""
    try:
        return _copy(store, device)
    except torch.OutOfMemoryError:
        torch.cuda.empty_cache()
        return None


def _copy(store: FrameStore, device: torch.device) -> Raw:
    height, width = store.config.height, store.config.width
    rgb = torch.empty((len(store), 3, height, width), dtype=torch.uint8, device=device)
    millimetres = torch.empty((len(store), height, width), dtype=torch.int16, device=device)
    for start in range(0, len(store), PIECE):
        piece = slice(start, min(start + PIECE, len(store)))
        some_rgb, some_depth = store.raw(np.arange(piece.start, piece.stop))
        rgb[piece] = torch.from_numpy(some_rgb).to(device)
        millimetres[piece] = torch.from_numpy(some_depth.view(np.int16)).to(device)
    return rgb, millimetres
