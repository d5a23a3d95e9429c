"""trackio: its client writes its SQLite file itself, or posts to its server every half second; the server has an endpoint for many steps."""

from __future__ import annotations

import itertools
import sqlite3
import statistics
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

from bench.tracking import workload
from bench.tracking.processes import Clients, Failed, Http, Server, Size, fetch, free_port, shares, sqlite_size
from bench.tracking.side import Side, milliseconds, rate

TOKEN = "bench"
HEADERS = {"X-Trackio-Write-Token": TOKEN}
SHOW = "import trackio; trackio.show(open_browser=False, block_thread=True, server_port={port})"
SERVER_RUNS = 20
"""Its client that posts to a server takes about 20 s for 100 runs."""
MOST_POINTS = 3000
"""What its own page asks for."""
POINTS = workload.RUNS * len(workload.KEYS) * workload.STEPS


class Trackio(Side):
    name = "trackio"

    def __init__(self, python: Path, folder: Path) -> None:
        self._python, self._folder = python, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.server_log = folder / "server.log"
        self._environment = {
            "TRACKIO_DIR": str(folder / "record"),
            "TRACKIO_WRITE_TOKEN": TOKEN,
            "HF_HUB_OFFLINE": "1",
            "TRACKIO_AUTO_LOG_GPU": "0",
        }
        self._clients = Clients(python, "bench.tracking.client_trackio", folder / "clients.log", self._environment)
        self._numbers = itertools.count()
        self.pieces = {
            "log-1": lambda: self.log(1),
            "log-4": lambda: self.log(4),
            "post-1": lambda: self.post(1),
            "post-4": lambda: self.post(4),
            "bulk-1": lambda: self.bulk(1),
            "bulk-4": lambda: self.bulk(4),
            "disk": lambda: self._size.used / POINTS,
            "file": lambda: self._size.file / POINTS,
            "curves": self.curves,
            "long": self.long,
            "page": self.page,
            "live": self.live,
            "pictures": self.pictures,
            "start": self.start,
            "memory": self.memory,
        }
        self.notes = {
            "log-1": "written by the client itself",
            "log-4": "written by the client itself",
            "curves": "50 requests",
            "long": f"{MOST_POINTS} of the steps, sampled",
            "page": "SQL by hand; its page sorts in the browser",
            "pictures": "160 requests, 6 connections",
        }

    # --- writing ----------------------------------------------------------------------------------------------------

    def log(self, clients: int) -> float:
        parts = shares(clients, workload.RUNS)
        seconds = self._clients.seconds("log", parts, project=self._project(), steps=workload.STEPS)
        return rate(workload.RUNS, len(workload.KEYS), workload.STEPS, seconds)

    def post(self, clients: int) -> float:
        options = {"project": self._project(), "steps": workload.STEPS, "server": self._written_to}
        seconds = self._clients.seconds("log", shares(clients, SERVER_RUNS), **options)
        return rate(SERVER_RUNS, len(workload.KEYS), workload.STEPS, seconds)

    def bulk(self, clients: int) -> float:
        seconds = self._bulk(self._project(), clients, workload.RUNS, workload.STEPS)
        return rate(workload.RUNS, len(workload.KEYS), workload.STEPS, seconds)

    def _bulk(self, project: str, clients: int, runs: int, steps: int) -> float:
        options = {"project": project, "steps": steps, "url": self._server.url, "headers": HEADERS}
        return self._clients.seconds("bulk", shares(clients, runs), **options)

    @cached_property
    def _size(self) -> Size:
        path = self._folder / "record" / f"{self._drawn}.db"
        connection = sqlite3.connect(path)
        connection.execute("pragma wal_checkpoint(truncate)")
        connection.close()
        return sqlite_size(path)

    # --- reading ----------------------------------------------------------------------------------------------------

    def curves(self) -> float:
        asked = [
            {
                "project": self._drawn,
                "metric_name": workload.DRAWN_KEY,
                "run": f"r{run}",
                "run_id": f"{self._drawn}-{run}",
            }
            for run in range(workload.DRAWN_RUNS)
        ]
        return milliseconds(lambda: [self._ask("get_metric_values", **one) for one in asked])

    def long(self) -> float:
        runs = [{"run": "r0", "run_id": f"{self._long}-0"}]
        asked = {"project": self._long, "runs": runs, "max_points": MOST_POINTS, "scalar_only": True}
        return milliseconds(lambda: self._ask("get_logs_batch", **asked))

    def page(self) -> float:
        key, word = workload.FILTER
        query = (
            "select c.run_id, c.config, m.metrics from configs c join metrics m on m.run_id = c.run_id "
            f"where json_extract(c.config, '$.{key}') = '{word}' "
            f"order by json_extract(m.metrics, '$.{workload.SORT}') desc limit {workload.PAGE}"
        )
        found = self._ask("query_project", project=self._listed, query=query)["rows"]
        if [row["run_id"] for row in found] != [f"r{run}" for run in workload.listed()]:
            raise Failed("trackio answered with another page")
        return milliseconds(lambda: self._ask("query_project", project="listed", query=query))

    def live(self) -> float:
        options = {"server": self._written_to, "url": self._server.url, "headers": HEADERS}
        return float(statistics.median(self._clients.answer("live", project=self._project(), trials=20, **options)))

    def pictures(self) -> float:
        url, paths = self._server.url, self._pictured
        return milliseconds(lambda: fetch(url, paths, 6, HEADERS))

    # --- weight -----------------------------------------------------------------------------------------------------

    def start(self) -> float:
        with self._serve(self._folder / "empty") as server:
            return server.startup

    def memory(self) -> float:
        with self._serve(self._folder / "empty") as server:
            return server.memory()

    def stop(self) -> None:
        for opened in ("_http", "_server"):
            if opened in self.__dict__:
                getattr(self, opened).close()

    # --- what the pieces stand on -----------------------------------------------------------------------------------

    @cached_property
    def _server(self) -> Server:
        return self._serve(self._folder / "record")

    def _serve(self, record: Path) -> Server:
        port = free_port()
        command: list[str | Path] = [self._python, "-c", SHOW.format(port=port)]
        environment = {**self._environment, "TRACKIO_DIR": str(record)}
        return Server(command, f"http://127.0.0.1:{port}", "/version", self.server_log, environment)

    @property
    def _written_to(self) -> str:
        return f"{self._server.url}/?write_token={TOKEN}"

    @cached_property
    def _http(self) -> Http:
        return Http(self._server.url, HEADERS)

    def _ask(self, name: str, **given: Any) -> Any:
        answer = orjson.loads(self._http.post(f"/api/{name}", orjson.dumps(given)))
        if "error" in answer:
            raise Failed(f"trackio's {name} answered: {answer['error']}")
        return answer["data"]

    def _project(self) -> str:
        return f"p{next(self._numbers)}"

    @cached_property
    def _drawn(self) -> str:
        self._bulk("drawn", 1, workload.RUNS, workload.STEPS)
        return "drawn"

    @cached_property
    def _long(self) -> str:
        self._bulk("long", 1, 1, workload.LONG_STEPS)
        return "long"

    @cached_property
    def _listed(self) -> str:
        given = {"project": "listed", "step": 0, "log_id": None}
        for start in range(0, workload.LISTED_RUNS, 500):
            entries = [
                {
                    **given,
                    "run": f"r{r}",
                    "run_id": f"r{r}",
                    "metrics": workload.finals(r),
                    "config": workload.parameters(r),
                }
                for r in range(start, start + 500)
            ]
            self._ask("bulk_log", hf_token=None, logs=entries)
        return "listed"

    @cached_property
    def _pictured(self) -> list[str]:
        self._clients.seconds("pictures", [list(range(workload.PICTURED_RUNS))], project="pictured")
        files = sorted((self._folder / "record" / "media" / "pictured").rglob("*.png"))
        if len(files) != workload.PICTURED_RUNS * workload.SAMPLES:
            raise Failed(f"trackio kept {len(files)} pictures")
        return [f"/file?path={path}" for path in files]
