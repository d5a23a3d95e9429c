"""The product as processes: an API on a port of its own, workers, actors and a listener, started, killed and judged."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
import psutil

from depthboard.client import Client
from depthboard.errors import DepthboardError
from tests.faults import acting, stored
from tests.faults.checker import check, marked
from tests.faults.history import History
from tests.sharing import share_cache

ROOT = Path(__file__).parents[2]
LEASE = 2.0


def seed_of(name: str) -> int:
    """The test's seed: SEED of the environment, else a new one. Printed, so that a failure can be played again."""
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    print(f"{name}: SEED={seed}", flush=True)
    return seed


def end_cleanly() -> None:
    """SIGTERM ends this process through its blocks, so that what it started ends, too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Any], seconds: float = 60.0, what: str = "it") -> Any:
    """The first true answer. Raises AssertionError after `seconds`; an API that is away counts as no."""
    end = time.monotonic() + seconds
    while True:
        with contextlib.suppress(DepthboardError):
            if found := condition():
                return found
        assert time.monotonic() < end, f"{what} did not happen within {seconds:g} s"
        time.sleep(0.05)


class Product:
    """Everything that one home needs. Leaving the block kills what is still there."""

    def __init__(
        self,
        folder: Path,
        *,
        database: str = "",
        lease: float = LEASE,
        history: History | None = None,
        **environment: str,
    ) -> None:
        self.folder, self.home, self.lease = folder, folder / "home", lease
        self.home.mkdir(parents=True, exist_ok=True)
        if not (self.home / "cache").exists():
            share_cache(self.home)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.database = database or f"sqlite+pysqlite:///{self.home / 'depthboard.sqlite3'}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DEPTHBOARD_")},
            "PYTHONPATH": str(ROOT),
            "DEPTHBOARD_HOME": str(self.home),
            "DEPTHBOARD_PORT": str(self.port),
            "DEPTHBOARD_DATABASE_URL": self.database,
            "DEPTHBOARD_LEASE_SECONDS": str(lease),
            "DEPTHBOARD_RENEW_SECONDS": str(lease / 8),
            "DEPTHBOARD_POLL_SECONDS": "0.5",
            "DEPTHBOARD_MAX_ATTEMPTS": "100",
            **environment,
        }
        self.history = history or History(folder / "history")
        self.client = Client(self.url)
        self.api: subprocess.Popen[bytes] | None = None
        self.others: list[subprocess.Popen[bytes]] = []
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Product:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_actors()
        for process in [*self.others, *([self.api] if self.api else [])]:
            kill_tree(process.pid)
            process.wait()
        for process in marked(str(self.home)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL)
        self.client.api.close()
        self.history.close()

    # --- processes ---

    def start(self, *command: str, name: str, **environment: str) -> subprocess.Popen[bytes]:
        """A process of this product: `start("-m", "worker", …)`. What it prints is in `folder`/name.log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env={**self.environment, **environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def start_api(self, *command: str, ready: bool = True, **environment: str) -> subprocess.Popen[bytes]:
        self.api = self.start(*(command or ("-m", "backend.serve")), name="api", **environment)
        if ready:
            until(lambda: self.client.api.json("GET", "/api/health"), what="the API's first answer")
        return self.api

    def kill_api(self) -> None:
        assert self.api is not None
        self.api.kill()
        self.api.wait()

    def start_worker(self, slots: int = 1, name: str = "worker", **environment: str) -> subprocess.Popen[bytes]:
        self.others.append(self.start("-m", "worker", "--slots", str(slots), name=name, **environment))
        return self.others[-1]

    def start_actor(self, seed: int, url: str | None = None, **environment: str) -> subprocess.Popen[bytes]:
        command = ("-m", "tests.faults.acting", url or self.url, str(self.history.path), str(seed))
        self.others.append(self.start(*command, name=f"actor-{seed}", **environment))
        return self.others[-1]

    # --- actors and listeners in this process ---

    def act(self, seeds: Sequence[int], url: str | None = None, pause: float = 0.02) -> None:
        for seed in seeds:
            self._thread(acting.work, url or self.url, self.history, seed, self._stopping, pause=pause)

    def listen(self, listener: Listener | None = None) -> None:
        listener = listener or Listener(self.url, self.history, "listener")
        self._thread(listener.listen, self._stopping)

    def _thread(self, target: Callable[..., object], *given: object, **more: object) -> None:
        self._threads.append(threading.Thread(target=target, args=given, kwargs=more, daemon=True))
        self._threads[-1].start()

    def stop_actors(self) -> None:
        self._stopping.set()
        for thread in self._threads:
            thread.join(30)
        self._threads.clear()

    # --- what came of it ---

    def counts(self, experiment: int = 1) -> dict[str, int]:
        return dict(self.client.experiment(experiment)["counts"])

    def over(self, experiment: int = 1) -> bool:
        counts = self.counts(experiment)
        return not counts["queued"] and not counts["running"]

    def verdict(self, *, ended: bool = True) -> list[str]:
        """The checker's findings, as soon as there are none, at the latest after two leases: listeners catch up and orphans die until then."""
        end = time.monotonic() + 2 * self.lease + 2.0
        while found := check(self.history.entries(), stored.read(self.database), marked(str(self.home)), ended=ended):
            if time.monotonic() > end:
                break
            time.sleep(0.5)
        self.stop_actors()
        return found


def kill_tree(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Signal a process and all below it, stopped first so that none starts another meanwhile."""
    with contextlib.suppress(psutil.NoSuchProcess):
        top = psutil.Process(pid)
        for process in [top, *top.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)


class Listener:
    """Hears the live stream as a browser does: it comes back with the last id, and loads all anew when told to."""

    def __init__(self, url: str, history: History, name: str) -> None:
        self._url, self._history, self._name, self._last = url, history, name, ""

    def listen(self, stopping: threading.Event) -> None:
        """Until told to stop."""
        with httpx2.Client(base_url=self._url, trust_env=False, timeout=httpx2.Timeout(5.0, read=1.0)) as client:
            while not stopping.is_set():
                with contextlib.suppress(httpx2.TransportError), _stream(client, self._last) as lines:
                    for kind, id, data in _events(lines):
                        self._last = id
                        self._hear(client, kind, int(id), data)
                        if stopping.is_set():
                            return
                stopping.wait(0.1)

    def _hear(self, client: httpx2.Client, kind: str, id: int, data: dict[str, Any]) -> None:
        if kind == "run":
            self._note(id, data["run_id"], data["data"], data["versions"])
        elif kind == "resync":
            for run in client.get("/api/runs", params={"size": 1000}).json()["items"]:
                self._note(None, run["id"], run)

    def _note(self, id: int | None, run: int, state: dict[str, Any], versions: dict[str, int] | None = None) -> None:
        told = {"status": state["status"], "attempt": state["attempt"], "versions": versions}
        self._history.add("event", listener=self._name, id=id, event="run", run=run, **told)


@contextlib.contextmanager
def _stream(client: httpx2.Client, last: str) -> Iterator[Iterator[str]]:
    headers = {"Last-Event-ID": last} if last else {}
    with client.stream("GET", "/api/events", headers=headers) as answer:
        yield answer.iter_lines()


def _events(lines: Iterator[str]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    fields: dict[str, str] = {}
    for line in lines:
        if line:
            key, _, value = line.partition(":")
            fields[key] = value.strip()
        elif "id" in fields:
            yield fields.get("event", ""), fields["id"], json.loads(fields.get("data", "{}"))
            fields = {}
