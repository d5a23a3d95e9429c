"""The sweep: ends attempts whose lease ran out, notices those that stand still, misses silent workers, prunes the outbox."""

from __future__ import annotations

from backend.store import lease, outbox, workers
from backend.store.session import Database, clock
from depthboard.settings import Settings


def silence(settings: Settings) -> float:
    """Seconds without a word after which a worker counts as gone: three polls and a little."""
    return 3 * settings.poll_seconds + 5


def sweep(database: Database, settings: Settings) -> list[int]:
    """One round; returns the runs that are queued again."""
    with database.write() as session:
        queued = lease.sweep(session, settings.lease_seconds)
        workers.miss(session, clock(session), silence(settings))
        lease.notice_stalled(session, settings.stall_seconds)
    with database.write() as session:  # which locks the stream before anything else
        outbox.sequence(session)
        outbox.prune(session, clock(session))
    return queued
