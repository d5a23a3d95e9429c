"""Look a dataset over before anything is trained on it: counts, pairing, units, depth range, invalid pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from depthboard.datasets import BIN_METRES, BINS, MAX_PROBLEMS, Counts, DatasetReport, DepthHistogram, DepthRange
from depthboard.division import equally_spaced
from depthboard.errors import DepthboardError
from worker.data.folder import UNITS
from worker.data.sheet import contact_sheet
from worker.data.source import Frame, FrameId, Source
from worker.data.store import LARGEST_MM, middle, to_millimetres

SAMPLE = 400
"""Frames read in full; a dataset with no more is read whole."""
SHEET = 12
PLAUSIBLE = (0.25, 10.0)
"""Metres between which the median of indoor depth must lie; the network's output ends at 10 m."""


@dataclass
class Findings:
    """What has been seen so far."""

    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    sizes: dict[tuple[int, int], int] = field(default_factory=dict)
    millimetres: np.ndarray = field(default_factory=lambda: np.zeros(LARGEST_MM + 1, np.int64))
    typical: list[float] = field(default_factory=list)
    """Median depth of each frame that has any, in metres."""
    decoded: int = 0
    shown: list[tuple[str, Frame]] = field(default_factory=list)

    def add(self, frame: Frame) -> None:
        self.decoded += 1
        self.millimetres += np.bincount(to_millimetres(frame.depth).ravel(), minlength=LARGEST_MM + 1)
        valid = frame.depth[frame.depth > 0]
        if valid.size:
            self.typical.append(float(np.median(valid)))


def check(
    source: Source, name: str = "", *, sample: int = SAMPLE, cache: Path | None = None
) -> tuple[DatasetReport, bytes]:
    """The report, and a contact sheet as PNG (empty if no frame could be read).

    Opens every frame's files, decodes `sample` of them in equal steps. Goes on past what is broken: each problem is one sentence.
    """
    found = Findings(problems=list(source.problems), warnings=list(source.warnings))
    frames = source.all_frames()
    _check_parts(source, found)
    sound = list(_sound(source, frames, found))
    _decode(source, sound, min(sample, len(sound)), found)
    _check_depth(source, found)
    _check_sizes(found)
    report = _report(source, name or source.format, found, len(frames), source.fingerprint(cache))
    return report, contact_sheet(found.shown)


def failed(name: str, format: str, path: str, error: DepthboardError) -> DatasetReport:
    """The report on a dataset that could not even be opened."""
    return DatasetReport.model_validate(
        {
            "name": name or format, "format": format, "path": path, "fingerprint": "", "splits": {}, "default_split": "",
            "counts": Counts(frames=0, opened=0, decoded=0), "problems": [str(error)], "problem_count": 1,
        }
    )  # fmt: skip


def _check_parts(source: Source, found: Findings) -> None:
    for split, parts in source.splits().items():
        for part in ("train", "test"):
            if not parts.get(part):
                found.problems.append(
                    f"The split {split} has no {part} frames. Give the files or the list of its {part} part."
                )
    shared = [
        split for split, parts in source.parts.items() if set(parts.get("train", ())) & set(parts.get("test", ()))
    ]
    found.problems += [
        f"The split {split} has frames in both its train and its test part. Take them out of one list."
        for split in shared
    ]


def _sound(source: Source, frames: list[FrameId], found: Findings) -> Iterator[FrameId]:
    """Frames whose files open, are whole and fit each other."""
    for frame in frames:
        try:
            probe = source.probe(frame)
        except DepthboardError as error:
            found.problems.append(str(error))
        else:
            found.sizes[probe.rgb] = found.sizes.get(probe.rgb, 0) + 1
            yield frame


def _decode(source: Source, frames: list[FrameId], count: int, found: Findings) -> None:
    chosen = [frames[i] for i in equally_spaced(len(frames), count)] if count else []
    shown = {chosen[i] for i in equally_spaced(count, min(count, SHEET))} if count else set()
    for frame_id in chosen:
        try:
            frame = source.read(frame_id)
        except DepthboardError as error:
            found.problems.append(str(error))
            continue
        found.add(frame)
        if not (frame.depth > 0).any():
            found.warnings.append(f"{source.label(frame_id)} has no valid depth at all.")
        if frame_id in shown:
            found.shown.append((source.label(frame_id), frame))


