"""The notes of an experiment: one Markdown text, which two people may have open at once."""

from __future__ import annotations

from sqlalchemy.orm import Session, undefer

from backend.store import runs
from backend.store.session import clock
from backend.store.tables import Experiment
from depthboard.errors import Conflict, NotFound

LONGEST = 100_000


def read(session: Session, experiment_id: int) -> Experiment:
    """The experiment with its notes. Raises NotFound."""
    experiment = session.get(Experiment, experiment_id, options=[undefer(Experiment.notes)])
    if experiment is None:
        raise NotFound(f"there is no experiment {experiment_id}.", field="id")
    return experiment


def write(session: Session, experiment_id: int, text: str, version: int) -> Experiment:
    """Replace the notes that the writer knows as `version`. Raises NotFound, Conflict where they have changed since."""
    experiment = session.get(Experiment, experiment_id, options=[undefer(Experiment.notes)], with_for_update=True)
    if experiment is None:
        raise NotFound(f"there is no experiment {experiment_id}.", field="id")
    if experiment.notes == text:
        return experiment
    if experiment.notes_version != version:
        raise Conflict(
            "the notes have changed since you opened them; the version on the server stays.",
            field="version",
            remedy="Read them again, and send what you wrote on top of that version.",
        )
    experiment.notes, experiment.notes_version = text, version + 1
    experiment.updated_at = clock(session)
    session.flush()
    runs.note_change(session, [experiment_id], "changed", results=False)
    return experiment
