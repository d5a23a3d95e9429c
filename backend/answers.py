"""From rows to answers: what the lists and pages say of a run, an experiment, a map."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import orjson

from backend.schemas import (
    AttemptEntry,
    CheckpointEntry,
    Counts,
    DatasetDetail,
    DatasetEntry,
    EvaluationEntry,
    ExperimentDetail,
    ExperimentLink,
    ExperimentName,
    ExperimentSummary,
    LostRun,
    PredictionEntry,
    Qualitative,
    QueueEntry,
    RunDetail,
    RunSummary,
    WorkerEntry,
)
from backend.store.columns import Columns
from backend.store.evaluations import Metrics
from backend.store.experiments import Standing
from backend.store.hours import Clock
from backend.store.listing import NOBODY, RunPage, Worked
from backend.store.predictions import Kept
from backend.store.queue import Waiting
from backend.store.standing import eta_of, reason_of, seen_of
from backend.store.tables import NOT_BEGUN, RESCORED, Attempt, Checkpoint, Dataset, Evaluation, Experiment, Run, Worker
from depthboard.datasets import DatasetReport
from depthboard.protocol import Gpu
from depthboard.status import RunStatus


def run_summary(run: Run, metrics: Metrics | None = None, levels: dict[str, Any] | None = None) -> RunSummary:
    return RunSummary(**_summary(run, metrics, levels))


def run_page(page: RunPage, number: int, size: int) -> bytes:
    """Page[RunSummary] as JSON: the rows are the record's own, and checking them again would cost more than reading them."""
    items = [
        {
            **_summary(run, page.metrics.get(run.id), page.levels.get(run.id)),
            "facts": page.facts.get(run.id, {}),
            **vars(page.worked.get(run.id, NOBODY)),
        }
        for run in page.runs
    ]
    body = {"items": items, "total": page.total, "page": number, "size": size}
    return orjson.dumps(body, option=orjson.OPT_UTC_Z)


def _summary(run: Run, metrics: Metrics | None, levels: dict[str, Any] | None) -> dict[str, Any]:
    seen = seen_of(run)
    return {
        "id": run.id,
        "status": run.status,
        "loss": run.loss,
        "loss_label": run.loss_label,
        "dataset": run.dataset or "",
        "data_split": run.split,
        "evaluation": f"{run.evaluation_split}/{run.protocol}" if run.protocol else "",
        "train_size": run.train_size,
        "encoder": run.encoder,
        "seed": run.seed,
        "levels": levels or {},
        "attempt": run.attempt,
        "step": run.step,
        "steps": run.steps,
        "epoch": _epoch(run, seen),
        "images_seen": seen,
        "images_per_second": run.images_per_second,
        "eta_seconds": eta_of(run),
        "reason": reason_of(run),
        "cancel_requested": run.cancel_requested,
        "pause_requested": run.pause_requested,
        "held": run.held,
        "stalled": run.stalled,
        "progressed_at": run.progressed_at,
        "not_before": run.not_before if run.status == RunStatus.queued else None,
        "kind": run.kind,
        "name": run.name,
        "priority": run.priority,
        "diverged_at": run.diverged_at,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "metrics": metrics or {},
    }


def _epoch(run: Run, images: int) -> float:
    """0 where a script did not say how many training images there are."""
    return images / run.train_size if run.train_size else 0.0


def run_detail(
    run: Run,
    attempts: list[Attempt],
    worker: Worker | None,
    experiments: list[dict[str, Any]],
    constant: Metrics | None,
    worked: Worked,
    kept_hours: float | None = None,
    last_steps: Mapping[int, int] | None = None,
) -> RunDetail:
    return RunDetail(
        **_summary(run, run.metrics, None),
        **vars(worked),
        identity=run.identity,
        config=run.config,
        data_fingerprint=run.data_fingerprint,
        training_version=run.training_version,
        protocol=run.protocol,
        split=run.evaluation_split,
        provenance=run.provenance,
        attempts=[_attempt(attempt, (last_steps or {}).get(attempt.attempt)) for attempt in attempts],
        kept_seconds=None if kept_hours is None else 3600 * kept_hours,
        worker_answers=worker is None or worker.alive,
        experiments=[ExperimentLink(**link) for link in experiments],
        constant=constant,
    )


def _attempt(attempt: Attempt, last_step: int | None) -> AttemptEntry:
    entry = AttemptEntry.model_validate(attempt)
    resumed = None if entry.resumed_from == NOT_BEGUN else entry.resumed_from
    return entry.model_copy(update={"resumed_from": resumed, "last_step": last_step})


def checkpoint_entry(run: Run, note: Checkpoint, best: bool, here: bool) -> CheckpointEntry:
    return CheckpointEntry(
        step=note.step,
        epoch=_epoch(run, note.step * run.batch_size),
        attempt=note.attempt,
        bytes=note.bytes,
        host=note.host,
        path=note.path,
        sha256=note.sha256,
        best=best,
        url=f"/api/runs/{run.id}/checkpoints/{note.step}" if here else None,
    )


def _experiment(experiment: Experiment, standing: Standing) -> dict[str, Any]:
    return {
        "id": experiment.id,
        "name": experiment.name,
        "description": experiment.description,
        "tags": [tag.tag for tag in experiment.tags],
        "created_at": experiment.created_at,
        "updated_at": experiment.updated_at,
        "counts": Counts(**standing.counts),
        "progress": standing.progress,
        "eta_seconds": standing.eta_seconds,
        "factors": experiment.factors,
        "datasets": standing.datasets,
        "held": standing.held,
        "stalled": standing.stalled,
        "hours": standing.hours,
        "paused": experiment.paused,
        "pinned": experiment.pinned,
        "archived_at": experiment.archived_at,
        "deleted_at": experiment.deleted_at,
        "best": standing.best,
    }


