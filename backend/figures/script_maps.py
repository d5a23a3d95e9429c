"""The grid of the depth maps that people's own scripts have shown: a column a run, a row an image."""

from __future__ import annotations

from itertools import cycle

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from backend.figures import captions
from backend.figures.grid import Column, QualitativeGrid, Tile
from backend.figures.selector import Selection
from backend.figures.tokens import LOSS_TOKENS
from backend.store.evaluations import Filed
from backend.store.study import ScriptRun, Shown, depths_of, sample_frames, script_runs, shown_by_scripts
from depthboard.errors import UnknownName

MOST_RUNS = 24
MOST_FRAMES = 48


def gather(session: Session, selection: Selection) -> QualitativeGrid | None:
    """None where no script of the experiment has shown a map. Images of one name and content are one row, whichever runs have shown them.

    Raises UnknownName for a step before the first map.
    """
    shown = shown_by_scripts(session, selection.experiment_id)
    if not shown:
        return None
    every = sorted({s.run_id for s in shown})
    kept = set(every[-MOST_RUNS:])
    steps = tuple(sorted({s.step for s in shown if s.run_id in kept}))
    if selection.step is not None and selection.step < steps[0]:
        raise UnknownName(
            f"no depth map is of step {selection.step} or before.",
            field="step",
            remedy=f"The first is of step {steps[0]}.",
        )
    rows = _rows(shown)
    frames = sample_frames(session, set(list(dict.fromkeys(rows.values()))[:MOST_FRAMES]))
    known = {frame.id for frame in frames}
    chosen: dict[tuple[int, int], Shown] = {}
    for one in shown:
        row = rows[one.name, one.fingerprint]
        if one.run_id in kept and row in known and (selection.step is None or one.step <= selection.step):
            chosen[one.run_id, row] = one
    depths = depths_of(session, {one.id: rows[one.name, one.fingerprint] for one in chosen.values()})
    truths = {frame.id: frame.truth for frame in frames}
    columns = []
    runs = script_runs(session, kept)
    free = cycle([loss for loss in LOSS_TOKENS if loss not in {run.loss for run in runs}] or LOSS_TOKENS)
    for run in runs:
        own = [depths[one.id] for (run_id, _), one in chosen.items() if run_id == run.id]
        mark = run.loss if run.loss in LOSS_TOKENS else next(free)
        columns.append(
            _column(run, mark, [Tile(d, run.epoch(d.step), _metrics(d.depth, truths[d.frame_id])) for d in own])
        )
    left = [
        captions.plural(n, what) + " left out."
        for n, what in (
            (len(every) - len(kept), "earlier run"),
            (len(set(rows.values())) - len(frames), "further image"),
        )
        if n > 0
    ]
    words = (
        f"{captions.plural(len(frames), 'image')} that {captions.plural(len(columns), 'script')} showed.",
        "The latest map of each." if selection.step is None else f"The latest map of each up to step {selection.step}.",
        "Values under the tiles are of the maps as they were shown, over the pixels that have ground truth.",
        *left,
    )
    return QualitativeGrid(tuple(frames), tuple(columns), steps, selection.look, words, Filed("", ""), selection.value)


def _rows(shown: list[Shown]) -> dict[tuple[str, str], int]:
    """Name and content -> the frame that stands for the row, in the order in which scripts have shown them."""
    rows: dict[tuple[str, str], int] = {}
    for one in sorted(shown, key=lambda s: (s.position, s.frame_id)):
        rows.setdefault((one.name, one.fingerprint), one.frame_id)
    return rows


def _column(run: ScriptRun, mark: str, tiles: list[Tile]) -> Column:
    step = max((tile.prediction.step for tile in tiles), default=None)
    return Column(
        mark,
        run.name,
        run.id,
        step,
        run.epoch(step or 0),
        None,
        {tile.prediction.frame_id: tile for tile in tiles},
        {"loss": run.loss, "label": run.name},
    )


def _metrics(predicted: NDArray[np.uint16], truth: NDArray[np.uint16]) -> dict[str, float]:
    """Of the map as it is kept; nothing without ground truth."""
    if predicted.shape != truth.shape:
        return {}
    both = (predicted > 0) & (truth > 0)
    if not both.any():
        return {}
    p, g = predicted[both] / 1000.0, truth[both] / 1000.0
    error = p - g
    return {
        "mae": float(np.abs(error).mean()),
        "abs_rel": float((np.abs(error) / g).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "delta1": float((np.maximum(p / g, g / p) < 1.25).mean()),
    }
