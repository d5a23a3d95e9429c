"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.store import types

revision = "0001"
down_revision = None


def upgrade() -> None:
    _subjects()
    _run()
    _record()


def _subjects() -> None:
    op.create_table(
        "dataset",
        sa.Column("id", types.Int64(), nullable=False),
        sa.Column("name", types.CleanString(length=80), nullable=False),
        sa.Column("format", types.CleanString(length=80), nullable=False),
        sa.Column("path", types.CleanText(), nullable=False),
        sa.Column("options", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("fingerprint", types.CleanString(length=200), nullable=False),
        sa.Column("report", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("sheet", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_dataset"),
        sa.UniqueConstraint("name", name="uq_dataset_name"),
    )
    op.create_table(
        "event",
        sa.Column("id", types.Int64(), nullable=False),
        sa.Column("kind", types.CleanString(length=16), nullable=False),
        sa.Column("run_id", types.Int64(), nullable=True),
        sa.Column("experiment_ids", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("data", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_event_subject", "event", ["run_id", "kind"])
    op.create_table(
        "experiment",
        sa.Column("id", types.Int64(), nullable=False),
        sa.Column("name", types.CleanString(length=200), nullable=False),
        sa.Column("description", types.CleanText(), nullable=False),
        sa.Column("spec", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("factors", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("created_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("updated_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_experiment"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "worker",
        sa.Column("id", types.CleanString(length=64), nullable=False),
        sa.Column("host", types.CleanString(length=200), nullable=False),
        sa.Column("device", types.CleanString(length=200), nullable=False),
        sa.Column("threads", types.Int64(), nullable=False),
        sa.Column("slots", types.Int64(), nullable=False),
        sa.Column("pid", types.Int64(), nullable=False),
        sa.Column("version", types.CleanString(length=100), nullable=False),
        sa.Column("training_version", types.CleanString(length=100), nullable=False),
        sa.Column("speeds", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("startup_seconds", sa.Float(precision=53), nullable=False),
        sa.Column("first_seen", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("last_seen", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("alive", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_worker"),
    )
    op.create_table(
        "experiment_tag",
        sa.Column("experiment_id", types.Int64(), nullable=False),
        sa.Column("position", types.Int64(), autoincrement=False, nullable=False),
        sa.Column("tag", types.CleanString(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiment.id"], name="fk_experiment_tag_experiment_id_experiment", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("experiment_id", "position", name="pk_experiment_tag"),
    )
    op.create_index("ix_experiment_tag_tag", "experiment_tag", ["tag"])
    op.create_table(
        "frame",
        sa.Column("id", types.Int64(), nullable=False),
        sa.Column("dataset", types.CleanString(length=80), nullable=False),
        sa.Column("fingerprint", types.CleanString(length=200), nullable=False),
        sa.Column("split", types.CleanString(length=80), nullable=False),
        sa.Column("part", types.CleanString(length=80), nullable=False),
        sa.Column("crop", types.CleanString(length=40), nullable=False),
        sa.Column("height", types.Int64(), nullable=False),
        sa.Column("width", types.Int64(), nullable=False),
        sa.Column("frame", types.CleanString(length=500), nullable=False),
        sa.Column("position", types.Int64(), nullable=False),
        sa.Column("rgb", sa.LargeBinary(), nullable=False),
        sa.Column("depth", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["dataset"], ["dataset.name"], name="fk_frame_dataset_dataset", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_frame"),
        sa.UniqueConstraint(
            "dataset", "fingerprint", "split", "part", "crop", "height", "width", "frame", name="uq_frame_key"
        ),
        sqlite_autoincrement=True,
    )


def _run() -> None:
    op.create_table(
        "run",
        sa.Column("id", types.Int64(), nullable=False),
        sa.Column("identity", types.CleanString(length=64), nullable=False),
        sa.Column("config", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("data_fingerprint", types.CleanString(length=200), nullable=False),
        sa.Column("training_version", types.CleanString(length=100), nullable=False),
        sa.Column("loss", types.CleanString(length=40), nullable=False),
        sa.Column("loss_label", types.CleanString(length=300), nullable=False),
        sa.Column("dataset", types.CleanString(length=80), nullable=False),
        sa.Column("split", types.CleanString(length=80), nullable=False),
        sa.Column("train_size", types.Int64(), nullable=False),
        sa.Column("encoder", types.CleanString(length=40), nullable=False),
        sa.Column("height", types.Int64(), nullable=False),
        sa.Column("width", types.Int64(), nullable=False),
        sa.Column("seed", types.Int64(), nullable=False),
        sa.Column("steps", types.Int64(), nullable=False),
        sa.Column("batch_size", types.Int64(), nullable=False),
        sa.Column("images", types.Int64(), nullable=False),
        sa.Column("evaluation_split", types.CleanString(length=80), nullable=False),
        sa.Column("protocol", types.CleanString(length=200), nullable=False),
        sa.Column("status", types.CleanString(length=16), nullable=False),
        sa.Column("attempt", types.Int64(), nullable=False),
        sa.Column("tries", types.Int64(), nullable=False),
        sa.Column("max_attempts", types.Int64(), nullable=False),
        sa.Column("priority", types.Int64(), nullable=False),
        sa.Column("position", types.Int64(), nullable=False),
        sa.Column("owner", types.CleanString(length=64), nullable=True),
        sa.Column("token", types.CleanString(length=64), nullable=True),
        sa.Column("lease_until", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("not_before", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("reason", types.CleanText(), nullable=True),
        sa.Column("step", types.Int64(), nullable=False),
        sa.Column("images_per_second", sa.Float(precision=53), nullable=True),
        sa.Column("diverged_at", types.Int64(), nullable=True),
        sa.Column("rmse", sa.Float(precision=53), nullable=True),
        sa.Column("metrics", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("provenance", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("started_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("finished_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'running') = (lease_until IS NOT NULL AND owner IS NOT NULL)", name="ck_run_lease"
        ),
        sa.CheckConstraint("status IN ('queued', 'running', 'finished', 'failed', 'cancelled')", name="ck_run_status"),
        sa.ForeignKeyConstraint(["dataset"], ["dataset.name"], name="fk_run_dataset_dataset", ondelete="RESTRICT"),
        sa.PrimaryKeyConstraint("id", name="pk_run"),
        sa.UniqueConstraint("identity", name="uq_run_identity"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_run_dataset", "run", ["dataset"])
    op.create_index("ix_run_kind", "run", ["encoder", "height", "width", "loss"])
    op.create_index(
        "ix_run_lease",
        "run",
        ["lease_until"],
        sqlite_where=sa.text("status = 'running'"),
        postgresql_where=sa.text("status = 'running'"),
    )
    op.create_index(
        "ix_run_queue",
        "run",
        ["priority", "position", "id"],
        sqlite_where=sa.text("status = 'queued'"),
        postgresql_where=sa.text("status = 'queued'"),
    )
    op.create_index("ix_run_status", "run", ["status", "id"])


def _record() -> None:
    op.create_table(
        "attempt",
        sa.Column("run_id", types.Int64(), nullable=False),
        sa.Column("attempt", types.Int64(), autoincrement=False, nullable=False),
        sa.Column("owner", types.CleanString(length=64), nullable=False),
        sa.Column("host", types.CleanString(length=200), nullable=False),
        sa.Column("device", types.CleanString(length=200), nullable=False),
        sa.Column("started_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.Column("ended_at", types.UtcDateTime(timezone=True), nullable=True),
        sa.Column("outcome", types.CleanString(length=16), nullable=True),
        sa.Column("reason", types.CleanText(), nullable=True),
        sa.Column("exit_code", types.Int64(), nullable=True),
        sa.Column("resumed_from_step", types.Int64(), nullable=True),
        sa.Column("last_seq", types.Int64(), nullable=False),
        sa.Column("log_length", types.Int64(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_attempt_run_id_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "attempt", name="pk_attempt"),
    )
    op.create_table(
        "checkpoint",
        sa.Column("run_id", types.Int64(), nullable=False),
        sa.Column("attempt", types.Int64(), autoincrement=False, nullable=False),
        sa.Column("step", types.Int64(), autoincrement=False, nullable=False),
        sa.Column("path", types.CleanText(), nullable=False),
        sa.Column("sha256", types.CleanString(length=64), nullable=False),
        sa.Column("bytes", types.Int64(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_checkpoint_run_id_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "attempt", "step", name="pk_checkpoint"),
    )
    op.create_table(
        "curve",
        sa.Column("run_id", types.Int64(), nullable=False),
        sa.Column("attempt", types.Int64(), autoincrement=False, nullable=False),
        sa.Column("first_seq", types.Int64(), autoincrement=False, nullable=False),
        sa.Column("key", types.CleanString(length=200), nullable=False),
        sa.Column("n", types.Int64(), nullable=False),
        sa.Column("first_step", types.Int64(), nullable=False),
        sa.Column("last_step", types.Int64(), nullable=False),
        sa.Column("steps", sa.LargeBinary(), nullable=False),
        sa.Column("walls", sa.LargeBinary(), nullable=False),
        sa.Column("values", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_curve_run_id_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "attempt", "first_seq", "key", name="pk_curve"),
    )
    op.create_table(
        "evaluation",
        sa.Column("run_id", types.Int64(), nullable=False),
        sa.Column("attempt", types.Int64(), autoincrement=False, nullable=False),
        sa.Column("step", types.Int64(), autoincrement=False, nullable=False),
        sa.Column("split", types.CleanString(length=80), nullable=False),
        sa.Column("protocol", types.CleanString(length=200), nullable=False),
        sa.Column("predictor", types.CleanString(length=16), nullable=False),
        sa.Column("constant", sa.Float(precision=53), nullable=True),
        sa.Column("images", types.Int64(), nullable=False),
        sa.Column("sums", sa.LargeBinary(), nullable=False),
        sa.Column("per_image", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("pooled", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("wall", sa.Float(precision=53), nullable=True),
        sa.Column("seconds", sa.Float(precision=53), nullable=True),
        sa.Column("superseded", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_evaluation_run_id_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "attempt", "step", "split", "protocol", "predictor", name="pk_evaluation"),
    )
    op.create_table(
        "experiment_run",
        sa.Column("experiment_id", types.Int64(), nullable=False),
        sa.Column("run_id", types.Int64(), nullable=False),
        sa.Column("levels", sa.JSON(none_as_null=True), nullable=False),
        sa.Column("position", types.Int64(), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"], ["experiment.id"], name="fk_experiment_run_experiment_id_experiment", ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_experiment_run_run_id_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("experiment_id", "run_id", name="pk_experiment_run"),
    )
    op.create_index("ix_experiment_run_run_id", "experiment_run", ["run_id"])
    op.create_table(
        "log",
        sa.Column("run_id", types.Int64(), nullable=False),
        sa.Column("attempt", types.Int64(), autoincrement=False, nullable=False),
        sa.Column("start", types.Int64(), autoincrement=False, nullable=False),
        sa.Column("text", types.CleanText(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_log_run_id_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run_id", "attempt", "start", name="pk_log"),
    )
    op.create_table(
        "prediction",
        sa.Column("id", types.Int64(), nullable=False),
        sa.Column("run_id", types.Int64(), nullable=False),
        sa.Column("attempt", types.Int64(), nullable=False),
        sa.Column("step", types.Int64(), nullable=False),
        sa.Column("frame_id", types.Int64(), nullable=False),
        sa.Column("height", types.Int64(), nullable=False),
        sa.Column("width", types.Int64(), nullable=False),
        sa.Column("nonfinite", types.Int64(), nullable=False),
        sa.Column("depth", sa.LargeBinary(), nullable=False),
        sa.Column("superseded", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(["frame_id"], ["frame.id"], name="fk_prediction_frame_id_frame", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name="fk_prediction_run_id_run", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_prediction"),
        sa.UniqueConstraint("run_id", "step", "frame_id", "attempt", name="uq_prediction_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_prediction_frame_id", "prediction", ["frame_id"])
