"""Figure 4: rows are test images; columns RGB, ground truth and each loss's prediction, all on one depth range."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.figures import captions
from backend.figures.colouring import depth_range
from backend.figures.groups import Cell, Scope, cells, data_name, data_title, in_scope, pick
from backend.figures.selector import Selection
from backend.figures.tokens import ENCODER_TITLES
from backend.schemas import FrameEntry, PredictionEntry, Qualitative, RunSummary
from backend.store.evaluations import Filed, Value
from backend.store.study import (
    PredictedDepth,
    SampleDepth,
    StudyRun,
    best_steps,
    image_metrics,
    predicted_depths,
    predicted_steps,
    sample_frames,
)

IMAGE_METRICS = ("mae", "abs_rel", "rmse", "delta1")


@dataclass(frozen=True, slots=True)
class Tile:
    """A run's prediction of a frame, with this image's own metrics; NaN where the evaluation does not hold them."""

    prediction: PredictedDepth
    epoch: float
    metrics: dict[str, float]


@dataclass(frozen=True, slots=True)
class Column:
    """One loss: its run, the step shown (None before the first), the run's value by the selector, tiles by frame id."""

    cell: Cell
    run: StudyRun
    step: int | None
    rmse: float | None
    tiles: dict[int, Tile]


@dataclass(frozen=True, slots=True)
class QualitativeGrid:
    """`steps`: every step with depth maps, ascending. `depth_range` in metres, of all ground truth shown."""

    frames: tuple[SampleDepth, ...]
    columns: tuple[Column, ...]
    steps: tuple[int, ...]
    depth_range: tuple[float, float]
    colours: str
    caption: str
    filed: Filed
    value: Value

    @property
    def truths(self) -> list[NDArray[np.uint16]]:
        return [frame.truth for frame in self.frames]


def gather(session: Session, selection: Selection) -> QualitativeGrid:
    """One size, encoder and seed; the maps are the network's own whatever protocol scores them. Raises NotFound for the experiment, UnknownName for a level or step it does not have."""
    scope = in_scope(session, selection)
    selection = scope.selection
    kept = predicted_steps(session, [run.id for run in scope.runs])
    runs = _runs(scope, selection, kept)
    steps = tuple(sorted({step for run in runs for step in kept.get(run.id, ())}))
    if selection.step is not None:
        pick("step", selection.step, steps)
    shown = _steps(session, runs, kept, selection)
    predictions = predicted_depths(session, shown)
    frames = sample_frames(session, {p.frame_id for p in predictions})
    columns = tuple(_column(session, cell, scope, shown, predictions, frames) for cell in cells(runs))
    return QualitativeGrid(
        frames=tuple(frames),
        columns=columns,
        steps=steps,
        depth_range=depth_range([frame.truth for frame in frames]),
        colours=selection.colours,
        caption=_caption(scope, runs, columns, frames, selection),
        filed=scope.filed,
        value=selection.value,
    )


def _runs(scope: Scope, selection: Selection, kept: dict[int, list[int]]) -> list[StudyRun]:
    """The runs of one data set, size, encoder and seed: as asked for, else the largest size with depth maps and what most runs have."""
    runs = list(scope.runs)
    data = pick("dataset", None, [data_name(run.dataset, run.split) for run in runs])
    runs = [run for run in runs if data_name(run.dataset, run.split) == data]
    with_maps = [run.train_size for run in runs if run.id in kept] or [run.train_size for run in runs]
    size = max(with_maps, default=None)
    if selection.train_size is not None:
        size = pick("train_size", selection.train_size, [run.train_size for run in runs])
    runs = [run for run in runs if run.train_size == size]
    encoder = pick("encoder", selection.encoder, [run.encoder for run in runs])
    runs = [run for run in runs if run.encoder == encoder]
    seed = pick("seed", selection.seed, [run.seed for run in runs])
    return [run for run in runs if run.seed == seed]


def _steps(session: Session, runs: list[StudyRun], kept: dict[int, list[int]], selection: Selection) -> dict[int, int]:
    """Run -> the step shown: the one asked for, else the selector's, which is the latest for a mean of evaluations."""
    best: dict[int, int] = {}
    if selection.value == "best_validation":
        best = best_steps(session, [run.id for run in runs], selection.averaging)
    shown = {}
    for run in runs:
        steps = kept.get(run.id, [])
        wanted = selection.step
        if wanted is None and steps:
            wanted = best.get(run.id, -1) if selection.value == "best_validation" else steps[-1]
        if wanted in steps:
            shown[run.id] = wanted
    return shown


