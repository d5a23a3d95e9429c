"""MLflow as it ships: `mlflow server` over SQLite. Its batches are of 1,000 values, and what it takes is scaled down to keep a block below ten seconds."""

from __future__ import annotations

import itertools
import statistics
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson

from bench.tracking import workload
from bench.tracking.processes import Clients, Failed, Http, Server, free_port, shares
from bench.tracking.side import Side, milliseconds, rate

RUNS = 4
"""Of 1,000 steps a block: 32,000 points."""
API = "/ajax-api/2.0/mlflow"
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


class MLflow(Side):
    name = "mlflow"

    def __init__(self, python: Path, folder: Path) -> None:
        self._python, self._folder = python, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.server_log = folder / "server.log"
        self._clients = Clients(python, "bench.tracking.client_mlflow", folder / "clients.log", QUIET)
        self._numbers = itertools.count()
        self.pieces = {
            "bulk-1": lambda: self.bulk(1),
            "bulk-4": lambda: self.bulk(4),
            "curves": self.curves,
            "page": self.page,
            "live": self.live,
            "start": self.start,
            "memory": self.memory,
        }
        self.notes = {
            "bulk-1": f"log_batch of 1,000, {RUNS} runs",
            "bulk-4": f"log_batch of 1,000, {RUNS} runs",
            "curves": "2 requests: it answers with 25,000 points at most",
            "live": "log_metric() itself waits for its answer",
        }

    def bulk(self, clients: int) -> float:
        options = {"url": self._server.url, "experiment": self._experiment(), "steps": workload.STEPS}
        seconds = self._clients.seconds("bulk", shares(clients, RUNS), **options)
        return rate(RUNS, len(workload.KEYS), workload.STEPS, seconds)

    def curves(self) -> float:
        runs, half = self._filled[0], workload.DRAWN_RUNS // 2

        def ask(some: list[str]) -> int:
            asked = urlencode({"run_id": some, "metric_key": workload.DRAWN_KEY}, doseq=True)
            return len(orjson.loads(self._http.get(f"{API}/metrics/get-history-bulk?{asked}"))["metrics"])

        found = ask(runs[:half]) + ask(runs[half:])
        if found != workload.DRAWN_RUNS * workload.STEPS:
            raise Failed(f"MLflow answered with {found} points")
        return milliseconds(lambda: ask(runs[:half]) + ask(runs[half:]), times=3)

    def page(self) -> float:
        key, word = workload.FILTER
        asked = {
            "experiment_ids": [self._filled[1]],
            "max_results": workload.PAGE,
            "order_by": [f"metrics.{workload.SORT} DESC"],
            "filter": f"params.{key} = '{word}'",
        }

        def ask() -> list[Any]:
            return list(orjson.loads(self._http.post(f"{API}/runs/search", orjson.dumps(asked)))["runs"])

        if [run["info"]["run_name"] for run in ask()] != [f"r{run}" for run in workload.listed()]:
            raise Failed("MLflow answered with another page")
        return milliseconds(ask)

    def live(self) -> float:
        options = {"url": self._server.url, "experiment": self._experiment(), "trials": 20}
        return float(statistics.median(self._clients.answer("live", **options)))

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

    @cached_property
    def _server(self) -> Server:
        return self._serve(self._folder / "record")

    def _serve(self, record: Path) -> Server:
        record.mkdir(parents=True, exist_ok=True)
        port = free_port()
        command: list[str | Path] = [
            self._python.with_name("mlflow"),
            "server",
            "--backend-store-uri",
            f"sqlite:///{record / 'mlflow.db'}",
            "--artifacts-destination",
            record / "artifacts",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ]
        log = self.server_log
        return Server(command, f"http://127.0.0.1:{port}", "/health", log, QUIET, record)

    @cached_property
    def _http(self) -> Http:
        return Http(self._server.url)

    def _experiment(self) -> str:
        return str(self._clients.answer("experiment", url=self._server.url, name=f"e{next(self._numbers)}"))

    @cached_property
    def _filled(self) -> tuple[list[str], str]:
        """The ids of the drawn runs, and of the experiment of the listed ones."""
        drawn, listed = self._experiment(), self._experiment()
        database = f"sqlite:///{self._folder / 'record' / 'mlflow.db'}"
        return list(self._clients.answer("fill", database=database, drawn=drawn, listed=listed)), listed
