"""The queue: its order as workers will meet it, why each run waits, and what a person may change about that.

Workers take the lowest priority first, within it the lowest position. Moving changes both: positions are whole numbers,
and where two neighbours leave no room, what follows moves on together and so keeps its order.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import case, func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from backend.store import estimate, holding
from backend.store.lease import newest_checkpoints
from backend.store.session import clock, one_at_a_time
from backend.store.standing import announce
from backend.store.tables import Experiment, ExperimentRun, Run
from depthboard.errors import Conflict, InvalidInput, NotFound
from depthboard.experiment import TRAINING_VERSION
from depthboard.status import RunStatus

Waits = Literal["worker", "backoff", "held", "version"]

ROOM = 1000
"""Positions kept free where room is made, so that the next moves touch only what they move."""
NEVER = estimate.Due(None, None)
MOVES_LOCK = 0x64_62_71_75
"""Of whoever moves runs."""

IN_ORDER = (Run.priority, Run.position, Run.id)
# What no worker would get now whatever its place: it stands behind all others.
BLOCKED = case((or_(Run.held, Run.training_version != TRAINING_VERSION), 1), else_=0)


@dataclass(frozen=True)
class Waiting:
    """A queued run and what it waits for: a free worker, the end of a pause after a loss, or a person."""

    run: Run
    waits: Waits
    place: int | None
    experiments: list[dict[str, Any]]
    due: estimate.Due
    resumes_after: int | None


def page(session: Session, number: int, size: int, silence: float) -> tuple[list[Waiting], int]:
    """Queued runs in the order in which workers will get them, those that none would get last; those that are
    only in the trash are out of sight. When they start is reckoned with the workers heard of in the last `silence` seconds.
    """
    queued = (Run.status == RunStatus.queued, holding.in_sight())
    total = session.scalar(select(func.count()).select_from(Run).where(*queued)) or 0
    query = select(Run).where(*queued).order_by(BLOCKED, *IN_ORDER).options(*holding.LIGHT)
    first = (number - 1) * size
    ahead = session.scalars(query.limit(first + size)).all()  # those before decide when these start
    due = estimate.due(session, [run for run in ahead if not _blocked(run)], silence)
    runs = ahead[first:]
    now, links = clock(session), _experiments(session, [run.id for run in runs])
    resumes = newest_checkpoints(session, [run.id for run in runs if run.attempt])
    found = [
        _waiting(run, first + i + 1, now, links.get(run.id, []), due, resumes.get(run.id)) for i, run in enumerate(runs)
    ]
    return found, total


def _blocked(run: Run) -> bool:
    return run.held or run.training_version != TRAINING_VERSION


def _waiting(
    run: Run,
    place: int,
    now: datetime,
    experiments: list[dict[str, Any]],
    due: Mapping[int, estimate.Due],
    resumes: int | None,
) -> Waiting:
    if _blocked(run):
        waits: Waits = "version" if run.training_version != TRAINING_VERSION else "held"
        return Waiting(run, waits, None, experiments, NEVER, resumes)
    later = run.not_before is not None and run.not_before > now
    return Waiting(run, "backoff" if later else "worker", place, experiments, due[run.id], resumes)


def _experiments(session: Session, run_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Run -> the experiments that link it, with why one rests."""
    rows = session.execute(
        select(ExperimentRun.run_id, Experiment.id, Experiment.name, Experiment.paused, Experiment.deleted_at)
        .join(Experiment, Experiment.id == ExperimentRun.experiment_id)
        .where(ExperimentRun.run_id.in_(run_ids))
        .order_by(Experiment.id)
    )
    found: dict[int, list[dict[str, Any]]] = {}
    for run_id, id, name, paused, deleted_at in rows:
        entry = {"id": id, "name": name, "paused": paused, "trashed": deleted_at is not None}
        found.setdefault(run_id, []).append(entry)
    return found


def set_priority(session: Session, run_id: int, priority: int) -> Run:
    """Lower comes first; a running run keeps it for when it is queued again. Raises NotFound, Conflict for one that has ended."""
    run = session.get(Run, run_id, with_for_update={"key_share": True}, populate_existing=True)
    if run is None:
        raise NotFound(f"there is no run {run_id}.", field="id")
    if RunStatus(run.status).final:
        raise Conflict(f"run {run_id} is {run.status}.", field="priority", remedy="Retry it first, then give it one.")
    _prioritise(session, [run], priority)
    return run


