"""In which order the chunks of an attempt came, whoever wrote them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from backend.store import types

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("chunk", sa.Column("arrival", types.Int64(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("chunk", "arrival")
