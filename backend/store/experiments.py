"""Experiments: how each stands, in a fixed number of queries, and what a person may do to one. Lists: backend.store.finding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Float, case, cast, delete, extract, func, select
from sqlalchemy.orm import Session

from backend.store import holding, runs
from backend.store.session import clock
from backend.store.standing import announce
from backend.store.submission import requeue
from backend.store.tables import TRAINED, Attempt, Experiment, ExperimentRun, ExperimentTag, Run
from depthboard.errors import Conflict, NotFound
from depthboard.status import RunStatus


@dataclass
class Standing:
    """How an experiment stands, summed over its runs."""

    counts: dict[str, int] = field(default_factory=dict)
    images: int = 0
    seen: int = 0
    left: int = 0
    images_per_second: float = 0.0
    held: int = 0
    stalled: int = 0
    hours: float = 0.0
    datasets: list[str] = field(default_factory=list)
    best: dict[str, Any] | None = None

    @property
    def progress(self) -> float:
        return self.seen / self.images if self.images else 0.0

    @property
    def eta_seconds(self) -> float | None:
        """What is left at the speed of the runs that train now; None while none does."""
        if not self.left:
            return 0.0
        return self.left / self.images_per_second if self.images_per_second > 0 else None


def get(session: Session, experiment_id: int) -> Experiment:
    """Raises NotFound."""
    experiment = session.get(Experiment, experiment_id)
    if experiment is None:
        raise NotFound(f"there is no experiment {experiment_id}.", field="id")
    return experiment


def versions(session: Session, experiment_id: int) -> tuple[int, int]:
    """The number of its last event, and of the last that changed a figure or a table. Raises NotFound."""
    query = select(Experiment.version, Experiment.results_version).where(Experiment.id == experiment_id)
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound(f"there is no experiment {experiment_id}.", field="id")
    return row.version, row.results_version


def standings(session: Session, ids: Sequence[int]) -> dict[int, Standing]:
    """Experiment -> how it stands; four queries however many experiments and runs there are."""
    found = {id: Standing(counts=dict.fromkeys(RunStatus, 0)) for id in ids}
    _count(session, found)
    _sum_hours(session, found)
    for experiment_id, dataset in session.execute(
        select(ExperimentRun.experiment_id, Run.dataset)
        .join(Run, Run.id == ExperimentRun.run_id)
        .where(ExperimentRun.experiment_id.in_(found), Run.dataset.is_not(None))
        .distinct()
        .order_by(Run.dataset)
    ):
        found[experiment_id].datasets.append(dataset or "")
    _find_best(session, found)
    return found


def _count(session: Session, found: dict[int, Standing]) -> None:
    shown = case((Run.status == RunStatus.finished, Run.images), else_=Run.step * Run.batch_size)
    # A script may not have said how long it is: what it has shown is then all there is to show.
    images = case((Run.images < shown, shown), else_=Run.images)
    moves = (Run.status == RunStatus.running) & Run.stalled.is_(False)
    speed = case((moves, Run.images_per_second), else_=None)
    query = (
        select(
            ExperimentRun.experiment_id,
            Run.status,
            func.count(),
            func.sum(images),
            func.sum(shown),
            func.sum(speed),
            func.sum(case((Run.held, 1), else_=0)),
            func.sum(case((Run.stalled, 1), else_=0)),
        )
        .join(Run, Run.id == ExperimentRun.run_id)
        .where(ExperimentRun.experiment_id.in_(found))
        .group_by(ExperimentRun.experiment_id, Run.status)
    )
    for experiment_id, status, count, to_show, seen, images_per_second, held, stalled in session.execute(query):
        standing = found[experiment_id]
        standing.counts[status] = count
        standing.images += int(to_show)
        standing.seen += int(seen)
        if status in (RunStatus.queued, RunStatus.running):
            standing.left += int(to_show) - int(seen)
        standing.images_per_second += float(images_per_second or 0)
        standing.held += int(held)
        standing.stalled += int(stalled)


def _sum_hours(session: Session, found: dict[int, Standing]) -> None:
    """From claim to end of every attempt, also of those that were lost: what the experiment has cost."""
    ended = func.coalesce(Attempt.ended_at, clock(session))
    seconds = cast(extract("epoch", ended), Float) - cast(extract("epoch", Attempt.started_at), Float)
    query = (
        select(ExperimentRun.experiment_id, func.sum(seconds))
        .join(Attempt, Attempt.run_id == ExperimentRun.run_id)
        .where(ExperimentRun.experiment_id.in_(found))
        .group_by(ExperimentRun.experiment_id)
    )
    for experiment_id, total in session.execute(query):
        found[experiment_id].hours = max(0.0, float(total or 0)) / 3600


def _find_best(session: Session, found: dict[int, Standing]) -> None:
    """The lowest test RMSE of the finished runs that did not diverge; none where they were scored on different images, which no rank compares."""
    test = (Run.dataset, Run.data_fingerprint, Run.split, Run.protocol)
    rank = func.row_number().over(partition_by=ExperimentRun.experiment_id, order_by=(Run.rmse, Run.id)).label("rank")
    from_first = func.dense_rank().over(partition_by=ExperimentRun.experiment_id, order_by=test).label("tests")
    ranked = (
        select(
            ExperimentRun.experiment_id,
            Run.id,
            Run.loss_label,
            Run.train_size,
            Run.encoder,
            Run.seed,
            Run.rmse,
            rank,
            from_first,
        )
        .join(Run, Run.id == ExperimentRun.run_id)
        .where(
            ExperimentRun.experiment_id.in_(found),
            Run.status == RunStatus.finished,
            Run.evaluation_split == "test",
            Run.rmse.is_not(None),
            Run.diverged_at.is_(None),
        )
        .subquery()
    )
    several = select(ranked.c.experiment_id).where(ranked.c.tests > 1)
    for row in session.execute(select(ranked).where(ranked.c.rank == 1, ranked.c.experiment_id.not_in(several))):
        cell = {"loss": row.loss_label, "train_size": row.train_size, "encoder": row.encoder, "seed": row.seed}
        found[row.experiment_id].best = {"metric": "rmse", "value": row.rmse, "run_id": row.id, **cell}


def protocols(session: Session, experiment_id: int) -> list[str]:
    """Split and protocol names in use: `test none-0.001-10m-64x96-v2`."""
    rows = session.execute(
        select(Run.evaluation_split, Run.protocol)
        .join(ExperimentRun, ExperimentRun.run_id == Run.id)
        .where(ExperimentRun.experiment_id == experiment_id, Run.kind == TRAINED)
        .distinct()
        .order_by(Run.evaluation_split, Run.protocol)
    )
    return [f"{split} {protocol}" for split, protocol in rows]


def change(
    session: Session,
    experiment_id: int,
    *,
    name: str | None = None,
    description: str | None = None,
    tags: list[str] | None = None,
    archived: bool | None = None,
    pinned: bool | None = None,
) -> Experiment:
    """Set what is given. Raises NotFound."""
    experiment = get(session, experiment_id)
    if archived is not None and archived != (experiment.archived_at is not None):
        experiment.archived_at = clock(session) if archived else None
    if pinned is not None:
        experiment.pinned = pinned
    if name is not None:
        experiment.name = name
    if description is not None:
        experiment.description = description
    if tags is not None:
        session.execute(delete(ExperimentTag).where(ExperimentTag.experiment_id == experiment_id))
        session.expire(experiment, ["tags"])
        session.add_all(ExperimentTag(experiment_id=experiment_id, position=i, tag=tag) for i, tag in enumerate(tags))
    experiment.updated_at = clock(session)
    session.flush()
    session.expire(experiment, ["tags"])
    runs.note_change(session, [experiment_id], "changed", results=name is not None)  # figures and tables say the name
    return experiment


def pause(session: Session, experiment_id: int, paused: bool) -> list[int]:
    """Hold its queued runs back and have the running ones given back, unless another experiment asks for them; or take
    that back. Returns its runs that workers can get. Raises NotFound, Conflict for one in the trash.
    """
    experiment, linked = holding.lock(session, experiment_id)
    check_kept(experiment)
    experiment.paused = paused
    for run in holding.settle(session, linked):
        announce(session, run)
    runs.note_change(session, [experiment_id], "paused" if paused else "resumed")
    return [run.id for run in linked if run.status == RunStatus.queued and not run.held]


def check_kept(experiment: Experiment) -> None:
    """Raises Conflict for an experiment in the trash."""
    if experiment.deleted_at is not None:
        raise Conflict(f"experiment {experiment.id} is in the trash.", field="id", remedy="Restore it first.")


def cancel(session: Session, experiment_id: int) -> Experiment:
    """Cancel its queued runs and ask its running ones to stop, also those that another experiment links. Raises
    NotFound.
    """
    experiment = get(session, experiment_id)
    for run in _runs(session, experiment_id, (RunStatus.queued, RunStatus.running)):
        runs.stop(session, run)
    return experiment


def retry(session: Session, experiment_id: int, statuses: Sequence[RunStatus]) -> list[int]:
    """Queue its runs of these statuses (failed, cancelled) again; returns them. Raises NotFound, Conflict for one in the
    trash.
    """
    check_kept(get(session, experiment_id))
    return [run.id for run in requeue(session, _runs(session, experiment_id, statuses))]


def _runs(session: Session, experiment_id: int, statuses: Sequence[RunStatus]) -> list[Run]:
    query = (
        select(Run)
        .join(ExperimentRun, ExperimentRun.run_id == Run.id)
        .where(ExperimentRun.experiment_id == experiment_id, Run.status.in_(statuses))
        .order_by(Run.id)
    )
    return list(session.scalars(query.with_for_update(of=Run)))
