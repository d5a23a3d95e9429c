"""NYUv2 as BTS prepares it: synchronised frames with their holes, and text files that list them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from depthboard.datasets import OptionValue
from depthboard.errors import DataProblem
from worker.data.pairs import Pair, PairSource, read_lines

LISTS = {"train": "nyudepthv2_train_files_with_gt.txt", "test": "nyudepthv2_test_files_with_gt.txt"}
FOLDERS = {"train": ("sync", "train", ""), "test": ("official_splits/test", "test", "")}


class Bts(PairSource):
    """Lines `rgb depth focal`; paths may begin with a slash that does not mean the root of the disk. 16-bit millimetres, 0 invalid."""

    format = "bts"

    def __init__(self, path: str, options: Mapping[str, OptionValue]) -> None:
        super().__init__(path, options)
        lists = {part: found for part in LISTS if (found := self._list(part))}
        if not lists:
            raise DataProblem(
                f"{path} holds neither {LISTS['train']} nor {LISTS['test']}.",
                field="options.train_list",
                remedy="Give train_list and test_list.",
            )
        self.parts = {"official": {part: self.keep(self._pairs(part, file)) for part, file in lists.items()}}

    def _list(self, part: str) -> Path | None:
        """The list given as an option, or the usual one in the folder if it is there."""
        given = self.options.get(f"{part}_list")
        if given is not None:
            self.options[f"{part}_list"] = str(Path(str(given)).absolute())
            return Path(str(given))
        usual = self.root / LISTS[part]
        return usual if usual.is_file() else None

    def _pairs(self, part: str, file: Path) -> Iterator[Pair]:
        folder = next(self.root / name for name in FOLDERS[part] if (self.root / name).is_dir())
        for number, line in enumerate(read_lines(file, f"options.{part}_list"), 1):
            cells = line.split()
            if len(cells) not in (2, 3):
                raise DataProblem(
                    f"{file}, line {number}: {line[:120]!r} is not `rgb depth focal`.",
                    field=f"options.{part}_list",
                    remedy="Two paths and the focal length a line.",
                )
            rgb, depth = (cell.lstrip("/") for cell in cells[:2])
            if depth == "None":
                self.warnings.append(f"{file}, line {number}: {rgb} has no depth and is left out.")
            else:
                yield Pair(f"{part}/{rgb}", folder / rgb, folder / depth)
