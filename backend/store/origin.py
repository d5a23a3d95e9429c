"""Where an experiment's results come from: its data, the code that trained, and when they last changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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
    """`of` says whether `name` is of an experiment or of runs; `data` names datasets with their fingerprints, `code` the
    versions that trained. `changed_at` follows from the results alone, so that it is the same whenever it is asked for.
    """

    of: str
    name: str
    data: tuple[str, ...]
    code: tuple[str, ...]
    changed_at: datetime


def origin(session: Session, experiment_id: int) -> Origin:
    """Raises NotFound."""
    experiment = experiments.get(session, experiment_id)
    linked = Run.id.in_(select(ExperimentRun.run_id).where(ExperimentRun.experiment_id == experiment_id))
    return _origin(session, linked, "experiment", f"{experiment.id}, {experiment.name}", experiment.created_at)


def origin_of_runs(session: Session, ids: Sequence[int]) -> Origin:
    """Of runs that exist."""
    chosen = Run.id.in_(ids)
    created = session.scalar(select(func.max(Run.created_at)).where(chosen)) or datetime.fromtimestamp(0, UTC)
    return _origin(session, chosen, "runs", ", ".join(map(str, ids)), created)


def _origin(session: Session, linked: ColumnElement[bool], of: str, name: str, created: datetime) -> Origin:
    code = Run.provenance["code_version"].as_string()
    rows = session.execute(
        select(Run.dataset, Run.data_fingerprint, code.label("code"), Run.training_version).where(linked).distinct()
    ).all()
    data = _sorted(f"{row.dataset} {row.data_fingerprint[:16]}" for row in rows if row.dataset)
    versions = _sorted(f"{row.code}, training version {row.training_version}" for row in rows if row.code)
    return Origin(of, name, data, versions, _changed_at(session, linked) or created)


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
