"""Runs: lists, one run with its curves, evaluations, predictions and log; priority, cancel and retry."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from backend import answers
from backend.deps import (
    Among,
    Gathering,
    Id,
    Mark,
    PageNumber,
    PageSize,
    Priority,
    Reading,
    Ring,
    RunFilter,
    Shown,
    Sort,
    Writing,
    get_database,
)
from backend.routes.claims import checkpoint_note, dataset_reference
from backend.schemas import (
    Differing,
    EvaluationEntry,
    NamedColumn,
    Page,
    PredictionEntry,
    RunCurves,
    RunDetail,
    RunLog,
    RunNames,
    RunSummary,
    Sparkline,
)
from backend.store import (
    curves,
    datasets,
    evaluations,
    fields,
    hours,
    listing,
    predictions,
    queue,
    rescoring,
    runs,
    sparklines,
)
from backend.store.columns import may_be_thinned
from backend.store.tables import Metric, Param, Worker
from backend.store.types import INT64
from depthboard import protocol
from depthboard.config import RunConfig
from depthboard.metrics import Averaging
from depthboard.protocol import MAX_STEP
from depthboard.status import RunStatus

router = APIRouter(prefix="/runs", tags=["runs"])

Step = Annotated[int | None, Query(ge=0, le=MAX_STEP)]


@router.get("", response_model=Page[RunSummary])
def list_runs(
    session: Reading,
    page: PageNumber = 1,
    size: PageSize = 50,
    status: RunStatus | None = None,
    sort: Sort = "-id",
    filter: RunFilter = "",
    experiment: Among = None,
    column: Shown = None,
) -> Response:
    """Runs of all experiments that the filter finds, the newest first unless sorted otherwise."""
    columns = tuple(column or ())
    wanted = listing.Wanted(page, size, status, sort, filter=filter, experiment=experiment, columns=columns)
    return Response(answers.run_page(listing.page(session, wanted), page, size), media_type="application/json")


@router.get("/names")
def list_names(session: Reading, experiment: Among = None) -> RunNames:
    """What runs can be filtered and sorted by: columns, parameters and metrics; with `experiment` those that its runs have."""
    return RunNames(
        columns=[NamedColumn(name=name, kind=column.kind) for name, column in fields.COLUMNS.items()],
        params=fields.names(session, Param, experiment),
        metrics=fields.names(session, Metric, experiment),
    )


@router.get("/differing")
def list_differing(session: Reading, filter: RunFilter = "", experiment: Among = None) -> Differing:
    """The parameters that are not the same in all runs that the filter finds."""
    return Differing(params=listing.differing(session, listing.Wanted(filter=filter, experiment=experiment)))


@router.get("/sparklines", response_model=list[Sparkline])
def list_sparklines(
    session: Reading,
    id: Annotated[list[Annotated[int, Field(ge=1, le=INT64)]], Query(max_length=200, description="the runs")],
    metric: Annotated[str, Query(max_length=200, description="of evaluations, or else a logged key")] = "rmse",
    averaging: Averaging = "per_image",
) -> Response:
    """A metric over each run's evaluations in at most 40 points, for a line in a row of a table."""
    lines = [asdict(line) for line in sparklines.read(session, id, metric, averaging)]
    body = orjson.dumps(lines, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, media_type="application/json")


@router.get("/{id}")
def get_run(run_id: Id, session: Reading) -> RunDetail:
    """One run: how it stands, its configuration, its attempts, where its result comes from."""
    run = runs.get(session, run_id)
    constant = evaluations.constants(session, evaluations.one(run_id)).get(run_id)
    worker = session.get(Worker, run.owner) if run.owner else None
    experiments = runs.experiments_of(session, run_id)
    worked = listing.worked(session, [run_id]).get(run_id, listing.NOBODY)
    kept = hours.trained(session, run_id) if run.attempt > 1 else None  # reads the whole record
    last_steps = runs.last_steps(session, run_id)
    attempts = runs.attempts(session, run_id)
    return answers.run_detail(run, attempts, worker, experiments, constant, worked, kept, last_steps)


