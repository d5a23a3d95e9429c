"""What every format offers: frames in a fixed order, each an RGB picture with depth in metres."""

from __future__ import annotations

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depthboard.config import DataConfig
from depthboard.datasets import Format, OptionValue
from depthboard.errors import UnknownName
from worker.data.fingerprint import ContentHashes
from worker.data.prepare import prepare

FrameId = str
Parts = Mapping[str, Mapping[str, Sequence[FrameId]]]
"""Split → part (train, test) → frames in natural order."""


@dataclass(frozen=True)
class Frame:
    """`rgb` (H,W,3) uint8 and `depth` (H,W) float32 in metres, 0 where there is none."""

    rgb: np.ndarray
    depth: np.ndarray


@dataclass(frozen=True)
class Probe:
    """What a frame's headers say: rows and columns of picture and depth."""

    rgb: tuple[int, int]
    depth: tuple[int, int]


def natural_key(name: str) -> tuple[tuple[str | int, ...], str]:
    """Sorts `frame 9` before `frame 10`."""
    pieces = re.split(r"(\d+)", name)
    return tuple(int(piece) if i % 2 else piece for i, piece in enumerate(pieces)), name


class Source(ABC):
    """A dataset opened for reading.

    `problems` are sentences about files that were missing or unpaired when the parts were listed; such frames are in no part.
    """

    format: Format
    default_split: str = "official"

    def __init__(self, path: str, options: Mapping[str, OptionValue]) -> None:
        self.path = path
        self.options = dict(options)
        self.parts: Parts = {}
        self.problems: list[str] = []
        self.warnings: list[str] = []

    def splits(self) -> dict[str, dict[str, int]]:
        """How many frames each part of each split has."""
        return {split: {part: len(frames) for part, frames in parts.items()} for split, parts in self.parts.items()}

    def frames(self, split: str, part: str) -> Sequence[FrameId]:
        """The naturally sorted frames of a part. Raises UnknownName for a split or part that does not exist."""
        if split not in self.parts:
            raise UnknownName(
                f"The dataset has no split {split!r}.", field="data.split", remedy=f"It has: {', '.join(self.parts)}."
            )
        if part not in self.parts[split]:
            raise UnknownName(
                f"The split {split!r} has no {part} part.",
                field="data.split",
                remedy="Take another split, or give the dataset a list of its test frames.",
            )
        return self.parts[split][part]

    def all_frames(self) -> list[FrameId]:
        """Every frame of every split once, in natural order."""
        found = {frame for parts in self.parts.values() for frames in parts.values() for frame in frames}
        return sorted(found, key=natural_key)

    @abstractmethod
    def read(self, frame_id: FrameId) -> Frame:
        """Decode one frame. Raises DataProblem naming the file that cannot be read."""

    @abstractmethod
    def probe(self, frame_id: FrameId) -> Probe:
        """Look at one frame's headers and ends only. Raises DataProblem as `read` does."""

    @abstractmethod
    def files(self) -> Iterator[tuple[str, Path]]:
        """Name within the dataset and place of every file that frames are read from."""

    def meaning(self) -> dict[str, OptionValue]:
        """The options that change a frame's values, for the fingerprint."""
        return {}

    def label(self, frame_id: FrameId) -> str:
        """How a person recognises the frame."""
        return frame_id

    def scene_of(self, frame_id: FrameId) -> str:  # noqa: ARG002
        """The room the frame was taken in; empty for a format that does not say."""
        return ""

    def prepared(self, frame_id: FrameId, config: DataConfig) -> tuple[np.ndarray, np.ndarray]:
        """The frame as the network gets it: rgb (height,width,3) uint8, depth (height,width) float32 metres."""
        frame = self.read(frame_id)
        return prepare(frame.rgb, frame.depth, config)

    def fingerprint(self, cache: Path | None = None) -> str:
        """sha256 over names, sizes and contents of the files, the split lists and what the values mean.

        The place of the dataset on the disk does not enter. With a `cache` folder, files whose size and time of change are
        known are not read again.
        """
        hashes = ContentHashes(cache, self.path)
        total = hashlib.sha256(f"{self.format} {sorted(self.meaning().items())}\n".encode())
        for name, path in sorted(self.files()):
            total.update(f"{name}\0{hashes.of(path)}\n".encode())
        for split, parts in sorted(self.parts.items()):
            for part, frames in sorted(parts.items()):
                total.update("\0".join([split, part, *frames, "\n"]).encode())
        hashes.save()
        return total.hexdigest()
