"""What our users do: `python -m bench.tracking.client_ours`."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import numpy as np
import orjson

import depthboard
from bench.tracking import workload
from bench.tracking.processes import Failed, Http, serve_client, wait_for_start

Attempt = tuple[int, int, str]
"""Number of the run in the workload, its id, the token of its attempt."""


def bulk(attempts: list[Attempt], url: str, steps: int) -> None:
    """The endpoint for many steps, 1,000 a request: columns as base64 in JSON, acknowledged after commit."""
    prepared = [(run_id, token, *columns(run, steps)) for run, run_id, token in attempts]
    wait_for_start()
    for run_id, token, numbers, walls, values in prepared:
        with Http(url, bearer(token)) as http:
            for start in range(0, steps, 1000):
                some = slice(start, start + 1000)
                http.post(f"/api/runs/{run_id}/points", points(start, numbers[some], walls[some], values[some]))


def log(runs: list[int], steps: int) -> None:
    """`log()` of every step; finish() returns when everything is acknowledged. DEPTHBOARD_API_URL says where."""
    prepared = {run: {key: c.tolist() for key, c in workload.curves(run, steps).items()} for run in runs}
    wait_for_start()
    for number, lists in prepared.items():
        run = depthboard.start(experiment="bench", name=f"r{number}")
        for step in range(steps):
            run.log({key: column[step] for key, column in lists.items()}, step=step)
        if not run.finish():
            raise Failed("not every point is acknowledged")


def live(_: None, url: str, trials: int) -> None:
    """Milliseconds from log() having returned, through the flush, to the value being in an answer of the API."""
    run, http = depthboard.start(experiment="bench", name="live"), Http(url)
    run.log({"live": -1.0}, step=0)
    run.flush()
    path = f"/api/runs/{run.number}/metrics?key=live"
    wait_for_start()
    waits = []
    for step in range(1, trials + 1):
        run.log({"live": float(step)}, step=step)
        began = time.perf_counter()
        run.flush()
        while orjson.loads(http.get(path))["series"]["live"]["step"][-1] < step:
            pass
        waits.append(1000 * (time.perf_counter() - began))
    run.finish()
    print(json.dumps(waits))


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def columns(run: int, steps: int) -> tuple[Any, Any, Any]:
    """Steps (n,), wall times (n,) in seconds since the epoch, and values (n, keys) of a run of the workload."""
    values = np.stack(list(workload.curves(run, steps).values()), axis=1)
    return np.arange(1, steps + 1, dtype="<i8"), workload.walls(steps), values


def points(first_seq: int, steps: Any, walls: Any, values: Any) -> bytes:
    """The body of POST /api/runs/{id}/points."""
    block = {
        "keys": workload.KEYS,
        "steps": packed(steps, "<i8"),
        "walls": packed(walls, "<f8"),
        "values": packed(values, "<f8"),
    }
    return orjson.dumps({"first_seq": first_seq, "blocks": [block]})


def packed(column: Any, kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(column, kind).tobytes()).decode()


if __name__ == "__main__":
    serve_client({"log": log, "bulk": bulk, "live": live})
