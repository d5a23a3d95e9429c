"""The grid of depth maps as the browser reads it."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import cast

from backend.figures import captions
from backend.figures.colouring import depth_range, percentiles
from backend.figures.grid import Column, QualitativeGrid, Tile
from backend.schemas import CameraEntry, ColumnEntry, FrameEntry, PredictionEntry, Qualitative, RunSummary
from backend.store.scripts import is_placeholder
from backend.store.study import SampleDepth
from depthboard import optics
from depthboard.config.data import Crop


def answer(numbers: QualitativeGrid, summaries: list[RunSummary]) -> Qualitative:
    """`summaries` are those of the runs in `numbers.columns`. The caption leaves to the browser what depends on its look."""
    known = {summary.id: summary for summary in summaries}
    columns = [column for column in numbers.columns if column.run_id in known]
    names = {frame.id: frame.name for frame in numbers.frames}
    return Qualitative(
        frames=[_frame(frame) for frame in numbers.frames],
        runs=[known[column.run_id] for column in columns],
        columns=[_column(column) for column in columns],
        predictions=[_prediction(tile, names) for column in numbers.columns for tile in column.tiles.values()],
        steps=list(numbers.steps),
        depth_range=depth_range(numbers.truths),
        percentiles=percentiles(numbers.truths),
        error_limits=numbers.limits,
        caption=captions.join(*numbers.words),
    )


def _column(column: Column) -> ColumnEntry:
    return ColumnEntry(
        run_id=column.run_id,
        mark=column.loss,
        label=column.label,
        step=column.step,
        epoch=None if column.step is None else column.epoch,
    )


def _frame(frame: SampleDepth) -> FrameEntry:
    height, width = frame.truth.shape
    crop = cast(Crop, frame.crop or "none")
    camera, words = optics.intrinsics(frame.format, frame.name, frame.stored, crop, (height, width))
    return FrameEntry(
        id=frame.id,
        frame=frame.name,
        position=frame.position,
        height=height,
        width=width,
        rgb_url=None if is_placeholder(frame.rgb) else f"/api/frames/{frame.id}/rgb",
        depth_url=f"/api/frames/{frame.id}/depth",
        has_truth=bool(frame.truth.any()),
        camera=None if camera is None else CameraEntry(**asdict(camera)),
        camera_words=words,
    )


def _prediction(tile: Tile, names: dict[int, str]) -> PredictionEntry:
    prediction = tile.prediction
    return PredictionEntry(
        id=prediction.id,
        run_id=prediction.run_id,
        step=prediction.step,
        epoch=tile.epoch,
        frame_id=prediction.frame_id,
        frame=names[prediction.frame_id],
        height=prediction.depth.shape[0],
        width=prediction.depth.shape[1],
        nonfinite=prediction.nonfinite,
        url=f"/api/predictions/{prediction.id}",
        metrics={name: value if math.isfinite(value) else None for name, value in tile.metrics.items()},
    )
