"""NYUv2's labelled frames: nyu_depth_v2_labeled.mat, with NYU's own splits.mat."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import scipy.io

from depthboard.datasets import OptionValue
from depthboard.errors import DataProblem
from worker.data.source import Frame, FrameId, Probe, Source

DEPTH_NAMES = {"filled": "depths", "raw": "rawDepths"}
FRAME_DIMENSIONS = 3


class NyuV2Mat(Source):
    """MATLAB v7.3 is HDF5 with the axes in reverse: `images` (N,3,640,480) uint8, `depths` and `rawDepths` (N,640,480) float32 metres.

    A frame is the transpose, nothing else: rotating by 90° instead would mirror it. Frames are named by their MATLAB number, 1-based.
    """

    format = "nyuv2_mat"

    def __init__(self, path: str, options: Mapping[str, OptionValue]) -> None:
        super().__init__(path, options)
        self.file = Path(path)
        self.splits_file = Path(str(self.options.get("splits", self.file.parent / "splits.mat"))).absolute()
        self.options["splits"] = str(self.splits_file)
        self._data = _open_v73(self.file)
        self._images = self._dataset("images", FRAME_DIMENSIONS + 1)
        self._depths = self._dataset(DEPTH_NAMES[str(self.options["depth"])], FRAME_DIMENSIONS)
        self.count = int(self._images.shape[0])
        self.parts = {"official": self._official(read_splits(self.splits_file))}

    def read(self, frame_id: FrameId) -> Frame:
        index = int(frame_id) - 1
        try:
            rgb, depth = self._images[index], self._depths[index]
        except OSError as error:
            raise DataProblem(
                f"{self.file}, frame {frame_id}, cannot be read: {error}.", remedy="Download the file again."
            ) from None
        metres = np.ascontiguousarray(depth.T, dtype=np.float32)
        return Frame(np.ascontiguousarray(rgb.T), np.where(np.isfinite(metres) & (metres > 0), metres, np.float32(0)))

    def probe(self, frame_id: FrameId) -> Probe:  # noqa: ARG002
        rows, columns = self._images.shape[3], self._images.shape[2]
        return Probe((rows, columns), (self._depths.shape[2], self._depths.shape[1]))

    def files(self) -> Iterator[tuple[str, Path]]:
        yield "labeled.mat", self.file

    def meaning(self) -> dict[str, OptionValue]:
        return {"depth": self.options["depth"]}

    def label(self, frame_id: FrameId) -> str:
        """Number and recording."""
        return f"{frame_id} {self.scene(frame_id)}".strip()

    def scene_of(self, frame_id: FrameId) -> str:
        return self.scene(frame_id)

    def scene(self, frame_id: FrameId) -> str:
        """The recording a frame is from, read through MATLAB's cell array of object references; empty where the file has none."""
        scenes = self._data.get("scenes")
        if scenes is None:
            return ""
        reference = scenes[()].reshape(-1)[int(frame_id) - 1]
        return "".join(chr(code) for code in self._data[reference][()].reshape(-1))

    def _dataset(self, name: str, dimensions: int) -> Any:
        data = self._data.get(name)
        if (
            data is None
            or len(data.shape) != dimensions
            or (dimensions > FRAME_DIMENSIONS and data.shape[1] != FRAME_DIMENSIONS)
        ):
            shape = "no such variable" if data is None else f"the shape {data.shape}"
            raise DataProblem(
                f"{self.file} has {shape} for {name}, where (N,3,640,480) for images and (N,640,480) for depths are due.",
                field="path",
                remedy="Give NYU's own nyu_depth_v2_labeled.mat.",
            )
        return data

    def _official(self, numbers: dict[str, list[int]]) -> dict[str, tuple[FrameId, ...]]:
        beyond = [n for part in numbers.values() for n in part if not 1 <= n <= self.count]
        if beyond:
            raise DataProblem(
                f"{self.splits_file} names frame {beyond[0]}, but {self.file} has the frames 1 to {self.count}.",
                field="options.splits",
                remedy="Give the splits.mat that belongs to the file.",
            )
        return {part: tuple(f"{n:04d}" for n in sorted(indices)) for part, indices in numbers.items()}


def _open_v73(path: Path) -> Any:
    """The open HDF5 file. Raises DataProblem for a missing, truncated or older MATLAB file."""
    try:
        with path.open("rb") as file:
            header = file.read(128)
    except OSError as error:
        raise DataProblem(
            f"{path} cannot be opened: {error.strerror}.", field="path", remedy="Give the path of the .mat file."
        ) from None
    if header.startswith(b"MATLAB 5.0"):
        raise DataProblem(
            f"{path} is a MATLAB v5 file, where v7.3 (HDF5) is due.",
            field="path",
            remedy="Give NYU's original nyu_depth_v2_labeled.mat, or save it again in MATLAB with save(…, '-v7.3').",
        )
    try:
        return h5py.File(path, "r")
    except OSError as error:
        raise DataProblem(
            f"{path} is truncated or no MATLAB v7.3 file: {error}.",
            field="path",
            remedy="Download the file again (2.8 GB).",
        ) from None


def read_splits(path: Path) -> dict[str, list[int]]:
    """Frame numbers, 1-based, of the parts: trainNdxs and testNdxs of a MATLAB v5 file. Raises DataProblem."""
    remedy = "Give NYU's splits.mat with the option splits."
    if not path.is_file():
        raise DataProblem(f"{path} is missing.", field="options.splits", remedy=remedy)
    try:
        found = scipy.io.loadmat(path)
    except NotImplementedError:
        raise DataProblem(
            f"{path} is a MATLAB v7.3 file, where v5 is due.", field="options.splits", remedy=remedy
        ) from None
    except (OSError, ValueError, TypeError, EOFError) as error:
        raise DataProblem(f"{path} is no MATLAB file: {error}.", field="options.splits", remedy=remedy) from None
    if not {"trainNdxs", "testNdxs"} <= set(found):
        raise DataProblem(f"{path} does not hold trainNdxs and testNdxs.", field="options.splits", remedy=remedy)
    return {part: [int(n) for n in found[f"{part}Ndxs"].reshape(-1)] for part in ("train", "test")}
