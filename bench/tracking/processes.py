"""Servers and client processes: start, wait, measure, stop, each by its own process id. Standard library only."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
READY, GO = "ready", "go"
START_SECONDS = 180.0
STOP_SECONDS = 15.0
IDLE_SECONDS = 1.0
PAGES = ("page_count", "freelist_count", "page_size")


class Failed(Exception):
    """A server or a client did not do its part."""


class Http:
    """One kept connection, opened anew after IDLE_SECONDS, since servers close it. Raises Failed for every answer that is not 2xx."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=600)
        self._headers = dict(headers or {})
        self._used = time.monotonic()

    def get(self, path: str) -> bytes:
        return self.request("GET", path, None)

    def post(self, path: str, body: bytes) -> bytes:
        return self.request("POST", path, body)

    def request(self, method: str, path: str, body: bytes | None) -> bytes:
        headers = {**self._headers, **({"Content-Type": "application/json"} if body is not None else {})}
        if time.monotonic() - self._used > IDLE_SECONDS:
            self._connection.close()
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        self._used = time.monotonic()
        if answer.status >= 300:
            raise Failed(f"{method} {path} answered {answer.status}: {content[:300].decode(errors='replace')}")
        return content

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    found = [pid]
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            found += family(int(child))
    return found


def memory(pid: int) -> float:
    """Proportional set size of the process and its descendants, MB."""
    kilobytes = 0
    for member in family(pid):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
            kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024


class Server:
    """A command that serves at `url`. `startup` is the time in seconds from its start to the first answer at `ready`."""

    def __init__(
        self,
        command: Sequence[str | Path],
        url: str,
        ready: str,
        log: Path,
        environment: Mapping[str, str] | None = None,
        folder: Path = ROOT,
    ) -> None:
        self.url, self._log = url, log
        began = time.perf_counter()
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(part) for part in command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=folder,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        try:
            self._wait(ready)
        except BaseException:
            self.close()
            raise
        self.startup = time.perf_counter() - began

    def _wait(self, ready: str) -> None:
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self._process.poll() is None:
            with contextlib.suppress(OSError, http.client.HTTPException, Failed), Http(self.url) as connection:
                connection.get(ready)
                return
            time.sleep(0.01)
        raise Failed(f"no answer at {self.url}{ready}; the server's log is {self._log}")

    def memory(self) -> float:
        return memory(self._process.pid)

    def close(self) -> None:
        """Stop it, and whatever it started, by their process ids."""
        members = family(self._process.pid)
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        for pid in members[1:]:  # what it started and left behind
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Clients:
    """Processes of one client module, in the environment of `python`. Each is given (what, its part of the work, the options)."""

    def __init__(
        self, python: Path | str, module: str, log: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self._python, self._module, self._log = str(python), module, log
        self._environment = {**os.environ, "PYTHONPATH": str(ROOT), **(environment or {})}

    def seconds(self, what: str, shares: Sequence[Any], **options: Any) -> float:
        """A process a share: from the common start, after imports, until the last one has exited. Raises Failed."""
        children = [self._start(what, share, options) for share in shares]
        try:
            for child in children:
                self._await_ready(child)
            began = time.perf_counter()
            for child in children:
                print(GO, file=child.stdin, flush=True)
            for child in children:
                child.communicate()
            elapsed = time.perf_counter() - began
            self._check(children)
        finally:
            _end(children)
        return elapsed

    def answer(self, what: str, share: Any = None, **options: Any) -> Any:
        """One process; what it prints as its last line, as JSON. Raises Failed."""
        child = self._start(what, share, options)
        try:
            self._await_ready(child)
            text, _ = child.communicate(f"{GO}\n")
            self._check([child])
        finally:
            _end([child])
        lines = text.strip().splitlines()
        return json.loads(lines[-1]) if lines else None

    def _check(self, children: Sequence[subprocess.Popen[str]]) -> None:
        if any(child.returncode for child in children):
            raise Failed(f"a client of {self._module} failed; its log is {self._log}")

    def _start(self, what: str, share: Any, options: Mapping[str, Any]) -> subprocess.Popen[str]:
        command = [self._python, "-m", self._module, what, json.dumps(share), json.dumps(options)]
        with self._log.open("ab") as output:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                text=True,
                cwd=ROOT,
                env=self._environment,
            )

    def _await_ready(self, child: subprocess.Popen[str]) -> None:
        assert child.stdout is not None
        for line in child.stdout:
            if line.strip() == READY:
                return
        raise Failed(f"a client of {self._module} ended before its start; its log is {self._log}")


def _end(children: Sequence[subprocess.Popen[str]]) -> None:
    for child in children:
        if child.poll() is None:
            child.kill()
        with child:  # which closes its pipes
            pass


def serve_client(parts: Mapping[str, Callable[..., None]]) -> None:
    """The main function of a client module: the part named on the command line, with its share and options."""
    what, share, options = sys.argv[1:4]
    parts[what](json.loads(share), **json.loads(options))


def wait_for_start() -> None:
    """In a client: all is imported and prepared; return when everybody is."""
    print(READY, flush=True)
    if sys.stdin.readline().strip() != GO:
        sys.exit(1)


def shares(count: int, runs: int) -> list[list[int]]:
    """The numbers of the runs, in as many equal parts as there are clients."""
    return [list(range(i * runs // count, (i + 1) * runs // count)) for i in range(count)]


def fetch(url: str, paths: Sequence[str], connections: int, headers: Mapping[str, str] | None = None) -> int:
    """GET all paths over so many kept connections, as a browser does; bytes received."""
    local = threading.local()
    opened: list[Http] = []

    def one(path: str) -> int:
        if not hasattr(local, "http"):
            local.http = Http(url, headers)
            opened.append(local.http)
        return len(local.http.get(path))

    with ThreadPoolExecutor(connections) as pool:
        received = sum(pool.map(one, paths))
    for http_ in opened:
        http_.close()
    return received


@dataclass(frozen=True)
class Size:
    """Bytes of a SQLite database that nobody writes: its file, and the pages in use; those that are free are filled again."""

    file: int
    used: int


def sqlite_size(path: Path) -> Size:
    connection = sqlite3.connect(path)
    try:
        pages, free, size = (connection.execute(f"pragma {what}").fetchone()[0] for what in PAGES)
    finally:
        connection.close()
    return Size(path.stat().st_size, (pages - free) * size)


def busy() -> float:
    """Milliseconds of a fixed loop: how busy the machine is."""
    began, total = time.perf_counter(), 0
    for i in range(1_000_000):
        total += i & 7
    return 1000 * (time.perf_counter() - began)
