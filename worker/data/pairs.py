"""Frames that are two picture files each: what DenseDepth, BTS, DFD and plain folders share."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from depthboard.datasets import OptionValue
from depthboard.errors import DataProblem
from worker.data.images import probe_depth, probe_rgb, read_rgb, read_values
from worker.data.source import Frame, FrameId, Probe, Source, natural_key


@dataclass(frozen=True)
class Pair:
    """One frame: its name in the dataset, its two files, and their names for the fingerprint."""

    name: FrameId
    rgb: Path
    depth: Path


class PairSource(Source):
    """A dataset of picture pairs; a format gives the pairs and says what depth values mean."""

    def __init__(self, path: str, options: Mapping[str, OptionValue]) -> None:
        super().__init__(path, options)
        self.root = Path(path)
        self.pairs: dict[FrameId, Pair] = {}
        self._noted: set[str] = set()
        if not self.root.is_dir():
            raise DataProblem(
                f"{path} is not a folder.", field="path", remedy="Give the folder that holds the dataset."
            )

    def metres(self, values: np.ndarray) -> np.ndarray:
        """Depth in metres of a depth file's values, 0 where invalid; millimetres unless a format says otherwise."""
        return values.astype(np.float32) / np.float32(1000)

    def keep(self, pairs: Iterable[Pair]) -> tuple[FrameId, ...]:
        """Note the pairs whose files exist, name the others as problems, and return the frames in natural order."""
        kept = []
        for pair in pairs:
            absent = [path for path in (pair.rgb, pair.depth) if not os.path.exists(path)]
            for path in absent:
                self._note(f"{path} is missing. Restore it, or remove its line from the list.")
            if not absent:
                self.pairs[pair.name] = pair
                kept.append(pair.name)
        return tuple(sorted(set(kept), key=natural_key))

    def _note(self, problem: str) -> None:
        """A file may stand in several lists, but is one problem."""
        if problem not in self._noted:
            self._noted.add(problem)
            self.problems.append(problem)

    def read(self, frame_id: FrameId) -> Frame:
        pair = self.pairs[frame_id]
        frame = Frame(read_rgb(pair.rgb), self.metres(read_values(pair.depth)))
        _expect_same_size(
            pair, Probe((frame.rgb.shape[0], frame.rgb.shape[1]), (frame.depth.shape[0], frame.depth.shape[1]))
        )
        return frame

    def probe(self, frame_id: FrameId) -> Probe:
        pair = self.pairs[frame_id]
        probe = Probe(probe_rgb(pair.rgb), probe_depth(pair.depth))
        _expect_same_size(pair, probe)
        return probe

    def files(self) -> Iterator[tuple[str, Path]]:
        for frame in self.all_frames():
            pair = self.pairs[frame]
            yield f"{pair.name} rgb", pair.rgb
            yield f"{pair.name} depth", pair.depth


def _expect_same_size(pair: Pair, probe: Probe) -> None:
    if probe.rgb != probe.depth:
        raise DataProblem(
            f"{pair.rgb} has {probe.rgb[0]}×{probe.rgb[1]} pixels (rows × columns), but its depth {pair.depth} has "
            f"{probe.depth[0]}×{probe.depth[1]}.",
            remedy="Give the depth map registered to the picture, at the same size.",
        )


def read_lines(path: Path, field: str) -> list[str]:
    """The lines of a file list, without empty ones. Raises DataProblem."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise DataProblem(f"The list {path} is missing.", field=field, remedy="Give the path of the list.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise DataProblem(
            f"The list {path} cannot be read: {error}.", field=field, remedy="Give a text file."
        ) from None
    return [line.strip() for line in text.splitlines() if line.strip()]
