"""The numbers behind a figure as rows with named columns, whatever the figure: what is drawn, before it is rounded for the eye.

A figure's numbers are a tree of frozen dataclasses. What a node says of itself stands in every row under it; equally long tuples of numbers
make a row each place; `kind` says which branch the row comes from.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

import numpy as np

from backend.figures.grid import QualitativeGrid
from backend.figures.groups import Cell
from backend.figures.results_text import inert
from backend.store.study import StudyRun

Row = dict[str, Any]
SILENT = (
    "caption",
    "choices",
    "colours",
    "columns",
    "hidden",
    "images",
    "smoothing",
    "variant",
    "x_end",
    "x_log",
    "y_log",
)
"""Fields that say how the figure looks."""
RUNS = "run_ids"


def to_csv(numbers: Any) -> str:
    return _written(list(rows(numbers)))


def tiles_to_csv(grid: QualitativeGrid) -> str:
    """A row a depth map: its image, its run, and that image's own metrics."""
    names = {frame.id: (frame.position, frame.name) for frame in grid.frames}
    found: list[Row] = []
    for column in grid.columns:
        for frame_id, tile in column.tiles.items():
            position, frame = names[frame_id]
            metrics = {name: value for name, value in tile.metrics.items() if math.isfinite(value)}
            facts = {**column.facts, "run_id": column.run_id, "step": tile.prediction.step, "epoch": tile.epoch}
            found.append({"position": position, "frame": frame, **facts, **metrics})
    return _written(sorted(found, key=lambda row: row["position"]))


def _written(found: list[Row]) -> str:
    names = list(dict.fromkeys(name for row in found for name in row))
    return table(names, ([row.get(name) for name in names] for row in found))


def table(names: Iterable[str], found: Iterable[Iterable[Any]]) -> str:
    """Rows under their names, every number with all its digits."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(map(_text, names))
    writer.writerows(map(_text, row) for row in found)
    return out.getvalue()


def rows(numbers: Any, above: Row | None = None, kind: str = "") -> Iterable[Row]:
    """Every number once, with all that is said of it on the way down."""
    own: Row = dict(above or {})
    columns = {name: list(value) for name, value in _named(numbers) if name != RUNS and _is_column(value)}
    branches: list[tuple[str, Any]] = []
    for name, value in _named(numbers):
        if name == RUNS:
            own["runs"] = " ".join(map(str, value))
        elif isinstance(value, tuple | list) and value and all(map(is_dataclass, value)):
            branches += [(name, member) for member in value]
        elif isinstance(value, Mapping):
            branches += [(name, entry) for entry in _entries(value)]
        elif is_dataclass(value):
            own |= {f"{name}_{k}" if k in columns else k: v for k, v in _scalars(value)}
        elif not isinstance(value, tuple | list | np.ndarray):
            own[name] = value
    if len(columns) > 1 and len(set(map(len, columns.values()))) == 1:
        if "x" in own and "x" in columns:
            own["x_axis"] = own.pop("x")
        for place in range(len(next(iter(columns.values())))):
            yield {"kind": kind, **own, **{name: column[place] for name, column in columns.items()}}
    elif not branches and kind:
        yield {"kind": kind, **own}
    for name, member in branches:
        if isinstance(member, dict):
            yield {"kind": name, **own, **member}
        else:
            yield from rows(member, own, name)


def _named(numbers: Any) -> Iterable[tuple[str, Any]]:
    return [(field.name, getattr(numbers, field.name)) for field in fields(numbers) if field.name not in SILENT]


def _is_column(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return value.ndim == 1
    return (
        isinstance(value, tuple | list) and all(v is None or isinstance(v, int | float) for v in value) and value != ()
    )


def _scalars(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, StudyRun):
        return [("run_id", value.id), ("seed", value.seed)]
    if isinstance(value, Cell):
        facts = ("loss", "label", "dataset", "split", "train_size", "encoder")
        ids = " ".join(str(run.id) for run in value.runs)
        return [*((fact, getattr(value, fact)) for fact in facts), ("runs", ids)]
    return [(name, v) for name, v in _named(value) if v is None or isinstance(v, str | int | float)]


def _entries(mapping: Mapping[Any, Any], keys: tuple[str, ...] = ()) -> Iterable[Row]:
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            yield from _entries(value, (*keys, str(key)))
        else:
            yield {"of": " ".join((*keys, str(key))), "value": value}


def _text(value: Any) -> str:
    """A value as a cell holds it; no word is a formula to a spreadsheet."""
    if value is None:
        return ""
    if isinstance(value, Enum):
        return str(value)
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return "" if math.isnan(value) else repr(float(value))
    return inert(str(value))
