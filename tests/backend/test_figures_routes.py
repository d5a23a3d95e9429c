"""Figures, results and depth maps over REST, from what workers wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from backend.app import make_app
from depthboard.config import LOSS_CONFIGS
from depthboard.metrics import METRICS, SHARPNESS
from depthboard.settings import Settings
from tests.backend import acting


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    settings = Settings(_env_file=None, home=tmp_path_factory.mktemp("figures"))
    with TestClient(make_app(settings), base_url="http://127.0.0.1:8765") as client:
        yield client


@pytest.fixture(scope="module")
def experiment(client: TestClient) -> dict[str, Any]:
    """Two losses, trained: three evaluations each, depth maps at two steps."""
    experiment = acting.submit(client)
    for error in (0.4, 0.2):
        attempt = acting.claimed(client)
        attempt.frames()
        attempt.evaluate(0, 1.0, predictor="constant", constant=2.0)
        attempt.points(range(1, 21))
        for step in (5, 10, 20):
            attempt.evaluate(step, error * 10 / step)
            if step > 5:
                attempt.predict(step, 2 + error)
        attempt.finish()
    return experiment


def test_the_figures_are_listed_with_their_options(client: TestClient, experiment: dict[str, Any]) -> None:
    figures = client.get(f"/api/experiments/{experiment['id']}/figures").json()
    assert [f["name"] for f in figures] == [
        "convergence",
        "curves",
        "dataset-size",
        "encoders",
        "qualitative",
        "results",
        "sharpness",
    ]
    assert figures[0]["options"]["encoder"] == ["densenet_small"]


@pytest.mark.parametrize("name", ["convergence", "dataset-size", "encoders", "qualitative", "results", "sharpness"])
def test_each_figure_is_there_as_json_and_as_a_page_that_may_load_nothing(
    client: TestClient, experiment: dict[str, Any], name: str
) -> None:
    path = f"/api/experiments/{experiment['id']}/figures/{name}"
    figure = client.get(path, params={"theme": "dark"})
    assert figure.status_code == 200, figure.text
    assert {"data", "layout"} <= set(json.loads(figure.content))
    page = client.get(path, params={"format": "html"})
    assert page.headers["content-type"].startswith("text/html")
    assert "sandbox allow-scripts" in page.headers["content-security-policy"]
    assert "default-src 'none'" in page.headers["content-security-policy"]


def test_an_option_of_no_figure_an_odd_value_and_an_unknown_figure_are_named(
    client: TestClient, experiment: dict[str, Any]
) -> None:
    base = f"/api/experiments/{experiment['id']}/figures"
    for path, status, field in (
        ("/convergence?colour=red", 422, "colour"),
        ("/convergence?metric=none", 422, "metric"),
        ("/convergence?format=gif", 422, "format"),
        ("/pie", 422, "name"),
    ):
        answer = client.get(base + path)
        assert (answer.status_code, answer.json()["error"]["field"]) == (status, field)
    assert client.get("/api/experiments/999/figures/convergence").status_code == 404


def test_the_results_are_the_runs_values_beside_the_constant_prediction_and_the_published_rows(
    client: TestClient, experiment: dict[str, Any]
) -> None:
    results = client.get(f"/api/experiments/{experiment['id']}/results").json()
    assert {row["kind"] for row in results["rows"]} == {"run", "constant", "published"}
    ours = {row["loss"]: row["values"]["rmse"] for row in results["rows"] if row["kind"] == "run"}
    listed = {run["loss"]: run["metrics"]["rmse"] for run in acting.runs_of(client, experiment)}
    assert ours == listed, "one rule for the list's own copy and for the table"
    assert ours["l1"] == pytest.approx(0.4 * (2 + 1 + 0.5) / 3)


@pytest.mark.parametrize("value", ["last3", "last", "best_validation"])
@pytest.mark.parametrize("averaging", ["per_image", "pooled"])
def test_list_and_table_choose_by_the_same_selector(
    client: TestClient, experiment: dict[str, Any], value: str, averaging: str
) -> None:
    query = {"value": value, "averaging": averaging}
    results = client.get(f"/api/experiments/{experiment['id']}/results", params=query).json()
    ours = {row["loss"]: row["values"]["delta1"] for row in results["rows"] if row["kind"] == "run" and row["n"]}
    listed = acting.runs_of(client, experiment, **query)
    assert ours == {r["loss"]: r["metrics"]["delta1"] for r in listed if r["metrics"]}


def test_the_results_are_there_as_csv_and_latex(client: TestClient, experiment: dict[str, Any]) -> None:
    path = f"/api/experiments/{experiment['id']}/results"
    assert client.get(path, params={"format": "csv"}).text.splitlines()[6].startswith("kind,label,")
    assert r"\toprule" in client.get(path, params={"format": "latex"}).text


def test_the_sharpness_table_is_there_as_json_csv_and_latex(client: TestClient, experiment: dict[str, Any]) -> None:
    path = f"/api/experiments/{experiment['id']}/sharpness"
    table = client.get(path).json()
    assert table["metrics"][0] == "mae_edge"
    assert table["rows"] == [], "nothing was measured"
    assert client.get(path, params={"format": "csv"}).text.splitlines()[6].startswith("kind,label,")
    assert r"\toprule" in client.get(path, params={"format": "latex"}).text
    assert client.get(path, params={"protocol": "none"}).json()["error"]["field"] == "protocol"
    assert client.get("/api/experiments/999/sharpness").status_code == 404


def test_the_grid_of_depth_maps_names_frames_runs_and_the_maps_addresses(
    client: TestClient, experiment: dict[str, Any]
) -> None:
    path = f"/api/experiments/{experiment['id']}/qualitative"
    grid = client.get(path).json()
    assert [frame["frame"] for frame in grid["frames"]] == list(acting.FRAMES)
    assert [run["loss"] for run in grid["runs"]] == ["l1", "eigen"]
    assert grid["steps"] == [10, 20]
    assert {p["step"] for p in grid["predictions"]} == {20}
    for address in (grid["predictions"][0]["url"], grid["frames"][0]["rgb_url"], grid["frames"][0]["depth_url"]):
        assert client.get(address).status_code == 200
        assert "?v=" in address
    listed = client.get(f"/api/runs/{grid['runs'][0]['id']}/predictions", params={"step": 20}).json()
    assert listed[0]["url"] in {p["url"] for p in grid["predictions"]}
    assert {p["step"] for p in client.get(path, params={"step": 10}).json()["predictions"]} == {10}
    assert client.get(path, params={"step": 7}).status_code == 422


def test_the_catalogue_names_everything_an_experiment_is_made_of(client: TestClient) -> None:
    catalogue = client.get("/api/catalogue").json()
    assert [loss["name"] for loss in catalogue["losses"]] == list(LOSS_CONFIGS)
    assert {e["name"]: e["parameters"] for e in catalogue["encoders"]}["densenet121"] == 24_220_224
    assert {m["name"] for m in catalogue["metrics"]} == {*METRICS, *SHARPNESS}
    for preset in catalogue["presets"]:
        if preset["name"] != "paper":  # its data is not registered here
            assert client.post("/api/experiments/dry-run", json=preset["spec"]).status_code == 200


def test_a_dataset_is_registered_shown_replaced_and_deleted(client: TestClient) -> None:
    report = client.get("/api/datasets/rooms").json()["report"] | {"name": "mine", "format": "folder", "path": "/d"}
    registration = {"report": report, "sheet_png": None}
    assert client.post("/api/datasets", json=registration).status_code == 201
    assert client.post("/api/datasets", json=registration).status_code == 201, "the same contents again change nothing"
    other = {"report": {**report, "fingerprint": "f" * 64}}
    assert client.post("/api/datasets", json=other).json()["error"]["code"] == "conflict"
    used = acting.submit(client, base={"data": {"dataset": "mine", "train_size": 8}}, factors={"loss": ["l1"]})
    waiting = client.post("/api/datasets", json={**other, "replace": True})
    assert (waiting.status_code, waiting.json()["error"]["field"]) == (409, "replace")
    assert client.delete("/api/datasets/mine").status_code == 409
    client.delete(f"/api/experiments/{used['id']}?now=true")
    assert client.post("/api/datasets", json={**other, "replace": True}).status_code == 201
    assert client.delete("/api/datasets/mine").status_code == 204
    assert client.get("/api/datasets/mine").status_code == 404


def test_the_built_in_dataset_stays_and_a_faulty_one_is_not_registered(client: TestClient) -> None:
    rooms = client.get("/api/datasets/rooms").json()["report"]
    assert client.delete("/api/datasets/rooms").status_code == 422
    assert client.post("/api/datasets", json={"report": rooms}).status_code == 422
    for place, wrong in (("format", "zip"), ("default_split", "odd"), ("splits", {"official": {"train": -1}})):
        error = client.post(
            "/api/datasets", json={"report": {**rooms, "name": "odd", "format": "folder", place: wrong}}
        )
        assert error.status_code == 422
        assert f"report.{place}" in error.json()["error"]["field"]
    faulty = {**rooms, "name": "bad", "format": "folder", "problems": ["3 files have no depth"], "problem_count": 3}
    answer = client.post("/api/datasets", json={"report": faulty})
    assert answer.json()["error"]["code"] == "data_problem"
    assert "3 files have no depth" in answer.json()["error"]["message"]
    sheet = {"report": {**rooms, "name": "x", "format": "folder"}, "sheet_png": "bm90IGEgcG5n"}
    assert client.post("/api/datasets", json=sheet).json()["error"]["field"] == "sheet_png"


def test_workers_are_shown_with_what_they_train(client: TestClient) -> None:
    note = {"host": "h", "device": "cpu", "slots": 2, "speeds": {"densenet_small@64x96": 80.0}, "training_version": "1"}
    assert client.put("/api/workers/worker-9999", json=note).status_code == 200
    acting.submit(client, name="more", factors={"loss": ["l2"]})
    attempt = acting.claimed(client, worker="worker-9999")
    worker = client.get("/api/workers").json()["items"][0]
    assert (worker["id"], worker["alive"], worker["slots"]) == ("worker-9999", True, 2)
    assert [run["id"] for run in worker["running"]] == [attempt.run_id]
