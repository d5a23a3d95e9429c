"""Datasets: registration, the built-in one, and what forbids to replace or delete one."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session, undefer

from backend.store import outbox
from backend.store.session import clock
from backend.store.tables import Dataset, Experiment, ExperimentRun, Run
from depthboard.datasets import FORMATS, ROOMS, DatasetReport
from depthboard.errors import Conflict, DataProblem, InvalidInput, NotFound, UnknownName
from depthboard.status import RunStatus

BUILT_IN = ROOMS.name


def page(session: Session, number: int, size: int) -> tuple[list[tuple[Dataset, int, bool]], int]:
    """(dataset, its number of runs, whether it has a contact sheet), by name; and how many there are in all."""
    counts = select(Run.dataset, func.count().label("runs")).group_by(Run.dataset).subquery()
    query = (
        select(Dataset, func.coalesce(counts.c.runs, 0), Dataset.sheet.is_not(None))
        .outerjoin(counts, counts.c.dataset == Dataset.name)
        .order_by(Dataset.name)
        .limit(size)
        .offset((number - 1) * size)
    )
    total = session.scalar(select(func.count()).select_from(Dataset)) or 0
    return [(dataset, int(runs), bool(sheet)) for dataset, runs, sheet in session.execute(query)], total


def one(session: Session, name: str) -> tuple[Dataset, int, bool]:
    """As in `page`. Raises NotFound."""
    dataset = get(session, name)
    runs = session.scalar(select(func.count()).select_from(Run).where(Run.dataset == name)) or 0
    sheet = session.scalar(select(Dataset.sheet.is_not(None)).where(Dataset.id == dataset.id))
    return dataset, runs, bool(sheet)


def get(session: Session, name: str) -> Dataset:
    """Raises NotFound."""
    dataset = find(session, name)
    if dataset is None:
        raise NotFound(f"there is no dataset {name!r}.", field="name")
    return dataset


def find(session: Session, name: str) -> Dataset | None:
    return session.scalar(select(Dataset).where(Dataset.name == name))


def sheet(session: Session, name: str) -> bytes:
    """The contact sheet as PNG. Raises NotFound."""
    dataset = session.scalar(select(Dataset).where(Dataset.name == name).options(undefer(Dataset.sheet)))
    if dataset is None or dataset.sheet is None:
        raise NotFound(f"there is no contact sheet of a dataset {name!r}.", field="name")
    return dataset.sheet


def register(session: Session, report: DatasetReport, sheet: bytes | None, *, replace: bool) -> Dataset:
    """Add a dataset, or replace it: the runs of the older data stay, with the fingerprint they were trained on.

    Raises DataProblem for one that its check found unusable, InvalidInput for the built-in name, Conflict for a name
    that is taken and for one whose runs are still to be trained on other data.
    """
    if report.name == BUILT_IN or report.format == BUILT_IN:
        raise InvalidInput(f"{BUILT_IN} is built in.", field="report.name", remedy="Choose another name and format.")
    _check_report(report)
    if not report.usable:
        first = report.problems[0] if report.problems else "its check found problems that the report does not name."
        raise DataProblem(f"{report.name} cannot be trained on: {first}", field="report.problems")
    known = session.scalar(select(Dataset).where(Dataset.name == report.name).with_for_update())
    if known is not None and known.fingerprint != report.fingerprint:
        _check_replaceable(session, known, replace)
    return put(session, report, sheet)


def _check_report(report: DatasetReport) -> None:
    """What the check itself always writes, but another sender may not."""
    if report.format not in FORMATS:
        raise UnknownName(
            f"there is no format {report.format!r}.",
            field="report.format",
            remedy=f"Take one of: {', '.join(FORMATS)}.",
        )
    if report.usable and report.default_split not in report.splits:
        raise InvalidInput(
            f"the usual split {report.default_split!r} is none of {', '.join(report.splits) or 'no splits'}.",
            field="report.default_split",
        )


def _check_replaceable(session: Session, known: Dataset, replace: bool) -> None:
    if not replace:
        raise Conflict(
            f"a dataset {known.name} with other contents is registered already ({known.path}).",
            field="report.name",
            remedy="Choose another name, or add --replace.",
        )
    waiting = session.scalar(
        select(func.count())
        .select_from(Run)
        .where(Run.dataset == known.name, Run.status.in_((RunStatus.queued, RunStatus.running)))
    )
    if waiting:
        raise Conflict(
            f"{waiting} runs on the present {known.name} are queued or running.",
            field="replace",
            remedy="Wait for them or cancel them, then replace it.",
        )


def put(session: Session, report: DatasetReport, sheet: bytes | None) -> Dataset:
    """Insert the dataset or bring it up to date."""
    now = clock(session)
    dataset = find(session, report.name)
    if dataset is None:
        dataset = Dataset(name=report.name, created_at=now)
        session.add(dataset)
    dataset.format, dataset.path, dataset.options = report.format, report.path, dict(report.options)
    dataset.fingerprint, dataset.report, dataset.updated_at = report.fingerprint, report.model_dump(mode="json"), now
    dataset.sheet = sheet
    session.flush()
    # Figures quote the paper beside some formats, so those of the experiments on this dataset may change.
    outbox.add(
        session, "dataset", experiment_ids=_experiments_on(session, report.name), name=report.name, change="registered"
    )
    return dataset


def _experiments_on(session: Session, name: str) -> list[int]:
    links = select(ExperimentRun.experiment_id).join(Run, Run.id == ExperimentRun.run_id).where(Run.dataset == name)
    return list(session.scalars(links.distinct().order_by(ExperimentRun.experiment_id)))


def experiments_on(session: Session, name: str) -> list[tuple[int, str]]:
    """(id, name) of the experiments that are not in the trash, newest first."""
    links = select(ExperimentRun.experiment_id).join(Run, Run.id == ExperimentRun.run_id).where(Run.dataset == name)
    query = select(Experiment.id, Experiment.name).where(Experiment.id.in_(links), Experiment.deleted_at.is_(None))
    return [(id, title) for id, title in session.execute(query.order_by(Experiment.id.desc()))]


def remove(session: Session, name: str) -> None:
    """Forget a dataset; its files stay where they are. Raises NotFound, InvalidInput, Conflict while runs refer to it."""
    _, runs, _ = one(session, name)
    if name == BUILT_IN:
        raise InvalidInput(f"{BUILT_IN} is built in and stays.", field="name")
    if runs:
        raise Conflict(
            f"{runs} runs were trained on {name}, or shall be.",
            field="name",
            remedy="Delete their experiments and empty the trash first.",
        )
    session.execute(delete(Dataset).where(Dataset.name == name))
    outbox.add(session, "dataset", experiment_ids=[], name=name, change="deleted")


def mark(session: Session) -> str:
    """A short name of this database, from when it was made: others count their runs from 1 too."""
    return f"{int(get(session, ROOMS.name).created_at.timestamp()):x}"
