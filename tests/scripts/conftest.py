"""A person's machine: its own home, and an API process that can be killed and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from depthboard.client import Api, Client
from depthboard.errors import DepthboardError
from depthboard.settings import get_settings

ROOT = Path(__file__).resolve().parents[2]


class Server:
    """An API process on a database of its own."""

    def __init__(self, home: Path) -> None:
        home.mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = home / "depthboard.sqlite3"
        self._log = home / "api.log"
        own = {"DEPTHBOARD_HOME": str(home), "DEPTHBOARD_PORT": str(self.port), "PYTHONPATH": str(ROOT)}
        self._environment = {**os.environ, **own}
        self._process: subprocess.Popen[bytes] | None = None

    def up(self) -> None:
        """Start it, and wait until it answers."""
        with self._log.open("ab") as output:
            command = [sys.executable, "-m", "backend.serve", "--with-parent", str(os.getpid())]
            self._process = subprocess.Popen(
                command, cwd=ROOT, env=self._environment, stdout=output, stderr=subprocess.STDOUT
            )
        end = time.monotonic() + 60
        while not self._answers():
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < end, "the API does not answer"
            time.sleep(0.05)

    def _answers(self) -> bool:
        api = Api(self.url, timeout=5)
        try:
            return bool(api.json("GET", "/api/health"))
        except DepthboardError:
            return False
        finally:
            api.close()

    def kill(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None


@dataclass
class Machine:
    """A person's machine, whose home no API shares."""

    home: Path
    server: Server
    environment: dict[str, str]
    known: int = 0
    _started: list[subprocess.Popen[Any]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def spools(self) -> list[Path]:
        return sorted((self.home / "spool").glob("*/"))

    def up(self) -> None:
        self.server.up()

    def kill(self) -> None:
        self.server.kill()

    def script(self, text: str, *arguments: str, python: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """A script of a person, started."""
        path = self.home / f"script{len(self._started)}.py"
        path.write_text(textwrap.dedent(text))
        started = subprocess.Popen(
            [sys.executable, *python, str(path), *arguments],
            cwd=self.home,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(started)
        return started

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """`depthboard …`, with its output on one line a sentence."""
        return subprocess.run(
            [sys.executable, "-m", "depthboard.cli", *words],
            cwd=self.home,
            env={**self.environment, "COLUMNS": "500"},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def runs(self) -> list[dict[str, Any]]:
        with Client(self.url) as client:
            return [run for run in reversed(list(client._pages("/api/runs"))) if run["id"] > self.known]

    def series(self, run_id: int, key: str) -> dict[str, Any]:
        """A whole curve."""
        with Client(self.url) as client:
            answer = client.api.json("GET", f"/api/runs/{run_id}/metrics", key=key, max_points=1_000_000)
        return dict(answer["series"].get(key, {"step": [], "value": []}))

    def rows_held(self) -> int:
        """Rows that were accepted of this machine's runs, by their numbers."""
        with sqlite3.connect(f"file:{self.server.database}?mode=ro", uri=True) as database:
            query = "select sum(last_seq + 1) from sequence where run_id > ?"
            (rows,) = database.execute(query, (self.known,)).fetchone()
        database.close()
        return int(rows)

    def stop(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate()


@contextlib.contextmanager
def machine_of(home: Path, server: Server) -> Iterator[Machine]:
    """Scripts of this process use it too."""
    home.mkdir()
    own = {"DEPTHBOARD_HOME": str(home), "DEPTHBOARD_API_URL": server.url}
    machine = Machine(home, server, {**os.environ, **own, "PYTHONPATH": str(ROOT)})
    with pytest.MonkeyPatch.context() as patch:
        for name, value in own.items():
            patch.setenv(name, value)
        get_settings.cache_clear()
        yield machine
        machine.stop()
    get_settings.cache_clear()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    """With an API of its own, which does not run yet."""
    server = Server(tmp_path / "server")
    with machine_of(tmp_path / "person", server) as machine:
        yield machine
    server.kill()


@pytest.fixture(scope="session")
def running_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("shared") / "server")
    server.up()
    yield server
    server.kill()


@pytest.fixture
def person(tmp_path: Path, running_server: Server) -> Iterator[Machine]:
    """With an API that runs, and that other tests use too."""
    with machine_of(tmp_path / "person", running_server) as machine:
        machine.known = max((run["id"] for run in machine.runs()), default=0)
        yield machine