def _column(
    session: Session,
    cell: Cell,
    scope: Scope,
    shown: dict[int, int],
    predictions: list[PredictedDepth],
    frames: list[SampleDepth],
) -> Column:
    run = cell.runs[0]
    step = shown.get(run.id)
    metrics = {} if step is None else image_metrics(session, run.id, step, scope.filed)
    position = {frame.id: frame.position for frame in frames}
    epoch = 0.0 if step is None else step * run.batch_size / run.train_size
    tiles = {
        p.frame_id: Tile(p, epoch, {name: _at(metrics.get(name), position[p.frame_id]) for name in IMAGE_METRICS})
        for p in predictions
        if p.run_id == run.id
    }
    return Column(cell, run, step, scope.values([run], "rmse").get(run.id), tiles)


def _at(values: NDArray[np.float64] | None, position: int) -> float:
    return float("nan") if values is None or position >= len(values) else float(values[position])


def _caption(
    scope: Scope, runs: list[StudyRun], columns: tuple[Column, ...], frames: list[SampleDepth], selection: Selection
) -> str:
    if not runs:
        return captions.NO_RUN
    run = runs[0]
    counted = captions.account(runs, {c.run.id for c in columns if c.tiles}, partial=True)
    if not frames:
        return captions.join("No depth maps yet.", captions.evaluation_words(scope), counted)
    steps = sorted({column.step for column in columns if column.step is not None})
    when = f"step {steps[0]}" if len(steps) == 1 else f"steps {steps[0]}–{steps[-1]}"
    which = (
        "the step asked for"
        if selection.step is not None
        else {
            "last3": "the last of the three evaluations",
            "last": "the last evaluation",
            "best_validation": "the evaluation with the lowest validation RMSE",
        }[selection.value]
    )
    low, high = depth_range([frame.truth for frame in frames])
    return captions.join(
        f"{len(frames)} images of the {scope.part} split of {data_title(run.dataset, run.split)}; "
        f"{captions.plural(run.train_size, 'training image')}, {ENCODER_TITLES.get(run.encoder, run.encoder)}, seed {run.seed}.",
        f"Images from {when}, {which}.",
        f"One depth range for all tiles, {low:.2f}–{high:.2f} m: the 2nd to 98th percentile of the ground truth shown; hatched: no depth.",
        f"Beside each name: {scope.part} RMSE (m) of the run, {captions.value_words(selection).removeprefix('A run' + chr(39) + 's value: ')}",
        captions.evaluation_words(scope),
        captions.subset_words(runs),
        counted,
    )


def answer(numbers: QualitativeGrid, summaries: list[RunSummary]) -> Qualitative:
    """The grid as the browser reads it; `summaries` are those of the runs in `numbers.columns`."""
    known = {summary.id: summary for summary in summaries}
    return Qualitative(
        frames=[
            FrameEntry(
                id=frame.id,
                frame=frame.name,
                position=frame.position,
                height=frame.truth.shape[0],
                width=frame.truth.shape[1],
                rgb_url=f"/api/frames/{frame.id}/rgb",
                depth_url=f"/api/frames/{frame.id}/depth",
            )
            for frame in numbers.frames
        ],
        runs=[known[column.run.id] for column in numbers.columns if column.run.id in known],
        predictions=[_entry(tile, numbers.frames) for column in numbers.columns for tile in column.tiles.values()],
        steps=list(numbers.steps),
        depth_range=numbers.depth_range,
        caption=numbers.caption,
    )


def _entry(tile: Tile, frames: tuple[SampleDepth, ...]) -> PredictionEntry:
    prediction = tile.prediction
    return PredictionEntry(
        id=prediction.id,
        run_id=prediction.run_id,
        step=prediction.step,
        epoch=tile.epoch,
        frame_id=prediction.frame_id,
        frame=next(frame.name for frame in frames if frame.id == prediction.frame_id),
        height=prediction.depth.shape[0],
        width=prediction.depth.shape[1],
        nonfinite=prediction.nonfinite,
        url=f"/api/predictions/{prediction.id}",
        metrics={name: value if np.isfinite(value) else None for name, value in tile.metrics.items()},
    )
