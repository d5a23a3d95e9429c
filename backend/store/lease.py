"""A run's life: claim, renew, finish, sweep. Each function runs inside one write transaction, on the database's clock.

A claim gives a run to one worker as a new attempt with a lease and a fresh token, of which only the hash is kept. Every
later write proves that its attempt still has the run; after the lease ran out and another claim came, none can.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from backend.store import curves, evaluations, facts, holding
from backend.store.session import clock, moment
from backend.store.standing import announce
from backend.store.tables import SCRIPT, TRAINED, Attempt, Checkpoint, Evaluation, Prediction, Run, Worker
from depthboard.config import RunConfig
from depthboard.errors import InvalidInput, StaleAttempt
from depthboard.protocol import ClaimRequest, Finish, Progress
from depthboard.status import RunStatus, check_move

LOST = "lost"
LONGEST_BACKOFF, MANY_ALIKE = 300.0, 20
SCRIPT_LEASE = 600.0
"""Seconds without a word after which a person's own script counts as lost, until it is heard of again."""
CANDIDATES = 4
"""Checkpoints that an attempt is told of: it goes on from the first that is whole."""


@dataclass(frozen=True)
class Given:
    """A claimed run, the token its writes must carry, and the checkpoint it may go on from."""

    run: Run
    token: str
    resume_from: list[Checkpoint]


