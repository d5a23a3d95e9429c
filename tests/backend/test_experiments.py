"""Submitting, sharing, listing, changing, cancelling and retrying experiments, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from starlette.testclient import TestClient

from backend.sweeper import sweep
from depthboard.experiment import TRAINING_VERSION
from depthboard.settings import Settings
from tests.backend import acting
from tests.backend.acting import error_of, wait_for


def test_a_submission_makes_one_run_a_combination_with_its_levels(client: TestClient, woken: list[int]) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1", {"name": "huber", "threshold": 0.5}], "seed": [0, 1]})
    assert experiment["counts"]["queued"] == 4
    assert experiment["factors"] == {"loss": ["l1", "huber threshold=0.5"], "seed": [0, 1]}
    assert experiment["datasets"] == ["rooms"]
    assert experiment["evaluation"] == [f"test {acting.PROTOCOL}"]
    runs = acting.runs_of(client, experiment)
    assert runs[1]["levels"] == {"loss": "huber threshold=0.5", "seed": 0}
    assert {run["loss_label"] for run in runs} == {"l1", "huber threshold=0.5"}
    wait_for(lambda: woken == [run["id"] for run in runs], "the doorbell rings once the runs are committed")


def test_a_sum_is_submitted_as_a_level_and_named_by_its_parts(client: TestClient) -> None:
    parts = ["l1", {"name": "ms_ssim", "weight": 2}]
    experiment = acting.submit(client, factors={"loss": ["ms_ssim", {"name": "sum", "parts": parts}]})
    runs = acting.runs_of(client, experiment)
    assert [run["loss_label"] for run in runs] == ["ms_ssim (3 scales)", "l1 + 2 ms_ssim (3 scales)"]
    assert [part["name"] for part in client.get(f"/api/runs/{runs[1]['id']}").json()["config"]["loss"]["parts"]] == [
        "l1",
        "ms_ssim",
    ]


def test_the_same_submission_twice_trains_nothing_twice(client: TestClient) -> None:
    first, second = acting.submit(client), acting.submit(client, name="again")
    assert [r["id"] for r in acting.runs_of(client, first)] == [r["id"] for r in acting.runs_of(client, second)]
    assert client.get("/api/runs").json()["total"] == 2
    linked = client.get(f"/api/runs/{acting.runs_of(client, first)[0]['id']}").json()["experiments"]
    rest = {"paused": False, "trashed": False}
    assert linked == [
        {"id": first["id"], "name": "two losses", **rest},
        {"id": second["id"], "name": "again", **rest},
    ]


def test_labels_are_no_part_of_a_runs_identity(client: TestClient) -> None:
    acting.submit(client)
    acting.submit(client, base={**acting.SPEC["base"], "labels": {"who": "me"}})
    assert client.get("/api/runs").json()["total"] == 2


def test_all_images_and_their_number_are_the_same_run(client: TestClient) -> None:
    base = {"data": {"dataset": "rooms"}, "budget": {"images_seen": 160}}
    experiment = acting.submit(client, base=base, factors={"loss": ["l1"], "size": [None, 4096]})
    runs = acting.runs_of(client, experiment)
    assert [run["train_size"] for run in runs] == [4096]
    assert runs[0]["levels"]["data.train_size"] == 4096


def test_a_linked_run_that_had_failed_is_queued_again(client: TestClient) -> None:
    acting.submit(client, factors={"loss": ["l1"]})
    acting.claimed(client).finish("failed", "no")
    again = acting.submit(client, name="again", factors={"loss": ["l1"]})
    assert again["counts"] == {"queued": 1, "running": 0, "finished": 0, "failed": 0, "cancelled": 0}


@pytest.mark.parametrize(
    ("base", "factors", "code", "field", "said"),
    [
        ({"data": {"dataset": "nowhere"}}, {}, "unknown_name", "data.dataset", "rooms"),
        ({"data": {"split": "odd"}}, {}, "unknown_name", "data.split", "official"),
        ({"data": {"train_size": 4097}}, {}, "invalid_input", "data.train_size", "4096"),
        ({"data": {"validation": 0.5}}, {"size": [2049]}, "invalid_input", "data.train_size", "2048"),
        ({}, {"loss": ["l3"]}, "invalid_input", "loss", "'l1'"),
        ({}, {"loss": ["l1"], "loss.lam": [0.1]}, "invalid_input", "loss.lam", "no setting"),
        (
            {"data": {"dataset": "wide"}, "evaluation": {"crop": "toolbox"}},
            {},
            "invalid_input",
            "evaluation.crop",
            "wide",
        ),
        (
            {"data": {"dataset": "wide", "crop": "eigen"}, "evaluation": {"crop": "eigen"}},
            {},
            "invalid_input",
            "data.crop",
            "480×1280",
        ),
        ({"data": {"height": 65}}, {}, "invalid_input", "data.height", "32"),
        ({"colour": "red"}, {}, "invalid_input", "colour", "no setting"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_a_sentence_that_names_the_place(
    client: TestClient, base: dict[str, Any], factors: dict[str, Any], code: str, field: str, said: str
) -> None:
    wide = {**client.get("/api/datasets/rooms").json()["report"], "name": "wide", "format": "folder", "width": 1280}
    assert client.post("/api/datasets", json={"report": wide}).status_code == 201
    for path in ("/api/experiments", "/api/experiments/dry-run"):
        answer = client.post(path, json=acting.spec(base=base, factors=factors))
        assert answer.status_code == 422
        error = answer.json()["error"]
        assert (error["code"], error["field"]) == (code, field)
        assert said in f"{error['message']} {error['remedy']}"
    assert client.get("/api/experiments").json()["total"] == 0


def test_without_a_split_the_datasets_usual_one_is_taken(client: TestClient) -> None:
    report = {**client.get("/api/datasets/rooms").json()["report"], "name": "mine", "format": "folder"}
    report |= {"splits": {"held_out": {"train": 40, "test": 10}}, "default_split": "held_out"}
    assert client.post("/api/datasets", json={"report": report}).status_code == 201
    (run,) = acting.runs_of(client, acting.submit(client, base={"data": {"dataset": "mine"}}, factors={"loss": ["l1"]}))
    assert (run["data_split"], run["train_size"]) == ("held_out", 40)
    assert client.get(f"/api/runs/{run['id']}").json()["config"]["data"]["split"] == "held_out"
    named = {"loss": ["l2"], "data.split": ["held_out"]}
    both = acting.submit(
        client, base={"data": {"dataset": "mine"}}, factors={"loss": ["l1"]}, also=[{"factors": named}]
    )
    assert both["factors"]["data.split"] == ["held_out"], "as resolved, not as the field's default says"


def test_a_dry_run_counts_and_changes_nothing(client: TestClient) -> None:
    acting.submit(client)
    plan = client.post("/api/experiments/dry-run", json=acting.spec(factors={"loss": ["l1", "l2", "eigen"]})).json()
    assert (plan["total"], plan["new"], plan["reused"]) == (3, 1, 2)
    assert plan["images_to_train"] == 3 * 160
    assert (plan["seconds"], plan["slots"]) == (None, 0)
    assert "no worker" in plan["basis"]
    assert [cell["exists"] for cell in plan["cells"]] == [True, False, True]
    assert client.get("/api/experiments").json()["total"] == 1


NOTE = {
    "host": "here",
    "device": "cpu",
    "slots": 2,
    "training_version": TRAINING_VERSION,
    "speeds": {"l1/densenet_small@64x96": 80.0, "gan/densenet_small@64x96": 40.0},
    "startup_seconds": 3.0,
}


def test_the_time_is_estimated_from_the_workers_measurement_and_the_queue_played_through(client: TestClient) -> None:
    assert client.put("/api/workers/worker-0001", json=NOTE).status_code == 200
    spec = acting.spec(factors={"loss": ["l1", "eigen", "gan"]})
    plan = client.post("/api/experiments/dry-run", json=spec).json()
    # Two slots: l1 and eigen take 3 + 160/(0.92·80) s side by side, then gan 3 + 160/(0.92·40) s.
    assert plan["seconds"] == pytest.approx(3 + 2.17391 + 3 + 4.34783)
    assert plan["slots"] == 2
    acting.submit(client, name="ahead", factors={"loss": ["l2", "berhu"]})
    plan = client.post("/api/experiments/dry-run", json=spec).json()
    assert plan["seconds"] == pytest.approx(2 * (3 + 2.17391) + 3 + 4.34783)
    assert "2 runs of other experiments come first" in plan["warnings"][0]


def test_a_sum_with_a_gan_in_it_takes_as_long_as_a_gan(client: TestClient) -> None:
    assert client.put("/api/workers/worker-0001", json=NOTE).status_code == 200
    spec = acting.spec(factors={"loss": [{"name": "sum", "parts": ["l2", "gan"]}]})
    seconds = pytest.approx(3 + 160 / (0.92 * 40), abs=1e-4)
    assert client.post("/api/experiments/dry-run", json=spec).json()["seconds"] == seconds
    client.post("/api/experiments", json=spec)
    plan = client.post("/api/experiments/dry-run", json=acting.spec(factors={"loss": ["l1"]})).json()
    assert plan["seconds"] == pytest.approx(3 + 160 / (0.92 * 80), abs=1e-4), "on the other slot"
    assert client.post("/api/experiments/dry-run", json=spec).json()["seconds"] == seconds, "now that it waits"


def test_a_plan_of_finished_runs_takes_no_time(client: TestClient) -> None:
    acting.submit(client, factors={"loss": ["l1"]})
    acting.claimed(client).finish()
    plan = client.post("/api/experiments/dry-run", json=acting.spec(factors={"loss": ["l1"]})).json()
    assert (plan["seconds"], plan["images_to_train"]) == (0.0, 0)


def test_experiments_are_listed_running_ones_first_then_the_newest(client: TestClient) -> None:
    ids = [acting.submit(client, name=f"e{i}", factors={"loss": ["l1"], "seed": [i]})["id"] for i in range(3)]
    acting.claimed(client)  # the first experiment's
    listed = client.get("/api/experiments").json()
    assert [e["id"] for e in listed["items"]] == [ids[0], ids[2], ids[1]]
    assert client.get("/api/experiments", params={"size": 1, "page": 2}).json()["items"][0]["id"] == ids[2]


def test_experiments_are_found_by_text_and_by_tag(client: TestClient) -> None:
    acting.submit(client, name="100% depth", tags=["paper", "nyu"])
    acting.submit(client, name="other", description="Depth_2", factors={"loss": ["l2"]})

    def found(**query: str) -> list[str]:
        return [e["name"] for e in client.get("/api/experiments", params=query).json()["items"]]

    assert found(q="DEPTH") == ["other", "100% depth"]
    assert found(q="0%") == ["100% depth"]
    assert found(q="h_2") == ["other"]
    assert found(tag="nyu") == ["100% depth"]
    assert found(tag="ny") == []


def test_an_experiment_shows_progress_eta_and_its_best_run(client: TestClient) -> None:
    experiment = acting.submit(client)
    first = acting.claimed(client)
    first.evaluate(20, 0.5)
    first.finish()
    second = acting.claimed(client)
    second.evaluate(10, 0.25)
    second.renew(step=10, speed=40.0)
    shown = client.get(f"/api/experiments/{experiment['id']}").json()
    assert shown["progress"] == pytest.approx((160 + 80) / 320)
    assert shown["eta_seconds"] == pytest.approx(80 / 40)
    assert shown["best"]["run_id"] == first.run_id, "of the finished runs alone"
    second.evaluate(20, 0.25)
    second.finish()
    shown = client.get(f"/api/experiments/{experiment['id']}").json()
    assert shown["best"]["run_id"] == second.run_id
    assert shown["best"]["value"] == pytest.approx(0.25)
    assert shown["best"]["loss"] == "eigen"


def test_there_is_no_best_among_runs_that_were_scored_on_different_images(client: TestClient) -> None:
    protocols = {"evaluation.max_depth": [5.0, 10.0]}
    experiment = acting.submit(client, factors={"loss": ["l1"], **protocols})
    for _ in range(2):
        attempt = acting.claimed(client)
        attempt.evaluate(20, 0.5, protocol=client.get(attempt.path).json()["protocol"])
        attempt.finish()
    shown = client.get(f"/api/experiments/{experiment['id']}").json()
    assert shown["counts"]["finished"] == 2
    assert shown["best"] is None


def test_name_description_and_tags_can_be_changed_and_nothing_else(client: TestClient) -> None:
    path = f"/api/experiments/{acting.submit(client, tags=['a'])['id']}"
    changed = client.patch(path, json={"name": "new", "tags": ["b", "c"]}).json()
    assert (changed["name"], changed["tags"], changed["description"]) == ("new", ["b", "c"], "")
    assert client.get(path).json()["tags"] == ["b", "c"]
    assert client.patch(path, json={"spec": {}}).status_code == 422
    assert client.patch(path, json={"name": " "}).status_code == 422


def test_runs_are_sorted_by_columns_and_by_metrics_with_missing_values_last(client: TestClient) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1", "l2", "eigen"]})
    a, b = acting.claimed(client), acting.claimed(client)
    a.evaluate(5, 0.1)
    a.evaluate(20, 0.5)
    b.evaluate(20, 0.2)
    ids = [run["id"] for run in acting.runs_of(client, experiment)]

    def order(**query: str) -> list[int]:
        return [run["id"] for run in acting.runs_of(client, experiment, **query)]

    assert order(sort="rmse") == [ids[1], ids[0], ids[2]]
    assert order(sort="-rmse") == [ids[0], ids[1], ids[2]]
    assert order(sort="mae", value="last") == [ids[1], ids[0], ids[2]]
    assert order(sort="-id") == ids[::-1]
    assert order(status="queued") == [ids[2]]
    values = {r["id"]: r["metrics"].get("mae") for r in acting.runs_of(client, experiment, value="last")}
    assert values == {ids[0]: pytest.approx(0.5), ids[1]: pytest.approx(0.2), ids[2]: None}
    answer = client.get(f"/api/experiments/{experiment['id']}/runs", params={"sort": "colour"})
    assert answer.json()["error"]["field"] == "sort"


def test_the_value_of_the_best_validation_step_is_the_test_value_at_that_step(client: TestClient) -> None:
    data = {"dataset": "rooms", "train_size": 16, "validation": 0.1}
    experiment = acting.submit(client, base={**acting.SPEC["base"], "data": data}, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    for step, test, validation in ((5, 0.4, 0.3), (10, 0.3, 0.1), (20, 0.2, 0.2)):
        attempt.evaluate(step, test)
        attempt.evaluate(step, validation, split="validation")
    run = acting.runs_of(client, experiment, value="best_validation", averaging="pooled")[0]
    assert run["metrics"]["mae"] == pytest.approx(0.3)


def test_cancelling_ends_queued_runs_at_once_and_asks_running_ones_to_stop(client: TestClient) -> None:
    experiment = acting.submit(client)
    attempt = acting.claimed(client)
    counts = client.post(f"/api/experiments/{experiment['id']}/cancel").json()["counts"]
    assert (counts["running"], counts["cancelled"]) == (1, 1)
    assert client.get(attempt.path).json()["cancel_requested"] is True
    assert attempt.renew()["cancel_requested"] is True
    attempt.finish("cancelled", "cancelled by a person")
    assert acting.status_of(client, attempt.run_id) == "cancelled"
    assert acting.claim(client) is None


def test_a_cancelled_run_whose_worker_is_lost_or_shut_down_stays_cancelled(
    client: TestClient, app: FastAPI, settings: Settings
) -> None:
    acting.submit(client)
    lost, given_back = acting.claimed(client), acting.claimed(client)
    for attempt in (lost, given_back):
        assert client.post(f"{attempt.path}/cancel").status_code == 200
    acting.expire(app, lost.run_id)
    assert sweep(app.state.database, settings) == []
    given_back.finish("queued")
    assert [acting.status_of(client, a.run_id) for a in (lost, given_back)] == ["cancelled", "cancelled"]


def test_failed_and_cancelled_runs_are_retried_with_all_their_attempts(client: TestClient, woken: list[int]) -> None:
    experiment = acting.submit(client)
    acting.claimed(client).finish("failed", "no")
    other = acting.runs_of(client, experiment)[1]["id"]
    client.post(f"/api/runs/{other}/cancel")
    wait_for(lambda: len(woken) == 2, "the doorbell rang")
    woken.clear()
    counts = client.post(f"/api/experiments/{experiment['id']}/retry").json()["counts"]
    assert counts["queued"] == 2
    wait_for(lambda: len(woken) == 2, "the doorbell rang for both")
    attempt = acting.claimed(client)
    assert attempt.claim["attempt"] == 2
    run = client.get(attempt.path).json()
    assert (run["reason"], run["finished_at"]) == (None, None)


def test_cancel_and_retry_of_a_run_that_is_not_in_that_state_conflict(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    assert client.post(f"{attempt.path}/retry").json()["error"]["code"] == "conflict"
    attempt.finish()
    for what in ("cancel", "retry"):
        assert client.post(f"{attempt.path}/{what}").status_code == 409


def test_lists_ask_the_database_a_fixed_number_of_questions(client: TestClient, app: FastAPI) -> None:
    def queries(path: str) -> int:
        asked: list[str] = []

        def listen(*arguments: Any) -> None:
            asked.append(arguments[2])

        event.listen(app.state.database.reader, "before_cursor_execute", listen)
        assert client.get(path).status_code == 200
        event.remove(app.state.database.reader, "before_cursor_execute", listen)
        return len(asked)

    def paths() -> list[str]:
        first = client.get("/api/experiments").json()["items"][-1]["id"]
        return [
            "/api/experiments",
            "/api/runs",
            f"/api/experiments/{first}/runs?sort=-mae",
            "/api/workers",
            "/api/datasets",
        ]

    acting.submit(client)
    acting.claimed(client).evaluate(5)
    client.put("/api/workers/worker-0001", json=NOTE)
    few = [queries(path) for path in paths()]
    for i in range(5):
        acting.submit(client, name=f"e{i}", factors={"loss": ["l1", "l2"], "seed": [i]})
        acting.claimed(client, worker=f"worker-{i:04d}").evaluate(5)
        client.put(f"/api/workers/worker-{i:04d}", json=NOTE)
    assert [queries(path) for path in paths()] == few


def test_all_faults_of_a_submission_are_said_at_once_with_what_was_meant(client: TestClient) -> None:
    sizes = {"name": "Too much", "base": {"optimiser": {"lrr": 1}}, "factors": {"loss": ["l1", "l3"]}}
    error = error_of(client.post("/api/experiments/dry-run", json=sizes))
    said = [error, *error["others"]]
    assert {fault["field"] for fault in said} == {"optimiser.lrr", "loss"}
    assert "Did you mean optimiser.lr?" in next(f["remedy"] for f in said if f["field"] == "optimiser.lrr")
    large = {"name": "Too large", "factors": {"size": [8, 99999, 88888]}}
    error = error_of(client.post("/api/experiments/dry-run", json=large))
    assert [fault["message"].split()[1] for fault in (error, *error["others"])] == ["99999", "88888"]


@pytest.mark.parametrize(
    ("key", "words"),
    [("factor", "Did you mean factors?"), ("optimiser", "Settings stand under base: optimiser."), ("zzz", "has: ")],
)
def test_an_unknown_key_of_a_submission_is_answered_with_the_one_that_was_meant(
    client: TestClient, key: str, words: str
) -> None:
    error = error_of(client.post("/api/experiments/dry-run", json={"name": "Key", key: {}}))
    assert (error["field"], words in error["remedy"]) == (key, True)
    assert "others" not in error
