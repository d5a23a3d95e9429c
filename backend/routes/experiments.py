"""Experiments: submit, dry run, list, change, cancel, pause, retry, complete."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Body, Query, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator
from sqlalchemy.orm import Session

from backend import answers
from backend.deps import Id, PageNumber, PageSize, Priority, Reading, Ring, RunFilter, SettingsOf, Shown, Sort, Writing
from backend.purging import keep
from backend.schemas import (
    Completion,
    DryRun,
    DryRunCell,
    ExperimentDetail,
    ExperimentSummary,
    MissingCell,
    Notes,
    Page,
    RunSummary,
)
from backend.store import completion, estimate, experiments, finding, listing, notes, queue, submission
from backend.store.evaluations import Value
from backend.store.filters import LONGEST
from backend.store.types import INT64
from backend.sweeper import silence
from depthboard.config.presets import PRESETS
from depthboard.experiment import MAX_RUNS, ExperimentSpec
from depthboard.metrics import Averaging
from depthboard.settings import Settings
from depthboard.status import RunStatus

router = APIRouter(prefix="/experiments", tags=["experiments"])

EXAMPLES = {name: {"summary": preset()["name"], "value": preset()} for name, preset in PRESETS.items()}
Spec = Annotated[ExperimentSpec, Body(openapi_examples=EXAMPLES)]
Tag = Annotated[str, Field(min_length=1, max_length=200)]


class ExperimentChange(BaseModel):
    """What can be changed of an experiment once it is submitted: what people call it, not what it is."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "Losses at 512 images"}]})

    name: str | None = Field(None, min_length=1, max_length=200)
    description: str | None = Field(None, max_length=20_000)
    tags: list[Tag] | None = Field(None, max_length=50)
    archived: bool | None = Field(None, description="off the list, and found among the archived ones; its runs go on")
    pinned: bool | None = Field(None, description="on top of the list")

    @field_validator("name", mode="after")
    @classmethod
    def _printable(cls, name: str | None) -> str | None:
        if name is not None and (not name.strip() or any(ord(c) < 32 for c in name)):
            raise ValueError("the name needs visible characters on one line")
        return name.strip() if name else name


class NotesChange(BaseModel):
    """The notes as they shall be, and the version that the writer knows."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"text": "**L1** leads.", "version": 3}]})

    text: str = Field(max_length=notes.LONGEST, description="Markdown")
    version: int = Field(ge=0, le=INT64)


@router.get("")
def list_experiments(
    session: Reading,
    page: PageNumber = 1,
    size: PageSize = 50,
    q: Annotated[
        str,
        Query(
            max_length=LONGEST, description="text, #tag, or tests of runs: `#paper and loss = berhu and rmse < 0.65`"
        ),
    ] = "",
    tag: Annotated[str, Query(max_length=200)] = "",
    trash: Annotated[bool, Query(description="those in the trash, and no others")] = False,
    archived: Annotated[bool, Query(description="those that were archived, and no others")] = False,
    sort: Annotated[finding.Order | None, Query(description="`-best` is descending")] = None,
) -> Page[ExperimentSummary]:
    """Experiments: pinned ones, then those with running runs, those that wait, and the newest, unless sorted otherwise."""
    shelf: finding.Shelf = "trash" if trash else "archived" if archived else "active"
    found, standings, total = finding.page(session, finding.Wanted(page, size, q, tag, shelf, sort or ""))
    items = [answers.experiment_summary(e, standings[e.id]) for e in found]
    return Page(items=items, total=total, page=page, size=size)


@router.post("", status_code=201)
def submit_experiment(spec: Spec, session: Writing, settings: SettingsOf, ring: Ring) -> ExperimentDetail:
    """Submit a grid. Runs that exist already are linked, never trained again; failed and cancelled ones are retried."""
    experiment, queued = submission.submit(session, spec, settings.max_attempts)
    ring(queued)
    return detail(session, experiment.id, settings)


@router.post("/dry-run")
def dry_run(spec: Spec, session: Reading, settings: SettingsOf) -> DryRun:
    """What submitting would do: which runs, how many exist, images to train, estimated time."""
    planned = submission.plan(session, spec)
    forecast = estimate.estimate(session, planned, silence(settings))
    reused = sum(p.existing is not None for p in planned)
    return DryRun(
        cells=[DryRunCell(**cell) for cell in estimate.describe(planned)],
        total=len(planned),
        new=len(planned) - reused,
        reused=reused,
        images_to_train=estimate.images_left(planned),
        seconds=forecast.seconds,
        slots=forecast.slots,
        basis=forecast.basis,
        warnings=estimate.warnings(planned, forecast),
    )


def detail(session: Session, experiment_id: int, settings: Settings) -> ExperimentDetail:
    experiment = experiments.get(session, experiment_id)
    standing = experiments.standings(session, [experiment_id])[experiment_id]
    protocols = experiments.protocols(session, experiment_id)
    return answers.experiment_detail(experiment, standing, protocols, keep(settings))


@router.get("/{id}")
def get_experiment(experiment_id: Id, session: Reading, settings: SettingsOf) -> ExperimentDetail:
    """One experiment: what was submitted and how it stands."""
    return detail(session, experiment_id, settings)


@router.patch("/{id}")
def change_experiment(
    experiment_id: Id, change: ExperimentChange, session: Writing, settings: SettingsOf
) -> ExperimentDetail:
    """Change name, description or tags, pin or archive it."""
    experiments.change(session, experiment_id, **change.model_dump())
    return detail(session, experiment_id, settings)


@router.get("/{id}/notes")
def get_notes(experiment_id: Id, session: Reading) -> Notes:
    """The notes, as Markdown."""
    found = notes.read(session, experiment_id)
    return Notes(text=found.notes, version=found.notes_version)


@router.put("/{id}/notes")
def write_notes(experiment_id: Id, change: NotesChange, session: Writing) -> Notes:
    """Replace the notes; refused with 409 where they have changed since the version that is sent."""
    written = notes.write(session, experiment_id, change.text, change.version)
    return Notes(text=written.notes, version=written.notes_version)


@router.get("/{id}/runs", response_model=Page[RunSummary])
def list_experiment_runs(
    experiment_id: Id,
    session: Reading,
    page: PageNumber = 1,
    size: PageSize = 50,
    status: RunStatus | None = None,
    sort: Sort = "position",
    averaging: Averaging = "per_image",
    value: Value = "last3",
    filter: RunFilter = "",
    column: Shown = None,
) -> Response:
    """The experiment's runs that the filter finds, with their levels in it and their values by the selector."""
    wanted = listing.Wanted(page, size, status, sort, value, averaging, filter, experiment_id, tuple(column or ()))
    return Response(answers.run_page(listing.page(session, wanted), page, size), media_type="application/json")


