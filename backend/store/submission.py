"""From what a person submits to runs: which exist already, which are new, and the links to both."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.store import facts, holding, outbox
from backend.store.lease import move
from backend.store.session import clock, one_at_a_time
from backend.store.standing import announce
from backend.store.tables import TRAINED, Dataset, Experiment, ExperimentRun, ExperimentTag, Run
from backend.store.types import check_tree
from backend.store.upsert import insert_new
from depthboard.config import RunConfig
from depthboard.config.data import CROPPED_FRAME
from depthboard.datasets import DatasetReport
from depthboard.division import held_out_count
from depthboard.errors import Faults, InvalidInput, UnknownName
from depthboard.experiment import TRAINING_VERSION, ExperimentSpec, expand, identity, loss_label
from depthboard.status import RunStatus

CHUNK = 500
NEW_RUNS_LOCK = 0x6E657772
"""Of whoever makes runs: two who made the same ones in different orders would wait for each other."""


@dataclass(frozen=True)
class Planned:
    """One run of a submission; `existing` is the run with the same identity, if there is one."""

    config: RunConfig
    levels: dict[str, Any]
    identity: str
    fingerprint: str
    existing: Run | None


def plan(session: Session, spec: ExperimentSpec) -> list[Planned]:
    """The runs that `spec` asks for, each once, sizes resolved. Raises InvalidInput naming what a dataset cannot give."""
    check_tree([spec.name, spec.description, spec.tags, spec.base, spec.factors, [grid.factors for grid in spec.also]])
    cells = expand(spec)  # before the first query, so that a submission of a large grid keeps no transaction waiting
    reports = {
        row.name: DatasetReport.model_validate(row.report)
        for row in session.scalars(select(Dataset).order_by(Dataset.name))
    }
    found: dict[str, tuple[RunConfig, dict[str, Any], str]] = {}
    faults = Faults()
    for cell in cells:
        try:
            report = _report(reports, cell.config)
            config = _resolved(cell.config, report)
        except InvalidInput as fault:
            faults.add(fault)
            continue
        resolved = {"data.train_size": config.data.train_size, "data.split": config.data.split}
        levels = {path: resolved.get(path, level) for path, level in cell.levels.items()}
        found.setdefault(identity(config, report.fingerprint), (config, levels, report.fingerprint))
    faults.check()
    existing = _existing(session, list(found))
    return [Planned(c, levels, key, mark, existing.get(key)) for key, (c, levels, mark) in found.items()]


def _report(reports: dict[str, DatasetReport], config: RunConfig) -> DatasetReport:
    name = config.data.dataset
    report = reports.get(name)
    if report is None:
        raise UnknownName(
            f"there is no dataset {name!r}.",
            field="data.dataset",
            remedy=f"Registered: {', '.join(reports) or 'none'}. Register it with `depthboard data add {name} …`.",
        )
    if not report.usable:
        raise InvalidInput(f"the dataset {name} has problems: {report.problems[0]}", field="data.dataset")
    return report


def _resolved(config: RunConfig, report: DatasetReport) -> RunConfig:
    """`train_size` as a number, and the dataset's usual split where none was given. Raises InvalidInput for a split that is not there and for more images than it has."""
    data = config.data
    if "split" not in data.model_fields_set:
        data = data.model_copy(update={"split": report.default_split})
    parts = report.splits.get(data.split)
    if parts is None:
        raise UnknownName(
            f"the dataset {data.dataset} has no split {data.split!r}.",
            field="data.split",
            remedy=f"It has: {', '.join(report.splits)}; {report.default_split} is its usual one.",
        )
    _check_crops(config, report)
    train = parts.get("train", 0)
    held_out = held_out_count(train, data.validation)
    most = train - held_out
    if config.evaluation.split == "test" and parts.get("test", 0) < 1:
        raise InvalidInput(f"split {data.split} of {data.dataset} has no test images.", field="data.split")
    size = most if data.train_size is None else data.train_size
    if size > most or size < 1:
        kept = f" ({held_out} of {train} are held out for validation)" if held_out else ""
        raise InvalidInput(
            f"train_size {size} is larger than the training part of {data.dataset}, split {data.split}: {most} images{kept}.",
            field="data.train_size",
            remedy=f"Choose at most {most}, or leave it empty to take all.",
        )
    return config.model_copy(update={"data": data.model_copy(update={"train_size": size})})


def _check_crops(config: RunConfig, report: DatasetReport) -> None:
    """The named crops are windows of NYUv2's frames. Raises InvalidInput where the dataset's are of another size."""
    if report.height is None or (report.height, report.width) == CROPPED_FRAME:
        return
    for field, crop in (("data.crop", config.data.crop), ("evaluation.crop", config.evaluation.crop)):
        if crop != "none":
            raise InvalidInput(
                f"the crop {crop} is a window of frames of 480×640, but those of {report.name} are {report.height}×{report.width}.",
                field=field,
                remedy="Set it to none for this dataset.",
            )


def _existing(session: Session, identities: Sequence[str]) -> dict[str, Run]:
    """Identity -> run."""
    runs: dict[str, Run] = {}
    for chunk in _chunks(identities):
        query = select(Run).where(Run.identity.in_(chunk)).options(*holding.LIGHT)
        runs |= {run.identity: run for run in session.scalars(query)}
    return runs