def experiment_summary(experiment: Experiment, standing: Standing) -> ExperimentSummary:
    return ExperimentSummary(**_experiment(experiment, standing))


def experiment_detail(
    experiment: Experiment, standing: Standing, evaluation: list[str], depth_maps: bool, keep: timedelta
) -> ExperimentDetail:
    return ExperimentDetail(
        **_experiment(experiment, standing),
        spec=experiment.spec,
        notes_version=experiment.notes_version,
        purge_at=None if experiment.deleted_at is None else experiment.deleted_at + keep,
        evaluation=evaluation,
        depth_maps=depth_maps,
    )


def _resumes(run: Run, step: int | None) -> float | None:
    return None if step is None else _epoch(run, step * run.batch_size)


def queue_entry(waiting: Waiting) -> QueueEntry:
    return QueueEntry(
        run=run_summary(waiting.run),
        place=waiting.place,
        waits=waiting.waits,
        until=waiting.run.not_before if waiting.waits == "backoff" else None,
        starts_in=waiting.due.starts_in,
        seconds=waiting.due.seconds,
        resumes_from=_resumes(waiting.run, waiting.resumes_after),
        experiments=[ExperimentLink(**link) for link in waiting.experiments],
    )


def series(run: Run, columns: Columns, points: int, clock: Clock | None = None) -> dict[str, Any]:
    """A curve as Series; built as plain arrays, since a curve may have 100,000 points."""
    images = columns.steps * run.batch_size
    odd = np.flatnonzero(~np.isfinite(columns.values))
    return {
        "step": columns.steps,
        "images_seen": images,
        "epoch": images / run.train_size if run.train_size else np.zeros(len(images)),
        "wall": columns.walls,
        "value": columns.values,
        "nonfinite": [(int(i), name_of(float(columns.values[i]))) for i in odd],
        "hours": None if clock is None else clock.of_values(columns.steps, columns.walls),
        "points": max(points, len(columns)),
    }


def name_of(value: float) -> str:
    return "nan" if np.isnan(value) else "inf" if value > 0 else "-inf"


def evaluation_entry(run: Run, row: Evaluation) -> EvaluationEntry:
    images = row.step * run.batch_size
    return EvaluationEntry(
        step=row.step,
        images_seen=images,
        epoch=_epoch(run, images),
        wall=row.wall or 0.0,
        split=row.split,
        protocol=row.protocol,
        predictor=row.predictor,
        images=row.images,
        constant=row.constant,
        rescored=row.attempt == RESCORED,
        sharpness=row.sharpness_means,
        per_image=row.per_image,
        pooled=row.pooled,
    )


def prediction_entry(run: Run, kept: Kept, metrics: Metrics, mark: str) -> PredictionEntry:
    return PredictionEntry(
        id=kept.id,
        run_id=run.id,
        step=kept.step,
        epoch=_epoch(run, kept.step * run.batch_size),
        frame_id=kept.frame_id,
        frame=kept.frame,
        height=kept.height,
        width=kept.width,
        nonfinite=kept.nonfinite,
        url=f"/api/predictions/{kept.id}?v={mark}",
        metrics=metrics,
    )


def worker_entry(
    worker: Worker, alive: bool, running: Mapping[str, list[Run]], lost: Iterable[tuple[Run, int | None]] = ()
) -> WorkerEntry:
    return WorkerEntry(
        id=worker.id,
        host=worker.host,
        device=worker.device,
        threads=worker.threads,
        slots=worker.slots,
        last_seen=worker.last_seen,
        alive=alive,
        draining=worker.draining,
        gpus=[Gpu.model_validate(gpu) for gpu in worker.gpus or []],
        running=[run_summary(run, run.metrics) for run in running.get(worker.id, [])],
        lost=[LostRun(run=run_summary(run), resumes_from=_resumes(run, step)) for run, step in lost],
        speeds=worker.speeds,
        version=worker.version,
    )


def dataset_entry(dataset: Dataset, runs: int, has_sheet: bool) -> DatasetEntry:
    return DatasetEntry(
        name=dataset.name,
        format=dataset.format,
        path=dataset.path,
        created_at=dataset.created_at,
        runs=runs,
        report=DatasetReport.model_validate(dataset.report),
        sheet_url=f"/api/datasets/{dataset.name}/sheet?v={dataset.fingerprint[:8]}" if has_sheet else None,
    )


def dataset_detail(
    dataset: Dataset, runs: int, has_sheet: bool, experiments: Sequence[tuple[int, str]]
) -> DatasetDetail:
    links = [ExperimentName(id=id, name=name) for id, name in experiments]
    return DatasetDetail(**dict(dataset_entry(dataset, runs, has_sheet)), experiments=links)


def marked(grid: Qualitative, mark: str) -> Qualitative:
    """The grid with the database's mark on every address that browsers keep."""
    frames = [
        frame.model_copy(
            update={
                "rgb_url": frame.rgb_url and f"{frame.rgb_url}?v={mark}",
                "depth_url": f"{frame.depth_url}?v={mark}",
            }
        )
        for frame in grid.frames
    ]
    predictions = [entry.model_copy(update={"url": f"{entry.url}?v={mark}"}) for entry in grid.predictions]
    return grid.model_copy(update={"frames": frames, "predictions": predictions})
