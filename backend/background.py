"""What an API process does by itself, in threads of its own: sweep, and keep house. Several processes may do so at once."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from functools import partial

from backend.purging import free_files, purge_due
from backend.store import compaction
from backend.store.session import Database
from backend.sweeper import sweep
from depthboard.settings import Settings

HOUSEKEEPING_SECONDS = 5.0

log = logging.getLogger("depthboard.background")


class Repeating:
    """A thread that does something again and again until it is stopped; what goes wrong is logged, and the next round follows."""

    def __init__(self, name: str, every: float, work: Callable[[], None]) -> None:
        self._name, self._every, self._work = name, every, work
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(self._every):
            try:
                self._work()
            except Exception:  # a database that is away for a while must not end it
                log.exception("%s failed; the next round follows in %g s", self._name, self._every)


def sweeping(database: Database, settings: Settings, ring: Callable[[Iterable[int]], None]) -> Repeating:
    """End attempts whose lease ran out, and wake a worker for what is queued again."""
    return Repeating("the sweep", min(5.0, settings.lease_seconds / 4), lambda: ring(sweep(database, settings)))


def housekeeping(database: Database, settings: Settings) -> Repeating:
    """Compact the points of runs that have ended, empty the trash, and give back the space of what was removed."""
    return Repeating("housekeeping", HOUSEKEEPING_SECONDS, lambda: keep_house(database, settings))


def keep_house(database: Database, settings: Settings) -> None:
    """One piece of work that goes wrong is logged, and takes no other with it."""
    with database.read() as session:
        due = compaction.due(session)
    pieces: list[tuple[str, Callable[[], object]]] = [
        *((f"compacting run {run_id}", partial(compaction.compact, database, run_id)) for run_id in due),
        ("emptying the trash", lambda: purge_due(database, settings)),
        ("freeing files", lambda: free_files(database, settings)),
        ("giving back pages", database.give_back),
    ]
    for what, work in pieces:
        try:
            work()
        except Exception:
            log.exception("%s failed", what)
