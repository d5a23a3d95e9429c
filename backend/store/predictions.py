"""Depth maps of sample frames: lists without the maps, the metrics of each, the raw bytes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, select
from sqlalchemy.orm import Session, undefer

from backend.store.evaluations import Metrics, unpack_sums
from backend.store.record import frame_key
from backend.store.tables import RESCORED, Evaluation, ExperimentRun, Frame, Prediction, Run
from depthboard.config import RunConfig
from depthboard.config.data import EquallySpaced
from depthboard.datasets import DatasetReport
from depthboard.division import equally_spaced
from depthboard.errors import NotFound
from depthboard.metrics import per_image

SHOWN = ("mae", "abs_rel", "rmse", "delta1")


@dataclass(frozen=True)
class Kept:
    """A stored prediction without its map. `position` indexes the frames of the part that was scored."""

    id: int
    run_id: int
    attempt: int
    step: int
    frame_id: int
    frame: str
    position: int
    height: int
    width: int
    nonfinite: int


def of_runs(session: Session, run_ids: Sequence[int], step: int | None = None) -> list[Kept]:
    """The valid predictions of these runs (at one step), by run, step and the frame's place."""
    query = (
        select(
            Prediction.id,
            Prediction.run_id,
            Prediction.attempt,
            Prediction.step,
            Prediction.frame_id,
            Frame.frame,
            Frame.position,
            Prediction.height,
            Prediction.width,
            Prediction.nonfinite,
        )
        .join(Frame, Frame.id == Prediction.frame_id)
        .where(Prediction.run_id.in_(run_ids), Prediction.superseded.is_(False))
        .order_by(Prediction.run_id, Prediction.step, Frame.position, Prediction.attempt)
    )
    if step is not None:
        query = query.where(Prediction.step == step)
    newest = {(row.run_id, row.step, row.frame_id): Kept(**row._asdict()) for row in session.execute(query)}
    return list(newest.values())


def any_of(session: Session, experiment_id: int) -> bool:
    """Whether a run of the experiment has kept a depth map."""
    of_runs = select(ExperimentRun.run_id).where(ExperimentRun.experiment_id == experiment_id)
    query = select(Prediction.id).where(Prediction.run_id.in_(of_runs), Prediction.superseded.is_(False))
    return session.scalar(query.limit(1)) is not None


def metrics_of(session: Session, kept: Iterable[Kept]) -> dict[int, Metrics]:
    """Prediction id -> metrics of that image, from the sums of the evaluation at the same step; one query."""
    kept = list(kept)
    steps = {(k.run_id, k.step) for k in kept}
    tables = {
        (row.run_id, row.step): per_image(unpack_sums(row))
        for row in session.scalars(_evaluations({r for r, _ in steps}, {s for _, s in steps}))
        if (row.run_id, row.step) in steps
    }
    return {k.id: _row(tables.get((k.run_id, k.step)), k.position) for k in kept}


def _evaluations(run_ids: set[int], steps: set[int]) -> Select[Evaluation]:
    return (
        select(Evaluation)
        .join(Run, Run.id == Evaluation.run_id)
        .where(
            Evaluation.run_id.in_(run_ids),
            Evaluation.step.in_(steps),
            Evaluation.split == Run.evaluation_split,
            Evaluation.protocol == Run.protocol,
            Evaluation.attempt != RESCORED,
            Evaluation.predictor == "network",
            Evaluation.superseded.is_(False),
        )
        .options(undefer(Evaluation.sums))
    )


def _row(table: dict[str, NDArray[np.float64]] | None, position: int) -> Metrics:
    if table is None or position >= len(table["mae"]):
        return {}
    values = {name: float(table[name][position]) for name in SHOWN}
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def packed(session: Session, prediction_id: int) -> bytes:
    """The map as depthboard.protocol.pack_depth made it. Raises NotFound."""
    depth = session.scalar(select(Prediction.depth).where(Prediction.id == prediction_id))
    if depth is None:
        raise NotFound(f"there is no prediction {prediction_id}.", field="id")
    return depth


def picture(session: Session, frame_id: int) -> bytes:
    """RGB of a sample frame as PNG. Raises NotFound."""
    return _frame(session, frame_id, Frame.rgb)


def truth(session: Session, frame_id: int) -> bytes:
    """Ground truth of a sample frame as depthboard.protocol.pack_depth made it. Raises NotFound."""
    return _frame(session, frame_id, Frame.depth)


def packed_several(session: Session, ids: Sequence[int]) -> list[Prediction]:
    """Predictions with their maps, in this order. Raises NotFound for one that is not there."""
    query = select(Prediction).where(Prediction.id.in_(ids)).options(undefer(Prediction.depth))
    found = {row.id: row for row in session.scalars(query)}
    missing = [id for id in ids if id not in found]
    if missing:
        raise NotFound(f"there is no prediction {missing[0]}.", field="id")
    return [found[id] for id in ids]


def _frame(session: Session, frame_id: int, column: object) -> bytes:
    found = session.scalar(select(column).where(Frame.id == frame_id))  # type: ignore[call-overload]
    if found is None:
        raise NotFound(f"there is no sample frame {frame_id}.", field="id")
    return bytes(found)


def frames(session: Session, ids: Iterable[int]) -> list[Frame]:
    """Sample frames without their pictures, by their place in the part."""
    return list(session.scalars(select(Frame).where(Frame.id.in_(list(ids))).order_by(Frame.position, Frame.id)))


def frames_known(session: Session, run: Run, report: DatasetReport) -> bool:
    """Whether every sample frame that this run will ask for is stored. Only an economy: sending one again adds nothing."""
    config = RunConfig.model_validate(run.config)
    total = report.splits.get(run.split, {}).get("test", 0)
    samples = min(config.evaluation.samples, total)
    if run.evaluation_split != "test" or not isinstance(config.data.subset, EquallySpaced):
        return samples == 0
    found = session.scalars(
        select(Frame.position).where(*frame_key(run), Frame.height == run.height, Frame.width == run.width)
    )
    return set(equally_spaced(total, samples)) <= set(found)
