"""What the browser and the REST client read: the answers of every route outside the run's life (that is
depthboard.protocol).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from depthboard.datasets import DatasetReport
from depthboard.metrics import Group
from depthboard.protocol import Gpu
from depthboard.status import RunStatus

T = TypeVar("T")


class Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", from_attributes=True)


class Fault(Answer):
    message: str
    field: str | None
    remedy: str | None


class ErrorBody(Answer):
    """Every error of the API has this shape."""

    code: str = Field(examples=["unknown_name"])
    message: str = Field(examples=["unknown loss l3: choose one of 'l1', 'l2', …"])
    field: str | None = Field(None, examples=["factors.loss"])
    remedy: str | None = None
    request_id: str
    expected: int | None = Field(None, description="of a sequence_gap: the sequence number that is due")
    others: list[Fault] = Field([], description="what else is wrong with the request; left out where nothing is")


class ErrorAnswer(Answer):
    error: ErrorBody


class Page(Answer, Generic[T]):
    items: list[T]
    total: int
    page: int
    size: int


class Health(Answer):
    status: Literal["ok"]
    version: str
    training_version: str
    database: str
    broker: str


# --- catalogue ------------------------------------------------------------------------------------------------------


class LossEntry(Answer):
    name: str
    title: str
    description: str
    formula: str = Field(description="KaTeX")
    brief: str = Field(description="KaTeX: the formula in one short line")
    residual: str = Field(description="KaTeX: what it is a function of; empty for more than an error a pixel")
    measured_in: str
    differs: str = Field(description="where the paper, its code and this differ")
    sources: list[str]
    json_schema: dict[str, Any] = Field(description="JSON Schema of the loss's parameters")
    colour: dict[str, str] = Field(description="light and dark")
    dash: str
    marker: str


class EncoderEntry(Answer):
    name: str
    title: str
    description: str
    parameters: int


class MetricEntry(Answer):
    name: str
    title: str
    label: str
    unit: str
    lower_is_better: bool
    group: Group = Field(
        description="error, aligned, depth and health are in every evaluation; sharpness where edges were measured"
    )
    ideal: float | None = Field(description="the best value of a ratio, for which neither low nor high is better")


class FigureEntry(Answer):
    name: str
    title: str
    description: str
    options: dict[str, list[str]] = Field(description="query parameter -> the values it takes, the default first")


class PresetEntry(Answer):
    name: str
    title: str
    description: str
    spec: dict[str, Any]


class FormatEntry(Answer):
    name: str
    description: str
    options: list[str]


class Catalogue(Answer):
    losses: list[LossEntry]
    encoders: list[EncoderEntry]
    metrics: list[MetricEntry]
    figures: list[FigureEntry]
    presets: list[PresetEntry]
    formats: list[FormatEntry]
    run_config_schema: dict[str, Any]


# --- experiments and runs -------------------------------------------------------------------------------------------


class Counts(Answer):
    queued: int = 0
    running: int = 0
    finished: int = 0
    failed: int = 0
    cancelled: int = 0


class ExperimentSummary(Answer):
    id: int
    name: str
    description: str
    tags: list[str]
    created_at: datetime
    updated_at: datetime
    counts: Counts
    progress: float = Field(description="share of all training images already seen, 0..1")
    eta_seconds: float | None
    factors: dict[str, list[Any]]
    datasets: list[str]
    held: int = Field(description="queued runs that no worker gets: all experiments that link them rest")
    stalled: int = Field(description="running runs in which nothing has moved for a while")
    hours: float = Field(description="from claim to end of every attempt, summed; of one that runs until now")
    paused: bool
    pinned: bool = Field(description="on top of the list")
    archived_at: datetime | None = Field(description="off the list since; its runs go on")
    deleted_at: datetime | None = Field(description="in the trash since")
    best: dict[str, Any] | None = Field(
        description="{metric, value, run_id, loss, train_size, encoder, seed} of the lowest test RMSE of the finished runs that did not diverge; null where there is none, or they were scored on different images"
    )


class ExperimentDetail(ExperimentSummary):
    spec: dict[str, Any]
    notes_version: int = Field(description="0 where nobody has written any")
    purge_at: datetime | None = Field(description="of one in the trash: until when it can be restored")
    evaluation: list[str] = Field(description="split and protocol names in use")
    depth_maps: bool = Field(description="whether one of its runs has kept any")


class Notes(Answer):
    """The notes of an experiment. Who changes them sends the version that they were written upon."""

    text: str = Field(description="Markdown")
    version: int


class SavedViewEntry(Answer):
    """A page of the dashboard with its whole view state, under a name."""

    id: int
    name: str
    experiment_id: int | None
    path: str = Field(examples=["/experiments/3/convergence"])
    search: str = Field(examples=["?metric=mae&smoothing=0.6"])
    created_at: datetime


class ExperimentLink(Answer):
    id: int
    name: str
    paused: bool
    trashed: bool


class RunSummary(Answer):
    id: int
    status: RunStatus
    loss: str = Field(description="of a script's run what its parameters say, or empty")
    loss_label: str = Field(
        description="the loss with the parameters set apart from their defaults; of a script's run its name"
    )
    dataset: str
    evaluation: str = Field(description="evaluated part and protocol: runs with the same one compare")
    data_split: str = Field(description="the dataset's division into training and test part")
    train_size: int = Field(description="images, resolved: never empty")
    encoder: str
    seed: int
    levels: dict[str, Any] = Field(
        default_factory=dict, description="the levels of this run in the experiment asked about"
    )
    attempt: int
    step: int
    steps: int
    epoch: float
    images_seen: int
    images_per_second: float | None
    eta_seconds: float | None
    reason: str | None
    cancel_requested: bool
    pause_requested: bool = Field(description="it is being given back to the queue after a checkpoint")
    held: bool = Field(description="every experiment that links it is paused or in the trash")
    stalled: bool = Field(description="running, but nothing has moved for a while, or its worker does not answer")
    not_before: datetime | None = Field(description="until when a queued run rests after an attempt that broke off")
    progressed_at: datetime | None = Field(description="when the running attempt was last seen to move")
    kind: Literal["trained", "script"] = Field(description="by a worker, or by a person's own script")
    name: str | None = Field(description="of a script's run")
    priority: int = Field(description="lower first")
    diverged_at: int | None = Field(None, description="first step whose training loss was not finite")
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    metrics: dict[str, float | None] = Field(
        default_factory=dict, description="per-image means by the selector asked for (default: last three evaluations)"
    )
    facts: dict[str, float | str | None] = Field(
        default_factory=dict,
        description="the parameters and metrics that filter and order of the list speak of, and the columns asked for",
    )
    host: str | None = Field(None, description="of its last attempt; as the next two in lists of runs and of one run")
    device: str | None = None
    trained_seconds: float | None = Field(
        None,
        description="from claim to end of its attempts that have ended, lost work included, without the waits between them",
    )


class Differing(Answer):
    params: list[str]


class Sparkline(Answer):
    """A run's metric over its evaluations, thinned. `best`: of all of them the lowest, or highest where higher is better."""

    run_id: int
    x: list[float] = Field(description="share of the training")
    y: list[float | None] = Field(description="null where it is not finite")
    best: float | None
    best_epoch: float | None


