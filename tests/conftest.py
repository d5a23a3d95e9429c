"""Fixtures shared by all tests: settings apart from the person's own, a database of either kind, the application."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import create_engine, func, inspect, select
from sqlalchemy.engine import URL
from starlette.testclient import TestClient

from depthboard.settings import Settings
from tests import postgresql
from tests.sharing import CACHE

BASE_URL = "http://127.0.0.1:8765"


@pytest.fixture(scope="session", autouse=True)
def _no_settings_of_this_machine() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("DEPTHBOARD_")]:
            if not name.startswith("DEPTHBOARD_TEST_"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For tests.sharing, also between the processes of pytest-xdist."""
    own = tmp_path_factory.getbasetemp()
    cache = (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "cache"
    cache.mkdir(exist_ok=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(CACHE, str(cache))
        yield


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[URL]:
    """A PostgreSQL server: a running one, else a private one; skips with the reason where there is none."""
    with postgresql.server() as url:
        yield url


@pytest.fixture(scope="session")
def postgresql_database(postgresql_server: URL) -> Iterator[URL]:
    with postgresql.fresh_database(postgresql_server) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite+pysqlite:///{tmp_path / 'home' / 'depthboard.sqlite3'}"
    url: URL = request.getfixturevalue("postgresql_database")
    empty(url)
    return url.render_as_string(hide_password=False)


def empty(url: URL) -> None:
    """Take every row out, and begin the numbers at 1 again; quicker than a database a test, or than to truncate thirty tables."""
    from backend.store.tables import Base

    engine = create_engine(url)
    with engine.begin() as connection:
        there = inspect(connection)
        known = set(there.get_table_names())
        for table in reversed(Base.metadata.sorted_tables):
            if table.name in known:
                connection.execute(table.delete())
        for sequence in there.get_sequence_names():
            connection.execute(select(func.setval(sequence, 1, False)))
    engine.dispose()


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    return Settings(_env_file=None, home=tmp_path / "home", database_url=SecretStr(database_url))


@pytest.fixture
def woken() -> list[int]:
    """The runs for which the doorbell rang, in order."""
    return []


@pytest.fixture
def app(settings: Settings, woken: list[int]) -> FastAPI:
    from backend.app import make_app

    return make_app(settings, woken.append)


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    """The real application, started, on each kind of database."""
    with TestClient(app, base_url=BASE_URL) as client:
        yield client


@pytest.fixture
def api(app: FastAPI) -> Iterator[str]:
    """The application behind uvicorn on a free port."""
    import uvicorn

    from backend.serve import Server

    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(app, uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.handle_exit(15, None)
    thread.join(timeout=10)
    assert not thread.is_alive(), "open streams must not keep the server from stopping"
    listener.close()
