"""NYUv2 as Hu et al. and DenseDepth hand it round: CSV lists of `rgb,depth`."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from depthboard.datasets import OptionValue
from depthboard.errors import DataProblem
from worker.data.pairs import Pair, PairSource, read_lines

LISTS = {"train": "nyu2_train.csv", "test": "nyu2_test.csv"}
DEEPEST = 10.0
"""Metres that the 8-bit value 255 stands for."""


class DenseDepth(PairSource):
    """`data/nyu2_train.csv` and `data/nyu2_test.csv`, lines `rgb,depth` without a header.

    Training depth is 8-bit grey with 255 = 10 m, test depth 16-bit millimetres; 0 is invalid in both. A `splits.csv` (columns rgb, depth and
    one `…_split` each, holding train, test or anything else for frames to leave out) adds splits under the columns' names.
    """

    format = "densedepth"

    def __init__(self, path: str, options: Mapping[str, OptionValue]) -> None:
        super().__init__(path, options)
        lists = {part: found for part, name in LISTS.items() if (found := self._list(name))}
        if "train" not in lists:
            raise DataProblem(
                f"{path} holds no {LISTS['train']}, neither itself nor in data/.",
                field="path",
                remedy="Give the folder that nyu_data.zip was unpacked into.",
            )
        official = {part: self.keep(self._pairs(_rows(file))) for part, file in lists.items()}
        marked = self._marked_splits()
        # A train list without a test list is no split to train on, unless it is all there is.
        self.parts = marked | ({"official": official} if "test" in official or not marked else {})
        self.default_split = "official" if "official" in self.parts else next(iter(marked))

    def metres(self, values: np.ndarray) -> np.ndarray:
        if values.dtype == np.uint8:
            return values.astype(np.float32) * np.float32(DEEPEST / 255)
        return super().metres(values)

    def _list(self, name: str) -> Path | None:
        return next((file for file in (self.root / "data" / name, self.root / name) if file.is_file()), None)

    def _pairs(self, rows: Sequence[tuple[str, str]]) -> Iterator[Pair]:
        for rgb, depth in rows:
            yield Pair(rgb, self._place(rgb), self._place(depth))

    def _place(self, name: str) -> Path:
        """Paths in the lists start with `data/`, also when the folder given is that data folder itself."""
        name = name.lstrip("/")
        beside = self.root.parent / name
        return beside if self.root.name == "data" and name.startswith("data/") else self.root / name

    def _marked_splits(self) -> dict[str, dict[str, tuple[str, ...]]]:
        file = next((f for f in (self.root / "splits.csv", self.root.parent / "splits.csv") if f.is_file()), None)
        if file is None:
            return {}
        with file.open(newline="", encoding="utf-8-sig") as lines:
            rows = list(csv.DictReader(lines))
        names = [name for name in (rows[0] if rows else {}) if name.endswith("_split")]
        if not names or not {"rgb", "depth"} <= set(rows[0]):
            raise DataProblem(
                f"{file} has no columns rgb, depth and …_split.",
                field="path",
                remedy="Mend its first line, or take the file away.",
            )
        return {
            name: {
                part: self.keep(self._pairs([(row["rgb"], row["depth"]) for row in rows if row[name] == part]))
                for part in LISTS
            }
            for name in names
        }


def _rows(file: Path) -> list[tuple[str, str]]:
    rows = []
    for number, line in enumerate(read_lines(file, "path"), 1):
        cells = [cell.strip() for cell in line.split(",")]
        if len(cells) != 2 or not all(cells):
            raise DataProblem(
                f"{file}, line {number}: {line[:120]!r} is not `rgb,depth`.",
                field="path",
                remedy="Two paths a line, a comma between.",
            )
        rows.append((cells[0], cells[1]))
    return rows