class NamedColumn(Answer):
    name: str
    kind: Literal["text", "integer", "number", "time", "flag"]


class RunNames(Answer):
    """What lists of runs can be filtered and sorted by; each also as param.NAME and metric.NAME."""

    columns: list[NamedColumn]
    params: list[str]
    metrics: list[str]


class AttemptEntry(Answer):
    attempt: int
    host: str
    device: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str | None
    reason: str | None
    resumed_from: int | None = Field(description="the first step it logs; null when it began from scratch")
    last_step: int | None = Field(
        None, description="the last it logged: what lies behind the step from which the next one resumed was done again"
    )


class CheckpointEntry(Answer):
    """A checkpoint that is kept of a run."""

    step: int
    epoch: float
    attempt: int
    bytes: int
    host: str = Field(description="whose disk holds it; empty: a store that all workers reach")
    path: str
    sha256: str
    best: bool = Field(description="lowest RMSE on validation, by one of the averagings")
    url: str | None = Field(description="where it can be had; null where it lies on no disk of this server")


class RunDetail(RunSummary):
    identity: str
    config: dict[str, Any]
    data_fingerprint: str
    training_version: str
    protocol: str
    split: str
    provenance: dict[str, Any] | None
    attempts: list[AttemptEntry]
    kept_seconds: float | None = Field(
        description="of a run of several attempts: in training, without waits between them and without work that was lost and done again; null before anything was recorded"
    )
    worker_answers: bool = Field(description="whether the worker of a running attempt has been heard of lately")
    experiments: list[ExperimentLink] = Field(description="that link this run, those in the trash last")
    constant: dict[str, float | None] | None = Field(description="metrics of the constant prediction (training median)")


