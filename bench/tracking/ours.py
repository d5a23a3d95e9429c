"""Our side: the API over SQLite in a folder of its own, runs as workers claim them, scripts with the client."""

from __future__ import annotations

import base64
import itertools
import math
import os
import sqlite3
import statistics
import sys
import time
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

import depthboard
from bench.filling import fill_listed
from bench.tracking import workload
from bench.tracking.client_ours import Attempt, bearer
from bench.tracking.processes import Clients, Failed, Http, Server, Size, free_port, shares, sqlite_size
from bench.tracking.side import NotThere, Side, milliseconds, rate
from depthboard.experiment import TRAINING_VERSION
from depthboard.protocol import pack_depth

DRAWN = "/api/experiments/{id}/curves?" + urlencode({"key": workload.DRAWN_KEY, "max_points": workload.STEPS})
FIGURE = "/api/experiments/{id}/figures/curves?" + urlencode({"key": workload.DRAWN_KEY})
LONG = "/api/runs/{id}/metrics?max_points=2000"
"""A value or two a pixel, as the page asks."""
PAGE = "/api/runs?" + urlencode(
    {
        "filter": f"param.{workload.FILTER[0]} = {workload.FILTER[1]}",
        "sort": f"-metric.{workload.SORT}",
        "size": workload.PAGE,
    }
)
LEASE_SECONDS = "86400"
"""Nobody renews here."""
SERVER_RUNS = 20
"""As many as the peer that posts to a server is given."""
COMPACTION_SECONDS = 120.0
SETTLING_SECONDS = 12.0
"""Two rounds of housekeeping, which gives free pages back."""
POINTS = workload.RUNS * len(workload.KEYS) * workload.STEPS


