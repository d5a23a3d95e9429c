"""The authors' indoor set for depth from defocus: DSLR pictures at two apertures, Xtion depth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from depthboard.datasets import OptionValue
from depthboard.errors import DataProblem
from worker.data.pairs import Pair, PairSource


class DfdIndoor(PairSource):
    """`dfd_dataset_indoor_<aperture>/{rgb,depth}/{train,test}`, 16-bit millimetres, holes filled.

    File names are capture times of two devices whose clocks drift by minutes: pictures and depth maps belong together by their position
    in the sorted lists, not by the nearest time.
    """

    format = "dfd_indoor"

    def __init__(self, path: str, options: Mapping[str, OptionValue]) -> None:
        super().__init__(path, options)
        self.parts = {"official": {part: self.keep(self._pairs(part)) for part in ("train", "test")}}

    def _pairs(self, part: str) -> Iterator[Pair]:
        own = self.root / f"dfd_dataset_indoor_{self.options['aperture']}"
        # Both apertures have the same depth; copies often keep it only once.
        shared = self.root / "dfd_dataset_indoor_N8"
        depth_folder = next((base / "depth" / part for base in (own, shared) if (base / "depth" / part).is_dir()), own)
        pictures, depths = self._listed(own / "rgb" / part), self._listed(depth_folder)
        if len(pictures) != len(depths):
            self.problems.append(
                f"{own / 'rgb' / part} has {len(pictures)} pictures, but {depth_folder} has {len(depths)} depth maps: they pair by position, "
                f"so none of this part can be used. Copy both folders again."
            )
            return
        for rgb, depth in zip(pictures, depths, strict=True):
            yield Pair(f"{part}/{rgb.name}", rgb, depth)

    def _listed(self, folder: Path) -> list[Path]:
        if not folder.is_dir():
            raise DataProblem(
                f"{folder} is missing.",
                field="path",
                remedy="Give the folder that holds dfd_dataset_indoor_N8/, whole.",
            )
        return sorted(
            file
            for file in folder.iterdir()
            if file.suffix.lower() in {".jpg", ".jpeg", ".png"} and file.name[0] != "."
        )