class QueueEntry(Answer):
    """A queued run and what it waits for."""

    run: RunSummary
    place: int | None = Field(description="from 1; null for a run that no worker would get now")
    waits: Literal["worker", "backoff", "held", "version"] = Field(
        description="for a free worker; a while after its worker was lost; while its experiments rest; for a worker of its training version"
    )
    until: datetime | None = Field(description="of backoff")
    experiments: list[ExperimentLink] = Field(description="that link the run")
    starts_in: float | None = Field(
        description="seconds until a worker is free for it, by measured speeds; null where nobody knows"
    )
    seconds: float | None = Field(description="for which it then trains; null where nobody knows")
    resumes_from: float | None = Field(description="epoch of its newest checkpoint; null: it begins at the start")


class Freed(Answer):
    """What emptying the trash gave back."""

    experiments: int
    runs: int
    files: int = Field(description="bytes of files deleted on the API's machine")
    database: int = Field(
        description="bytes by which the embedded database's file shrank; PostgreSQL keeps them for itself"
    )
    waiting: dict[str, int] = Field(
        description="host -> bytes that a worker there has still to delete; empty: of a store that all workers reach"
    )


class Deletion(Answer):
    """What deleting did. Until `purge_at` the experiment can be restored; null: it is gone."""

    experiment_id: int
    purge_at: datetime | None
    held: int = Field(0, description="queued runs that wait with it in the trash")
    stopping: int = Field(0, description="running runs that are being given back after a checkpoint")
    freed: Freed | None = Field(None, description="what was given back, of one that is gone")


class Trash(Answer):
    experiments: int
    days: float = Field(description="how long an experiment can be restored")
    waiting: dict[str, int] = Field(description="host -> bytes of files that a worker there has still to delete")


class MissingCell(Answer):
    """A cell of an experiment's grid that has no run."""

    levels: dict[str, Any]
    loss: str
    loss_label: str
    train_size: int
    encoder: str
    dataset: str
    seed: int


class Completion(Answer):
    """What completing a grid did, in ids of runs."""

    created: list[int]
    linked: list[int] = Field(description="runs that existed, of other experiments")
    queued_again: list[int]
    outdated: list[int] = Field(
        description="ended without a result under another training version or on other data: submit the experiment again"
    )


class ComparedRun(Answer):
    """`look`: the loss in whose colour, dash and marker the figures draw it."""

    letter: str
    label: str = Field(description="what tells it from the others")
    look: str
    run: RunSummary


class DifferenceRow(Answer):
    path: str
    group: Literal["setting", "data", "code", "environment"]
    values: list[Any] = Field(description="in the order of the runs; null where a run has none")
    differs: bool


class Comparison(Answer):
    runs: list[ComparedRun]
    rows: list[DifferenceRow] = Field(description="those that differ first")
    note: str = Field(description="why values do not compare, where they do not")
    figures: list[FigureEntry]


class Series(Answer):
    """One curve as columns; null where the value is not finite, `nonfinite` says which: [[index, "nan" | "inf" |
    "-inf"]].
    """

    step: list[int]
    images_seen: list[int]
    epoch: list[float]
    wall: list[float]
    value: list[float | None]
    nonfinite: list[tuple[int, str]]
    hours: list[float | None] | None = Field(
        None, description="of training: without waits between attempts and without lost work; where asked for"
    )
    points: int = Field(description="logged in all, of which these are thinned")


class RunCurves(Answer):
    run_id: int
    series: dict[str, Series]


class CurveEntry(Answer):
    """As Series, with the x columns that were asked for."""

    run: int
    key: str
    step: list[int] | None = None
    images_seen: list[int] | None = None
    epoch: list[float] | None = None
    wall: list[float] | None = None
    value: list[float | None]
    nonfinite: list[tuple[int, str]]


class CurveSet(Answer):
    curves: list[CurveEntry]


class SharpnessEntry(Answer):
    """A measure's mean over the `images` for which it is defined; null over none."""

    value: float | None
    images: int


class EvaluationEntry(Answer):
    step: int
    images_seen: int
    epoch: float
    wall: float
    split: str
    protocol: str
    predictor: str
    images: int
    constant: float | None = Field(description="metres predicted everywhere, for predictor=constant")
    rescored: bool = Field(description="scored again from the checkpoint, after the run had ended")
    sharpness: dict[str, SharpnessEntry] | None = Field(description="measures of edges; null where none were taken")
    per_image: dict[str, float | None]
    pooled: dict[str, float | None]


class PredictionEntry(Answer):
    id: int
    run_id: int
    step: int
    epoch: float
    frame_id: int
    frame: str
    height: int
    width: int
    nonfinite: int
    url: str = Field(description="raw little-endian uint16 millimetres, row by row")
    metrics: dict[str, float | None] = Field(description="of this image, by name")


