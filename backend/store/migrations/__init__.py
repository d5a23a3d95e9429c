"""Migrations of the database, packaged with the code and run by the API before it listens.

A new one: change tables.py, then `python -m backend.store.migrations "what changes"` writes a draft into versions/ to be read and mended.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

from backend.store.session import Database
from depthboard.errors import Misconfigured

LOCK = 0x6D696772


def configuration(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def migrate(database: Database) -> None:
    """Bring the database up to this version's tables, in one transaction.

    Raises Misconfigured for a database that a newer version wrote, and for one whose tables are not Depthboard's.
    """
    with database.writer.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
        _check_known(connection, database)
        command.upgrade(configuration(connection), "head")
    database.make_reclaimable()


def _check_known(connection: Connection, database: Database) -> None:
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
