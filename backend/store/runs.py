"""Runs as lists and pages show them, and what a person may do to one: cancel, retry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from backend.store import outbox
from backend.store.evaluations import Metrics, Value, selected
from backend.store.lease import move
from backend.store.session import clock
from backend.store.standing import announce
from backend.store.submission import requeue
from backend.store.tables import SCRIPT, Attempt, Experiment, ExperimentRun, Log, Run
from depthboard.errors import Conflict, NotFound, UnknownName
from depthboard.metrics import METRICS, Averaging
from depthboard.status import RunStatus

SORTS: dict[str, Any] = {
    "position": ExperimentRun.position,
    "id": Run.id,
    "status": Run.status,
    "loss": Run.loss_label,
    "dataset": Run.dataset,
    "train_size": Run.train_size,
    "encoder": Run.encoder,
    "seed": Run.seed,
    "step": Run.step,
    "created_at": Run.created_at,
    "started_at": Run.started_at,
    "finished_at": Run.finished_at,
    "images_per_second": Run.images_per_second,
    "rmse": Run.rmse,
}


@dataclass(frozen=True)
class RunPage:
    """Some of `total` runs in order, with their values by the selector and their levels in the experiment asked about."""

    runs: list[Run]
    total: int
    metrics: dict[int, Metrics] = field(default_factory=dict)
    levels: dict[int, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """Which page of a list, which status, in which order (`-rmse` is descending), and the selector of the values."""

    page: int = 1
    size: int = 50
    status: RunStatus | None = None
    sort: str = "position"
    value: Value = "last3"
    averaging: Averaging = "per_image"

    @property
    def default_value(self) -> bool:
        return (self.value, self.averaging) == ("last3", "per_image")


def get(session: Session, run_id: int) -> Run:
    """Raises NotFound."""
    run = session.get(Run, run_id)
    if run is None:
        raise NotFound(f"there is no run {run_id}.", field="id")
    return run


def every(session: Session, wanted: Wanted) -> RunPage:
    """Runs of all experiments, the newest first."""
    query = select(Run.id).order_by(Run.id.desc())
    query = _with_status(query, wanted.status)
    ids, total = _page(session, query, wanted)
    return RunPage(some(session, ids), total, _values(session, _among(ids), wanted))


def of_experiment(session: Session, experiment_id: int, wanted: Wanted) -> RunPage:
    """The runs of one experiment. Raises NotFound, and UnknownName for an order that does not exist."""
    if session.get(Experiment, experiment_id) is None:
        raise NotFound(f"there is no experiment {experiment_id}.", field="id")
    query = _with_status(_linked(experiment_id), wanted.status)
    name, descending = wanted.sort.removeprefix("-"), wanted.sort.startswith("-")
    by_column = name in SORTS and not (name == "rmse" and not wanted.default_value)
    if by_column:
        ids, total = _page(session, query.order_by(*_order(SORTS[name], descending)), wanted)
    elif name in METRICS:
        ids, total = _page_by_metric(session, query, wanted, name, descending)
    else:
        known = ", ".join(sorted({*SORTS, *METRICS}))
        raise UnknownName(f"runs cannot be sorted by {name!r}.", field="sort", remedy=f"Sort by one of: {known}.")
    levels = _levels(session, experiment_id, ids)
    return RunPage(some(session, ids), total, _values(session, _among(ids), wanted), levels)


def _linked(experiment_id: int) -> Select[int]:
    return (
        select(Run.id)
        .join(ExperimentRun, ExperimentRun.run_id == Run.id)
        .where(ExperimentRun.experiment_id == experiment_id)
    )


def _with_status(query: Select[int], status: RunStatus | None) -> Select[int]:
    return query if status is None else query.where(Run.status == status)


def _order(column: Any, descending: bool) -> tuple[ColumnElement[Any], ...]:
    return ((column.desc() if descending else column.asc()).nulls_last(), Run.id.asc())


def _page(session: Session, query: Select[int], wanted: Wanted) -> tuple[list[int], int]:
    total = session.scalar(select(func.count()).select_from(query.order_by(None).subquery())) or 0
    ids = session.scalars(query.limit(wanted.size).offset((wanted.page - 1) * wanted.size)).all()
    return list(ids), total


def _page_by_metric(
    session: Session, query: Select[int], wanted: Wanted, name: str, descending: bool
) -> tuple[list[int], int]:
    ids = list(session.scalars(query.order_by(Run.id)))
    values = _values(session, query, wanted)
    known = [(v, i) for i in ids if (v := values.get(i, {}).get(name)) is not None]
    known.sort(key=lambda pair: (-pair[0] if descending else pair[0], pair[1]))
    ranked = [i for _, i in known]
    valued = set(ranked)
    ranked += [i for i in ids if i not in valued]
    start = (wanted.page - 1) * wanted.size
    return ranked[start : start + wanted.size], len(ids)


def some(session: Session, ids: Sequence[int]) -> list[Run]:
    """These runs, in this order."""
    found = {run.id: run for run in session.scalars(select(Run).where(Run.id.in_(ids)))}
    return [found[i] for i in ids]


def _values(session: Session, which: Select[int], wanted: Wanted) -> dict[int, Metrics]:
    if not wanted.default_value:
        return selected(session, which, wanted.value, wanted.averaging)
    rows = session.execute(select(Run.id, Run.metrics).where(Run.id.in_(which), Run.metrics.is_not(None)))
    return {run_id: metrics or {} for run_id, metrics in rows}


def _among(ids: Sequence[int]) -> Select[int]:
    return select(Run.id).where(Run.id.in_(ids))


def _levels(session: Session, experiment_id: int, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    rows = session.execute(
        select(ExperimentRun.run_id, ExperimentRun.levels).where(
            ExperimentRun.experiment_id == experiment_id, ExperimentRun.run_id.in_(ids)
        )
    )
    return {row[0]: row[1] for row in rows}


def owned_by(session: Session, workers: Sequence[str]) -> dict[str, list[Run]]:
    """Worker id -> the runs that it trains now."""
    found: dict[str, list[Run]] = {}
    query = select(Run).where(Run.status == RunStatus.running, Run.owner.in_(workers)).order_by(Run.id)
    for run in session.scalars(query):
        found.setdefault(run.owner or "", []).append(run)
    return found


def attempts(session: Session, run_id: int) -> list[Attempt]:
    return list(session.scalars(select(Attempt).where(Attempt.run_id == run_id).order_by(Attempt.attempt)))


def experiments_of(session: Session, run_id: int) -> list[dict[str, Any]]:
    """[{id, name}] of the experiments that link the run."""
    rows = session.execute(
        select(Experiment.id, Experiment.name)
        .join(ExperimentRun, ExperimentRun.experiment_id == Experiment.id)
        .where(ExperimentRun.run_id == run_id)
        .order_by(Experiment.id)
    )
    return [{"id": id, "name": name} for id, name in rows]


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
        run.reason, run.finished_at = "cancelled by a person", clock(session)
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
    if not requeue(session, run):
        raise Conflict(
            f"run {run_id} is {run.status}.", field="status", remedy="Only failed and cancelled runs can be retried."
        )
    return run


def note_change(session: Session, experiment_ids: list[int], change: str) -> None:
    """Tell the live stream that experiments were created, changed or deleted."""
    outbox.add(session, "experiment", experiment_ids=experiment_ids, change=change)
