"""The trash: delete, restore, empty."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from backend.deps import DatabaseOf, Emptying, Id, Reading, Ring, SettingsOf, Writing
from backend.purging import keep, purge, purge_due
from backend.routes.experiments import detail
from backend.schemas import Deletion, ExperimentDetail, Freed, Trash
from backend.store import trash

router = APIRouter(tags=["trash"])


@router.delete("/experiments/{id}")
def delete_experiment(
    experiment_id: Id,
    database: DatabaseOf,
    settings: SettingsOf,
    _: Emptying,
    now: Annotated[bool, Query(description="not into the trash: remove it for good")] = False,
) -> Deletion:
    """Move an experiment to the trash, from where it can be restored for some days.

    Removing it for good frees its rows and files once its own runs have stopped; runs that other experiments link stay.
    """
    now = now or settings.trash_days == 0
    with database.write() as session:
        put = trash.put(session, experiment_id, keep(settings), now=now)
    with database.read() as session:
        waits = experiment_id not in trash.due(session, keep(settings))
    purge_at = put.deleted_at + keep(settings)
    if not now or waits:
        return Deletion(experiment_id=experiment_id, purge_at=purge_at, held=put.held, stopping=put.stopping)
    freed = Freed.model_validate(purge(database, settings, [experiment_id]))
    return Deletion(experiment_id=experiment_id, purge_at=None, freed=freed)


@router.post("/experiments/{id}/restore")
def restore_experiment(experiment_id: Id, session: Writing, settings: SettingsOf, ring: Ring) -> ExperimentDetail:
    """Take an experiment out of the trash; its runs go on."""
    ring(trash.restore(session, experiment_id))
    return detail(session, experiment_id, settings)


@router.get("/trash")
def get_trash(session: Reading, settings: SettingsOf) -> Trash:
    """How much is in the trash, and which files of removed runs workers have still to delete."""
    return Trash(experiments=trash.size(session), days=settings.trash_days, waiting=trash.waiting(session))


@router.delete("/trash")
def empty_trash(database: DatabaseOf, settings: SettingsOf, _: Emptying) -> Freed:
    """Remove for good what is in the trash; an experiment whose own runs still train follows when they have stopped."""
    with database.write() as session:
        trash.expire(session, keep(settings))
    return Freed.model_validate(purge_due(database, settings))