def _check_depth(source: Source, found: Findings) -> None:
    """Say so where the values cannot be metres of a room."""
    if not found.decoded:
        return
    if not found.typical:
        found.problems.append(
            "No frame has any valid depth. Check that the depth files are depth maps and that the unit is right."
        )
        return
    typical = float(np.median(found.typical))
    if not PLAUSIBLE[0] <= typical <= PLAUSIBLE[1]:
        found.problems.append(_wrong_unit(source, typical))
        return
    total, valid = int(found.millimetres.sum()), int(found.millimetres[1:].sum())
    deep = int(found.millimetres[10_000:].sum()) / valid
    if deep > 0.01:
        found.warnings.append(
            f"{deep:.0%} of the depths are 10 m or more: the network's output ends there, and they are not scored."
        )
    if valid < total / 2:
        found.warnings.append("More than half of all pixels have no depth.")


def _wrong_unit(source: Source, typical: float) -> str:
    sentence = f"The typical depth would be {_metres(typical)}, which no room has: the unit must be wrong."
    now = source.meaning().get("metres_per_value")
    if now is None:
        return f"{sentence} Check the format and its options."
    fitting = [name for name, factor in UNITS.items() if 0.5 <= typical / float(now) * factor <= 8]
    return f"{sentence} " + (
        f"With unit={fitting[0]} it would be in range." if fitting else "Give the unit the files were written in."
    )


def _metres(depth: float) -> str:
    return f"{depth:.0f} m" if depth >= 100 else f"{depth:.3g} m"


def _check_sizes(found: Findings) -> None:
    if len(found.sizes) > 1:
        listed = ", ".join(f"{rows}×{columns} ({count})" for (rows, columns), count in found.sizes.items())
        found.warnings.append(
            f"Frames differ in size: {listed}. All are resized to the network's input; scoring at native size is not possible."
        )


def _report(source: Source, name: str, found: Findings, frames: int, fingerprint: str) -> DatasetReport:
    size = next(iter(found.sizes), (None, None))
    return DatasetReport(
        name=name,
        format=source.format,
        path=source.path,
        options=source.options,
        fingerprint=fingerprint,
        splits=source.splits(),
        default_split=source.default_split,
        height=size[0],
        width=size[1],
        depth=_depth_range(found.millimetres),
        histogram=histogram(found.millimetres) if found.typical else None,
        scenes=_scenes(source),
        invalid_share=float(found.millimetres[0] / found.millimetres.sum()) if found.decoded else None,
        counts=Counts(frames=frames, opened=frames, decoded=found.decoded),
        problems=found.problems[:MAX_PROBLEMS],
        problem_count=len(found.problems),
        warnings=found.warnings[:MAX_PROBLEMS],
    )


def histogram(millimetres: np.ndarray) -> DepthHistogram:
    """Of pixels a millimetre; the first counts those without depth."""
    step = round(1000 * BIN_METRES)
    bins = np.minimum(np.arange(millimetres.size) // step, BINS - 1)
    valid = np.where(np.arange(millimetres.size) > 0, millimetres, 0)
    return DepthHistogram(pixels=[int(n) for n in np.bincount(bins, weights=valid, minlength=BINS)])


def _scenes(source: Source) -> dict[str, dict[str, int]]:
    found = {
        split: {part: len({source.scene_of(frame) for frame in frames} - {""}) for part, frames in parts.items()}
        for split, parts in source.parts.items()
    }
    return {split: parts for split, parts in found.items() if any(parts.values())}


def _depth_range(millimetres: np.ndarray) -> DepthRange | None:
    valid = millimetres.copy()
    valid[0] = 0
    if not valid.any():
        return None
    upto, at = valid.cumsum(), np.flatnonzero(valid)
    p1, p99 = (float(np.searchsorted(upto, share * upto[-1])) / 1000 for share in (0.01, 0.99))
    return DepthRange(min=at[0] / 1000, p1=p1, median=middle(valid) / 1000, p99=p99, max=at[-1] / 1000)