class CameraEntry(Answer):
    """A pinhole camera in pixels of the map: x = fx·X/Z + cx, y = fy·Y/Z + cy, pixel centres at whole numbers."""

    fx: float
    fy: float
    cx: float
    cy: float


class FrameEntry(Answer):
    id: int
    frame: str
    position: int
    height: int
    width: int
    rgb_url: str | None = Field(description="none where a script showed no photograph")
    depth_url: str
    has_truth: bool
    camera: CameraEntry | None = Field(
        description="after the crop and resize that made the network's input of the frame"
    )
    camera_words: str = Field(description="where the camera is known from, or why it is not")


class ColumnEntry(Answer):
    """A run as a column of the grid, in order."""

    run_id: int
    mark: str = Field(description="the loss in whose colour, dash and marker it is drawn")
    label: str = Field(description="the loss, and by what else the columns differ; of a script's run its name")
    step: int | None = Field(description="whose maps are shown: the latest at or before the step asked for")
    epoch: float | None


class Qualitative(Answer):
    """The grid of depth maps: every sample frame and every run's predictions of it."""

    frames: list[FrameEntry]
    runs: list[RunSummary]
    predictions: list[PredictionEntry]
    columns: list[ColumnEntry]
    steps: list[int] = Field(description="evaluation steps for which predictions exist, ascending")
    depth_range: tuple[float, float] = Field(description="metres: 2nd and 98th percentile of the ground truth shown")
    percentiles: dict[int, float] = Field(description="of all ground truth shown, metres; empty where there is none")
    error_limits: dict[str, float] = Field(
        description="end of the error's colours: `error` in metres, `relative` a share"
    )
    caption: str


class DryRunCell(Answer):
    levels: dict[str, Any]
    exists: bool
    run_id: int | None
    status: RunStatus | None


class DryRun(Answer):
    cells: list[DryRunCell]
    total: int
    new: int
    reused: int
    images_to_train: int
    seconds: float | None = Field(description="wall time with the workers there are now")
    slots: int
    basis: str = Field(description="where the speed comes from, in words")
    warnings: list[str]


class RunLog(Answer):
    text: str
    truncated: bool


class LostRun(Answer):
    """A run that a worker had when it was last heard of."""

    run: RunSummary
    resumes_from: float | None = Field(description="epoch of its newest checkpoint; null: it begins again")


class WorkerEntry(Answer):
    id: str
    host: str
    device: str
    threads: int
    slots: int
    last_seen: datetime
    alive: bool
    draining: bool = Field(description="it finishes what it trains and gets nothing more")
    gpus: list[Gpu]
    running: list[RunSummary]
    lost: list[LostRun] = Field(description="of one that is gone: what became of the runs that it had last")
    speeds: dict[str, float]
    version: str


class DatasetEntry(Answer):
    name: str
    format: str
    path: str
    created_at: datetime
    runs: int
    report: DatasetReport
    sheet_url: str | None


class ExperimentName(Answer):
    id: int
    name: str


class DatasetDetail(DatasetEntry):
    experiments: list[ExperimentName] = Field(description="newest first, those with runs on this dataset")


class DatasetRegistration(Answer):
    """What `depthboard data add` sends: the report of the check, and its contact sheet."""

    report: DatasetReport
    sheet_png: str | None = Field(None, description="base64")
    replace: bool = False


class ResultRow(Answer):
    """One row of the results table. `kind`: run (ours), constant (training median), published (quoted, never averaged
    with ours).
    """

    kind: Literal["run", "constant", "published"]
    label: str
    loss: str | None
    encoder: str | None
    train_size: int | None
    dataset: str | None
    n: int = Field(description="seeds averaged")
    run_ids: list[int]
    values: dict[str, float | None]
    spread: dict[str, float | None] = Field(description="sample standard deviation over seeds; null for n < 2")
    note: str | None


class Results(Answer):
    rows: list[ResultRow]
    metrics: list[str]
    caption: str
    value: Literal["last3", "last", "best_validation"] | None = Field(
        description="what a run counts with: the last evaluation also where more was asked for and re-scored runs have no other; null where there is no choice"
    )


class LiveEvent(Answer):
    """One server-sent event: `id` rises in the order in which listeners hear; the event name is the kind."""

    kind: Literal["run", "points", "evaluation", "prediction", "log", "experiment", "worker", "dataset"]
    run_id: int | None = None
    experiment_ids: list[int] = Field(default_factory=list)
    versions: dict[str, int] = Field(
        default_factory=dict, description="experiment -> its version after this; answers carry it in their ETag"
    )
    data: dict[str, Any] = Field(default_factory=dict)
