"""Figure 4: rows are test images; columns RGB, ground truth and each loss's prediction, all on one depth range."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.figures import captions, script_maps
from backend.figures.grid import Column, QualitativeGrid, Tile
from backend.figures.groups import ALL, Cell, Scope, cells, data_name, data_title, in_scope, pick
from backend.figures.selector import Selection
from backend.figures.tokens import ENCODER_TITLES
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
from depthboard.errors import UnknownName
from depthboard.metrics import METRICS

FACTS = ("loss", "label", "dataset", "split", "train_size", "encoder")


def gather(session: Session, selection: Selection) -> QualitativeGrid:
    """One size, encoder and seed; the maps are the network's own whatever protocol scores them. Of an experiment that has people's own scripts alone: their maps.

    Raises NotFound for the experiment, UnknownName for a level it does not have and for a step before the first map.
    """
    if selection.dataset == ALL:
        raise UnknownName("the grid shows one data set at a time.", field="dataset", remedy="Name one, or none.")
    scope = in_scope(session, selection)
    if not scope.study.runs and (found := script_maps.gather(session, selection)):
        return found
    selection = scope.selection
    kept = predicted_steps(session, [run.id for run in scope.runs])
    runs = _runs(scope, selection, kept)
    steps = tuple(sorted({step for run in runs for step in kept.get(run.id, ())}))
    if selection.step is not None and steps and selection.step < steps[0]:
        pick("step", selection.step, steps)
    shown = _steps(session, runs, kept, selection)
    predictions = predicted_depths(session, shown)
    frames = sample_frames(session, {p.frame_id for p in predictions})
    columns = tuple(_column(session, cell, scope, shown, predictions, frames) for cell in cells(runs))
    return QualitativeGrid(
        frames=tuple(frames),
        columns=columns,
        steps=steps,
        look=selection.look,
        words=_words(scope, runs, columns, frames, selection),
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
    """Run -> the step shown: the latest at or before the one asked for, else the selector's, which is the latest for a mean of evaluations."""
    best: dict[int, int] = {}
    if selection.value == "best_validation":
        best = best_steps(session, [run.id for run in runs], selection.averaging)
    shown = {}
    for run in runs:
        steps = kept.get(run.id, [])
        if selection.step is not None:
            steps = [step for step in steps if step <= selection.step]
        elif selection.value == "best_validation":
            steps = [step for step in steps if step == best.get(run.id)]
        if steps:
            shown[run.id] = steps[-1]
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
        p.frame_id: Tile(p, epoch, {name: _at(metrics.get(name), position[p.frame_id]) for name in METRICS})
        for p in predictions
        if p.run_id == run.id
    }
    facts = {name: getattr(cell, name) for name in FACTS} | {"seed": run.seed}
    return Column(cell.loss, cell.label, run.id, step, epoch, scope.values([run], "rmse").get(run.id), tiles, facts)


def _at(values: NDArray[np.float64] | None, position: int) -> float:
    return float("nan") if values is None or position >= len(values) else float(values[position])


def _words(
    scope: Scope, runs: list[StudyRun], columns: tuple[Column, ...], frames: list[SampleDepth], selection: Selection
) -> tuple[str, ...]:
    """What the caption says whatever the look: what is shown, of when, and what is counted."""
    if not runs:
        return (captions.NO_RUN,)
    run = runs[0]
    counted = captions.account(runs, {c.run_id for c in columns if c.tiles}, partial=True)
    if not frames:
        return "No depth maps yet.", captions.evaluation_words(scope), counted
    steps = sorted({column.step for column in columns if column.step is not None})
    when = f"step {steps[0]}" if len(steps) == 1 else f"steps {steps[0]}–{steps[-1]}"
    which = (
        f"the latest up to step {selection.step}"
        if selection.step is not None
        else {
            "last3": "the last of the three evaluations",
            "last": "the last evaluation",
            "best_validation": "the evaluation with the lowest validation RMSE",
        }[selection.value]
    )
    return (
        f"{captions.plural(len(frames), 'image')} of the {scope.part} split of {data_title(run.dataset, run.split)}; "
        f"{captions.plural(run.train_size, 'training image')}, {ENCODER_TITLES.get(run.encoder, run.encoder)}, seed {run.seed}.",
        f"Images from {when}, {which}.",
        f"Beside each name: {scope.part} RMSE (m) of the run, {captions.value_words(selection).removeprefix('A run' + chr(39) + 's value: ')}",
        captions.evaluation_words(scope),
        captions.subset_words(runs),
        counted,
    )