@router.post("/{id}/cancel")
def cancel_experiment(experiment_id: Id, session: Writing, settings: SettingsOf) -> ExperimentDetail:
    """Cancel what is queued, ask what is running to stop."""
    experiments.cancel(session, experiment_id)
    return detail(session, experiment_id, settings)


@router.post("/{id}/pause")
def pause_experiment(experiment_id: Id, session: Writing, settings: SettingsOf) -> ExperimentDetail:
    """Hold queued runs back and have running ones given back after a checkpoint, unless another experiment that is not
    paused links them.
    """
    experiments.pause(session, experiment_id, True)
    return detail(session, experiment_id, settings)


@router.post("/{id}/resume")
def resume_experiment(experiment_id: Id, session: Writing, settings: SettingsOf, ring: Ring) -> ExperimentDetail:
    """Let its runs go on."""
    ring(experiments.pause(session, experiment_id, False))
    return detail(session, experiment_id, settings)


@router.post("/{id}/priority")
def prioritise_experiment(
    experiment_id: Id, priority: Annotated[Priority, Body(embed=True)], session: Writing, settings: SettingsOf
) -> ExperimentDetail:
    """Give its queued and running runs a priority: lower ones are claimed first."""
    queue.set_experiment_priority(session, experiment_id, priority)
    return detail(session, experiment_id, settings)


Ended = Annotated[
    list[Literal["failed", "cancelled"]] | None,
    Query(alias="status", description="which to queue again; both without it"),
]


@router.post("/{id}/retry")
def retry_experiment(
    experiment_id: Id, session: Writing, settings: SettingsOf, ring: Ring, statuses: Ended = None
) -> ExperimentDetail:
    """Queue failed and cancelled runs again, or only those of one kind."""
    ring(
        experiments.retry(session, experiment_id, [RunStatus(status) for status in statuses or ("failed", "cancelled")])
    )
    return detail(session, experiment_id, settings)


class Cells(BaseModel):
    """Cells of a grid, by the levels that make them."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"cells": [{"loss": "l1", "seed": 2}]}]})

    cells: list[dict[str, Any]] = Field(max_length=MAX_RUNS)


@router.get("/{id}/missing")
def list_missing_cells(experiment_id: Id, session: Reading) -> list[MissingCell]:
    """The cells of its grid that have no run."""
    return [MissingCell.model_validate(cell) for cell in completion.missing(session, experiment_id)]


@router.post("/{id}/complete")
def complete_experiment(
    experiment_id: Id, session: Writing, settings: SettingsOf, ring: Ring, only: Cells | None = None
) -> Completion:
    """See to it that every cell of the grid, or only these, has a run: failed and cancelled ones are queued again, missing
    ones made.
    """
    done = completion.complete(session, experiment_id, settings.max_attempts, None if only is None else only.cells)
    ring([*done.created, *done.queued_again])
    return Completion.model_validate(done)
