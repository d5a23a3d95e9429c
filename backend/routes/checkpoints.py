"""A run's checkpoints: which are kept, where, and the files of those that lie on this machine."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path
from fastapi.responses import FileResponse

from backend import answers
from backend.deps import Id, Mark, Reading, SettingsOf
from backend.schemas import CheckpointEntry
from backend.store import artifacts, rescoring, runs
from backend.store.lease import checkpoints
from backend.store.tables import Checkpoint
from depthboard.errors import NotFound
from depthboard.protocol import MAX_STEP

router = APIRouter(prefix="/runs/{id}/checkpoints", tags=["runs"])


@router.get("")
def list_checkpoints(run_id: Id, session: Reading, settings: SettingsOf, mark: Mark) -> list[CheckpointEntry]:
    """The run's checkpoints, the furthest first: those on this machine, the newest of every other disk, and the best on
    validation. Files of the others are gone.
    """
    run = runs.get(session, run_id)
    best = rescoring.best_steps(session, run)
    kept: list[CheckpointEntry] = []
    elsewhere: set[str] = set()
    for note in checkpoints(session, run):
        here = artifacts.in_folder(settings.artifacts, mark, note) is not None
        newest = note.host not in elsewhere and not artifacts.is_ours(settings.artifacts, note)
        if here or newest or (note.step in best and not artifacts.is_ours(settings.artifacts, note)):
            kept.append(answers.checkpoint_entry(run, note, note.step in best, here))
        elsewhere.add(note.host)
    return kept


@router.get("/{step}", response_class=FileResponse)
def get_checkpoint(
    run_id: Id,
    step: Annotated[int, Path(ge=0, le=MAX_STEP)],
    session: Reading,
    settings: SettingsOf,
    mark: Mark,
) -> FileResponse:
    """The file of a checkpoint on this machine: a PyTorch file. Its sha256 is in the list."""
    run = runs.get(session, run_id)
    notes: list[Checkpoint] = [note for note in checkpoints(session, run) if note.step == step]
    places = [artifacts.in_folder(settings.artifacts, mark, note) for note in notes]
    found = next((place for place in places if place is not None), None)
    if found is None:
        remedy = "Look at GET /api/runs/{id}/checkpoints: which host has it, and where."
        raise NotFound(f"this server has no checkpoint of run {run_id} at step {step}.", field="step", remedy=remedy)
    return FileResponse(found, media_type="application/octet-stream", filename=f"run-{run_id}-{found.name}")
