"""Which queued runs no worker gets, and which running ones are given back: those whose every experiment rests.

An experiment rests while it is paused or in the trash. Whoever changes that locks the runs first and the experiments
then, both in the order of ids, and settles the runs last: of two that do so at once, the second sees what the first did.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import ColumnElement, Select, case, exists, func, or_, select
from sqlalchemy.orm import Session, aliased, defer

from backend.store.tables import TRAINED, Experiment, ExperimentRun, Run
from depthboard.errors import Conflict, NotFound
from depthboard.status import RunStatus

CHUNK = 500
LIGHT = (defer(Run.config), defer(Run.metrics), defer(Run.provenance))

resting = or_(Experiment.paused, Experiment.deleted_at.is_not(None))


def lock(session: Session, experiment_id: int) -> tuple[Experiment, list[Run]]:
    """The experiment and its runs, nobody else's to change before this transaction ends. Raises NotFound, Conflict."""
    runs = _linked(session, experiment_id)
    experiment = lock_beside(session, experiment_id, [run.id for run in runs])
    if set(session.scalars(_runs_of(experiment_id))) != {run.id for run in runs}:
        raise Conflict(f"runs were added to experiment {experiment_id} at the same moment.", remedy="Try it again.")
    return experiment, runs


def lock_runs(session: Session, run_ids: Iterable[int]) -> dict[int, Run]:
    """Those that are there, as they stand now, locked in the order of ids."""
    ids, found = sorted(run_ids), dict[int, Run]()
    for start in range(0, len(ids), CHUNK):
        some = Run.id.in_(ids[start : start + CHUNK])
        query = select(Run).where(some).order_by(Run.id).options(*LIGHT).with_for_update(key_share=True)
        found |= {run.id: run for run in session.scalars(query, execution_options={"populate_existing": True})}
    return found


def lock_beside(session: Session, experiment_id: int, run_ids: Sequence[int]) -> Experiment:
    """The experiment, locked together with all that link one of these locked runs: whoever tells of a run raises their versions. Raises NotFound."""
    ids = {experiment_id}
    for start in range(0, len(run_ids), CHUNK):
        some = ExperimentRun.run_id.in_(run_ids[start : start + CHUNK])
        ids |= set(session.scalars(select(ExperimentRun.experiment_id).where(some)))
    query = select(Experiment).where(Experiment.id.in_(ids)).order_by(Experiment.id).with_for_update(key_share=True)
    found = session.scalars(query, execution_options={"populate_existing": True}).all()
    experiment = next((e for e in found if e.id == experiment_id), None)
    if experiment is None:
        raise NotFound(f"there is no experiment {experiment_id}.", field="id")
    return experiment


def linked_to(session: Session, experiment_id: int) -> list[int]:
    """The ids of its runs."""
    return list(session.scalars(_runs_of(experiment_id)))


def _runs_of(experiment_id: int) -> Select[int]:
    return select(ExperimentRun.run_id).where(ExperimentRun.experiment_id == experiment_id)


def _linked(session: Session, experiment_id: int) -> list[Run]:
    query = select(Run).where(Run.id.in_(_runs_of(experiment_id))).order_by(Run.id).options(*LIGHT)
    locked = query.with_for_update(key_share=True)
    return list(session.scalars(locked, execution_options={"populate_existing": True}))


def settle(session: Session, runs: Sequence[Run]) -> list[Run]:
    """Set `held` and `pause_requested` of these locked runs by the experiments that link them; returns those that changed.

    A person's own script is not paused: nobody could start it again.
    """
    session.flush()
    rest = set(_at_rest(session, [run.id for run in runs if run.kind == TRAINED]))
    changed = []
    for run in runs:
        held = run.id in rest and run.status == RunStatus.queued
        pausing = run.id in rest and run.status == RunStatus.running
        if (run.held, run.pause_requested) != (held, pausing):
            run.held, run.pause_requested = held, pausing
            changed.append(run)
    return changed


def _at_rest(session: Session, run_ids: Sequence[int]) -> Iterator[int]:
    """Those of the runs whose every experiment rests; a run without an experiment is none of them."""
    active = func.sum(case((resting, 0), else_=1))
    for start in range(0, len(run_ids), CHUNK):
        yield from session.scalars(
            select(ExperimentRun.run_id)
            .join(Experiment, Experiment.id == ExperimentRun.experiment_id)
            .where(ExperimentRun.run_id.in_(run_ids[start : start + CHUNK]))
            .group_by(ExperimentRun.run_id)
            .having(active == 0)
        )


def in_sight() -> ColumnElement[bool]:
    """Of a run: not only experiments in the trash link it."""
    link, other, trashed, kept = (
        aliased(ExperimentRun),
        aliased(ExperimentRun),
        aliased(Experiment),
        aliased(Experiment),
    )
    elsewhere = exists().where(other.run_id == link.run_id, kept.id == other.experiment_id, kept.deleted_at.is_(None))
    # Asked of the trash, which is small, and not of every run.
    hidden = (
        select(link.run_id)
        .join(trashed, trashed.id == link.experiment_id)
        .where(trashed.deleted_at.is_not(None), ~elsewhere)
    )
    return Run.id.not_in(hidden)
