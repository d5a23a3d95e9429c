"""Where an experiment's results come from: its data, the code that trained, and when they last changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from backend.store import experiments
from backend.store.tables import RESCORED, Evaluation, ExperimentRun, Run
from depthboard.status import RunStatus

UNFINISHED = (RunStatus.queued, RunStatus.running)


@dataclass(frozen=True, slots=True)
class Origin:
    """`data` names datasets with their fingerprints, `code` the versions that trained. `changed_at` follows from the results
    alone, so that it is the same whenever and wherever it is asked for.
    """

    experiment_id: int
    name: str
    data: tuple[str, ...]
    code: tuple[str, ...]
    changed_at: datetime


def origin(session: Session, experiment_id: int) -> Origin:
    """Raises NotFound."""
    experiment = experiments.get(session, experiment_id)
    linked = Run.id.in_(select(ExperimentRun.run_id).where(ExperimentRun.experiment_id == experiment_id))
    code = Run.provenance["code_version"].as_string()
    rows = session.execute(
        select(Run.dataset, Run.data_fingerprint, code.label("code"), Run.training_version).where(linked).distinct()
    ).all()
    return Origin(
        experiment_id=experiment.id,
        name=experiment.name,
        data=_sorted(f"{row.dataset} {row.data_fingerprint[:16]}" for row in rows if row.dataset),
        code=_sorted(f"{row.code}, training version {row.training_version}" for row in rows if row.code),
        changed_at=_changed_at(session, linked) or experiment.created_at,
    )


def _sorted(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(words)))


def _changed_at(session: Session, linked: ColumnElement[bool]) -> datetime | None:
    """When the last run ended, or the last evaluation of one that goes on or was scored again came in."""
    ended = session.scalar(select(func.max(Run.finished_at)).where(linked))
    # Of ended runs the evaluations made since alone: reading when each of thousands was made takes long.
    newer = or_(
        and_(Run.status.in_(UNFINISHED), Evaluation.attempt == Run.attempt),
        Evaluation.attempt == RESCORED,
    )
    wall = session.scalar(select(func.max(Evaluation.wall)).join(Run, Run.id == Evaluation.run_id).where(linked, newer))
    scored = None if wall is None else datetime.fromtimestamp(wall, UTC)
    return max((at for at in (ended, scored) if at is not None), default=None)
