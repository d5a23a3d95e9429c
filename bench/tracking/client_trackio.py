"""What trackio's users do, in trackio's environment: `python -m bench.tracking.client_trackio`."""

from __future__ import annotations

import io
import json
import time
from typing import Any

import numpy as np
import orjson
import trackio
from PIL import Image

from bench.tracking import workload
from bench.tracking.processes import Failed, Http, serve_client, wait_for_start

PLAIN = {"auto_log_gpu": False, "auto_log_cpu": False, "embed": False}


def log(runs: list[int], project: str, steps: int, server: str | None = None) -> None:
    """`log()` of every step, into the local database or to a server."""
    where = {"server_url": server} if server else {}
    prepared = {run: _lists(run, steps) for run in runs}
    wait_for_start()
    for run, columns in prepared.items():
        trackio.init(project=project, name=f"r{run}", **PLAIN, **where)
        for step in range(steps):
            trackio.log({key: column[step] for key, column in columns.items()}, step=step)
        trackio.finish()


def bulk(runs: list[int], project: str, steps: int, url: str, headers: dict[str, str]) -> None:
    """The endpoint for many steps, 1,000 a request."""
    http = Http(url, headers)
    prepared = {run: _lists(run, steps) for run in runs}
    wait_for_start()
    for run, columns in prepared.items():
        for start in range(0, steps, 1000):
            body = {"hf_token": None, "logs": _entries(project, run, columns, range(start, min(start + 1000, steps)))}
            http.post("/api/bulk_log", orjson.dumps(body))


def live(_: None, project: str, server: str, url: str, headers: dict[str, str], trials: int) -> None:
    """Milliseconds from log() having returned to the value being in an answer of the server."""
    http = Http(url, headers)
    trackio.init(project=project, name="live", **PLAIN, server_url=server)
    wait_for_start()
    waits = []
    asked = orjson.dumps({"project": project, "run": "live", "metric_name": "live"})
    for trial in range(trials):
        trackio.log({"live": float(trial)}, step=trial)
        began = time.perf_counter()
        while not _shown(http, asked, trial):
            pass
        waits.append(1000 * (time.perf_counter() - began))
        time.sleep(0.013 * (trial % 7))  # not in step with the client's own clock
    trackio.finish()
    print(json.dumps(waits))


def pictures(runs: list[int], project: str) -> None:
    """Eight pictures a run."""
    wait_for_start()
    for run in runs:
        trackio.init(project=project, name=f"r{run}", **PLAIN)
        trackio.log({f"sample{i}": _picture(run, i) for i in range(workload.SAMPLES)}, step=0)
        trackio.finish()


def _lists(run: int, steps: int) -> dict[str, list[float]]:
    return {key: values.tolist() for key, values in workload.curves(run, steps).items()}


def _entries(project: str, run: int, columns: dict[str, list[float]], steps: range) -> list[dict[str, Any]]:
    given = {"project": project, "run": f"r{run}", "run_id": f"{project}-{run}", "config": None, "log_id": None}
    return [{**given, "metrics": {key: c[step] for key, c in columns.items()}, "step": step} for step in steps]


def _shown(http: Http, asked: bytes, trial: int) -> bool:
    try:
        answer = orjson.loads(http.post("/api/get_metric_values", asked))
    except Failed:  # the run is not known before its first value
        return False
    return any(entry.get("value") == float(trial) for entry in answer.get("data") or [])


def _picture(run: int, sample: int) -> Any:
    return trackio.Image(np.asarray(Image.open(io.BytesIO(workload.png(workload.picture(run, sample))))))


if __name__ == "__main__":
    serve_client({"log": log, "bulk": bulk, "live": live, "pictures": pictures})
