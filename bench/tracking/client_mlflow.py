"""What MLflow's users do, in MLflow's environment: `python -m bench.tracking.client_mlflow`."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import mlflow
import sqlalchemy
from mlflow.entities import Metric
from mlflow.store.tracking.dbmodels.models import SqlLatestMetric, SqlMetric, SqlParam, SqlRun, SqlTag

from bench.tracking import workload
from bench.tracking.processes import Http, serve_client, wait_for_start

BATCH = 1000
"""Values that log_batch takes at most."""
BEGAN = 1_700_000_000_000
"""Milliseconds since the epoch."""


def bulk(runs: list[int], url: str, experiment: str, steps: int) -> None:
    """log_batch, as many values a request as it takes."""
    client = mlflow.MlflowClient(url)
    prepared = {run: {key: c.tolist() for key, c in workload.curves(run, steps).items()} for run in runs}
    a_request = BATCH // len(workload.KEYS)
    wait_for_start()
    for run, columns in prepared.items():
        run_id = client.create_run(experiment, run_name=f"r{run}").info.run_id
        for start in range(0, steps, a_request):
            some = range(start, min(start + a_request, steps))
            client.log_batch(run_id, [Metric(k, c[i], BEGAN + i, i) for i in some for k, c in columns.items()])


def live(_: None, url: str, experiment: str, trials: int) -> None:
    """Milliseconds from log_metric() having returned to the value being in an answer of the server."""
    client, http = mlflow.MlflowClient(url), Http(url)
    run_id = client.create_run(experiment).info.run_id
    path = f"/ajax-api/2.0/mlflow/metrics/get-history?run_id={run_id}&metric_key=live"
    wait_for_start()
    waits = []
    for trial in range(trials):
        client.log_metric(run_id, "live", float(trial), step=trial)
        began = time.perf_counter()
        while not any(m["value"] == float(trial) for m in json.loads(http.get(path)).get("metrics", [])):
            pass
        waits.append(1000 * (time.perf_counter() - began))
    print(json.dumps(waits))


def experiment(_: None, url: str, name: str) -> None:
    """Make an experiment; prints its id."""
    client = mlflow.MlflowClient(url)
    wait_for_start()
    print(json.dumps(client.create_experiment(name)))


def fill(_: None, database: str, drawn: str, listed: str) -> None:
    """The runs to be read, written to MLflow's own tables: through its API they take many minutes. Prints the ids of the drawn runs."""
    wait_for_start()
    engine = sqlalchemy.create_engine(database)
    with engine.begin() as connection:
        ids = [
            _add(
                connection,
                drawn,
                f"r{run}",
                {},
                {k: c.tolist() for k, c in workload.curves(run, workload.STEPS).items()},
            )
            for run in range(workload.DRAWN_RUNS)
        ]
        for run in range(workload.LISTED_RUNS):
            finals = {key: [value] for key, value in workload.finals(run).items()}
            _add(connection, listed, f"r{run}", workload.parameters(run), finals)
    print(json.dumps(ids))


def _add(
    connection: sqlalchemy.Connection,
    experiment_id: str,
    name: str,
    parameters: dict[str, Any],
    metrics: dict[str, list[float]],
) -> str:
    run_id = uuid.uuid4().hex
    own = {"run_uuid": run_id}
    points = [
        {**own, "key": key, "value": value, "timestamp": BEGAN + i, "step": i, "is_nan": False}
        for key, values in metrics.items()
        for i, value in enumerate(values)
    ]
    rows = {
        SqlRun: [{**own, **_run(experiment_id, name)}],
        SqlTag: [{**own, "key": "mlflow.runName", "value": name}],
        SqlParam: [{**own, "key": key, "value": str(value)} for key, value in parameters.items()],
        SqlMetric: points,
        SqlLatestMetric: [point for point in points if point["step"] == len(metrics[str(point["key"])]) - 1],
    }
    for table, values in rows.items():
        if values:
            connection.execute(sqlalchemy.insert(table), values)
    return run_id


def _run(experiment_id: str, name: str) -> dict[str, Any]:
    return {
        "name": name,
        "source_type": "UNKNOWN",
        "source_name": "",
        "entry_point_name": "",
        "source_version": "",
        "user_id": "bench",
        "status": "FINISHED",
        "start_time": BEGAN,
        "end_time": BEGAN + 1000,
        "lifecycle_stage": "active",
        "experiment_id": int(experiment_id),
        "artifact_uri": f"mlflow-artifacts:/{experiment_id}/{name}/artifacts",
    }


if __name__ == "__main__":
    serve_client({"bulk": bulk, "live": live, "experiment": experiment, "fill": fill})
