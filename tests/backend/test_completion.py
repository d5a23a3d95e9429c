"""Completing a grid: every cell gets a run that ends with a result; on both databases."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from sqlalchemy import delete, insert, update
from starlette.testclient import TestClient

from backend.store.session import clock
from backend.store.tables import Experiment, ExperimentRun, Run
from tests.backend import acting


def complete(client: TestClient, experiment: dict[str, Any]) -> dict[str, list[int]]:
    answer = client.post(f"/api/experiments/{experiment['id']}/complete")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


NOTHING: dict[str, list[int]] = {"created": [], "linked": [], "queued_again": [], "outdated": []}


def test_every_cell_whose_run_is_gone_failed_or_cancelled_is_trained_again(
    client: TestClient, app: FastAPI, woken: list[int]
) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1", "l2", "eigen", "huber"], "size": [8, None]})
    before = acting.runs_of(client, experiment)
    failed, finished = acting.claimed(client), acting.claimed(client)
    failed.finish("failed", "no")
    finished.finish()
    cancelled, gone = before[3], before[5]
    client.post(f"/api/runs/{cancelled['id']}/cancel")
    with app.state.database.write() as session:
        session.execute(delete(Run).where(Run.id == gone["id"]))
    acting.wait_for(lambda: len(woken) == 8, "the doorbell rang for the submission")
    woken.clear()
    done = complete(client, experiment)
    (new,) = done["created"]
    assert done == {**NOTHING, "created": [new], "queued_again": [failed.run_id, cancelled["id"]]}
    again = sorted([new, failed.run_id, cancelled["id"]])
    acting.wait_for(lambda: sorted(woken) == again, "the doorbell rang for each")
    after = acting.runs_of(client, experiment)
    assert [run["levels"] for run in after] == [run["levels"] for run in before], "each at its place in the grid"
    assert [run["status"] for run in after].count("queued") == 7
    assert complete(client, experiment) == NOTHING


def test_cells_without_a_run_are_told_and_launched_one_by_one(client: TestClient, app: FastAPI) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1", {"name": "huber", "threshold": 0.5}], "size": [8, None]})
    path = f"/api/experiments/{experiment['id']}"
    assert client.get(f"{path}/missing").json() == []
    before = acting.runs_of(client, experiment)
    acting.claimed(client).finish("failed", "no")
    gone = [run for run in before if run["status"] == "queued"][-2:]
    with app.state.database.write() as session:
        session.execute(delete(Run).where(Run.id.in_([run["id"] for run in gone])))
    cells = client.get(f"{path}/missing").json()
    kept = ("levels", "loss", "loss_label", "train_size", "encoder", "dataset", "seed")
    expected = [{key: run[key] for key in kept} for run in gone]
    assert sorted(cells, key=str) == sorted(expected, key=str)
    done = client.post(f"{path}/complete", json={"cells": [cells[0]["levels"]]}).json()
    assert (len(done["created"]), done["queued_again"]) == (1, []), "neither the other cell nor the failed run"
    assert client.get(f"{path}/missing").json() == cells[1:]
    assert len(complete(client, experiment)["created"]) == 1
    assert client.get("/api/experiments/99/missing").status_code == 404


def test_a_cell_that_another_experiment_has_trained_is_linked(client: TestClient, app: FastAPI) -> None:
    first, second = acting.submit(client), acting.submit(client, name="second")
    shared = acting.runs_of(client, first)[0]["id"]
    with app.state.database.write() as session:
        link = (ExperimentRun.experiment_id == second["id"], ExperimentRun.run_id == shared)
        session.execute(delete(ExperimentRun).where(*link))
    assert complete(client, second) == {**NOTHING, "linked": [shared]}


def test_what_completes_a_paused_experiment_is_held(client: TestClient, app: FastAPI) -> None:
    experiment = acting.submit(client)
    client.post(f"/api/experiments/{experiment['id']}/pause")
    with app.state.database.write() as session:
        session.execute(delete(Run).where(Run.id == acting.runs_of(client, experiment)[0]["id"]))
    assert len(complete(client, experiment)["created"]) == 1
    assert [run["held"] for run in acting.runs_of(client, experiment)] == [True, True]


def test_a_cell_that_failed_under_another_training_version_is_named_and_left(client: TestClient, app: FastAPI) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    old = acting.claimed(client)
    old.finish("failed", "no")
    with app.state.database.write() as session:
        session.execute(update(Run).values(training_version="0", identity="0" * 64))
    assert complete(client, experiment) == {**NOTHING, "outdated": [old.run_id]}
    assert acting.status_of(client, old.run_id) == "failed"


def test_only_the_failed_or_only_the_cancelled_runs_can_be_retried(client: TestClient) -> None:
    experiment = acting.submit(client)
    failed = acting.claimed(client)
    failed.finish("failed", "no")
    (_, other) = acting.runs_of(client, experiment)
    client.post(f"/api/runs/{other['id']}/cancel")
    path = f"/api/experiments/{experiment['id']}/retry"
    counts = client.post(path, params={"status": "failed"}).json()["counts"]
    assert (counts["queued"], counts["cancelled"]) == (1, 1)
    assert client.post(path, params={"status": "cancelled"}).json()["counts"]["queued"] == 2
    assert client.post(path, params={"status": "finished"}).status_code == 422


def test_an_experiment_of_scripts_has_no_grid_to_complete(client: TestClient, app: FastAPI) -> None:
    with app.state.database.write() as session:
        now = clock(session)
        row = {"name": "mine", "description": "", "spec": {"name": "mine"}, "factors": {}}
        session.execute(insert(Experiment).values(**row, created_at=now, updated_at=now))
    refused = client.post("/api/experiments/1/complete")
    assert (refused.status_code, acting.error_of(refused)["field"]) == (409, "id")
