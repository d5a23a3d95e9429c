"""Client processes and servers: started together, counted to their end, stopped by their own id."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bench.tracking.processes import Clients, Failed, Http, Server, family, free_port, memory, shares, sqlite_size
from bench.tracking.side import rate

MODULE = "tests.bench.waiting_client"


def test_a_rate_counts_every_value_of_every_key() -> None:
    assert rate(runs=100, keys=8, steps=1000, seconds=2.0) == 400_000


@pytest.mark.parametrize("clients", [1, 3, 4])
def test_every_run_is_some_clients_and_only_its(clients: int) -> None:
    parts = shares(clients, 10)
    assert len(parts) == clients
    assert sorted(run for part in parts for run in part) == list(range(10))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


def test_the_last_client_ends_the_time(tmp_path: Path) -> None:
    clients = Clients(sys.executable, MODULE, tmp_path / "log")
    assert clients.seconds("wait", [0.0, 0.3, 0.1]) >= 0.3


def test_a_client_answers_with_its_last_line(tmp_path: Path) -> None:
    assert Clients(sys.executable, MODULE, tmp_path / "log").answer("wait", 0.0, said="done") == "done"


def test_a_client_that_fails_fails_the_measurement(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="its log is"):
        Clients(sys.executable, MODULE, tmp_path / "log").seconds("fail", [None, None])


def test_a_client_that_cannot_start_fails_the_measurement(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="ended before its start"):
        Clients(sys.executable, "tests.bench.nothing", tmp_path / "log").seconds("wait", [0.0])
    assert "No module named" in (tmp_path / "log").read_text()


def test_a_server_is_waited_for_and_stopped(tmp_path: Path) -> None:
    (tmp_path / "page").write_text("here")
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    with Server(command, f"http://127.0.0.1:{port}", "/page", tmp_path / "log", folder=tmp_path) as server:
        assert server.startup > 0
        assert server.memory() > 1
        with Http(server.url) as http:
            assert http.get("/page") == b"here"
            with pytest.raises(Failed, match="answered 404"):
                http.get("/other")
    with pytest.raises(OSError, match="refused"), Http(server.url) as http:
        http.get("/page")


def test_a_server_that_ends_at_once_names_its_log(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="the server's log is"):
        Server([sys.executable, "-c", "raise SystemExit(1)"], f"http://127.0.0.1:{free_port()}", "/", tmp_path / "log")


def test_memory_is_that_of_the_children_too() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in family(os.getpid())
        assert memory(os.getpid()) > memory(child.pid)
        child.communicate(b"\n")


def test_free_pages_of_a_database_are_told_from_used_ones(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "db")
    connection.executescript("create table kept(x); create table gone(x); insert into kept values(randomblob(50000));")
    connection.executescript("insert into gone values(randomblob(200000)); drop table gone;")
    connection.close()
    size = sqlite_size(tmp_path / "db")
    assert size.file == (tmp_path / "db").stat().st_size
    assert 50_000 < size.used < 80_000 < 250_000 < size.file