class RunChange(BaseModel):
    """What can be changed of a run: when its turn comes."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"priority": -1}]})

    priority: Priority


@router.patch("/{id}")
def change_run(run_id: Id, change: RunChange, session: Writing) -> RunDetail:
    """Give a queued or running run another priority: lower ones are claimed first."""
    queue.set_priority(session, run_id, change.priority)
    return get_run(run_id, session)


@router.post("/{id}/cancel")
def cancel_run(run_id: Id, session: Writing) -> RunDetail:
    """Cancel a queued run at once; ask a running one to stop."""
    runs.cancel(session, run_id)
    return get_run(run_id, session)


@router.post("/{id}/retry")
def retry_run(run_id: Id, session: Writing, ring: Ring) -> RunDetail:
    """Queue a failed or cancelled run again; it goes on from its newest checkpoint."""
    runs.retry(session, run_id)
    ring([run_id])
    return get_run(run_id, session)


@router.get("/{id}/metrics", response_model=RunCurves)
def get_curves(
    run_id: Id,
    request: Request,
    turn: Gathering,  # noqa: ARG001
    key: Annotated[list[str] | None, Query(description="Curves wanted, e.g. train/loss/l1; all without it.")] = None,
    after_step: Annotated[int, Query(ge=-1, le=MAX_STEP)] = -1,
    until_step: Annotated[int | None, Query(ge=0, le=MAX_STEP, description="For a closer look at a stretch.")] = None,
    max_points: Annotated[int, Query(ge=10, le=1_000_000, description="Thinned to about this many a curve.")] = 1500,
    with_hours: Annotated[bool, Query(description="Also hours of training.")] = False,
) -> Response:
    """The run's curves as columns. Thinned curves keep the smallest and largest value of every stretch."""
    with get_database(request).snapshot() as session:
        run = runs.get(session, run_id)
        found = curves.read_many(session, [run_id], key, after_step, max_points, until=until_step)
        thinned = until_step is not None or any(may_be_thinned(columns, max_points) for columns in found.values())
        points = curves.counts(session, run_id, after_step) if thinned else {}
        clock = hours.clocks(session, [run_id]).get(run_id) if with_hours else None
    shown = {name: answers.series(run, columns, points.get(name, 0), clock) for (_, name), columns in found.items()}
    # orjson writes NumPy arrays as they are and what is not finite as null.
    body = orjson.dumps({"run_id": run_id, "series": shown}, option=orjson.OPT_SERIALIZE_NUMPY)
    return Response(body, media_type="application/json")


@router.get("/{id}/evaluations")
def list_evaluations(run_id: Id, session: Reading) -> list[EvaluationEntry]:
    """Every evaluation of the run, by step; the constant prediction's and those scored again too."""
    run = runs.get(session, run_id)
    return [answers.evaluation_entry(run, row) for row in evaluations.of_run(session, run_id)]


@router.get("/{id}/trained")
def get_trained(run_id: Id, session: Reading) -> protocol.Trained:
    """What scoring a finished run's network again takes: configuration, dataset, and where its checkpoints lie."""
    run, kept = rescoring.trained(session, run_id)
    return protocol.Trained(
        run_id=run.id,
        config=RunConfig.model_validate(run.config),
        dataset=dataset_reference(datasets.get(session, run.dataset or ""), run.data_fingerprint),
        checkpoints=[checkpoint_note(note) for note in kept],
    )


@router.post("/{id}/rescored", status_code=204)
def add_rescored(run_id: Id, rescored: protocol.Rescored, session: Writing) -> None:
    """Keep an evaluation of a finished run's checkpoint under another protocol. The run's own evaluations stay as they are."""
    rescoring.add(session, run_id, rescored)


@router.get("/{id}/predictions")
def list_predictions(run_id: Id, session: Reading, mark: Mark, step: Step = None) -> list[PredictionEntry]:
    """The depth maps kept of the run, by step and frame; the maps themselves are at `url`."""
    run = runs.get(session, run_id)
    kept = predictions.of_runs(session, [run_id], step)
    metrics = predictions.metrics_of(session, kept)
    return [answers.prediction_entry(run, k, metrics[k.id], mark) for k in kept]


@router.get("/{id}/log")
def get_log(run_id: Id, session: Reading) -> RunLog:
    """The log of all attempts."""
    runs.get(session, run_id)
    text, truncated = runs.log_text(session, run_id)
    return RunLog(text=text, truncated=truncated)
