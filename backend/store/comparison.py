"""What the comparison of any runs reads: the runs, their evaluations by step, the newest of what they logged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from backend.store.evaluations import AT_END, Filed, of_network
from backend.store.fields import MOST_NAMES
from backend.store.study import image_metrics
from backend.store.tables import SCRIPT, Evaluation, Experiment, ExperimentRun, Frame, Metric, Prediction, Run
from depthboard.errors import NotFound
from depthboard.metrics import Averaging


@dataclass(frozen=True, slots=True)
class Compared:
    """What a comparison says of a run: columns of the run by their names."""

    id: int
    kind: str
    name: str | None
    loss: str
    loss_label: str
    dataset: str | None
    split: str
    train_size: int
    encoder: str
    seed: int
    batch_size: int
    evaluation_split: str
    protocol: str
    data_fingerprint: str
    training_version: str
    config: dict[str, Any]
    provenance: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Scored:
    """One evaluation of every image (images,), by metric."""

    step: int
    images: dict[str, NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame of which a depth map is kept."""

    id: int
    name: str


def runs(session: Session, ids: Sequence[int]) -> list[Compared]:
    """In this order. Raises NotFound."""
    columns = [getattr(Run, field.name) for field in fields(Compared)]
    found = {row.id: Compared(**row._asdict()) for row in session.execute(select(*columns).where(Run.id.in_(ids)))}
    for run_id in ids:
        if run_id not in found:
            raise NotFound(f"there is no run {run_id}.", field="runs", remedy="Take it out of the list of runs.")
    return [found[run_id] for run_id in ids]


def version(session: Session, ids: Sequence[int]) -> tuple[tuple[int, int], ...]:
    """What a comparison depends on: the versions of the experiments that link these runs."""
    query = (
        select(Experiment.id, Experiment.version)
        .join(ExperimentRun, ExperimentRun.experiment_id == Experiment.id)
        .where(ExperimentRun.run_id.in_(ids))
        .distinct()
        .order_by(Experiment.id)
    )
    return tuple((row[0], row[1]) for row in session.execute(query))


def keys(session: Session, ids: Sequence[int]) -> list[str]:
    """The keys that these runs logged, those of most runs first. Of a training the names without a slash are metrics."""
    query = (
        select(Metric.name)
        .join(Run, Run.id == Metric.run_id)
        .where(Metric.run_id.in_(ids), or_(Run.kind == SCRIPT, Metric.name.contains("/")))
        .group_by(Metric.name)
        .order_by(func.count().desc(), Metric.name)
        .limit(MOST_NAMES)
    )
    return list(session.scalars(query))


def newest(session: Session, ids: Sequence[int], key: str) -> dict[int, float]:
    """Run -> the newest value that it logged under the key, where that is finite."""
    query = select(Metric.run_id, Metric.number).where(Metric.run_id.in_(ids), Metric.name == key)
    return {run_id: number for run_id, number in session.execute(query) if number is not None}


def evaluated(
    session: Session, ids: Sequence[int], metric: str, averaging: Averaging
) -> dict[int, list[tuple[int, float]]]:
    """Run -> (step, value) of its evaluations on its own part and protocol, by step; NaN where it is not finite."""
    column = Evaluation.per_image if averaging == "per_image" else Evaluation.pooled
    own = of_network(select(Run.id).where(Run.id.in_(ids))).where(AT_END)
    rows = session.execute(own.add_columns(column[metric].as_float()).order_by(Evaluation.run_id, Evaluation.step))
    found: dict[int, list[tuple[int, float]]] = {}
    for run_id, step, value in rows:
        found.setdefault(run_id, []).append((step, float("nan") if value is None else value))
    return found


def last_scored(session: Session, run: Compared) -> Scored | None:
    """The run's last evaluation, image by image, from its sums; None where it was never evaluated."""
    own = of_network(select(Run.id).where(Run.id == run.id)).where(AT_END)
    row = session.execute(own.order_by(Evaluation.step.desc()).limit(1)).first()
    if row is None:
        return None
    found = image_metrics(session, run.id, row[1], Filed(run.evaluation_split, run.protocol))
    return Scored(row[1], found) if found else None


def shown_frames(session: Session, run_id: int) -> dict[int, Shown]:
    """Place of an image in its part -> the frame, where a depth map of this run is kept."""
    query = (
        select(Frame.position, Frame.id, Frame.frame)
        .join(Prediction, Prediction.frame_id == Frame.id)
        .where(Prediction.run_id == run_id, Prediction.superseded.is_(False))
        .distinct()
    )
    return {position: Shown(id, name) for position, id, name in session.execute(query)}


def common_experiment(session: Session, ids: Iterable[int]) -> int | None:
    """The newest experiment out of the trash that links all of these runs."""
    wanted = set(ids)
    query = (
        select(ExperimentRun.experiment_id)
        .join(Experiment, Experiment.id == ExperimentRun.experiment_id)
        .where(ExperimentRun.run_id.in_(wanted), Experiment.deleted_at.is_(None))
        .group_by(ExperimentRun.experiment_id)
        .having(func.count() == len(wanted))
        .order_by(ExperimentRun.experiment_id.desc())
        .limit(1)
    )
    return session.scalar(query)
