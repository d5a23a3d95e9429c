"""One run as its page shows it, and what a person may do to it: cancel, retry. Lists: backend.store.listing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.store import holding, outbox
from backend.store.lease import LOST, move, newest_checkpoints
from backend.store.session import clock
from backend.store.standing import announce
from backend.store.submission import requeue
from backend.store.tables import SCRIPT, Attempt, Chunk, Curve, Experiment, ExperimentRun, Log, Run
from depthboard.errors import Conflict, NotFound
from depthboard.status import RunStatus


def get(session: Session, run_id: int) -> Run:
    """Raises NotFound."""
    run = session.get(Run, run_id)
    if run is None:
        raise NotFound(f"there is no run {run_id}.", field="id")
    return run


def owned_by(session: Session, workers: Sequence[str]) -> dict[str, list[Run]]:
    """Worker id -> the runs that it trains now."""
    found: dict[str, list[Run]] = {}
    query = select(Run).where(Run.status == RunStatus.running, Run.owner.in_(workers)).order_by(Run.id)
    for run in session.scalars(query):
        found.setdefault(run.owner or "", []).append(run)
    return found


def lost_by(session: Session, workers: Sequence[str], most: int = 4) -> dict[str, list[tuple[Run, int | None]]]:
    """Worker id -> the runs whose last attempt it lost, the latest first, each with the step of its newest checkpoint."""
    latest = func.row_number().over(partition_by=Attempt.owner, order_by=(Attempt.ended_at.desc(), Run.id))
    ranked = (
        select(Run.id, Attempt.owner, latest.label("rank"))
        .join(Attempt, (Attempt.run_id == Run.id) & (Attempt.attempt == Run.attempt))
        .where(Attempt.owner.in_(workers), Attempt.outcome == LOST)
        .subquery()
    )
    query = select(ranked.c.owner, Run).join(ranked, ranked.c.id == Run.id).where(ranked.c.rank <= most)
    rows = session.execute(query.order_by(ranked.c.rank).options(*holding.LIGHT)).all()
    resumes = newest_checkpoints(session, [run.id for _, run in rows])
    found: dict[str, list[tuple[Run, int | None]]] = {}
    for worker, run in rows:
        found.setdefault(worker, []).append((run, resumes.get(run.id)))
    return found


def attempts(session: Session, run_id: int) -> list[Attempt]:
    return list(session.scalars(select(Attempt).where(Attempt.run_id == run_id).order_by(Attempt.attempt)))


def last_steps(session: Session, run_id: int) -> dict[int, int]:
    """Attempt -> the last step that it logged, whether it counts or not."""
    found: dict[int, int] = {}
    for table in (Curve, Chunk):
        query = select(table.attempt, func.max(table.last_step)).where(table.run_id == run_id).group_by(table.attempt)
        for attempt, step in session.execute(query):
            found[attempt] = max(step, found.get(attempt, step))
    return found


def experiments_of(session: Session, run_id: int) -> list[dict[str, Any]]:
    """[{id, name, paused, trashed}] of the experiments that link the run, those in the trash last."""
    in_trash = Experiment.deleted_at.is_not(None)
    rows = session.execute(
        select(Experiment.id, Experiment.name, Experiment.paused, in_trash)
        .join(ExperimentRun, ExperimentRun.experiment_id == Experiment.id)
        .where(ExperimentRun.run_id == run_id)
        .order_by(in_trash, Experiment.id)
    )
    return [{"id": id, "name": name, "paused": paused, "trashed": bool(trashed)} for id, name, paused, trashed in rows]


def log_text(session: Session, run_id: int) -> tuple[str, bool]:
    """The log of all attempts, each under a heading, and whether the beginning of one was let go."""
    rows = session.execute(
        select(Log.attempt, Log.start, Log.text).where(Log.run_id == run_id).order_by(Log.attempt, Log.start)
    ).all()
    lines: list[str] = []
    attempt, truncated = 0, False
    for number, start, text in rows:
        if number != attempt:
            attempt = number
            truncated |= start > 0
            lines.append(f"--- attempt {number} ---\n" if not lines else f"\n--- attempt {number} ---\n")
        lines.append(text)
    return "".join(lines), truncated


def cancel(session: Session, run_id: int) -> Run:
    """A queued run is cancelled at once, a running one is asked to stop. Raises NotFound, Conflict for one that has
    ended.
    """
    run = session.get(Run, run_id, with_for_update=True)
    if run is None:
        raise NotFound(f"there is no run {run_id}.", field="id")
    if RunStatus(run.status).final:
        raise Conflict(
            f"run {run_id} is {run.status} already.",
            field="status",
            remedy="Only queued and running runs can be cancelled.",
        )
    stop(session, run)
    return run


def stop(session: Session, run: Run) -> None:
    """Cancel a queued run, ask a running one to stop, leave the others."""
    if run.status == RunStatus.queued:
        move(run, RunStatus.cancelled)
        run.reason, run.finished_at, run.held = "cancelled by a person", clock(session), False
        announce(session, run)
    elif run.status == RunStatus.running and not run.cancel_requested:
        run.cancel_requested = True
        announce(session, run)


def retry(session: Session, run_id: int) -> Run:
    """Queue a failed or cancelled run again. Raises NotFound, Conflict for any other."""
    run = session.get(Run, run_id, with_for_update=True)
    if run is None:
        raise NotFound(f"there is no run {run_id}.", field="id")
    if run.kind == SCRIPT:
        raise Conflict(
            f"run {run_id} is of a person's own script, which no worker can start.",
            field="kind",
            remedy="Start the script again, with resume= where it shall go on with this run.",
        )
    if not requeue(session, [run]):
        raise Conflict(
            f"run {run_id} is {run.status}.", field="status", remedy="Only failed and cancelled runs can be retried."
        )
    return run


def note_change(session: Session, experiment_ids: list[int], change: str, *, results: bool = True) -> None:
    """Tell the live stream that experiments were created, changed or deleted. `results` false: no figure or table
    changes by it.
    """
    outbox.add(session, "experiment", experiment_ids=experiment_ids, change=change, results=results)
