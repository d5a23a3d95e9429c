"""The trash: what deleting an experiment takes along, and when. The files go in backend.purging, after the commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, exists, func, insert, select, update
from sqlalchemy.orm import Session, aliased

from backend.store import holding, outbox
from backend.store.session import clock
from backend.store.standing import announce
from backend.store.tables import Checkpoint, Dataset, Doomed, Experiment, ExperimentRun, Frame, Prediction, Run
from depthboard.errors import NotFound
from depthboard.status import RunStatus

CHUNK = 500


@dataclass(frozen=True)
class Trashed:
    """What became of an experiment: since when it is in the trash, and its own runs that wait or are being stopped."""

    deleted_at: datetime
    held: int
    stopping: int


def put(session: Session, experiment_id: int, keep: timedelta, *, now: bool = False) -> Trashed:
    """Move the experiment to the trash: runs that no other one asks for wait there, running ones are given back.

    `now`: as if its time in the trash were over already. Raises NotFound.
    """
    experiment, runs = holding.lock(session, experiment_id)
    if experiment.deleted_at is None:
        experiment.deleted_at = clock(session)
    if now:
        experiment.deleted_at = min(experiment.deleted_at, clock(session) - keep)
    for run in holding.settle(session, runs):
        announce(session, run)
    outbox.add(session, "experiment", experiment_ids=[experiment_id], change="trashed")
    return Trashed(experiment.deleted_at, sum(r.held for r in runs), sum(r.pause_requested for r in runs))


def restore(session: Session, experiment_id: int) -> list[int]:
    """Take the experiment out of the trash; returns its queued runs. Raises NotFound."""
    experiment, runs = holding.lock(session, experiment_id)
    experiment.deleted_at = None
    for run in holding.settle(session, runs):
        announce(session, run)
    outbox.add(session, "experiment", experiment_ids=[experiment_id], change="restored")
    return [run.id for run in runs if run.status == RunStatus.queued and not run.held]


def expire(session: Session, keep: timedelta) -> None:
    """Let the time of everything in the trash be over."""
    over = clock(session) - keep
    session.execute(update(Experiment).where(Experiment.deleted_at > over).values(deleted_at=over))


def due(session: Session, keep: timedelta) -> list[int]:
    """Experiments whose time in the trash is over and whose own runs have stopped."""
    link, beside = aliased(ExperimentRun), aliased(ExperimentRun)
    others = exists().where(beside.run_id == link.run_id, beside.experiment_id != link.experiment_id)
    training = exists().where(
        link.experiment_id == Experiment.id, link.run_id == Run.id, Run.status == RunStatus.running, ~others
    )
    query = select(Experiment.id).where(Experiment.deleted_at <= clock(session) - keep, ~training)
    return list(session.scalars(query.order_by(Experiment.id)))


def purge(session: Session, experiment_id: int, keep: timedelta | None = None) -> list[int]:
    """Remove the experiment, the runs that no other one links, and what only these needed; returns those runs.

    Their checkpoints become doomed files. A run that trains all the same is removed too: its worker's next write is
    refused as stale, and it stops. Raises NotFound; with `keep` also for one that has not been in the
    trash so long, since a person may have restored it.
    """
    linked = select(ExperimentRun.run_id).where(ExperimentRun.experiment_id == experiment_id)
    # Locked in the order of ids, so that a worker's write and a submission's link either come before the deletion or find
    # no run; whether another experiment links it is asked after that, when no new link can come.
    session.scalars(select(Run.id).where(Run.id.in_(linked)).order_by(Run.id).with_for_update()).all()
    found = session.get(Experiment, experiment_id, with_for_update=True, populate_existing=True)
    if found is None or (keep is not None and not _over(session, found, keep)):
        raise NotFound(f"there is no experiment {experiment_id}.", field="id")
    other = exists().where(ExperimentRun.run_id == Run.id, ExperimentRun.experiment_id != experiment_id)
    own = session.scalars(select(Run.id).where(Run.id.in_(linked), ~other).order_by(Run.id)).all()
    _doom(session, own)
    datasets = session.scalars(select(Run.dataset).where(Run.id.in_(linked), Run.dataset.is_not(None)).distinct()).all()
    session.execute(delete(Experiment).where(Experiment.id == experiment_id))
    for start in range(0, len(own), CHUNK):
        session.execute(delete(Run).where(Run.id.in_(own[start : start + CHUNK])))
    _drop_frames(session, [name for name in datasets if name is not None])
    outbox.add(session, "experiment", experiment_ids=[experiment_id], change="deleted")
    return list(own)


def _over(session: Session, experiment: Experiment, keep: timedelta) -> bool:
    return experiment.deleted_at is not None and experiment.deleted_at <= clock(session) - keep


def _doom(session: Session, run_ids: Sequence[int]) -> None:
    """Note the checkpoints of these runs as files to delete, each path once and none that another run names."""
    files: dict[tuple[str, str], int] = {}
    for start in range(0, len(run_ids), CHUNK):
        some = Checkpoint.run_id.in_(run_ids[start : start + CHUNK])
        rows = session.execute(select(Checkpoint.path, Checkpoint.host, Checkpoint.bytes).where(some))
        files |= {(path, host): size for path, host, size in rows}
    gone = set(run_ids)
    paths = sorted({path for path, _ in files})
    shared: set[str] = set()
    for start in range(0, len(paths), CHUNK):
        named = Checkpoint.path.in_(paths[start : start + CHUNK])
        rows_of = session.execute(select(Checkpoint.path, Checkpoint.run_id).where(named))
        shared |= {path for path, run_id in rows_of if run_id not in gone}
    now = clock(session)
    doomed = [
        {"path": path, "host": host, "bytes": size, "created_at": now}
        for (path, host), size in files.items()
        if path not in shared
    ]
    if doomed:
        session.execute(insert(Doomed), doomed)


def _drop_frames(session: Session, datasets: Sequence[str]) -> None:
    """Remove sample frames that no depth map shows and no run can ask for any more.

    The dataset's row is locked, so that no new run can come that is told the frames are there.
    """
    locked = select(Dataset.name).where(Dataset.name.in_(datasets)).order_by(Dataset.name).with_for_update()
    session.scalars(locked).all()
    shown = exists().where(Prediction.frame_id == Frame.id)
    wanted = exists().where(
        Run.dataset == Frame.dataset,
        Run.data_fingerprint == Frame.fingerprint,
        Run.split == Frame.split,
        Run.height == Frame.height,
        Run.width == Frame.width,
    )
    session.execute(delete(Frame).where(Frame.dataset.in_(datasets), ~shown, ~wanted))


def waiting(session: Session) -> dict[str, int]:
    """Host -> bytes of doomed files that wait for a worker there; empty: in a store that all workers reach."""
    rows = session.execute(select(Doomed.host, func.sum(Doomed.bytes)).group_by(Doomed.host).order_by(Doomed.host))
    return {host: int(size) for host, size in rows}


def size(session: Session) -> int:
    """Experiments in the trash."""
    return session.scalar(select(func.count()).select_from(Experiment).where(Experiment.deleted_at.is_not(None))) or 0
