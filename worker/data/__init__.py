"""Datasets: one class a format, all read through `Source`, all fed to training through `FrameStore`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from depthboard.datasets import FORMATS, OptionValue
from depthboard.errors import DataProblem, InvalidInput, UnknownName
from worker.data.augment import augment
from worker.data.bts import Bts
from worker.data.densedepth import DenseDepth
from worker.data.dfd_indoor import DfdIndoor
from worker.data.folder import Folder
from worker.data.nyuv2_mat import NyuV2Mat
from worker.data.nyuv2_raw import NyuV2Raw
from worker.data.rooms import Rooms
from worker.data.source import Frame, FrameId, Source
from worker.data.sparse_to_dense import SparseToDense
from worker.data.store import FrameStore
from worker.data.subset import subset_indices, test_frames, training_frames, validation_frames

DATASETS: dict[str, Callable[[str, Mapping[str, OptionValue]], Source]] = {
    "nyuv2_mat": NyuV2Mat,
    "nyuv2_raw": NyuV2Raw,
    "densedepth": DenseDepth,
    "bts": Bts,
    "dfd_indoor": DfdIndoor,
    "sparse_to_dense": SparseToDense,
    "folder": Folder,
}


def open_source(format: str, path: str = "", options: Mapping[str, OptionValue] | None = None) -> Source:
    """A dataset ready to be read. `rooms` needs no path.

    Raises UnknownName for a format that does not exist, InvalidInput for options that do not fit it, DataProblem where the path holds
    something else. Single files that are missing are in the source's `problems`.
    """
    if format == "rooms":
        return Rooms()
    if format not in DATASETS:
        raise UnknownName(
            f"There is no format {format!r}.", field="format", remedy=f"Take one of: {', '.join(FORMATS)}."
        )
    chosen = _with_defaults(format, options or {})
    return DATASETS[format](str(Path(path).absolute()), chosen)


def open_unchanged(format: str, path: str, options: Mapping[str, OptionValue], fingerprint: str, cache: Path) -> Source:
    """A dataset that is still what was registered. Raises DataProblem where a file or list has changed since."""
    source = open_source(format, path, options)
    if source.fingerprint(cache) != fingerprint:
        first = f" {source.problems[0]}" if source.problems else ""
        raise DataProblem(
            f"The files in {path} are not those that were registered.{first}",
            field="data.dataset",
            remedy="Restore them, or register the dataset again under a new name.",
        )
    return source


def _with_defaults(format: str, options: Mapping[str, OptionValue]) -> dict[str, OptionValue]:
    known = FORMATS[format].options
    for name, value in options.items():
        if name not in known:
            raise InvalidInput(
                f"The format {format} has no option {name!r}.",
                field=f"options.{name}",
                remedy=f"It takes: {', '.join(known) or 'none'}.",
            )
        choices = known[name].choices
        if choices and value not in choices:
            raise InvalidInput(
                f"{name} cannot be {value!r}.", field=f"options.{name}", remedy=f"Take one of: {', '.join(choices)}."
            )
    for name, option in known.items():
        if option.required and name not in options:
            raise InvalidInput(
                f"The format {format} needs the option {name}.", field=f"options.{name}", remedy=f"{option.description}"
            )
    return {name: option.default for name, option in known.items() if option.default is not None} | dict(options)


__all__ = [
    "DATASETS", "Frame", "FrameId", "FrameStore", "Source", "augment", "open_source", "open_unchanged",
    "subset_indices", "test_frames", "training_frames", "validation_frames",
]  # fmt: skip
