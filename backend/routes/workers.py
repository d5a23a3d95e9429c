"""Workers: who is there, and who shall take nothing more."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Path

from backend import answers
from backend.deps import PageNumber, PageSize, Reading, SettingsOf, Writing
from backend.schemas import Page, WorkerEntry
from backend.store import runs, workers
from backend.store.session import clock
from backend.sweeper import silence
from depthboard.protocol import DoomedFile, Freed, WorkerNote, WorkerOrders

router = APIRouter(prefix="/workers", tags=["workers"])

WorkerId = Annotated[str, Path(min_length=8, max_length=64)]


@router.get("")
def list_workers(
    session: Reading, settings: SettingsOf, page: PageNumber = 1, size: PageSize = 50
) -> Page[WorkerEntry]:
    """The workers of the last week, the living first, with what each trains now."""
    known = workers.known(session, silence(settings))
    shown = known[(page - 1) * size : page * size]
    running = runs.owned_by(session, [worker.id for worker, _ in shown])
    lost = runs.lost_by(session, [worker.id for worker, alive in shown if not alive])
    entries = [answers.worker_entry(worker, alive, running, lost.get(worker.id, ())) for worker, alive in shown]
    return Page(items=entries, total=len(known), page=page, size=size)


@router.put("/{worker_id}")
def note_worker(worker_id: WorkerId, note: WorkerNote, session: Writing) -> WorkerOrders:
    """A worker says that it is there, and how fast it is; the answer says what it shall do."""
    worker = workers.note(session, worker_id, note)
    files = [DoomedFile(id=file.id, path=file.path) for file in workers.doomed(session, note.host)]
    return WorkerOrders(draining=worker.draining, doomed=files)


@router.post("/{worker_id}/drain")
def drain_worker(
    worker_id: WorkerId,
    draining: Annotated[bool, Body(embed=True, examples=[True])],
    session: Writing,
    settings: SettingsOf,
) -> WorkerEntry:
    """Let a worker finish what it trains and take nothing more, or let it take runs again."""
    worker = workers.drain(session, worker_id, draining)
    alive = worker.last_seen >= clock(session) - timedelta(seconds=silence(settings))
    return answers.worker_entry(worker, alive, runs.owned_by(session, [worker_id]))


@router.post("/{worker_id}/freed", status_code=204)
def note_freed(worker_id: WorkerId, freed: Freed, session: Writing) -> None:  # noqa: ARG001
    """These files are gone."""
    workers.freed(session, freed.ids)