class Ours(Side):
    name = "ours"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.server_log = folder / "server.log"
        self._seeds = itertools.count()
        self.notes = {
            "live": "the flush included",
            "pictures": "one request",
            "curves": "the body kept for this version of the experiment",
            "figure": "the body kept for this version of the experiment",
        }
        self.pieces = {
            "log-1": lambda: self.log(1, workload.RUNS),
            "log-4": lambda: self.log(4, workload.RUNS),
            "post-1": lambda: self.log(1, SERVER_RUNS),
            "post-4": lambda: self.log(4, SERVER_RUNS),
            "bulk-1": lambda: self.bulk(1),
            "bulk-4": lambda: self.bulk(4),
            "disk": lambda: self._size.used / POINTS,
            "file": lambda: self._size.file / POINTS,
            "curves": self.curves,
            "figure": self.figure,
            "long": self.long,
            "page": self.page,
            "live": self.live,
            "pictures": self.pictures,
            "start": self.start,
            "memory": self.memory,
        }

    # --- writing ----------------------------------------------------------------------------------------------------

    def log(self, clients: int, runs: int) -> float:
        before = rows_held(self._home)
        seconds = self._scripts.seconds("log", shares(clients, runs), steps=workload.STEPS)
        check_rows(self._home, before, runs)
        return rate(runs, len(workload.KEYS), workload.STEPS, seconds)

    def bulk(self, clients: int) -> float:
        attempts, before = (
            self._attempts(self._http, workload.RUNS, workload.STEPS)[1],
            rows_held(self._home),
        )
        seconds = self._bulk(self._server, clients, attempts, workload.STEPS)
        check_rows(self._home, before, workload.RUNS)
        return rate(workload.RUNS, len(workload.KEYS), workload.STEPS, seconds)

    def _bulk(self, server: Server, clients: int, attempts: list[Attempt], steps: int) -> float:
        parts = [[attempts[i] for i in share] for share in shares(clients, len(attempts))]
        return self._clients.seconds("bulk", parts, url=server.url, steps=steps)

    @cached_property
    def _size(self) -> Size:
        """Of a database with the workload alone, each run with all that it has besides its points."""
        home = self._folder / "disk"
        with self._serve(home) as server, Http(server.url) as connection:
            _, attempts = self._attempts(connection, workload.RUNS, workload.STEPS)
            self._bulk(server, 1, attempts, workload.STEPS)
            finish(server, attempts)
            wait_for_compaction(home, attempts)
            time.sleep(SETTLING_SECONDS)
        return sqlite_size(home / "depthboard.sqlite3")

    # --- reading ----------------------------------------------------------------------------------------------------

    def curves(self) -> float:
        path = DRAWN.format(id=self._drawn)
        check_curves(self._ask(path))
        return milliseconds(lambda: self._ask(path))

    def figure(self) -> float:
        path = FIGURE.format(id=self._drawn)
        traces = [trace for trace in self._ask(path)["data"] if trace.get("x")]
        if len(traces) < workload.DRAWN_RUNS:
            raise Failed(f"the figure has {len(traces)} curves")
        return milliseconds(lambda: self._ask(path))

    def long(self) -> float:
        path = LONG.format(id=self._long)
        check_extremes(self._ask(path))
        return milliseconds(lambda: self._ask(path))

    def page(self) -> float:
        with Http(self._listing.url) as http:
            numbers = [run["id"] - 1 for run in orjson.loads(http.get(PAGE))["items"]]  # filled in their order
            if numbers != workload.listed():
                raise Failed("the answer is another page than the definition's")
            return milliseconds(lambda: orjson.loads(http.get(PAGE)))

    def live(self) -> float:
        return float(statistics.median(self._scripts.answer("live", url=self._server.url, trials=20)))

    def pictures(self) -> float:
        path = "/api/predictions?" + urlencode({"id": self._pictured}, doseq=True)
        with Http(self._server.url) as http:
            return milliseconds(lambda: http.get(path))

    # --- weight -----------------------------------------------------------------------------------------------------

    def start(self) -> float:
        with self._serve(self._folder / "empty") as server:
            return server.startup

    def memory(self) -> float:
        with self._serve(self._folder / "empty") as server:
            return server.memory()

    def stop(self) -> None:
        for opened in ("_http", "_server", "_listing"):
            if opened in self.__dict__:
                getattr(self, opened).close()

    # --- what the pieces stand on -----------------------------------------------------------------------------------

    @cached_property
    def _server(self) -> Server:
        return self._serve(self._folder / "home")

    @property
    def _home(self) -> Path:
        """The folder of the server that is written to, which has made its database when it answers."""
        assert self._server.url
        return self._folder / "home"

    def _serve(self, home: Path) -> Server:
        return serve(home, self.server_log)

    @cached_property
    def _http(self) -> Http:
        return Http(self._server.url)

    @property
    def _scripts(self) -> Clients:
        """Processes that log as people's scripts do. Raises NotThere."""
        if not hasattr(depthboard, "start"):
            raise NotThere("there is no depthboard.start() yet: bench.tracking.client_ours has the calls")
        return self._clients

    @cached_property
    def _clients(self) -> Clients:
        environment = {"DEPTHBOARD_API_URL": self._server.url, "DEPTHBOARD_HOME": str(self._folder / "scripts")}
        return Clients(sys.executable, "bench.tracking.client_ours", self._folder / "clients.log", environment)

    def _ask(self, path: str) -> Any:
        return orjson.loads(self._http.get(path))

    def _attempts(self, http: Http, runs: int, steps: int) -> tuple[int, list[Attempt]]:
        """A new experiment of so many runs, each claimed: the experiment's id and the attempts."""
        first = next(self._seeds) * 100_000
        body = {
            "name": f"{runs} runs",
            "base": {
                "data": {"dataset": "rooms", "train_size": 16},
                "budget": {"images_seen": 8 * steps, "batch_size": 8},
            },
            "factors": {"seed": list(range(first, first + runs))},
        }
        experiment = orjson.loads(http.post("/api/experiments", orjson.dumps(body)))
        asked = {"worker_id": "bench-worker", "host": "bench", "training_version": TRAINING_VERSION}
        claims = [orjson.loads(http.post("/api/claims", orjson.dumps(asked))) for _ in range(runs)]
        return experiment["id"], [(i, claim["run_id"], claim["token"]) for i, claim in enumerate(claims)]

    def _ended(self, runs: int, steps: int) -> tuple[int, list[int]]:
        """An experiment whose runs logged the workload and ended: its id and theirs."""
        experiment, attempts = self._attempts(self._http, runs, steps)
        self._bulk(self._server, 1, attempts, steps)
        finish(self._server, attempts)
        wait_for_compaction(self._home, attempts)
        return experiment, [run_id for _, run_id, _ in attempts]

    @cached_property
    def _drawn(self) -> int:
        return self._ended(workload.DRAWN_RUNS, workload.STEPS)[0]

    @cached_property
    def _long(self) -> int:
        return self._ended(1, workload.LONG_STEPS)[1][0]

    @cached_property
    def _listing(self) -> Server:
        home = self._folder / "listed"
        fill_listed(home, workload.LISTED_RUNS)
        return self._serve(home)

    @cached_property
    def _pictured(self) -> list[int]:
        attempts = self._attempts(self._http, workload.PICTURED_RUNS, 8)[1]
        for number, run_id, token in attempts:
            with Http(self._server.url, bearer(token)) as http:
                if number == 0:
                    frames = [frame(i) for i in range(workload.SAMPLES)]
                    http.request("PUT", f"/api/runs/{run_id}/frames", orjson.dumps(frames))
                sent = [prediction(number, i) for i in range(workload.SAMPLES)]
                http.post(f"/api/runs/{run_id}/predictions", orjson.dumps(sent))
        return [kept["id"] for _, run_id, _ in attempts for kept in self._ask(f"/api/runs/{run_id}/predictions")]


