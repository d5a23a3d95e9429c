"""What the figures read of an experiment: its runs, their evaluations, their depth maps. Rows of superseded attempts
are left out.
"""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, undefer

from backend.store.evaluations import (
    AT_END,
    Filed,
    Metrics,
    Value,
    best_validation_steps,
    constants,
    of_network,
    rescored,
    selected,
    unpack_sums,
)
from backend.store.tables import Dataset, Evaluation, Experiment, ExperimentRun, Frame, Prediction, Run
from depthboard.config import RunConfig
from depthboard.errors import NotFound
from depthboard.metrics import METRICS, Averaging, per_image
from depthboard.protocol import unpack_depth
from depthboard.status import RunStatus


@dataclass(frozen=True, slots=True)
class StudyRun:
    """A run as figures see it. `split` divides the dataset into parts, `part` is the one that is scored, `height` and
    `width` are the network's; `group` is equal for runs that differ in seed alone; `rescored` are the parts and
    protocols, other than its own, under which its checkpoint was scored again.
    """

    id: int
    loss: str
    loss_label: str
    dataset: str
    format: str
    split: str
    train_size: int
    encoder: str
    height: int
    width: int
    seed: int
    batch_size: int
    steps: int
    part: str
    protocol: str
    status: RunStatus
    diverged_at: int | None
    config: dict[str, Any]
    group: str
    rescored: tuple[Filed, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """One evaluation by one averaging; a metric that is not finite is NaN."""

    step: int
    values: dict[str, float]


@dataclass(frozen=True, slots=True)
class Study:
    """An experiment's runs in the order of its grid, with what is known of each by its id, all on the run's own part and
    protocol, or all on those asked for.

    `scores`: the network's evaluations by step. `values`: what speaks for the run by the selector asked for. `constant`: the metrics of
    predicting the training median everywhere.
    """

    experiment_id: int
    name: str
    runs: tuple[StudyRun, ...]
    scores: dict[int, tuple[Score, ...]]
    values: dict[int, Metrics]
    constant: dict[int, Metrics]


@dataclass(frozen=True, slots=True)
class SampleDepth:
    """A sample frame and what runs predicted for it. Depth (H, W) uint16 millimetres, 0 = invalid; RGB as PNG.

    `format` and `stored`, rows and columns of its frames, are the dataset's, of which `crop` was cut; empty and None of a script's frame.
    """

    id: int
    name: str
    position: int
    rgb: bytes
    truth: NDArray[np.uint16]
    format: str = ""
    stored: tuple[int, int] | None = None
    crop: str = ""


@dataclass(frozen=True, slots=True)
class PredictedDepth:
    id: int
    run_id: int
    step: int
    frame_id: int
    nonfinite: int
    depth: NDArray[np.uint16]


def load_study(
    session: Session,
    experiment_id: int,
    value: Value = "last3",
    averaging: Averaging = "per_image",
    filed: Filed | None = None,
    runs: tuple[StudyRun, ...] | None = None,
    metrics: tuple[str, ...] = tuple(METRICS),
) -> Study:
    """The experiment's runs (`runs`, where they were read already) and their evaluations, in a few queries and without a
    blob; its `scores` hold `metrics` alone. Raises NotFound.
    """
    experiment = session.get(Experiment, experiment_id)
    if experiment is None:
        raise NotFound(f"there is no experiment {experiment_id}.", field="experiment_id")
    ids = linked(experiment_id)
    return Study(
        experiment_id,
        experiment.name,
        study_runs(session, experiment_id) if runs is None else runs,
        scores(session, ids, averaging, filed, metrics),
        selected(session, ids, value, averaging, filed),
        constants(session, ids, averaging, filed),
    )


def linked(experiment_id: int) -> Select[int]:
    """The ids of an experiment's runs."""
    return select(ExperimentRun.run_id).where(ExperimentRun.experiment_id == experiment_id)


def scores(
    session: Session, ids: Select[int], averaging: Averaging, filed: Filed | None, metrics: tuple[str, ...]
) -> dict[int, tuple[Score, ...]]:
    """Run -> what the network scored on `metrics` by step, on each run's own part and protocol or under `filed`."""
    if not metrics:
        return {}
    column = Evaluation.per_image if averaging == "per_image" else Evaluation.pooled
    query = of_network(ids, filed).where(AT_END).add_columns(column).order_by(Evaluation.run_id, Evaluation.step)
    found: dict[int, list[Score]] = defaultdict(list)
    for run_id, step, values in session.execute(query):
        found[run_id].append(Score(step, {name: _number(values.get(name)) for name in metrics}))
    return {run_id: tuple(of_run) for run_id, of_run in found.items()}


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


def study_runs(session: Session, experiment_id: int) -> tuple[StudyRun, ...]:
    rows = session.execute(
        select(Run, Dataset.format)
        .join(ExperimentRun, ExperimentRun.run_id == Run.id)
        .join(Dataset, Dataset.name == Run.dataset)
        .where(ExperimentRun.experiment_id == experiment_id)
        .order_by(ExperimentRun.position, Run.id)
    )
    again = rescored(session, linked(experiment_id))
    return tuple(_study_run(run, format, again.get(run.id, ())) for run, format in rows)


def cell_of(session: Session, run: Run, experiment_id: int | None) -> tuple[StudyRun, ...]:
    """The run, then the experiment's other runs of the same configuration but for the seed, by seed."""
    columns = (Run.dataset, Run.loss_label, Run.train_size, Run.encoder, Run.evaluation_split, Run.protocol)
    alike = [column == getattr(run, column.key) for column in columns]
    others = select(ExperimentRun.run_id).where(ExperimentRun.experiment_id == experiment_id)
    rows = session.execute(
        select(Run, Dataset.format)
        .join(Dataset, Dataset.name == Run.dataset)
        .where(*alike, or_(Run.id == run.id, Run.id.in_(others)))
        .order_by(Run.id != run.id, Run.seed, Run.id)
    )
    own, *rest = [_study_run(other, format, ()) for other, format in rows]
    return (own, *(other for other in rest if other.group == own.group))


def _study_run(run: Run, format: str, again: tuple[Filed, ...]) -> StudyRun:
    # Settings that came after it was stored stand at their defaults: what it was trained with.
    config = RunConfig.model_validate(run.config).model_dump(mode="json")
    return StudyRun(
        id=run.id,
        loss=run.loss,
        loss_label=run.loss_label,
        dataset=run.dataset or "",
        format=format,
        split=run.split,
        train_size=run.train_size,
        encoder=run.encoder,
        height=run.height,
        width=run.width,
        seed=run.seed,
        batch_size=run.batch_size,
        steps=run.steps,
        part=run.evaluation_split,
        protocol=run.protocol,
        status=RunStatus(run.status),
        diverged_at=run.diverged_at,
        config=config,
        group=_group(config, run.train_size),
        rescored=again,
    )


def _group(config: dict[str, Any], train_size: int) -> str:
    """The configuration without seed and labels, an empty size resolved: equal means replicates of one cell."""
    rest = {key: value for key, value in config.items() if key not in ("seed", "labels")}
    rest["data"] = {**config["data"], "train_size": train_size}
    return json.dumps(rest, sort_keys=True)


def best_steps(session: Session, run_ids: list[int], averaging: Averaging) -> dict[int, int]:
    """Run -> the step with the lowest validation RMSE; runs that were never scored on validation are absent."""
    return best_validation_steps(session, select(Run.id).where(Run.id.in_(run_ids)), averaging)


def predicted_steps(session: Session, run_ids: list[int]) -> dict[int, list[int]]:
    """run -> the steps at which depth maps were kept, ascending."""
    rows = session.execute(
        select(Prediction.run_id, Prediction.step)
        .where(Prediction.run_id.in_(run_ids), Prediction.superseded.is_(False))
        .distinct()
        .order_by(Prediction.step)
    )
    steps: dict[int, list[int]] = {}
    for run_id, step in rows:
        steps.setdefault(run_id, []).append(step)
    return steps


def predicted_depths(session: Session, chosen: dict[int, int]) -> list[PredictedDepth]:
    """The depth maps of each run at the step chosen for it (run -> step)."""
    rows = session.execute(
        select(
            Prediction.id,
            Prediction.run_id,
            Prediction.step,
            Prediction.frame_id,
            Prediction.nonfinite,
            Prediction.height,
            Prediction.width,
            Prediction.depth,
        )
        .where(
            Prediction.run_id.in_(chosen), Prediction.step.in_(set(chosen.values())), Prediction.superseded.is_(False)
        )
        .order_by(Prediction.frame_id, Prediction.run_id)
    )
    return [
        PredictedDepth(*row[:5], unpack_depth(row.depth, row.height, row.width))
        for row in rows
        if chosen[row.run_id] == row.step
    ]


def sample_frames(session: Session, frame_ids: set[int]) -> list[SampleDepth]:
    """The frames with their pictures, by their place in the part."""
    rows = session.execute(
        select(Frame, Dataset.format, Dataset.report)
        .outerjoin(Dataset, Dataset.name == Frame.dataset)
        .options(undefer(Frame.rgb), undefer(Frame.depth))
        .where(Frame.id.in_(frame_ids))
        .order_by(Frame.position, Frame.id)
    )
    return [_sample(frame, format or "", report or {}) for frame, format, report in rows]


def _sample(frame: Frame, format: str, report: dict[str, Any]) -> SampleDepth:
    truth = unpack_depth(frame.depth, frame.height, frame.width)
    height, width = report.get("height"), report.get("width")
    stored = (int(height), int(width)) if height and width else None
    return SampleDepth(frame.id, frame.frame, frame.position, frame.rgb, truth, format, stored, frame.crop)


def image_metrics(session: Session, run_id: int, step: int, filed: Filed) -> dict[str, NDArray[np.float64]]:
    """Each metric of every image (images,) of one evaluation of the network; empty where that evaluation is not there."""
    row = session.scalar(
        select(Evaluation)
        .options(undefer(Evaluation.sums))
        .where(
            Evaluation.run_id == run_id,
            Evaluation.step == step,
            Evaluation.split == filed.part,
            Evaluation.protocol == filed.protocol,
            Evaluation.predictor == "network",
            Evaluation.superseded.is_(False),
        )
        .order_by(Evaluation.attempt.desc())
        .limit(1)
    )
    return {} if row is None else per_image(unpack_sums(row))


@dataclass(frozen=True, slots=True)
class Shown:
    """A depth map that a script has shown, without its values; `fingerprint` is of the frame's content."""

    id: int
    run_id: int
    step: int
    frame_id: int
    name: str
    fingerprint: str
    position: int


@dataclass(frozen=True, slots=True)
class ScriptRun:
    id: int
    name: str
    loss: str
    batch_size: int
    train_size: int

    def epoch(self, step: int) -> float:
        """0 where the script has not said its sizes."""
        return step * self.batch_size / self.train_size if self.train_size else 0.0


def shown_by_scripts(session: Session, experiment_id: int) -> list[Shown]:
    """The depth maps of the experiment's scripts by step; of one that was shown again the newest attempt's."""
    rows = session.execute(
        select(
            Prediction.id,
            Prediction.run_id,
            Prediction.step,
            Prediction.frame_id,
            Frame.frame.label("name"),
            Frame.fingerprint,
            Frame.position,
        )
        .join(Frame, Frame.id == Prediction.frame_id)
        .where(
            Prediction.run_id.in_(linked(experiment_id)), Frame.run_id.is_not(None), Prediction.superseded.is_(False)
        )
        .order_by(Prediction.step, Prediction.attempt)
    )
    return [Shown(**row._asdict()) for row in rows]


def script_runs(session: Session, ids: set[int]) -> list[ScriptRun]:
    query = select(Run.id, Run.name, Run.loss, Run.batch_size, Run.train_size).where(Run.id.in_(ids)).order_by(Run.id)
    return [ScriptRun(row.id, row.name or f"run {row.id}", *row[2:]) for row in session.execute(query)]


def depths_of(session: Session, frames: dict[int, int]) -> dict[int, PredictedDepth]:
    """Prediction id -> its map; `frames` says which frame each is taken to be of."""
    query = select(Prediction).where(Prediction.id.in_(frames)).options(undefer(Prediction.depth))
    return {
        row.id: PredictedDepth(
            row.id, row.run_id, row.step, frames[row.id], row.nonfinite, unpack_depth(row.depth, row.height, row.width)
        )
        for row in session.scalars(query)
    }
