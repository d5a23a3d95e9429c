"""Sample frames that a script sent with its run, beside those of registered datasets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.store import types

revision = "0004"
down_revision = "0003"

KEY = "fk_frame_run_id_run"
# SQLite changes no column and adds no key. It keeps the text that made the table, and by its manual these may be changed there.
OPTIONAL = ("dataset VARCHAR(80) NOT NULL", "dataset VARCHAR(80)")
LINKED = (
    "run_id INTEGER",
    f"run_id INTEGER, CONSTRAINT {KEY} FOREIGN KEY(run_id) REFERENCES run (id) ON DELETE CASCADE",
)


def upgrade() -> None:
    op.add_column("frame", sa.Column("run_id", types.Int64(), nullable=True))
    if op.get_bind().dialect.name == "sqlite":
        _change_text(*OPTIONAL)
        _change_text(*LINKED)
    else:
        op.alter_column("frame", "dataset", nullable=True)
        op.create_foreign_key(KEY, "frame", "run", ["run_id"], ["id"], ondelete="CASCADE")
    op.create_index("uq_frame_of_run", "frame", ["run_id", "frame", "fingerprint"], unique=True)


def _change_text(before: str, after: str) -> None:
    connection = op.get_bind()
    version = connection.exec_driver_sql("pragma schema_version").scalar_one()
    connection.exec_driver_sql("pragma writable_schema = on")
    changed = connection.exec_driver_sql(
        "update sqlite_schema set sql = replace(sql, ?, ?) where type = 'table' and name = 'frame' and instr(sql, ?)",
        (before, after, before),
    )
    assert changed.rowcount == 1
    connection.exec_driver_sql(f"pragma schema_version = {int(version) + 1}")
    connection.exec_driver_sql("pragma writable_schema = off")


def downgrade() -> None:
    op.execute("delete from frame where dataset is null")
    op.drop_index("uq_frame_of_run", "frame")
    if op.get_bind().dialect.name == "sqlite":
        _change_text(*reversed(LINKED))
        _change_text(*reversed(OPTIONAL))
    else:
        op.drop_constraint(KEY, "frame", type_="foreignkey")
        op.alter_column("frame", "dataset", nullable=False)
    op.drop_column("frame", "run_id")
