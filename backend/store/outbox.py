"""The outbox: what changed is written in the transaction that changed it, and the live stream reads it from there.

The transaction that publishes raises the version of the experiments concerned, and so holds their rows until it commits:
whoever has seen a version of an experiment has seen all before it. A serial would not do, since PostgreSQL hands out ids
before commit. Listeners to several experiments need one order of all events; `sequence` gives it, to what is committed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, case, delete, func, insert, select, text, update
from sqlalchemy.orm import Session

from backend.store.tables import Event, Experiment, ExperimentRun, Stream
from backend.store.upsert import insert_new

# A newer event of these kinds says all that an older one of the same run said, so the older one goes.
LATEST_ONLY = frozenset({"run", "points", "log"})
# Of these no figure or table changes; of "run" only where the status does.
PROGRESS = frozenset({"points", "log", "worker"})
KEEP = timedelta(hours=24)


@dataclass
class Pending:
    kind: str
    run_id: int | None
    experiment_ids: list[int] | None
    data: dict[str, Any] = field(default_factory=dict)
    results: bool = True


def add(
    session: Session,
    kind: str,
    *,
    run_id: int | None = None,
    experiment_ids: list[int] | None = None,
    results: bool = True,
    **data: Any,
) -> None:
    """Note a change of this transaction. Without `experiment_ids` those that link the run are looked up when it is
    published. `results` false: no figure or table changes by it.
    """
    pending: dict[object, Pending] = session.info.setdefault("events", {})
    key = (kind, run_id) if kind in LATEST_ONLY else object()
    if (older := pending.pop(key, None)) is not None:
        results |= older.results
    pending[key] = Pending(kind, run_id, experiment_ids, data, results and kind not in PROGRESS)


def publish(session: Session) -> bool:
    """Write the noted events, as the last thing before commit; whether there were any."""
    pending: list[Pending] = list(session.info.pop("events", {}).values())
    if not pending:
        return False
    session.flush()
    links = _links(session, [p.run_id for p in pending if p.run_id is not None and p.experiment_ids is None])
    for p in pending:
        if p.experiment_ids is None:
            p.experiment_ids = links.get(p.run_id or -1, [])
    versions = _raise_versions(session, pending)
    _drop_older(session, pending)
    now = (
        session.scalar(select(func.now())) if session.get_bind().dialect.name == "postgresql" else _sqlite_now(session)
    )
    rows = [
        {
            "kind": p.kind,
            "run_id": p.run_id,
            "experiment_ids": p.experiment_ids,
            "versions": {str(id): versions[id] for id in p.experiment_ids or () if id in versions},
            "data": p.data,
            "created_at": now,
        }
        for p in pending
    ]
    session.execute(insert(Event), rows)
    return True


def _raise_versions(session: Session, pending: Iterable[Pending]) -> dict[int, int]:
    """Experiment -> its version after this transaction. Locked in the order of ids, as everyone who locks several does."""
    changed: dict[int, bool] = {}
    for p in pending:
        for id in p.experiment_ids or ():
            changed[id] = changed.get(id, False) or p.results
    if not changed:
        return {}
    wanted = Experiment.id.in_(changed)
    if session.get_bind().dialect.name == "postgresql":  # of SQLite's transactions one writes at a time
        locked = select(Experiment.id).where(wanted).order_by(Experiment.id)
        session.execute(locked.with_for_update(key_share=True)).all()
    results = [id for id, results in changed.items() if results]
    by_results = case((Experiment.id.in_(results), Experiment.results_version + 1), else_=Experiment.results_version)
    statement = (
        update(Experiment)
        .where(wanted)
        .values(version=Experiment.version + 1, results_version=by_results)
        .returning(Experiment.id, Experiment.version)
        .execution_options(synchronize_session=False)
    )
    return {row.id: row.version for row in session.execute(statement)}


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
    """Those that have their place; the others are `sequence`'s, which would wait for this transaction and this one for it."""
    placed = Event.position.is_not(None)
    for kind in LATEST_ONLY:
        run_ids = [p.run_id for p in pending if p.kind == kind and p.run_id is not None]
        for start in range(0, len(run_ids), 1000):
            session.execute(
                delete(Event).where(placed, Event.kind == kind, Event.run_id.in_(run_ids[start : start + 1000]))
            )


def waiting(session: Session) -> bool:
    """Whether events are committed that have no position yet."""
    return session.scalar(select(Event.id).where(Event.position.is_(None)).limit(1)) is not None


def sequence(session: Session) -> None:
    """Give what is committed its place behind all that have one; ids of one experiment rise with its version.

    Whoever does it holds the one row of `stream` until the commit, so several processes may.
    """
    stream = _locked(session)
    ids = _newest(session)
    if ids:
        places = [{"event": id, "place": stream.position + 1 + i} for i, id in enumerate(ids)]
        session.connection().execute(PLACE, places)
        stream.position += len(ids)


def _newest(session: Session) -> list[int]:
    """Events without a place, of those of which the newest says all only that; the others are removed."""
    new = select(Event.id, Event.kind, Event.run_id).where(Event.position.is_(None)).order_by(Event.id)
    kept: dict[object, int] = {}
    older = []
    for id, kind, run_id in session.execute(new):
        key = (kind, run_id) if kind in LATEST_ONLY else id
        if key in kept:
            older.append(kept.pop(key))
        kept[key] = id
    for start in range(0, len(older), 1000):
        session.execute(delete(Event).where(Event.id.in_(older[start : start + 1000])))
    return list(kept.values())


PLACE = (
    update(Event.__table__)  # type: ignore[arg-type]
    .where(Event.id == bindparam("event"))
    .values(position=bindparam("place"))
)


def _locked(session: Session) -> Stream:
    the_row = select(Stream).where(Stream.id == 1).with_for_update()
    found = session.scalars(the_row).one_or_none()
    if found is None:  # of two that find none, the second finds the first one's
        insert_new(session, Stream, [{"id": 1, "position": 0, "forgotten": 0}], ("id",))
        found = session.scalars(the_row).one()
    return found


def read_after(session: Session, position: int, limit: int = 1000) -> list[Event]:
    """The next events in order, at most `limit`."""
    return list(session.scalars(select(Event).where(Event.position > position).order_by(Event.position).limit(limit)))


def reached(session: Session) -> tuple[int, int]:
    """The last position given, and the last that is forgotten."""
    row = session.execute(select(Stream.position, Stream.forgotten).where(Stream.id == 1)).one_or_none()
    return (0, 0) if row is None else (row.position, row.forgotten)


def prune(session: Session, now: datetime) -> None:
    """Forget what no reconnecting browser will ask for.

    While nobody listened nothing was numbered: what is forgotten gets its place first, so that who comes back is told.
    """
    oldest = session.scalar(select(Event.created_at).order_by(Event.id).limit(1))
    if oldest is None or oldest >= now - KEEP:
        return
    sequence(session)
    old = Event.created_at < now - KEEP
    last = session.scalar(select(func.max(Event.position)).where(old))
    free = select(Event.id).where(old).with_for_update(skip_locked=True)  # the others are being dropped
    if session.execute(delete(Event).where(Event.id.in_(free))).rowcount and last is not None:  # type: ignore[attr-defined]
        session.execute(update(Stream).where(Stream.id == 1).values(forgotten=last))