def locked(session: Session, identities: Sequence[str]) -> dict[str, Run]:
    """As `_existing`, each as it stands now and not to be changed or deleted by others before this transaction ends.

    Locked in the order of ids, as everyone who locks several does.
    """
    ids = sorted(run.id for run in _existing(session, identities).values())
    runs: dict[str, Run] = {}
    for chunk in _chunks(ids):
        query = select(Run).where(Run.id.in_(chunk)).order_by(Run.id).with_for_update(key_share=True)
        found = session.scalars(query, execution_options={"populate_existing": True})
        runs |= {run.identity: run for run in found}
    return runs


def _chunks(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[start : start + CHUNK] for start in range(0, len(items), CHUNK))


def submit(session: Session, spec: ExperimentSpec, max_attempts: int) -> tuple[Experiment, list[int]]:
    """Record the experiment, add the runs that are new and link all; returns it and the runs now to be woken.

    A linked run that had failed or was cancelled is queued again: the person asks for its result.
    """
    planned = plan(session, spec)  # of a large grid some seconds, for which nobody waits
    one_at_a_time(session, NEW_RUNS_LOCK)
    now = clock(session)
    experiment = Experiment(
        name=spec.name,
        description=spec.description,
        spec=spec.model_dump(mode="json"),
        factors=_factors(planned),
        created_at=now,
        updated_at=now,
        tags=[ExperimentTag(position=i, tag=tag) for i, tag in enumerate(spec.tags)],
    )
    session.add(experiment)
    session.flush()
    runs, _ = obtain(session, planned, max_attempts, now)
    link(session, experiment.id, enumerate(planned), runs)
    ordered = [runs[p.identity] for p in planned]
    requeue(session, ordered)
    outbox.add(session, "experiment", experiment_ids=[experiment.id], change="created")
    return experiment, [run.id for run in ordered if run.status == RunStatus.queued]


def obtain(
    session: Session, planned: Sequence[Planned], max_attempts: int, now: datetime
) -> tuple[dict[str, Run], list[Run]]:
    """Identity -> run for all of them, locked, those that are missing made anew; returns these too.

    Whoever calls it has asked for NEW_RUNS_LOCK before any other lock.
    """
    runs = locked(session, [p.identity for p in planned])
    first = (session.scalar(select(func.max(Run.position))) or 0) + 1
    new = [_row(p, first + i, max_attempts, now) for i, p in enumerate(planned) if p.identity not in runs]
    insert_new(session, Run, new, ("identity",))
    added = locked(session, [p.identity for p in planned if p.identity not in runs])
    facts.put_params_of(session, {run.id: run.config for run in added.values()})
    return runs | added, list(added.values())


def link(session: Session, experiment_id: int, cells: Iterable[tuple[int, Planned]], runs: dict[str, Run]) -> None:
    """Link the runs to the experiment, each at the place in its grid that comes with it."""
    links: list[dict[str, object]] = [
        {"experiment_id": experiment_id, "run_id": runs[p.identity].id, "levels": p.levels, "position": i}
        for i, p in cells
    ]
    insert_new(session, ExperimentRun, links, ("experiment_id", "run_id"))


def _factors(planned: list[Planned]) -> dict[str, list[Any]]:
    factors: dict[str, list[Any]] = {}
    for p in planned:
        for path, level in p.levels.items():
            levels = factors.setdefault(path, [])
            if level not in levels:
                levels.append(level)
    return factors


def _row(planned: Planned, position: int, max_attempts: int, now: Any) -> dict[str, object]:
    config = planned.config
    return {
        "identity": planned.identity,
        "config": config.model_dump(mode="json"),
        "data_fingerprint": planned.fingerprint,
        "training_version": TRAINING_VERSION,
        "loss": config.loss.name,
        "loss_label": loss_label(config),
        "dataset": config.data.dataset,
        "split": config.data.split,
        "train_size": config.data.train_size,
        "encoder": config.network.encoder,
        "height": config.data.height,
        "width": config.data.width,
        "seed": config.seed,
        "steps": config.steps,
        "batch_size": config.budget.batch_size,
        "images": config.steps * config.budget.batch_size,
        "evaluation_split": config.evaluation.split,
        "protocol": config.protocol,
        "status": RunStatus.queued,
        "attempt": 0,
        "tries": 0,
        "max_attempts": max_attempts,
        "priority": 0,
        "position": position,
        "cancel_requested": False,
        "step": 0,
        "created_at": now,
    }


def requeue(session: Session, runs: Sequence[Run]) -> list[Run]:
    """Queue those of these locked runs that failed or were cancelled again, with all their attempts; returns them. No
    worker can start a script.

    Whether they or the others are held is settled anew by the experiments that link them now.
    """
    ended = (RunStatus.failed, RunStatus.cancelled)
    again = [run for run in runs if run.status in ended and run.kind == TRAINED]
    for run in again:
        move(run, RunStatus.queued)
        run.tries, run.not_before, run.finished_at, run.reason, run.cancel_requested = 0, None, None, None, False
    at_rest = [run for run in runs if run.held or run.pause_requested]
    changed = holding.settle(session, list(dict.fromkeys([*again, *at_rest])))
    for run in dict.fromkeys([*again, *changed]):
        announce(session, run)
    return again
