"""The tables. A row of `run` is the truth about a run; the broker's messages only hurry somebody to look at it.

dataset ─< frame                       sample frames: RGB and ground truth, stored once (or of a script's run)
experiment ─< experiment_tag, saved_view   (a view may also be of no experiment)
experiment ─< experiment_run >─ run    an experiment links runs; several may link the same one
run ─< attempt, evaluation, prediction, checkpoint, log
run ─< sequence, chunk, axis ─< curve  logged points: batches as they came, then one row a curve (backend.store.curves)
run ─< param, metric                   what lists filter and sort by
worker, doomed                         who is there; files that someone who reaches them shall delete
event, stream                          what changed (the source of the live stream), and how far it is numbered

A run that is given to a second worker resumes from a checkpoint. What older attempts recorded from that step on is kept
and marked: `superseded` on evaluation and prediction, `attempt.resumed_from` for curves. Readers take rows with
`superseded` false and curves through `backend.store.curves`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, Float, ForeignKey, Index, LargeBinary, MetaData, UniqueConstraint, false, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from backend.store.types import CleanString, CleanText, Int64, Json, UtcDateTime
from depthboard.status import RunStatus

CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=CONVENTION)
    type_annotation_map = {
        int: Int64,
        str: CleanString,
        float: Float(53),
        bytes: LargeBinary,
        datetime: UtcDateTime,
        dict[str, Any]: Json,
        list[Any]: Json,
    }


RESCORED = 0
"""The attempt of an evaluation that was made of the checkpoint after the run had ended; claims count from 1."""

# SQLite gives a deleted last row's number to the next one unless AUTOINCREMENT is said; a worker of a deleted run must
# not meet a new one.
NEVER_REUSED = {"sqlite_autoincrement": True}


class Dataset(Base):
    """A registered dataset and the report of its check (depthboard.datasets.DatasetReport as JSON)."""

    __tablename__ = "dataset"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(CleanString(80), unique=True)
    format: Mapped[str] = mapped_column(CleanString(80))
    path: Mapped[str] = mapped_column(CleanText)
    options: Mapped[dict[str, Any]]
    fingerprint: Mapped[str] = mapped_column(CleanString(200))
    report: Mapped[dict[str, Any]]
    sheet: Mapped[bytes | None] = mapped_column(deferred=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Frame(Base):
    """A sample frame: RGB as PNG, ground truth as depthboard.protocol.pack_depth. `position` indexes the frames of its
    part.

    One of a dataset, which runs share; or one that the script of `run_id` sent, its `fingerprint` being of its content.
    """

    __tablename__ = "frame"
    __table_args__ = (
        UniqueConstraint(
            "dataset", "fingerprint", "split", "part", "crop", "height", "width", "frame", name="uq_frame_key"
        ),
        Index("uq_frame_of_run", "run_id", "frame", "fingerprint", unique=True),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    dataset: Mapped[str | None] = mapped_column(ForeignKey("dataset.name", ondelete="CASCADE"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    fingerprint: Mapped[str] = mapped_column(CleanString(200))
    split: Mapped[str] = mapped_column(CleanString(80))
    part: Mapped[str] = mapped_column(CleanString(80))
    crop: Mapped[str] = mapped_column(CleanString(40))
    height: Mapped[int]
    width: Mapped[int]
    frame: Mapped[str] = mapped_column(CleanString(500))
    position: Mapped[int]
    rgb: Mapped[bytes] = mapped_column(deferred=True)
    depth: Mapped[bytes] = mapped_column(deferred=True)


class Experiment(Base):
    """What a person submitted. `factors`: path -> the levels in use, plain, in the order first met.

    `version` rises with every event of the experiment, `results_version` with those that change a figure or a table; both
    under this row's lock, so that whoever has seen a number has seen all before it.
    """

    __tablename__ = "experiment"
    __table_args__ = (NEVER_REUSED,)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(CleanString(200))
    description: Mapped[str] = mapped_column(CleanText)
    spec: Mapped[dict[str, Any]]
    factors: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(server_default=text("0"))
    results_version: Mapped[int] = mapped_column(server_default=text("0"))
    paused: Mapped[bool] = mapped_column(
        server_default=false(), doc="its runs wait unless another experiment links them"
    )
    deleted_at: Mapped[datetime | None] = mapped_column(doc="in the trash since")
    archived_at: Mapped[datetime | None] = mapped_column(doc="off the list since; its runs go on")
    pinned: Mapped[bool] = mapped_column(server_default=false(), doc="on top of the list")
    notes: Mapped[str] = mapped_column(CleanText, server_default=text("''"), deferred=True, doc="Markdown")
    notes_version: Mapped[int] = mapped_column(server_default="0", doc="rises with every change of the notes")

    tags: Mapped[list[ExperimentTag]] = relationship(
        cascade="all, delete-orphan", passive_deletes=True, order_by="ExperimentTag.position", lazy="selectin"
    )


class ExperimentTag(Base):
    __tablename__ = "experiment_tag"

    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    tag: Mapped[str] = mapped_column(CleanString(200), index=True)


class SavedView(Base):
    """A page of the dashboard with its whole view state, under a name: an address of this host, never of another."""

    __tablename__ = "saved_view"
    __table_args__ = (
        UniqueConstraint("experiment_id", "name"),
        # The constraint takes two rows without an experiment for different ones.
        Index(
            "uq_saved_view_name",
            "name",
            unique=True,
            sqlite_where=text("experiment_id IS NULL"),
            postgresql_where=text("experiment_id IS NULL"),
        ),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(CleanString(200))
    experiment_id: Mapped[int | None] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(CleanString(500))
    search: Mapped[str] = mapped_column(CleanText)
    created_at: Mapped[datetime]


class ExperimentRun(Base):
    """The link: `levels` are the factor levels that this run has in this experiment, `position` its place in the grid."""

    __tablename__ = "experiment_run"

    experiment_id: Mapped[int] = mapped_column(ForeignKey("experiment.id", ondelete="CASCADE"), primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True, index=True)
    levels: Mapped[dict[str, Any]]
    position: Mapped[int]


STATUSES = ", ".join(f"'{status}'" for status in RunStatus)


TRAINED, SCRIPT = "trained", "script"
NOT_BEGUN = 2**53 + 1
"""`attempt.resumed_from` of a script that goes on with a run and has not said yet from which step."""


class Run(Base):
    """One training: `trained` by a worker, or a person's own `script`, whose texts and numbers of the second group are
    empty where its parameters do not say them.

    The second group of columns repeats what `config` says, so that lists and figures sort and group in SQL.
    """

    __tablename__ = "run"
    __table_args__ = (
        CheckConstraint(f"status IN ({STATUSES})", name="status"),
        CheckConstraint("(status = 'running') = (lease_until IS NOT NULL AND owner IS NOT NULL)", name="lease"),
        Index(
            "ix_run_queue",
            "priority",
            "position",
            "id",
            sqlite_where=text("status = 'queued'"),
            postgresql_where=text("status = 'queued'"),
        ),
        Index(
            "ix_run_lease",
            "lease_until",
            sqlite_where=text("status = 'running'"),
            postgresql_where=text("status = 'running'"),
        ),
        Index("ix_run_status", "status", "id"),
        Index("ix_run_kind", "encoder", "height", "width", "loss"),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    identity: Mapped[str] = mapped_column(CleanString(64), unique=True)
    kind: Mapped[str] = mapped_column(CleanString(16), server_default=text(f"'{TRAINED}'"))
    name: Mapped[str | None] = mapped_column(CleanString(200), doc="of a script's run")
    config: Mapped[dict[str, Any]]
    data_fingerprint: Mapped[str] = mapped_column(CleanString(200))
    training_version: Mapped[str] = mapped_column(CleanString(100))

    loss: Mapped[str] = mapped_column(CleanString(40))
    loss_label: Mapped[str] = mapped_column(CleanString(300))
    dataset: Mapped[str | None] = mapped_column(ForeignKey("dataset.name", ondelete="RESTRICT"), index=True)
    split: Mapped[str] = mapped_column(CleanString(80), doc="division of the dataset into parts: config.data.split")
    train_size: Mapped[int] = mapped_column(doc="images, resolved")
    encoder: Mapped[str] = mapped_column(CleanString(40))
    height: Mapped[int]
    width: Mapped[int]
    seed: Mapped[int]
    steps: Mapped[int]
    batch_size: Mapped[int]
    images: Mapped[int] = mapped_column(doc="training images shown in all: steps × batch_size")
    evaluation_split: Mapped[str] = mapped_column(
        CleanString(80), doc="the part that is scored: config.evaluation.split"
    )
    protocol: Mapped[str] = mapped_column(CleanString(200))

    status: Mapped[str] = mapped_column(CleanString(16))
    attempt: Mapped[int] = mapped_column(doc="rises with every claim and never falls: the fence")
    tries: Mapped[int] = mapped_column(doc="claims that count against max_attempts; a retry by hand sets it to 0")
    max_attempts: Mapped[int]
    priority: Mapped[int] = mapped_column(doc="lower first")
    position: Mapped[int] = mapped_column(doc="order of submission within a priority")
    owner: Mapped[str | None] = mapped_column(CleanString(64), doc="worker id, random for each process")
    token: Mapped[str | None] = mapped_column(CleanString(64), doc="sha256 of the attempt's token")
    lease_until: Mapped[datetime | None]
    not_before: Mapped[datetime | None]
    cancel_requested: Mapped[bool] = mapped_column(server_default=false())
    pause_requested: Mapped[bool] = mapped_column(server_default=false(), doc="to be given back after a checkpoint")
    held: Mapped[bool] = mapped_column(
        server_default=false(), doc="every experiment that links it is paused or in the trash: no worker gets it"
    )
    stalled: Mapped[bool] = mapped_column(server_default=false(), doc="running, but nothing has moved for a while")
    progressed_at: Mapped[datetime | None] = mapped_column(doc="when the running attempt was last seen to move")
    reason: Mapped[str | None] = mapped_column(CleanText)

    step: Mapped[int]
    images_per_second: Mapped[float | None]
    diverged_at: Mapped[int | None]
    rmse: Mapped[float | None] = mapped_column(doc="of `metrics`, for sorting; null when not finite or not scored yet")
    metrics: Mapped[dict[str, Any] | None] = mapped_column(doc="per-image metrics, mean of the last three evaluations")
    provenance: Mapped[dict[str, Any] | None]
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class Attempt(Base):
    """One claim of a run. `resumed_from`: the first step that it logs, null when it began from scratch; what older attempts
    logged at that step and after it no longer counts.
    """

    __tablename__ = "attempt"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    owner: Mapped[str] = mapped_column(CleanString(64))
    host: Mapped[str] = mapped_column(CleanString(200))
    device: Mapped[str] = mapped_column(CleanString(200))
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    outcome: Mapped[str | None] = mapped_column(CleanString(16), doc="a status, or 'lost'")
    reason: Mapped[str | None] = mapped_column(CleanText)
    exit_code: Mapped[int | None]
    resumed_from: Mapped[int | None]
    log_length: Mapped[int] = mapped_column(doc="characters of log held")


class Sequence(Base):
    """How far the rows that a writer of an attempt logged are held: the next one must be `last_seq + 1`."""

    __tablename__ = "sequence"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    writer: Mapped[str] = mapped_column(CleanString(40), primary_key=True)
    last_seq: Mapped[int]


class Chunk(Base):
    """An accepted batch of logged rows, as it came (backend.store.columns); it goes when it is compacted into curves."""

    __tablename__ = "chunk"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    writer: Mapped[str] = mapped_column(CleanString(40), primary_key=True)
    first_seq: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    arrival: Mapped[int] = mapped_column(
        server_default="0", doc="rows of all the attempt's writers that were accepted before"
    )
    n: Mapped[int] = mapped_column(doc="rows")
    first_step: Mapped[int]
    last_step: Mapped[int]
    body: Mapped[bytes]


class Axis(Base):
    """Steps and wall times that curves of an attempt share, packed by backend.store.columns."""

    __tablename__ = "axis"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    n: Mapped[int]
    steps: Mapped[bytes]
    walls: Mapped[bytes] = mapped_column(doc="seconds since the epoch, the writer's clock")


class Curve(Base):
    """All values that an attempt logged under a key, by step, of the chunks that were compacted. NaN and infinities are kept.

    `summary`: of a long curve the extremes of every stretch, with their steps and wall times.
    """

    __tablename__ = "curve"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(CleanString(200), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    axis: Mapped[int]
    n: Mapped[int]
    first_step: Mapped[int]
    last_step: Mapped[int]
    values: Mapped[bytes]
    summary: Mapped[bytes | None]


class Param(Base):
    """A parameter of a run by its dotted path; a number, or else a text."""

    __tablename__ = "param"
    __table_args__ = (
        Index("ix_param_number", "name", "number", "run_id"),
        Index("ix_param_text", "name", "text", "run_id"),
    )

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(CleanString(200), primary_key=True)
    number: Mapped[float | None]
    text: Mapped[str | None] = mapped_column(CleanString(300))


class Metric(Base):
    """The newest value of a key, or one of `run.metrics`; the number is null where it is not finite."""

    __tablename__ = "metric"
    __table_args__ = (Index("ix_metric_number", "name", "number", "run_id"),)

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    name: Mapped[str] = mapped_column(CleanString(200), primary_key=True)
    number: Mapped[float | None]
    step: Mapped[int]


class Evaluation(Base):
    """One evaluation. `sums`: zlib of float64 (images, columns), row-major, the columns being the first of
    depthboard.metrics.SUMS that its evaluator knew; the metrics follow from it exactly. `sharpness`: the same of
    (images, len(depthboard.metrics.SHARPNESS)), null where edges were not measured.

    `per_image`, `pooled` and `sharpness_means` (measure -> {value, images}) are what follows, kept so that tables and
    figures over thousands of runs read no blob; null = not finite. `attempt` is 0 (RESCORED) where the run had ended and
    its checkpoint was scored again.
    """

    __tablename__ = "evaluation"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    split: Mapped[str] = mapped_column(CleanString(80), primary_key=True, doc="the part scored: test or validation")
    protocol: Mapped[str] = mapped_column(CleanString(200), primary_key=True)
    predictor: Mapped[str] = mapped_column(CleanString(16), primary_key=True, doc="network or constant")
    constant: Mapped[float | None] = mapped_column(doc="metres predicted everywhere")
    images: Mapped[int]
    sums: Mapped[bytes] = mapped_column(deferred=True)
    per_image: Mapped[dict[str, Any]]
    pooled: Mapped[dict[str, Any]]
    sharpness: Mapped[bytes | None] = mapped_column(deferred=True)
    sharpness_means: Mapped[dict[str, Any] | None]
    wall: Mapped[float | None]
    seconds: Mapped[float | None]
    superseded: Mapped[bool] = mapped_column(server_default=false())


class Prediction(Base):
    """A predicted depth map as depthboard.protocol.pack_depth makes it. `depth` is loaded only when asked for."""

    __tablename__ = "prediction"
    __table_args__ = (UniqueConstraint("run_id", "step", "frame_id", "attempt", name="uq_prediction_key"), NEVER_REUSED)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    attempt: Mapped[int]
    step: Mapped[int]
    frame_id: Mapped[int] = mapped_column(ForeignKey("frame.id", ondelete="CASCADE"), index=True)
    height: Mapped[int]
    width: Mapped[int]
    nonfinite: Mapped[int]
    depth: Mapped[bytes] = mapped_column(deferred=True)
    superseded: Mapped[bool] = mapped_column(server_default=false())


class Checkpoint(Base):
    """The note of a checkpoint on a worker's disk; the file itself never enters the database."""

    __tablename__ = "checkpoint"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    step: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    path: Mapped[str] = mapped_column(CleanText)
    sha256: Mapped[str] = mapped_column(CleanString(64))
    bytes: Mapped[int]
    host: Mapped[str] = mapped_column(
        CleanString(200), server_default=text("''"), doc="whose disk; empty: a shared store"
    )
    created_at: Mapped[datetime]


