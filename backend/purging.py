"""Emptying the trash: rows in one transaction an experiment, then the files that this process can reach, then the pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import delete

from backend.store import artifacts, datasets, trash
from backend.store.session import Database
from backend.store.tables import Doomed
from depthboard.errors import NotFound
from depthboard.settings import Settings


@dataclass
class Freed:
    """What emptying gave back, in bytes; `waiting`: host -> bytes that a worker there has still to delete."""

    experiments: int = 0
    runs: int = 0
    files: int = 0
    database: int = 0
    waiting: dict[str, int] = field(default_factory=dict)


def keep(settings: Settings) -> timedelta:
    return timedelta(days=settings.trash_days)


def purge_due(database: Database, settings: Settings) -> Freed:
    """Remove what has been in the trash long enough."""
    with database.read() as session:
        ids = trash.due(session, keep(settings))
    return purge(database, settings, ids)


def purge(database: Database, settings: Settings, experiment_ids: Sequence[int]) -> Freed:
    """Remove these experiments for good. Two processes may do so at once: one of them finds nothing left."""
    freed = Freed()
    with database.read() as session:
        mark = datasets.mark(session)
    for experiment_id in experiment_ids:
        try:
            with database.write() as session:
                runs = trash.purge(session, experiment_id, keep(settings))
        except NotFound:
            continue
        freed.experiments, freed.runs = freed.experiments + 1, freed.runs + len(runs)
        freed.files += free_files(database, settings) + artifacts.remove(settings.artifacts, mark, runs)
    if freed.experiments:
        while given := database.give_back():
            freed.database += given
    with database.read() as session:
        freed.waiting = trash.waiting(session)
    return freed


def free_files(database: Database, settings: Settings) -> int:
    """Delete the doomed files that lie in this machine's artifact folder, with no worker's help; returns their bytes."""
    total = 0
    while True:
        with database.read() as session:
            files = artifacts.candidates(session, settings.artifacts)
            freed, settled = artifacts.free(session, settings.artifacts, files)
        total += freed
        if not settled:
            return total
        with database.write() as session:
            session.execute(delete(Doomed).where(Doomed.id.in_(settled)))
