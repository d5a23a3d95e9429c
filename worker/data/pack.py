"""Frames of one dataset at one size and crop, each decoded once, whichever runs take which of them."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

TOGETHER = 1024
"""Frames of a segment at most, decoded under one hold of the lock: of several processes that need the same frames, each decodes some."""

Frame = tuple[np.ndarray, np.ndarray]
Decode = Callable[[Sequence[str]], Iterator[Frame]]


class Segment(NamedTuple):
    """rgb (N,3,height,width) uint8 and depth (N,height,width) uint16, read where they are mapped, and the N frames that they are."""

    names: list[str]
    rgb: np.ndarray
    depth: np.ndarray


class Packed:
    """Frames by their position in a list, wherever in the pack they lie."""

    def __init__(self, frames: Sequence[str], segments: Sequence[Segment], size: tuple[int, int]) -> None:
        place = {name: (i, at) for i, segment in enumerate(segments) for at, name in enumerate(segment.names)}
        places = [place[frame] for frame in frames]
        self._segments, self._size = segments, size
        self._which = np.array([which for which, _ in places], np.intp)
        self._at = np.array([at for _, at in places], np.intp)

    def read(self, chosen: np.ndarray) -> Frame:
        """rgb (B,3,height,width) uint8 and depth (B,height,width) uint16 of the frames at these positions."""
        depth = self.depth(chosen)
        rgb = np.empty((len(chosen), 3, *self._size), np.uint8)
        for segment, here, at in self._by_segment(chosen):
            rgb[here] = segment.rgb[at]
        return rgb, depth

    def depth(self, chosen: np.ndarray) -> np.ndarray:
        depth = np.empty((len(chosen), *self._size), np.uint16)
        for segment, here, at in self._by_segment(chosen):
            depth[here] = segment.depth[at]
        return depth

    def _by_segment(self, chosen: np.ndarray) -> Iterator[tuple[Segment, np.ndarray, np.ndarray]]:
        which, at = self._which[chosen], self._at[chosen]
        for i in np.unique(which):
            here = np.flatnonzero(which == i)
            yield self._segments[i], here, at[here]


class Pack:
    """A folder of segments. Each is written beside and appears whole, under a name of its own, and is never written again: whoever reads
    it, and whatever is killed or fills the disk meanwhile, a frame is the frame that it was.
    """

    def __init__(self, folder: Path, height: int, width: int) -> None:
        self._folder, self._size = folder, (height, width)
        self._known: dict[str, Segment] = {}

    def frames(self, frames: Sequence[str], decode: Decode) -> Packed:
        """The frames, after those that are not there yet were decoded, in order. `decode` gives rgb uint8 and depth uint16 of each frame
        asked for. Raises OSError where they cannot be written.
        """
        wanted = list(dict.fromkeys(frames))
        while self._missing(wanted):
            with self._alone():
                missing = self._missing(wanted)
                self._check_space(len(missing))
                if missing:
                    self._write(missing[:TOGETHER], decode)
        return Packed(frames, list(self._known.values()), self._size)

    def _missing(self, wanted: Sequence[str]) -> list[str]:
        """What no segment holds, after a look at those that were added meanwhile."""
        for folder in sorted(self._folder.glob("segment-*")):
            if folder.name not in self._known and (segment := self._load(folder)) is not None:
                self._known[folder.name] = segment
        there = {name for segment in self._known.values() for name in segment.names}
        return [frame for frame in wanted if frame not in there]

    def _load(self, folder: Path) -> Segment | None:
        """The segment, or None where its files are absent or not what this code would write."""
        try:
            names = json.loads((folder / "names.json").read_text())
            rgb = np.load(folder / "rgb.npy", mmap_mode="r")
            depth = np.load(folder / "depth.npy", mmap_mode="r")
        except (OSError, ValueError, EOFError):
            return None
        whole = rgb.shape == (len(names), 3, *self._size) and depth.shape == (len(names), *self._size)
        return Segment(names, rgb, depth) if whole else None

    def _write(self, frames: Sequence[str], decode: Decode) -> None:
        """Called with the lock held. Through plain writes, not a memory map: a full disk is then an error and not a dead process."""
        for left_over in self._folder.glob("tmp-*"):
            shutil.rmtree(left_over, ignore_errors=True)
        building = Path(tempfile.mkdtemp(prefix="tmp-", dir=self._folder))
        try:
            with (building / "rgb.npy").open("wb") as rgb_file, (building / "depth.npy").open("wb") as depth_file:
                _write_header(rgb_file, (len(frames), 3, *self._size), np.dtype(np.uint8))
                _write_header(depth_file, (len(frames), *self._size), np.dtype("<u2"))
                for rgb, depth in decode(frames):
                    rgb_file.write(np.ascontiguousarray(rgb).data)
                    depth_file.write(depth.astype("<u2", copy=False).data)
                for file in (rgb_file, depth_file):
                    file.flush()
                    os.fsync(file.fileno())
            (building / "names.json").write_text(json.dumps(list(frames)))
            building.rename(self._folder / building.name.replace("tmp-", "segment-", 1))
        finally:
            shutil.rmtree(building, ignore_errors=True)

    def _check_space(self, frames: int) -> None:
        """Raises OSError before a disk is filled that others write to too."""
        needed = frames * self._size[0] * self._size[1] * 5
        if needed > shutil.disk_usage(self._folder).free:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Hold the folder's lock; the system frees it when the process ends, however it ends."""
        self._folder.mkdir(parents=True, exist_ok=True)
        with (self._folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _write_header(file: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[np.generic]) -> None:
    np.lib.format.write_array_header_1_0(
        file, {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    )
