"""Completing an experiment: every cell of its grid gets a run that ends with a result."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from backend.store import experiments, holding, runs, submission
from backend.store.session import clock, one_at_a_time
from backend.store.standing import announce
from backend.store.tables import ExperimentRun, Run
from depthboard.errors import Conflict, InvalidInput
from depthboard.experiment import ExperimentSpec, loss_label
from depthboard.status import RunStatus

ENDED_WITHOUT = (RunStatus.failed, RunStatus.cancelled)


@dataclass(frozen=True)
class Completed:
    """What completing a grid did: runs made anew, linked because they exist, and queued again.

    `outdated`: cells whose run ended without a result under another training version or on other data.
    """

    created: list[int]
    linked: list[int]
    queued_again: list[int]
    outdated: list[int]


@dataclass(frozen=True)
class Missing:
    """A cell of the grid that has no run, with where a table of runs by loss, size and encoder puts it."""

    levels: dict[str, Any]
    loss: str
    loss_label: str
    train_size: int
    encoder: str
    dataset: str
    seed: int


def missing(session: Session, experiment_id: int) -> list[Missing]:
    """The cells without a run. Raises NotFound; a grid that its dataset no longer gives has none to launch."""
    experiment = experiments.get(session, experiment_id)
    if "base" not in experiment.spec:
        return []
    spec = ExperimentSpec.model_validate(experiment.spec)
    there = select(func.count()).where(ExperimentRun.experiment_id == experiment_id)
    if (session.scalar(there) or 0) >= spec.most_runs:
        return []
    known = {(row.identity, _cell(row.levels)) for row in _cells(session, experiment_id)}
    identities, cells = {identity for identity, _ in known}, {cell for _, cell in known}
    try:
        planned = submission.plan(session, spec)
    except InvalidInput:
        return []
    return [_missing(p) for p in planned if p.identity not in identities and _cell(p.levels) not in cells]


def _missing(planned: submission.Planned) -> Missing:
    data, config = planned.config.data, planned.config
    loss = planned.levels.get("loss", loss_label(config))
    return Missing(
        planned.levels, config.loss.name, loss, data.train_size or 0, config.network.encoder, data.dataset, config.seed
    )


def complete(
    session: Session, experiment_id: int, max_attempts: int, only: Sequence[dict[str, Any]] | None = None
) -> Completed:
    """See to it that every cell of the experiment's grid, or those with the levels in `only`, has a run that ends with a
    result.

    Raises NotFound, Conflict for one in the trash, InvalidInput where its dataset no longer gives what the grid asks.
    """
    experiment = experiments.get(session, experiment_id)
    experiments.check_kept(experiment)
    if "base" not in experiment.spec:
        raise Conflict(
            f"experiment {experiment_id} is of people's own scripts and has no grid.",
            field="id",
            remedy="Start the script again for what is missing.",
        )
    planned = submission.plan(session, ExperimentSpec.model_validate(experiment.spec))
    chosen = None if only is None else {_cell(levels) for levels in only}
    one_at_a_time(session, submission.NEW_RUNS_LOCK)
    # All runs first, also those of the experiment that are not asked for, then the experiments: both in the order of ids.
    there = [p.existing.id for p in planned if p.existing is not None]
    holding.lock_runs(session, {*holding.linked_to(session, experiment_id), *there})
    cells = _cells(session, experiment_id)
    known = {row.identity for row in cells}
    asked = {p.identity for p in planned}
    others = {_cell(row.levels) for row in cells if row.identity not in asked}
    without = [(i, p) for i, p in enumerate(planned) if p.identity not in known and _cell(p.levels) not in others]
    if chosen is not None:
        without = [(i, p) for i, p in without if _cell(p.levels) in chosen]
    again = [p for p in planned if p.identity in known and (chosen is None or _cell(p.levels) in chosen)]
    wanted = [*again, *(p for _, p in without)]
    found, new = submission.obtain(session, wanted, max_attempts, clock(session))
    holding.lock_beside(session, experiment_id, [run.id for run in found.values()])
    submission.link(session, experiment_id, without, found)
    made = {run.id for run in new}
    linked = [run.id for _, p in without if (run := found[p.identity]).id not in made]
    queued = [run.id for run in submission.requeue(session, list(found.values()))]
    for run in holding.settle(session, new):
        announce(session, run)
    outdated = [row.id for row in cells if _cell(row.levels) in others and row.status in ENDED_WITHOUT]
    runs.note_change(session, [experiment_id], "completed")
    return Completed(sorted(made), linked, queued, outdated)


def _cell(levels: dict[str, Any]) -> str:
    return json.dumps(levels, sort_keys=True)


def _cells(session: Session, experiment_id: int) -> Sequence[Row[Any]]:
    query = (
        select(Run.id, Run.identity, Run.status, ExperimentRun.levels)
        .join(ExperimentRun, ExperimentRun.run_id == Run.id)
        .where(ExperimentRun.experiment_id == experiment_id)
    )
    return session.execute(query).all()
