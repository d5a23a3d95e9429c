"""Records that are written without the API read like those that it wrote."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.orm import aliased
from starlette.testclient import TestClient

from backend.app import open_database
from backend.store.tables import Metric, Param, Run
from bench.filling import (
    EVALUATIONS,
    EXPERIMENT_RUNS,
    KEYS,
    STUDY,
    Grid,
    add_depth_maps,
    add_experiment,
    fill_listed,
    make_pool,
)
from bench.scale import Measured, Size, draw
from bench.tracking import workload
from depthboard.settings import Settings


def test_listed_runs_are_found_by_parameter_and_final_value(tmp_path: Path) -> None:
    fill_listed(tmp_path, 300)
    database = open_database(Settings(_env_file=None, home=tmp_path))
    param, metric = aliased(Param), aliased(Metric)
    name, word = workload.FILTER
    with database.read() as session:
        page = session.scalars(
            select(Run.name)
            .join(param, param.run_id == Run.id)
            .join(metric, metric.run_id == Run.id)
            .where(param.name == name, param.text == word, metric.name == workload.SORT)
            .order_by(metric.number.desc())
            .limit(workload.PAGE)
        ).all()
    database.close()
    assert page == [f"r{run}" for run in workload.listed(300)]


def test_a_filled_experiment_has_curves_and_a_figure(client: TestClient, app: FastAPI) -> None:
    experiment = add_experiment(app.state.database, 0, make_pool(200))
    listed = client.get(f"/api/experiments/{experiment}/runs", params={"sort": "-rmse", "size": 100}).json()
    assert listed["total"] == EXPERIMENT_RUNS
    run = listed["items"][0]
    assert run["status"] == "finished"
    series = client.get(f"/api/runs/{run['id']}/metrics").json()["series"]
    assert set(series) == set(KEYS)
    assert series[KEYS[0]]["step"] == list(range(1, 201))
    known = [curve for number in range(8) for curve in workload.curves(number, 200).values()]
    assert any(np.array_equal(series[KEYS[0]]["value"], curve) for curve in known)
    assert len(client.get(f"/api/runs/{run['id']}/evaluations").json()) == EVALUATIONS
    figure = client.get(f"/api/experiments/{experiment}/figures/convergence").json()
    assert sum(trace["meta"]["role"] == "mean" for trace in figure["data"] if "meta" in trace) == 5


def test_a_long_filled_curve_is_read_from_its_summary(client: TestClient, app: FastAPI) -> None:
    pool = make_pool(20_000)
    assert all(curve.summary for curve in pool.curves)
    experiment = add_experiment(app.state.database, 1, pool)
    run = client.get(f"/api/experiments/{experiment}/runs").json()["items"][0]["id"]
    shown = client.get(f"/api/runs/{run}/metrics", params={"max_points": 100}).json()["series"]
    assert all(len(series["step"]) <= 104 for series in shown.values())


def test_a_filled_study_has_its_runs_evaluations_and_depth_maps(client: TestClient, app: FastAPI) -> None:
    assert STUDY.runs == 210
    grid = Grid(STUDY.losses, sizes=(16, 64), seeds=2, height=64, width=96)
    experiment = add_experiment(app.state.database, 2, make_pool(40, evaluations=40), grid)
    assert add_depth_maps(app.state.database, experiment, 3) == 3 * 7
    figure = client.get(f"/api/experiments/{experiment}/figures/convergence").json()
    means = [trace for trace in figure["data"] if trace.get("meta", {}).get("role") == "mean"]
    assert len(means) == 2 * 7
    assert all(len(trace["x"]) == 40 for trace in means)
    tiles = client.get(f"/api/experiments/{experiment}/qualitative").json()
    assert (len(tiles["frames"]), len(tiles["runs"]), len(tiles["predictions"])) == (3, 7, 21)
    assert client.get(tiles["predictions"][0]["url"]).status_code == 200
    assert client.get(tiles["frames"][0]["rgb_url"]).status_code == 200


def test_the_scale_plot_has_a_line_a_request_in_each_panel() -> None:
    sizes = [Size(100, 1250), Size(1000, 1250), Size(100, 12_500)]
    measured = [Measured(size, asked, [5.0, 6.0, 7.0]) for asked in ("page", "figure") for size in sizes]
    figure = draw(measured)
    assert [trace.name for trace in figure.data] == ["page", "page", "figure", "figure"]
    assert list(figure.data[0].x) == [100, 1000]
    assert list(figure.data[1].x) == [10**6, 10**7]
    assert list(figure.data[3].y) == [6.0, 6.0]