class Doomed(Base):
    """A file that belongs to nothing any more, to be deleted by whoever can reach it."""

    __tablename__ = "doomed"
    __table_args__ = (NEVER_REUSED,)

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(CleanText)
    host: Mapped[str] = mapped_column(CleanString(200), index=True)
    bytes: Mapped[int]
    created_at: Mapped[datetime]


class Log(Base):
    """A piece of an attempt's log that begins at byte `start` of it."""

    __tablename__ = "log"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), primary_key=True)
    attempt: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    start: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    text: Mapped[str] = mapped_column(CleanText)


class Worker(Base):
    """A worker process, by the random id it chose at its start."""

    __tablename__ = "worker"

    id: Mapped[str] = mapped_column(CleanString(64), primary_key=True)
    host: Mapped[str] = mapped_column(CleanString(200))
    device: Mapped[str] = mapped_column(CleanString(200))
    threads: Mapped[int]
    slots: Mapped[int]
    pid: Mapped[int]
    version: Mapped[str] = mapped_column(CleanString(100))
    training_version: Mapped[str] = mapped_column(CleanString(100))
    speeds: Mapped[dict[str, Any]]
    startup_seconds: Mapped[float]
    first_seen: Mapped[datetime]
    last_seen: Mapped[datetime]
    alive: Mapped[bool] = mapped_column(doc="false once the sweeper has missed it")
    draining: Mapped[bool] = mapped_column(server_default=false(), doc="finishes what it trains and gets nothing more")
    gpus: Mapped[list[Any] | None] = mapped_column(doc="depthboard.protocol.Gpu, as it said last")


class Event(Base):
    """What changed, written in the transaction of the change (backend.store.outbox).

    `versions`: experiment -> its version after this. `position`: the order in which listeners hear of it, given once it is
    committed; ids of transactions that run at once may become visible in another order.
    """

    __tablename__ = "event"
    __table_args__ = (
        Index("ix_event_subject", "run_id", "kind"),
        Index("ix_event_position", "position"),
        Index("ix_event_new", "id", sqlite_where=text("position IS NULL"), postgresql_where=text("position IS NULL")),
        NEVER_REUSED,
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(CleanString(16))
    run_id: Mapped[int | None] = mapped_column(doc="no foreign key: an event outlives its run")
    experiment_ids: Mapped[list[Any]]
    versions: Mapped[dict[str, Any] | None]
    position: Mapped[int | None]
    data: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class Stream(Base):
    """One row: the last position given to an event, and the last of those that were forgotten."""

    __tablename__ = "stream"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int]
    forgotten: Mapped[int]
