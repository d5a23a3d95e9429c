"""What people do with experiments they keep: pin, archive, write notes; and views of the dashboard that they name."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.store import types

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.add_column("experiment", sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("experiment", sa.Column("archived_at", types.UtcDateTime(timezone=True), nullable=True))
    op.add_column("experiment", sa.Column("notes", types.CleanText(), nullable=False, server_default=sa.text("''")))
    op.add_column("experiment", sa.Column("notes_version", types.Int64(), nullable=False, server_default="0"))
    op.create_table(
        "saved_view",
        sa.Column("id", types.Int64(), nullable=False),
        sa.Column("name", types.CleanString(200), nullable=False),
        sa.Column("experiment_id", types.Int64(), nullable=True),
        sa.Column("path", types.CleanString(500), nullable=False),
        sa.Column("search", types.CleanText(), nullable=False),
        sa.Column("created_at", types.UtcDateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["experiment_id"],
            ["experiment.id"],
            name=op.f("fk_saved_view_experiment_id_experiment"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_view")),
        sa.UniqueConstraint("experiment_id", "name", name=op.f("uq_saved_view_experiment_id_name")),
        sqlite_autoincrement=True,
    )
    nowhere = sa.text("experiment_id IS NULL")
    op.create_index(
        "uq_saved_view_name", "saved_view", ["name"], unique=True, sqlite_where=nowhere, postgresql_where=nowhere
    )


def downgrade() -> None:
    op.drop_index("uq_saved_view_name", table_name="saved_view")
    op.drop_table("saved_view")
    for column in ("notes_version", "notes", "archived_at", "pinned"):
        op.drop_column("experiment", column)
