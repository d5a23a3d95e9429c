"""The sweeper: a thread of the API that ends attempts whose lease ran out, misses silent workers and prunes the outbox."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from backend.store import lease, outbox, workers
from backend.store.session import Database, clock
from depthboard.settings import Settings

log = logging.getLogger("depthboard.sweeper")


def silence(settings: Settings) -> float:
    """Seconds without a word after which a worker counts as gone: three polls and a little."""
    return 3 * settings.poll_seconds + 5


def sweep(database: Database, settings: Settings) -> list[int]:
    """One round, in one transaction; returns the runs that are queued again."""
    with database.write() as session:
        queued = lease.sweep(session, settings.lease_seconds)
        now = clock(session)
        workers.miss(session, now, silence(settings))
        outbox.prune(session, now)
    return queued


class Sweeper:
    """Sweeps until stopped. Several processes may do so at once: each row is ended once."""

    def __init__(self, database: Database, settings: Settings, wake: Callable[[int], None]) -> None:
        self._database, self._settings, self._wake = database, settings, wake
        self._every = min(5.0, settings.lease_seconds / 4)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            try:
                for run_id in sweep(self._database, self._settings):
                    self._wake(run_id)
            except Exception:  # a database that is away for a while must not end the sweeping
                log.exception("a sweep failed; the next one follows in %g s", self._every)
