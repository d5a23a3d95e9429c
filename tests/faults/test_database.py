"""The database away, locked, full or half migrated: 503 and 507 in the usual shape, nothing acknowledged is lost, and all goes on by itself."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.engine import make_url
from starlette.testclient import TestClient

from depthboard.settings import Settings
from tests.backend import acting as rest
from tests.backend.acting import error_of
from tests.conftest import BASE_URL
from tests.faults import stored
from tests.faults.acting import spec
from tests.faults.failing import NO_THREADS
from tests.faults.product import ROOT, Product, seed_of, until

SUBMIT = ("POST", "/api/experiments")


@contextmanager
def private_postgresql(folder: Path) -> Iterator[Any]:
    """A server of one's own, to be killed."""
    pgserver = pytest.importorskip("pgserver", reason="no pgserver: a PostgreSQL that may be killed")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        server = pgserver.get_server(folder / "postgresql")
    try:
        yield server
    finally:
        server.cleanup()


def bad_answers(url: str, until_set: threading.Event) -> list[httpx2.Response]:
    """Submissions and lists, again and again; those that were answered with an error."""
    found = []
    with httpx2.Client(base_url=url, trust_env=False, timeout=60) as client:
        while not until_set.is_set():
            for method, path, body in (("GET", "/api/runs", None), (*SUBMIT, spec(1))):
                answer = client.request(method, path, json=body)
                if answer.status_code >= 400:
                    found.append(answer)
            until_set.wait(0.2)
    return found


def watch(url: str, stop: threading.Event, found: list[httpx2.Response]) -> threading.Thread:
    thread = threading.Thread(target=lambda: found.extend(bad_answers(url, stop)))
    thread.start()
    return thread


def assert_says_to_wait(answers: list[httpx2.Response]) -> None:
    assert answers, "the fault was not met"
    for answer in answers:
        assert answer.status_code == 503, answer.text
        assert int(answer.headers["Retry-After"]) > 0
        assert error_of(answer)["remedy"]


@pytest.mark.parametrize("number", [signal.SIGKILL, pytest.param(signal.SIGQUIT, marks=pytest.mark.long)])
def test_a_postgresql_that_is_stopped_during_ingest_loses_no_acknowledged_point(
    tmp_path: Path, number: signal.Signals
) -> None:
    """F13. SIGKILL takes the server and all its processes; SIGQUIT is its own immediate stop."""
    draw = random.Random(seed_of("F13"))
    with private_postgresql(tmp_path) as server:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
        with Product(tmp_path, database=url) as product:
            product.start_api()
            product.client.submit(spec(8))
            product.listen()
            product.act([1, 2, 3])
            stop, answers = threading.Event(), list[httpx2.Response]()
            watcher = watch(product.url, stop, answers)
            for _ in range(2):
                time.sleep(draw.uniform(0.3, 1.0))
                stop_server(server, number)
                time.sleep(0.7)
                server.ensure_postgres_running()
            until(product.over)
            stop.set()
            watcher.join()
            assert product.verdict() == []
            assert product.counts()["finished"] == 8
            assert_says_to_wait(answers)


def stop_server(server: Any, number: signal.Signals) -> None:
    postmaster = psutil.Process(server.get_pid())
    processes = [postmaster, *postmaster.children()]
    for process in processes if number is signal.SIGKILL else [postmaster]:
        process.send_signal(number)
    psutil.wait_procs(processes, timeout=20)


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another program holds SQLite's write lock."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("begin exclusive")
        yield
        connection.execute("rollback")


@pytest.mark.parametrize("seconds", [2.0, pytest.param(20.0, marks=pytest.mark.long)])
def test_a_database_that_another_program_locks_for_a_while_is_waited_for(tmp_path: Path, seconds: float) -> None:
    """F14, less than the time the API waits: reads go on, writes are late and none fails."""
    with Product(tmp_path, lease=seconds + 30) as product:
        product.start_api()
        product.client.submit(spec(6))
        product.act([1, 2])
        time.sleep(0.3)
        with locked(product.home / "depthboard.sqlite3"):
            began = time.monotonic()
            while time.monotonic() - began < seconds:
                assert product.client.experiments()
                time.sleep(0.1)
        until(product.over)
        assert product.verdict() == []
        assert "500" not in (tmp_path / "api.log").read_text()


@pytest.mark.long
def test_a_database_that_stays_locked_is_503_and_all_goes_on_afterwards(tmp_path: Path) -> None:
    """F14, longer than the API waits (30 s)."""
    with Product(tmp_path, lease=5) as product:
        product.start_api()
        product.client.submit(spec(6))
        product.act([1, 2])
        with (
            locked(product.home / "depthboard.sqlite3"),
            httpx2.Client(base_url=product.url, trust_env=False, timeout=90) as client,
        ):
            answer = client.request(*SUBMIT, json=spec(1, name="late"))
        assert_says_to_wait([answer])
        until(product.over)
        assert product.verdict() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_full_disk_is_507_reads_go_on_and_writes_resume_when_there_is_room(app: FastAPI, settings: Settings) -> None:
    """F15: SQLite may not grow by a page; then it may."""
    with TestClient(app, base_url=BASE_URL) as client:
        rest.submit(client, factors={"loss": ["l1"]})
        attempt = rest.claimed(client)
        assert attempt.points(range(1, 3)) == 1
        pages = set_pages(app, 1)
        refused = [attempt.send("log", {"offset": n, "text": "x" * 5000}) for n in range(4)]
        (full, *_) = [answer for answer in refused if answer.status_code != 204]
        assert full.status_code == 507
        assert "full" in error_of(full)["message"]
        assert client.get(attempt.path).status_code == 200
        assert client.get(f"{attempt.path}/metrics").json()["series"]
        set_pages(app, pages + 1000)
        assert attempt.points(range(3, 21)) == 19
        assert attempt.finish().status_code == 204
    found = stored.read(settings.database)
    assert found.unsound == []
    assert sum(len(piece.steps) for piece in found.runs[attempt.run_id].pieces) == 20


