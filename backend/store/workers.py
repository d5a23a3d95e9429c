"""Workers: who is there, how fast each says it trains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from backend.store import outbox
from backend.store.session import clock
from backend.store.tables import Doomed, Worker
from depthboard.errors import NotFound
from depthboard.protocol import WorkerNote

FORGET = timedelta(days=7)


def note(session: Session, worker_id: str, said: WorkerNote) -> Worker:
    """A worker says that it is there."""
    now = clock(session)
    worker = session.get(Worker, worker_id)
    if worker is None:
        worker = Worker(id=worker_id, first_seen=now, alive=False, draining=False)
        session.add(worker)
    if not worker.alive:
        outbox.add(session, "worker", experiment_ids=[], id=worker_id, alive=True)
    for name, value in said.model_dump(mode="json").items():
        setattr(worker, name, value)
    worker.speeds = {kind: speed for kind, speed in said.speeds.items() if math.isfinite(speed)}  # JSON has no others
    worker.last_seen, worker.alive = now, True
    return worker


def known(session: Session, silence: float) -> list[tuple[Worker, bool]]:
    """Workers and whether each was heard of in the last `silence` seconds; the living first, then the last seen."""
    since = clock(session) - timedelta(seconds=silence)
    rows = session.scalars(select(Worker).order_by(Worker.last_seen.desc(), Worker.id)).all()
    pairs = [(worker, worker.last_seen >= since) for worker in rows]
    return sorted(pairs, key=lambda pair: not pair[1])


def miss(session: Session, now: datetime, silence: float) -> None:
    """Mark those not heard of for `silence` seconds, forget those not heard of for a week."""
    lost = session.scalars(
        update(Worker)
        .where(Worker.alive.is_(True), Worker.last_seen < now - timedelta(seconds=silence))
        .values(alive=False)
        .returning(Worker.id)
    ).all()
    for worker_id in lost:
        outbox.add(session, "worker", experiment_ids=[], id=worker_id, alive=False)
    session.execute(delete(Worker).where(Worker.last_seen < now - FORGET))


def drain(session: Session, worker_id: str, draining: bool) -> Worker:
    """Let a worker finish what it trains and get nothing more, or take that back. Raises NotFound."""
    worker = session.get(Worker, worker_id, with_for_update=True)
    if worker is None:
        raise NotFound(f"there is no worker {worker_id}.", field="worker_id", remedy="Look at GET /api/workers.")
    worker.draining = draining
    outbox.add(session, "worker", experiment_ids=[], id=worker_id, alive=worker.alive, draining=draining)
    return worker


def doomed(session: Session, host: str, most: int = 100) -> list[Doomed]:
    """Files that this host's workers shall delete: those on its disk, and those in a store that all reach. Any of them in
    turn, so that those which nobody can delete do not stand before the others.
    """
    query = select(Doomed).where(Doomed.host.in_((host, ""))).order_by(func.random()).limit(most)
    return list(session.scalars(query))


def freed(session: Session, ids: Sequence[int]) -> None:
    session.execute(delete(Doomed).where(Doomed.id.in_(ids)))
