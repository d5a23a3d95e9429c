"""A plain pair of folders: pictures in rgb/, depth maps of the same names in depth/."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from depthboard.datasets import OptionValue
from depthboard.division import equally_spaced
from depthboard.errors import DataProblem, InvalidInput
from worker.data.pairs import Pair, PairSource

UNITS = {"mm": 0.001, "cm": 0.01, "m": 1.0}
PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".tif", ".tiff", ".webp"}
DEPTHS = {".png", ".tif", ".tiff", ".pgm"}
SATURATED = 65535
"""The 16-bit value that Kinect recordings write where they saw nothing; invalid here, as 0 is."""


class Folder(PairSource):
    """`rgb/` and `depth/` with equal names, below PATH or below PATH/train and PATH/test; or rgb/train, depth/train and so on.

    Without those parts the share `test_share` of the frames, equally spaced, is held out as the test part.
    """

    format = "folder"

    def __init__(self, path: str, options: Mapping[str, OptionValue]) -> None:
        super().__init__(path, options)
        self.metres_per_value = metres_per_value(self.options["unit"])
        folders = {part: found for part in ("train", "test") if (found := self._folders(part))}
        if len(folders) == 1:
            present = next(iter(folders))
            raise DataProblem(
                f"{path} has a {present} part but no {'test' if present == 'train' else 'train'} part.",
                field="path",
                remedy="Give both train/ and test/, or neither.",
            )
        if folders:
            self.parts = {"official": {part: self.keep(self._pairs(part, *where)) for part, where in folders.items()}}
        else:
            self.parts = {"held_out": self._held_out()}
            self.default_split = "held_out"

    def metres(self, values: np.ndarray) -> np.ndarray:
        depth = values.astype(np.float32) * np.float32(self.metres_per_value)
        usable = np.isfinite(depth) & (depth > 0)
        if values.dtype != np.float32:
            usable &= values != SATURATED
        return np.where(usable, depth, np.float32(0))

    def meaning(self) -> dict[str, OptionValue]:
        return {"metres_per_value": self.metres_per_value}

    def _folders(self, part: str) -> tuple[Path, Path] | None:
        for rgb, depth in ((f"{part}/rgb", f"{part}/depth"), (f"rgb/{part}", f"depth/{part}")):
            if (self.root / rgb).is_dir() or (self.root / depth).is_dir():
                return self._both(rgb, depth)
        return None

    def _both(self, rgb: str, depth: str) -> tuple[Path, Path]:
        for name in (rgb, depth):
            if not (self.root / name).is_dir():
                raise DataProblem(
                    f"{self.path} has no folder {name}/.",
                    field="path",
                    remedy="Put the pictures in rgb/ and the depth maps in depth/.",
                )
        return self.root / rgb, self.root / depth

    def _held_out(self) -> dict[str, tuple[str, ...]]:
        share = share_of(self.options["test_share"])
        frames = self.keep(self._pairs("", *self._both("rgb", "depth")))
        count = min(len(frames) - 1, max(1, round(share * len(frames))))
        if count < 1:
            return {"train": frames, "test": ()}
        test = {frames[i] for i in equally_spaced(len(frames), count)}
        return {"train": tuple(f for f in frames if f not in test), "test": tuple(f for f in frames if f in test)}

    def _pairs(self, part: str, rgb_folder: Path, depth_folder: Path) -> Iterator[Pair]:
        """Pairs by path without suffix; a file without its partner is a problem."""
        pictures, depths = _by_stem(rgb_folder, PICTURES), _by_stem(depth_folder, DEPTHS)
        for stem in sorted(pictures.keys() | depths.keys()):
            if stem not in depths:
                self.problems.append(
                    f"{pictures[stem]} has no depth map of the same name in {depth_folder}. Add it, or remove the picture."
                )
            elif stem not in pictures:
                self.problems.append(
                    f"{depths[stem]} has no picture of the same name in {rgb_folder}. Add it, or remove the depth map."
                )
            else:
                yield Pair(f"{part}/{stem}" if part else stem, pictures[stem], depths[stem])


def _by_stem(folder: Path, suffixes: set[str]) -> dict[str, Path]:
    files = (file for file in folder.rglob("*") if file.suffix.lower() in suffixes and file.name[0] != ".")
    return {file.relative_to(folder).with_suffix("").as_posix(): file for file in sorted(files)}


def metres_per_value(unit: OptionValue) -> float:
    """`mm`, `cm`, `m`; a number above 1 is values per metre, one up to 1 is metres per value. Raises InvalidInput."""
    try:
        number = UNITS[str(unit)] if str(unit) in UNITS else float(unit)
    except ValueError:
        number = 0.0
    if not 0 < number < float("inf"):
        raise InvalidInput(
            f"{unit!r} is no depth unit.",
            field="options.unit",
            remedy="Give mm, cm, m, values per metre such as 5000, or metres per value such as 0.001.",
        )
    return 1 / number if number > 1 else number


def share_of(value: OptionValue) -> float:
    try:
        share = float(value)
    except ValueError:
        share = 0.0
    if not 0 < share < 1:
        raise InvalidInput(
            f"test_share must lie between 0 and 1, not be {value!r}.",
            field="options.test_share",
            remedy="Give 0.2, for example.",
        )
    return share
