"""The queue: what waits, in which order, and moving it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from backend import answers
from backend.deps import PageNumber, PageSize, Reading, Ring, SettingsOf, Writing
from backend.schemas import Page, QueueEntry
from backend.store import queue
from backend.store.types import INT64
from backend.sweeper import silence

router = APIRouter(prefix="/queue", tags=["queue"])

RunId = Annotated[int, Field(ge=1, le=INT64)]


class Move(BaseModel):
    """Runs, in the order in which they shall be claimed, and the one they shall come before; null: behind all."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"run_ids": [12, 11], "before": 3}]})

    run_ids: list[RunId] = Field(min_length=1, max_length=1000)
    before: RunId | None


@router.get("")
def list_queue(session: Reading, settings: SettingsOf, page: PageNumber = 1, size: PageSize = 50) -> Page[QueueEntry]:
    """Queued runs in the order in which workers get them, with what each waits for; those that none would get last."""
    found, total = queue.page(session, page, size, silence(settings))
    return Page(items=[answers.queue_entry(waiting) for waiting in found], total=total, page=page, size=size)


@router.post("/move", status_code=204)
def move_runs(move: Move, session: Writing, ring: Ring) -> None:
    """Put queued runs before another one; they take its priority."""
    queue.move(session, move.run_ids, move.before)
    ring(move.run_ids)