def claim(session: Session, request: ClaimRequest, lease_seconds: float) -> Given | None:
    """Give the best queued run of the worker's training version to it, or None. Two claims never get the same run."""
    worker = session.get(Worker, request.worker_id)
    if worker is not None and worker.draining:
        return None
    now = clock(session)
    run = session.scalars(
        select(Run)
        .where(
            Run.status == RunStatus.queued,
            Run.held.is_(False),
            Run.training_version == request.training_version,
            or_(Run.not_before.is_(None), Run.not_before <= now),
            *_fitting(request),
        )
        .order_by(Run.priority, Run.position, Run.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if run is None:
        return None
    token = secrets.token_urlsafe(32)
    move(run, RunStatus.running)
    run.attempt, run.tries = run.attempt + 1, run.tries + 1
    run.owner, run.token, run.lease_until = request.worker_id, digest(token), now + timedelta(seconds=lease_seconds)
    run.reason, run.images_per_second, run.finished_at, run.not_before = None, None, None, None
    run.started_at = run.started_at or now
    run.progressed_at, run.stalled = now, False
    run.protocol = RunConfig.model_validate(run.config).protocol  # the evaluator may be newer than the submission
    kept = checkpoints(session, run)[:CANDIDATES]
    resumed_from = kept[0].step + 1 if kept else None
    session.add(_attempt(run, request, now, resumed_from))
    session.flush()
    supersede(session, run, resumed_from)
    announce(session, run)
    return Given(run, token, kept)


def _fitting(request: ClaimRequest) -> list[ColumnElement[bool]]:
    """A run over more processes than the worker has GPUs is left to another worker."""
    if request.processes is None:
        return []
    return [func.coalesce(Run.config["engine"]["processes"].as_integer(), 1) <= request.processes]


def _attempt(run: Run, request: ClaimRequest, now: datetime, resumed_from: int | None) -> Attempt:
    return Attempt(
        run_id=run.id,
        attempt=run.attempt,
        owner=request.worker_id,
        host=request.host,
        device=request.device,
        started_at=now,
        resumed_from=resumed_from,
        log_length=0,
    )


def begin(session: Session, run_id: int, token: str, resumed_from: int | None) -> None:
    """The attempt says from which step on it logs. Raises StaleAttempt, and InvalidInput for a step that the run does not
    have.

    A worker that finds the newest checkpoint missing or damaged goes on from an older one: the record follows what it does.
    """
    run = owned(session, run_id, token)
    if resumed_from is not None and run.kind == TRAINED:
        check_step(run, resumed_from - 1)
    session.get_one(Attempt, (run.id, run.attempt)).resumed_from = resumed_from
    session.flush()
    supersede(session, run, resumed_from)
    announce(session, run)


def checkpoints(session: Session, run: Run) -> list[Checkpoint]:
    """The notes that belong to the run's present line of attempts, the furthest first; the files of most are gone."""
    cuts = curves.cuts_of(session, [run.id])
    notes = session.scalars(
        select(Checkpoint)
        .where(Checkpoint.run_id == run.id)
        .order_by(Checkpoint.step.desc(), Checkpoint.attempt.desc())
    )
    return [note for note in notes if note.step < cuts.get((run.id, note.attempt), note.step + 1)]


def newest_checkpoints(session: Session, run_ids: Sequence[int]) -> dict[int, int]:
    """Run -> the step of the first of its `checkpoints`; runs that have none are absent."""
    cuts, found = curves.cuts_of(session, run_ids), dict[int, int]()
    notes = select(Checkpoint.run_id, Checkpoint.attempt, Checkpoint.step).where(Checkpoint.run_id.in_(run_ids))
    for run_id, attempt, step in session.execute(notes):
        if step < cuts.get((run_id, attempt), step + 1):
            found[run_id] = max(step, found.get(run_id, step))
    return found


def supersede(session: Session, run: Run, resumed_from: int | None) -> None:
    """Older attempts' records at `resumed_from` and after (all of them for None) no longer count."""
    first = resumed_from or 0
    if run.attempt > 1:
        for table in (Evaluation, Prediction):
            gone = (table.run_id == run.id, table.attempt < run.attempt, table.step >= first)
            session.execute(update(table).where(*gone).values(superseded=True))
        lost = facts.drop_metrics_from(session, run.id, first)
        facts.put_metrics(session, run.id, curves.newest(session, run.id, lost))
    run.step = max(first - 1, 0)
    if run.diverged_at is not None and run.diverged_at > run.step:
        run.diverged_at = None
    evaluations.refresh(session, run)


def check_step(run: Run, step: int) -> None:
    """Raises InvalidInput for a step that the run does not have."""
    if step > run.steps:
        raise beyond(run.id, run.steps, step)


def beyond(run_id: int, steps: int, step: int) -> InvalidInput:
    return InvalidInput(f"run {run_id} ends at step {steps}, before {step}.", field="step")


def progressed(session: Session, run: Run, now: datetime) -> None:
    """Note that the running attempt moved."""
    run.progressed_at = now
    if run.stalled:
        run.stalled = False
        announce(session, run, results=False)


def digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def owned(session: Session, run_id: int, token: str) -> Run:
    """The run, locked until commit, if the token's attempt has it. Raises StaleAttempt otherwise, also for a deleted run.

    What the newest attempt of a script logged is kept also after its end: it may arrive hours later.
    """
    run = session.get(Run, run_id, with_for_update=True, populate_existing=True)
    if run is None or not of_token(run.token, token) or (run.kind != SCRIPT and run.status != RunStatus.running):
        raise stale(run_id)
    if run.kind == SCRIPT:
        hear(session, run)
    return run


def hear(session: Session, run: Run) -> None:
    """A script is there: extend its lease; one that counted as lost runs again."""
    attempt, now = session.get_one(Attempt, (run.id, run.attempt)), clock(session)
    if run.status in (RunStatus.failed, RunStatus.cancelled) and attempt.outcome == LOST:
        run.cancel_requested = run.status == RunStatus.cancelled  # it has not heard of that yet
        move(run, RunStatus.running)
        run.owner, run.reason, run.finished_at = attempt.owner, None, None
        attempt.ended_at, attempt.outcome, attempt.reason = None, None, None
        announce(session, run)
    if run.status == RunStatus.running:
        run.lease_until = now + timedelta(seconds=SCRIPT_LEASE)


def stale(run_id: int) -> StaleAttempt:
    return StaleAttempt(
        f"this attempt no longer has run {run_id}.",
        remedy="Stop this training: the run was cancelled, deleted, finished, or given to another worker.",
    )


def of_token(kept: str | None, token: str) -> bool:
    """Whether a run's `kept` hash is that of the token."""
    return kept is not None and hmac.compare_digest(kept, digest(token))


def renew(session: Session, run_id: int, token: str, progress: Progress | None, lease_seconds: float) -> Run:
    """Extend the lease; the run says whether it shall stop. Raises StaleAttempt."""
    run = owned(session, run_id, token)
    if run.kind == SCRIPT:
        return run
    now = clock(session)
    run.lease_until = now + timedelta(seconds=lease_seconds)
    if progress is not None:
        moved = progress.step > run.step  # what was written since may be ahead of it
        run.step = min(max(progress.step, run.step), run.steps)
        speed, run.images_per_second = run.images_per_second, progress.images_per_second or run.images_per_second
        progressed(session, run, now)  # also a batch of an evaluation, which is no step
        if moved or run.images_per_second != speed:
            announce(session, run, results=False)
    return run


def finish(session: Session, run_id: int, token: str, end: Finish, lease_seconds: float) -> None:
    """End the attempt. Sent twice it ends once. Raises StaleAttempt, IllegalMove."""
    known = session.get(Run, run_id, with_for_update=True, populate_existing=True)
    if known is not None and known.status != RunStatus.running and of_token(known.token, token):
        attempt = session.get_one(Attempt, (known.id, known.attempt))
        if attempt.outcome == end.status or (known.kind == SCRIPT and attempt.outcome != LOST):
            return
    run = owned(session, run_id, token)
    if run.kind == SCRIPT:
        _finish_script(session, run, end)
        return
    if end.status is RunStatus.queued:
        run.tries -= 1  # given back in good order: the attempt does not count
        if end.retry:  # what it needs is away: the longer, the more often it was given back
            run.not_before = clock(session) + _rest(lease_seconds, _alike(session, run, end))
    if end.retry and end.status is RunStatus.failed:
        _lose(session, run, clock(session), lease_seconds, end)
        return
    status = RunStatus.cancelled if end.status is RunStatus.queued and run.cancel_requested else end.status
    if status is RunStatus.finished:
        if end.step is not None:
            check_step(run, end.step)
            # Its budget's clock ended it there: this is its length now.
            run.steps, run.images = end.step, end.step * run.batch_size
        run.step = run.steps
    close(session, run, status, clock(session), outcome=end.status, reason=end.reason or None, exit_code=end.exit_code)


def _finish_script(session: Session, run: Run, end: Finish) -> None:
    """It ended when it says it did, which may be hours before this is heard."""
    now = clock(session)
    began = session.get_one(Attempt, (run.id, run.attempt)).started_at
    ended = now if end.wall is None else max(began, min(now, moment(end.wall) or now))
    if end.status is RunStatus.finished:
        run.steps, run.images = max(run.steps, run.step), run.step * run.batch_size
    close(session, run, end.status, ended, outcome=end.status, reason=end.reason or None, exit_code=end.exit_code)


def close(
    session: Session,
    run: Run,
    status: RunStatus,
    now: datetime,
    *,
    outcome: str,
    reason: str | None,
    exit_code: int | None = None,
) -> None:
    """Take a running run from its attempt and move it to `status`."""
    move(run, status)
    run.owner, run.lease_until, run.cancel_requested, run.pause_requested = None, None, False, False
    run.stalled, run.progressed_at = False, None
    run.reason = reason
    run.finished_at = now if status.final else None
    attempt = session.get_one(Attempt, (run.id, run.attempt))
    attempt.ended_at, attempt.outcome, attempt.reason, attempt.exit_code = now, outcome, reason, exit_code
    if status is RunStatus.queued:
        holding.settle(session, [run])
    announce(session, run)


def sweep(session: Session, lease_seconds: float) -> list[int]:
    """End the attempts whose lease ran out; returns the runs that are queued again. Safe to run twice and at once."""
    now = clock(session)
    lost = session.scalars(
        select(Run)
        .where(Run.status == RunStatus.running, Run.lease_until < now)
        .order_by(Run.id)
        .with_for_update(skip_locked=True)
    ).all()
    return [run.id for run in lost if _lose(session, run, now, lease_seconds) is RunStatus.queued and not run.held]


def notice_stalled(session: Session, stall_seconds: float) -> None:
    """Mark running runs in which nothing has moved for so long, and those of silent workers: whether these move, nobody
    knows until the lease runs out. A person's own script logs when it likes, so none is.
    """
    since = clock(session) - timedelta(seconds=stall_seconds)
    silent = select(Worker.id).where(Worker.alive.is_(False))
    trained = (Run.status == RunStatus.running, Run.kind == TRAINED, Run.stalled.is_(False))
    still = select(Run).where(*trained, or_(Run.progressed_at < since, Run.owner.in_(silent)))
    for run in session.scalars(still.order_by(Run.id).with_for_update(skip_locked=True)):
        run.stalled = True
        announce(session, run, results=False)


def _lose(session: Session, run: Run, now: datetime, lease_seconds: float, told: Finish | None = None) -> RunStatus:
    """An attempt that broke off, as its worker `told` or by silence for a whole lease: cancelled if a person asked for that, else tried again or failed."""
    exit_code, reason = (told.exit_code, told.reason) if told else (None, None)
    outcome = str(told.status) if told else LOST
    if run.cancel_requested:
        status, reason = RunStatus.cancelled, "cancelled by a person"
    elif run.kind == SCRIPT:
        since = f"{(run.lease_until or now) - timedelta(seconds=SCRIPT_LEASE):%Y-%m-%d %H:%M} UTC"
        status, reason = RunStatus.failed, f"its script was not heard of since {since}; when it writes, it goes on."
    elif run.tries >= run.max_attempts:
        times = "once" if run.tries == 1 else f"{run.tries} times"
        lost = f"its worker was lost {times}: killed, out of memory, or cut off; the log may say more."
        status, reason = RunStatus.failed, f"{reason}. It was tried {times}." if reason else lost
    else:
        status, again = RunStatus.queued, "it will be tried again."
        reason = f"{reason}; {again}" if reason else f"its worker was lost; {again}"
        run.not_before = now + _rest(lease_seconds, run.tries)
    close(session, run, status, now, outcome=outcome, reason=reason, exit_code=exit_code)
    return status


def _alike(session: Session, run: Run, end: Finish) -> int:
    """How many attempts in a row, this one the last of them, ended like this."""
    query = select(Attempt.outcome, Attempt.exit_code).where(Attempt.run_id == run.id, Attempt.attempt < run.attempt)
    before = session.execute(query.order_by(Attempt.attempt.desc()).limit(MANY_ALIKE))
    return 1 + sum(1 for _ in takewhile(lambda row: tuple(row) == (end.status, end.exit_code), before))


def _rest(lease_seconds: float, times: int) -> timedelta:
    """Between attempts, after so many in vain."""
    return timedelta(seconds=min(lease_seconds / 12 * 2 ** min(times - 1, 20), LONGEST_BACKOFF))


def move(run: Run, status: RunStatus) -> None:
    """Raises IllegalMove for a change that a run's life does not have."""
    check_move(RunStatus(run.status), status, script=run.kind == SCRIPT)
    run.status = status