def serve(home: Path, log: Path, database: str = "") -> Server:
    """The API on a free port over SQLite in `home`, or over another database."""
    port = free_port()
    environment = {
        "DEPTHBOARD_HOME": str(home),
        "DEPTHBOARD_HOST": "127.0.0.1",
        "DEPTHBOARD_PORT": str(port),
        "DEPTHBOARD_DATABASE_URL": database,
        "DEPTHBOARD_BROKER_URL": "",
        "DEPTHBOARD_LEASE_SECONDS": LEASE_SECONDS,
    }
    home.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "backend.serve", "--with-parent", str(os.getpid())]
    return Server(command, f"http://127.0.0.1:{port}", "/api/health", log, environment)


def finish(server: Server, attempts: list[Attempt]) -> None:
    for _, run_id, token in attempts:
        with Http(server.url, bearer(token)) as http:
            http.post(f"/api/runs/{run_id}/finish", orjson.dumps({"status": "finished"}))


def rows_held(home: Path) -> int:
    """Logged rows of all writers that the database has acknowledged."""
    with closing(look_into(home)) as connection:
        return int(connection.execute("select coalesce(sum(last_seq + 1), 0) from sequence").fetchone()[0])


def check_rows(home: Path, before: int, runs: int) -> None:
    """Raises Failed unless all rows of so many runs came to those held `before`."""
    came = rows_held(home) - before
    if came != runs * workload.STEPS:
        raise Failed(f"{came} of {runs * workload.STEPS} logged rows are in the database")


def look_into(home: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{home / 'depthboard.sqlite3'}?mode=ro", uri=True)


def wait_for_compaction(home: Path, attempts: list[Attempt]) -> None:
    """Until no batch of these runs, which were claimed one after the other, is left as it came. Raises Failed."""
    left = "select exists (select 1 from chunk where run_id between ? and ?)"
    ids = [run_id for _, run_id, _ in attempts]
    end = time.monotonic() + COMPACTION_SECONDS
    with closing(look_into(home)) as connection:
        while connection.execute(left, (min(ids), max(ids))).fetchone()[0]:
            if time.monotonic() > end:
                raise Failed(f"runs that ended are not compacted after {COMPACTION_SECONDS:g} s")
            time.sleep(0.1)


def check_curves(answer: Any) -> None:
    """Raises Failed unless every point is there."""
    found = sum(len(series["step"]) for series in answer["curves"])
    if found != workload.DRAWN_RUNS * workload.STEPS:
        raise Failed(f"an answer of {found} points")


def check_extremes(answer: Any) -> None:
    """Raises Failed unless the smallest and the largest value of every long curve are shown."""
    for key in workload.KEYS:
        true, shown = workload.curve(0, key, workload.LONG_STEPS), answer["series"][key]["value"]
        if not (math.isclose(min(shown), true.min()) and math.isclose(max(shown), true.max())):
            raise Failed(f"the extremes of {key} are not shown")


def frame(sample: int) -> dict[str, Any]:
    """A sample frame as a worker sends it."""
    return {
        "frame": f"sample{sample}.png",
        "position": sample,
        "part": "test",
        "height": workload.HEIGHT,
        "width": workload.WIDTH,
        "crop": "none",
        "split": "official",
        "rgb": base64.b64encode(workload.png(workload.picture(0, sample))).decode(),
        "depth": base64.b64encode(pack_depth(workload.depth(0, sample))).decode(),
    }


def prediction(run: int, sample: int) -> dict[str, Any]:
    """A depth map as a worker sends it."""
    depth = base64.b64encode(pack_depth(workload.depth(run, sample))).decode()
    return {
        "step": 1,
        "frame": f"sample{sample}.png",
        "height": workload.HEIGHT,
        "width": workload.WIDTH,
        "depth": depth,
    }
