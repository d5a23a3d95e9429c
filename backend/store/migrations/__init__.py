"""Migrations of the database, packaged with the code and run by the API before it listens.

A new one: change tables.py, then `python -m backend.store.migrations "what changes"` writes a draft into versions/ to be read and mended.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from backend.store.session import Database
from depthboard.errors import Misconfigured

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0006"
"""The revision of this version's tables. Alembic, which takes a while to load, is asked only where another one is found."""
LOCK = 0x6D696772


def configuration(connection: Connection | None = None) -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migrate(database: Database) -> None:
    """Bring the database up to this version's tables, in one transaction.

    Raises Misconfigured for a database that a newer version wrote, and for one whose tables are not Depthboard's.
    """
    if _current(database) == HEAD:
        return
    from alembic import command

    with database.writer.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        _check_known(connection, database)
        command.upgrade(configuration(connection), "head")
    database.make_reclaimable()


def _current(database: Database) -> str | None:
    with database.reader.connect() as connection:
        if inspect(connection).has_table("alembic_version"):
            found: str | None = connection.scalar(text("select version_num from alembic_version"))
            return found
    return None


def _check_known(connection: Connection, database: Database) -> None:
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    place = database.url.render_as_string(hide_password=True)
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in ScriptDirectory.from_config(configuration()).walk_revisions()}
    if current is not None and current not in known:
        raise Misconfigured(
            f"the database {place} was written by a newer version of Depthboard (revision {current}).",
            field="DEPTHBOARD_DATABASE_URL",
            remedy="Update Depthboard (git pull, make up), or point it at another database.",
        )
    if current is None and inspect(connection).has_table("run"):
        raise Misconfigured(
            f"the database {place} holds tables that Depthboard did not make.",
            field="DEPTHBOARD_DATABASE_URL",
            remedy="Give Depthboard a database of its own.",
        )
