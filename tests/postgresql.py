"""A PostgreSQL for tests: a running one, else a private one, else a reason why there is none."""

from __future__ import annotations

import getpass
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy.engine import URL, make_url

RUNNING = os.environ.get(
    "DEPTHBOARD_TEST_POSTGRESQL", f"postgresql+psycopg://{getpass.getuser()}@127.0.0.1:5432/postgres"
)


@contextmanager
def server() -> Iterator[URL]:
    """The URL of a server where databases may be created. Skips the test that asks when there is none."""
    if _answers(make_url(RUNNING)):
        yield make_url(RUNNING)
        return
    with tempfile.TemporaryDirectory(prefix="depthboard-pg-") as folder:
        started = _pgserver(Path(folder)) or _system(Path(folder))
        if started is None:
            pytest.skip(
                "no PostgreSQL: none answers at DEPTHBOARD_TEST_POSTGRESQL, no pgserver, no initdb to run as this user"
            )
        url, stop = started
        try:
            yield url
        finally:
            stop()


@contextmanager
def fresh_database(url: URL) -> Iterator[URL]:
    """A new empty database on that server, dropped afterwards."""
    name = f"depthboard_test_{os.getpid()}_{uuid4().hex[:8]}"
    with _connect(url) as connection:
        connection.execute(f'create database "{name}"')
    try:
        yield url.set(database=name)
    finally:
        with _connect(url) as connection:
            connection.execute(f'drop database "{name}" with (force)')


def _connect(url: URL) -> psycopg.Connection[tuple[object, ...]]:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, autocommit=True, connect_timeout=5)


def _answers(url: URL) -> bool:
    try:
        _connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


Started = tuple[URL, Callable[[], object]]


def _pgserver(folder: Path) -> Started | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a package it uses, about a variable that servers do not set
            import pgserver

            instance = pgserver.get_server(  # type: ignore[attr-defined]
                folder / "data"
            )
    except (ImportError, OSError, subprocess.SubprocessError):
        return None
    return make_url(instance.get_uri()).set(drivername="postgresql+psycopg"), instance.cleanup


def _system(folder: Path) -> Started | None:
    binaries = sorted(Path("/usr/lib/postgresql").glob("*/bin")) if Path("/usr/lib/postgresql").is_dir() else []
    initdb = shutil.which("initdb", path=os.pathsep.join([*map(str, reversed(binaries)), os.environ.get("PATH", "")]))
    if initdb is None or os.geteuid() == 0:  # initdb refuses root
        return None
    data, control = folder / "data", str(Path(initdb).with_name("pg_ctl"))
    subprocess.run([initdb, "-D", data, "-A", "trust", "-U", "postgres"], check=True, capture_output=True)
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    subprocess.run(
        [control, "-D", data, "-w", "-l", folder / "log", "-o", options, "start"], check=True, capture_output=True
    )
    url = URL.create("postgresql+psycopg", "postgres", database="postgres", query={"host": str(folder)})
    return url, lambda: subprocess.run(
        [control, "-D", data, "-m", "immediate", "stop"], check=True, capture_output=True
    )
