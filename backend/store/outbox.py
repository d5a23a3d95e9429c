"""The outbox: what changed is written in the transaction that changed it, and the live stream reads it from there.

Readers ask for ids above the last they saw, so ids must become visible in order. PostgreSQL hands out ids before
commit; the lock taken just before the rows are written, and held for the rest of that transaction, makes the order of
ids the order of commits.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.orm import Session

from backend.store.tables import Event, ExperimentRun

# A newer event of these kinds says all that an older one of the same run said, so the older one goes.
LATEST_ONLY = frozenset({"run", "points", "log"})
LOCK = 0x6465707468  # "depth"
KEEP = timedelta(hours=1)


@dataclass
class Pending:
    kind: str
    run_id: int | None
    experiment_ids: list[int] | None
    data: dict[str, Any] = field(default_factory=dict)


def add(
    session: Session, kind: str, *, run_id: int | None = None, experiment_ids: list[int] | None = None, **data: Any
) -> None:
    """Note a change of this transaction. Without `experiment_ids` those that link the run are looked up when it is
    published.
    """
    pending: list[Pending] = session.info.setdefault("events", [])
    if kind in LATEST_ONLY:
        pending[:] = [p for p in pending if (p.kind, p.run_id) != (kind, run_id)]
    pending.append(Pending(kind, run_id, experiment_ids, data))


def publish(session: Session) -> None:
    """Write the noted events; called once, as the last thing before commit."""
    pending: list[Pending] = session.info.pop("events", [])
    if not pending:
        return
    session.flush()
    links = _links(session, [p.run_id for p in pending if p.run_id is not None and p.experiment_ids is None])
    if session.get_bind().dialect.name == "postgresql":
        session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    _drop_older(session, pending)
    now = (
        session.scalar(select(func.now())) if session.get_bind().dialect.name == "postgresql" else _sqlite_now(session)
    )
    rows = [
        {
            "kind": p.kind,
            "run_id": p.run_id,
            "experiment_ids": p.experiment_ids if p.experiment_ids is not None else links.get(p.run_id or -1, []),
            "data": p.data,
            "created_at": now,
        }
        for p in pending
    ]
    session.execute(insert(Event), rows)


def _sqlite_now(session: Session) -> datetime:
    return datetime.fromisoformat(str(session.scalar(text("select strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')"))))


def _links(session: Session, run_ids: list[int]) -> dict[int, list[int]]:
    links: dict[int, list[int]] = {}
    for start in range(0, len(run_ids), 1000):
        chunk = run_ids[start : start + 1000]
        for run_id, experiment_id in session.execute(
            select(ExperimentRun.run_id, ExperimentRun.experiment_id)
            .where(ExperimentRun.run_id.in_(chunk))
            .order_by(ExperimentRun.experiment_id)
        ):
            links.setdefault(run_id, []).append(experiment_id)
    return links


def _drop_older(session: Session, pending: list[Pending]) -> None:
    for kind in LATEST_ONLY:
        run_ids = [p.run_id for p in pending if p.kind == kind and p.run_id is not None]
        for start in range(0, len(run_ids), 1000):
            session.execute(delete(Event).where(Event.kind == kind, Event.run_id.in_(run_ids[start : start + 1000])))


def read_after(session: Session, last_id: int, limit: int = 1000) -> list[Event]:
    """The next events in order, at most `limit`."""
    return list(session.scalars(select(Event).where(Event.id > last_id).order_by(Event.id).limit(limit)))


def newest_id(session: Session) -> int:
    return session.scalar(select(func.max(Event.id))) or 0


def oldest_id(session: Session) -> int:
    return session.scalar(select(func.min(Event.id))) or 0


def prune(session: Session, now: datetime) -> None:
    """Forget what no reconnecting browser will ask for. The newest row stays, so that ids can be compared with it."""
    newest = newest_id(session)
    session.execute(delete(Event).where(Event.created_at < now - KEEP, Event.id < newest))