def set_pages(app: FastAPI, most: int) -> int:
    """Limit the database file of the writing connection; it never goes below what is used. Returns the limit that holds."""
    with app.state.database.write() as session:
        return int(session.scalar(text(f"pragma max_page_count = {most}")))


def test_a_disk_that_takes_no_byte_more_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """F15: no file of the API may grow (RLIMIT_FSIZE) for a while. Every refusal is 503 or 507, never a bare 500."""
    with Product(tmp_path, lease=5) as product:
        api = product.start_api()
        product.client.submit(spec(8))
        product.act([1, 2])
        time.sleep(0.5)
        size = max((product.home / f"depthboard.sqlite3{suffix}").stat().st_size for suffix in ("", "-wal"))
        stop, answers = threading.Event(), list[httpx2.Response]()
        watcher = watch(product.url, stop, answers)
        limit = psutil.Process(api.pid).rlimit
        limit(psutil.RLIMIT_FSIZE, (size + 4096, psutil.RLIM_INFINITY))
        time.sleep(2.0)
        limit(psutil.RLIMIT_FSIZE, (psutil.RLIM_INFINITY, psutil.RLIM_INFINITY))
        time.sleep(0.5)
        stop.set()
        watcher.join()
        until(product.over)
        assert product.verdict() == []
        assert answers, "the fault was not met"
        assert {answer.status_code for answer in answers} <= {503, 507}, [a.text for a in answers]
        assert all(error_of(answer)["remedy"] for answer in answers)
        assert product.client.submit(spec(9))["id"]


def test_an_api_without_file_descriptors_says_so_and_recovers(tmp_path: Path) -> None:
    """F28: RLIMIT_NOFILE leaves it a handful; idle connections take them all."""
    with Product(tmp_path, lease=20) as product:
        api = product.start_api()
        product.client.submit(spec(4))
        process = psutil.Process(api.pid)
        process.rlimit(psutil.RLIMIT_NOFILE, (process.num_fds() + 6, 4096))
        product.act([1, 2, 3])
        crowd = [httpx2.Client(base_url=product.url, trust_env=False, timeout=1.0) for _ in range(20)]
        answers = []
        for client in crowd:
            try:
                answers.append(client.get("/api/runs").status_code)
            except httpx2.TransportError:
                answers.append(503)  # it could not even be heard
        assert set(answers) <= {200, 503}
        for client in crowd:
            client.close()
        process.rlimit(psutil.RLIMIT_NOFILE, (1024, 4096))
        until(product.over)
        assert product.verdict() == []


def test_an_api_that_gets_no_more_threads_says_so_and_recovers(tmp_path: Path) -> None:
    """F28: and requests that wait for the database hold the threads there are."""
    with Product(tmp_path, lease=20) as product:
        product.start_api("-m", "tests.faults.failing", "threads")
        product.client.submit(spec(4))
        no_threads = product.home / NO_THREADS
        no_threads.touch()
        product.act([1, 2, 3])
        answers = list[httpx2.Response]()

        def ask() -> None:
            with httpx2.Client(base_url=product.url, trust_env=False, timeout=60) as client:
                answers.append(client.request(*SUBMIT, json=spec(1)))

        crowd = [threading.Thread(target=ask) for _ in range(20)]
        with locked(product.home / "depthboard.sqlite3"):
            for thread in crowd:
                thread.start()
            time.sleep(1.0)
        for thread in crowd:
            thread.join()
        assert_says_to_wait([answer for answer in answers if answer.status_code != 201])
        no_threads.unlink()
        until(product.over)
        assert product.verdict() == []
        assert product.client.submit(spec(5))["id"]


MIGRATE = """
import os, signal, sys
from sqlalchemy import event, Engine
from backend.store.migrations import migrate
from backend.store.session import Database

left = int(sys.argv[2])

@event.listens_for(Engine, "before_cursor_execute")
def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

database = Database(sys.argv[1])
migrate(database)
database.close()
"""


def migrate_until(url: str, statement: int) -> int:
    return subprocess.run(
        [sys.executable, "-c", MIGRATE, url, str(statement)], cwd=ROOT, check=False, timeout=60
    ).returncode


@pytest.mark.parametrize("every", [9, pytest.param(1, marks=pytest.mark.long)])
def test_a_migration_that_is_killed_at_a_statement_is_done_by_the_next_start(database_url: str, every: int) -> None:
    """F25: at every so many statements; the next kill goes on from what the last one left."""
    os.makedirs(
        Path(make_url(database_url).database or "").parent, exist_ok=True
    ) if "sqlite" in database_url else drop(database_url)
    statement, code = every, -signal.SIGKILL
    while code == -signal.SIGKILL:
        code = migrate_until(database_url, statement)
        statement += every
    assert code == 0
    assert migrate_until(database_url, 0) == 0, "and migrating again changes nothing"
    assert stored.read(database_url) == stored.Stored()


def drop(url: str) -> None:
    """Every table out, so that the migrations begin at the beginning."""
    from sqlalchemy import create_engine

    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("drop schema public cascade"))
        connection.execute(text("create schema public"))
    engine.dispose()
