"""Evaluations hold measures of edges beside their sums."""

from __future__ import annotations

import zlib

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

FIRST_COLUMNS = 12
"""How many columns of sums the release before knows, and takes for granted."""


def upgrade() -> None:
    with op.batch_alter_table("evaluation") as table:
        table.add_column(sa.Column("sharpness", sa.LargeBinary(), nullable=True))
        table.add_column(sa.Column("sharpness_means", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """What the release before would misread goes: evaluations made of checkpoints, columns of sums after the twelfth."""
    op.execute("delete from evaluation where attempt = 0")
    _cut_sums()
    with op.batch_alter_table("evaluation") as table:
        table.drop_column("sharpness_means")
        table.drop_column("sharpness")


def _cut_sums() -> None:
    names = ("run_id", "attempt", "step", "split", "protocol", "predictor")
    table = sa.table("evaluation", *map(sa.column, (*names, "images", "sums")))
    keys = [table.c[name] for name in names]
    connection = op.get_bind()
    for *key, images in connection.execute(sa.select(*keys, table.c.images)).all():
        this = sa.and_(*(column == value for column, value in zip(keys, key, strict=True)))
        raw = zlib.decompress(connection.execute(sa.select(table.c.sums).where(this)).scalar_one())
        row = len(raw) // images
        if row > FIRST_COLUMNS * 8:
            kept = b"".join(raw[i * row : i * row + FIRST_COLUMNS * 8] for i in range(images))
            connection.execute(sa.update(table).where(this).values(sums=zlib.compress(kept, 6)))
