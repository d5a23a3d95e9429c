"""NYUv2 as sparse-to-dense and FastDepth hand it round: one small HDF5 file a frame."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from depthboard.datasets import OptionValue
from depthboard.errors import DataProblem
from worker.data.images import COPY_AGAIN, missing
from worker.data.source import Frame, FrameId, Probe, Source, natural_key

FOLDERS = {"train": "train", "test": "val"}


class SparseToDense(Source):
    """`train/<scene>/NNNNN.h5` and `val/official/NNNNN.h5` with `rgb` (3,H,W) uint8 and `depth` (H,W) metres, 0 invalid."""

    format = "sparse_to_dense"

    def __init__(self, path: str, options: Mapping[str, OptionValue]) -> None:
        super().__init__(path, options)
        self.root = Path(path)
        parts = {part: self._listed(folder) for part, folder in FOLDERS.items()}
        for part, frames in parts.items():
            if not frames:
                raise DataProblem(
                    f"{self.root / FOLDERS[part]} holds no .h5 files.",
                    field="path",
                    remedy="Give the folder that holds train/ and val/.",
                )
        self.parts = {"official": parts}

    def _listed(self, folder: str) -> tuple[FrameId, ...]:
        found = (file.relative_to(self.root).as_posix() for file in (self.root / folder).rglob("*.h5"))
        return tuple(sorted(found, key=natural_key))

    def read(self, frame_id: FrameId) -> Frame:
        with _opened(self.root / frame_id) as file:
            rgb, depth = file["rgb"][()], file["depth"][()]
        metres = depth.astype(np.float32)
        return Frame(
            np.ascontiguousarray(rgb.transpose(1, 2, 0)),
            np.where(np.isfinite(metres) & (metres > 0), metres, np.float32(0)),
        )

    def probe(self, frame_id: FrameId) -> Probe:
        with _opened(self.root / frame_id) as file:
            return Probe(file["rgb"].shape[1:], file["depth"].shape)

    def files(self) -> Iterator[tuple[str, Path]]:
        return ((frame, self.root / frame) for frame in self.all_frames())


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    """An open frame file; whatever HDF5 raises on it becomes a DataProblem naming it."""
    if not path.is_file():
        raise missing(path, COPY_AGAIN)
    try:
        with h5py.File(path, "r") as file:
            _expect_layout(path, file)
            yield file
    except OSError as error:
        raise DataProblem(f"{path} is truncated, damaged or no HDF5 file: {error}.", remedy=COPY_AGAIN) from None


def _expect_layout(path: Path, file: h5py.File) -> None:
    rgb, depth = file.get("rgb"), file.get("depth")
    if rgb is None or depth is None or depth.ndim != 2 or rgb.shape != (3, *depth.shape):
        raise DataProblem(
            f"{path} does not hold rgb (3,H,W) and depth (H,W).",
            remedy="Give the frames as sparse-to-dense wrote them.",
        )
