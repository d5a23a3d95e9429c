"""Write a draft of the next migration: `python -m backend.store.migrations "add tags"`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from alembic import command
from alembic.script import ScriptDirectory

from backend.store.migrations import configuration, migrate
from backend.store.session import Database


def main(message: str) -> None:
    """Compare the tables with a database that has every migration so far."""
    number = len(list(ScriptDirectory.from_config(configuration()).walk_revisions())) + 1
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite+pysqlite:///{Path(folder) / 'draft.sqlite3'}")
        if number > 1:
            migrate(database)
        with database.writer.begin() as connection:
            command.revision(configuration(connection), message, autogenerate=True, rev_id=f"{number:04d}")
        database.close()


if __name__ == "__main__":
    main(" ".join(sys.argv[1:]) or "change")