def set_experiment_priority(session: Session, experiment_id: int, priority: int) -> int:
    """The priority of its queued and running runs, also of those that another experiment links; returns how many. Raises
    NotFound.
    """
    _, runs = holding.lock(session, experiment_id)
    open_runs = [run for run in runs if not RunStatus(run.status).final]
    _prioritise(session, open_runs, priority)
    return len(open_runs)


def _prioritise(session: Session, runs: Sequence[Run], priority: int) -> None:
    for run in runs:
        if run.priority != priority:
            run.priority = priority
            announce(session, run, results=False)


def move(session: Session, run_ids: Sequence[int], before: int | None) -> None:
    """Put these queued runs, in this order, before another one, or behind all for None; they take its priority.

    Raises NotFound, InvalidInput for runs named twice, Conflict for one that is not queued any more.
    """
    if len(set(run_ids)) < len(run_ids) or before in run_ids:
        raise InvalidInput("a run is named twice.", field="run_ids", remedy="Name each run once.")
    one_at_a_time(session, MOVES_LOCK)
    following: Sequence[int] = ()
    with contextlib.suppress(NotFound, Conflict):  # said below, after what is wrong with the runs
        following = _place(session, run_ids, before).following
    runs = holding.lock_runs(session, {*run_ids, *following})
    for run_id in run_ids:
        _check_queued(runs.get(run_id), run_id, "run_ids")
    place = _place(session, run_ids, before)
    if not runs.keys() >= set(place.following):  # to lock more now could be against the order
        raise Conflict("the queue changed at the same moment.", field="before", remedy="Try it again.")
    _shift(session, place)
    for i, run_id in enumerate(run_ids):
        runs[run_id].priority, runs[run_id].position = place.priority, place.first + i
        announce(session, runs[run_id], results=False)


def _check_queued(run: Run | None, run_id: int, field: str) -> None:
    if run is None:
        raise NotFound(f"there is no run {run_id}.", field=field)
    if run.status != RunStatus.queued:
        raise Conflict(
            f"run {run_id} does not wait any more: it is {run.status}.",
            field=field,
            remedy="Look at the queue as it is now and choose again.",
        )


@dataclass(frozen=True)
class _Place:
    """The priority, and the first of as many free positions in a row as are wanted, once those that follow moved on."""

    priority: int
    first: int
    following: Sequence[int] = ()
    shift: int = 0


def _place(session: Session, run_ids: Sequence[int], before: int | None) -> _Place:
    others = select(Run.priority, Run.position, Run.id).where(Run.status == RunStatus.queued, Run.id.not_in(run_ids))
    falling = (Run.priority.desc(), Run.position.desc(), Run.id.desc())
    if before is None:
        last = session.execute(others.order_by(*falling).limit(1)).first()
        return _Place(last.priority, last.position + 1) if last else _Place(0, 0)
    target = session.get(Run, before, populate_existing=True)
    _check_queued(target, before, "before")
    assert target is not None
    ahead = others.where(
        Run.priority == target.priority, tuple_(Run.position, Run.id) < tuple_(target.position, target.id)
    )
    previous = session.execute(ahead.order_by(*falling).limit(1)).first()
    if previous is None:
        return _Place(target.priority, target.position - len(run_ids))
    first = previous.position + 1
    if target.position - previous.position > len(run_ids):
        return _Place(target.priority, first)
    following = others.with_only_columns(Run.id).where(
        Run.priority == target.priority, tuple_(Run.position, Run.id) >= tuple_(target.position, target.id)
    )
    shift = first + len(run_ids) - 1 + ROOM - target.position
    return _Place(target.priority, first, session.scalars(following).all(), shift)


def _shift(session: Session, place: _Place) -> None:
    """Move the locked runs that follow within the priority on."""
    for start in range(0, len(place.following), holding.CHUNK):
        some = Run.id.in_(place.following[start : start + holding.CHUNK])
        session.execute(update(Run).where(some).values(position=Run.position + place.shift))
