"""Runs of people's own scripts over REST, on both databases."""

from __future__ import annotations

import base64
import io
import threading
import time
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from PIL import Image
from sqlalchemy.exc import IntegrityError
from starlette.testclient import TestClient

from backend.sweeper import sweep
from depthboard.protocol import pack_depth
from depthboard.settings import Settings
from tests.backend import acting

IDENTITY, TOKEN = "a" * 64, "a-token-that-nobody-guesses"
PARAMS = {"loss": "l1", "lr": 1e-3, "batch_size": 8, "train_size": 16, "data": {"seed": 3}}


def begin(client: TestClient, token: str = TOKEN, **changes: Any) -> Any:
    body = {"identity": IDENTITY, "experiment": "my study", "name": "l1, my network", "params": PARAMS, **changes}
    return client.post("/api/scripts", json=body, headers={"Authorization": f"Bearer {token}"})


def begun(client: TestClient, token: str = TOKEN, **changes: Any) -> acting.Attempt:
    answer = begin(client, token, **changes)
    assert answer.status_code == 200, answer.text
    return acting.Attempt(client, {**answer.json(), "token": token})


def run_of(client: TestClient, script: acting.Attempt) -> dict[str, Any]:
    return dict(client.get(script.path).json())


def depth(step: int, frame: str = "frame 12", metres: float = 2.0, **more: Any) -> dict[str, Any]:
    packed = base64.b64encode(pack_depth(np.full((4, 6), 1000 * metres, np.uint16))).decode()
    return {"step": step, "frame": frame, "height": 4, "width": 6, "depth": packed, **more}


def test_a_script_begins_a_run_in_the_experiment_of_that_name(client: TestClient) -> None:
    first = begun(client)
    second = begun(client, identity="b" * 64, name="l2, my network")
    assert first.claim["experiment_id"] == second.claim["experiment_id"]
    run = run_of(client, first)
    assert (run["kind"], run["name"], run["status"], run["attempt"]) == ("script", "l1, my network", "running", 1)
    assert (run["loss"], run["train_size"], run["seed"], run["dataset"], run["evaluation"]) == ("l1", 16, 3, "", "")
    assert run["config"] == {"params": PARAMS}
    listed = client.get(f"/api/experiments/{first.claim['experiment_id']}/runs").json()
    assert [entry["name"] for entry in listed["items"]] == ["l1, my network", "l2, my network"]


def test_lists_sort_scripts_by_their_loss_in_the_papers_order_and_not_by_their_name(client: TestClient) -> None:
    losses = {"z, mine": "berhu", "a, mine": "l2", "m, mine": None}
    for number, (name, loss) in enumerate(losses.items()):
        params = {"loss": loss} if loss else {}
        begun(client, identity=f"{number:064x}", name=name, params=params)
    listed = client.get("/api/runs", params={"sort": "-loss"}).json()["items"]
    assert [(run["loss"], run["name"]) for run in listed] == [("berhu", "z, mine"), ("l2", "a, mine"), ("", "m, mine")]


def test_a_start_sent_again_adds_nothing_and_another_token_is_refused(client: TestClient) -> None:
    first = begun(client)
    assert begun(client).claim == first.claim
    refused = begin(client, "another-token-of-somebody")
    assert (refused.status_code, refused.json()["error"]["field"]) == (409, "identity")
    assert begin(client, "short").status_code == 401
    assert client.get("/api/runs").json()["total"] == 1


def test_scripts_that_begin_at_once_share_one_new_experiment(client: TestClient) -> None:
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda i=i: answers.append(begin(client, identity=f"{i:064x}").json()))
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({answer["experiment_id"] for answer in answers}) == 1
    assert len({answer["run_id"] for answer in answers}) == 8


def test_points_have_every_x_axis_that_the_parameters_allow(client: TestClient) -> None:
    script = begun(client)
    script.points(range(5), "val/rmse", 0.5)
    series = client.get(f"{script.path}/metrics").json()["series"]["val/rmse"]
    assert series["step"] == [0, 1, 2, 3, 4]
    assert series["images_seen"] == [0, 8, 16, 24, 32]
    assert series["epoch"] == [0, 0.5, 1.0, 1.5, 2.0]
    assert series["wall"][0] == 1e9
    other = begun(client, identity="b" * 64, params={"steps": "many", "seed": -1, "batch_size": float(10**30)})
    other.points(range(5), "val/rmse", 0.5)
    assert client.get(f"{other.path}/metrics").json()["series"]["val/rmse"]["epoch"] == [0] * 5


def test_a_silent_script_has_failed_until_it_writes_again(client: TestClient, app: FastAPI, settings: Settings) -> None:
    script = begun(client)
    script.points(range(5), value=0.5)
    acting.expire(app, script.run_id)
    assert sweep(app.state.database, settings) == [], "no worker shall get it"
    run = run_of(client, script)
    assert run["status"] == "failed"
    assert "not heard of since" in run["reason"]
    assert script.points(range(5, 9), value=0.5) == 8
    run = run_of(client, script)
    assert (run["status"], run["reason"], run["attempts"][0]["outcome"]) == ("running", None, None)
    assert sweep(app.state.database, settings) == []
    assert script.finish().status_code == 204
    run = run_of(client, script)
    assert (run["status"], run["step"], run["steps"], run["images_seen"]) == ("finished", 8, 8, 64)


def test_rows_that_come_after_the_end_are_kept_and_change_nothing_else(client: TestClient) -> None:
    script = begun(client)
    script.points(range(5), value=0.5)
    script.finish("failed", "ValueError: no.", wall=time.time())
    script.points(range(5, 9), value=0.5)
    script.finish()
    run = run_of(client, script)
    assert (run["status"], run["reason"]) == ("failed", "ValueError: no.")
    assert len(client.get(f"{script.path}/metrics").json()["series"]["train/loss/l1"]["step"]) == 9


def test_rows_that_come_after_the_end_count_in_the_run_s_length(client: TestClient) -> None:
    script = begun(client)
    script.points(range(9), value=0.5)
    script.finish()
    script.points(range(9, 12), value=0.5)  # of a second writer, or sent again after a restored backup
    run = run_of(client, script)
    assert (run["status"], run["step"], run["steps"], run["images_seen"]) == ("finished", 11, 11, 88)


def test_a_script_that_goes_beyond_the_steps_it_stated_has_as_many_as_it_made(client: TestClient) -> None:
    script = begun(client, params={**PARAMS, "steps": 5})
    script.points(range(9), value=0.5)
    script.finish()
    assert (run_of(client, script)["step"], run_of(client, script)["steps"]) == (8, 8)


def test_a_run_that_goes_on_leaves_the_trash(client: TestClient) -> None:
    first = begun(client)
    first.points(range(5), value=0.5)
    first.finish()
    assert client.delete(f"/api/experiments/{first.claim['experiment_id']}").status_code == 200
    again = begun(client, token="another-token-that-nobody-guesses", resume=True)
    assert again.run_id == first.run_id
    assert again.claim["experiment_id"] != first.claim["experiment_id"]
    again.points(range(5, 9), value=0.5)
    assert [run["id"] for run in client.get("/api/runs").json()["items"]] == [first.run_id]
    assert client.delete(f"/api/experiments/{first.claim['experiment_id']}", params={"now": True}).status_code == 200
    assert run_of(client, again)["step"] == 8


def test_a_record_that_changed_at_the_same_moment_is_asked_again(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where its experiment is removed between two statements."""

    def broken(*_: Any) -> None:
        raise IntegrityError("insert", {}, Exception("foreign key"))

    monkeypatch.setattr("backend.store.scripts._note_attempt", broken)
    answer = begin(client)
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "unavailable")
    assert "retry-after" in answer.headers


def test_lists_know_a_key_by_its_highest_step_and_by_nothing_that_no_longer_counts(client: TestClient) -> None:
    def score(query: str) -> list[int]:
        found = client.get("/api/runs", params={"filter": query}).json()["items"]
        return [run["id"] for run in found]

    script = begun(client)
    script.ok("points", acting.points(0, range(100, 101), key="score", value=0.1))
    script.ok("points", {"writer": "other", **acting.points(0, range(50, 51), key="score", value=0.9)})
    assert (score("metric.score > 0.5"), score("metric.score < 0.5")) == ([], [script.run_id])
    script.finish()
    again = begun(client, token="another-token-that-nobody-guesses", resume=True)
    again.ok("begin", {"resumed_from": 60})
    assert (score("metric.score > 0.5"), score("metric.score < 0.5")) == ([script.run_id], [])
    again.ok("begin", {"resumed_from": 40})
    unknown = client.get("/api/runs", params={"filter": "metric.score > 0.5"})
    assert unknown.status_code == 422, "no run has it"


def test_the_last_rows_come_with_the_end_and_sent_again_they_add_nothing(client: TestClient) -> None:
    script = begun(client)
    script.points(range(5), value=0.5)
    gap = script.finish(points=acting.points(6, range(6, 9), value=0.5))
    assert (gap.status_code, gap.json()["error"]["expected"]) == (409, 5)
    assert run_of(client, script)["status"] == "running", "the end is refused with its rows"
    for _ in range(2):
        assert script.finish(points=acting.points(3, range(3, 9), value=0.5)).status_code == 204
    run = run_of(client, script)
    assert (run["status"], run["step"], run["images_seen"]) == ("finished", 8, 64)
    assert client.get(f"{script.path}/metrics").json()["series"]["train/loss/l1"]["step"] == list(range(9))


@pytest.mark.parametrize("step", [2**40 + 1, 2**53, 2**63])
def test_a_step_whose_images_no_column_holds_is_refused_and_lists_go_on(client: TestClient, step: int) -> None:
    script = begun(client, params={**PARAMS, "batch_size": 2**22})
    assert script.send("points", acting.points(0, range(step, step + 1), value=0.5)).status_code == 422
    assert script.send("begin", {"resumed_from": step}).status_code == 422
    assert script.points(range(2**40, 2**40 + 1), value=0.5) == 0
    (run,) = client.get("/api/runs").json()["items"]
    assert run["images_seen"] == 2**62
    assert client.get("/api/experiments").status_code == 200
    assert client.get("/api/runs/export", params={"format": "parquet"}).content[-4:] == b"PAR1"
    assert script.finish().status_code == 204


@pytest.mark.parametrize(
    "column",
    [[[]] * 1000, [{}] * 1000, [True], [[0.5], 1], [[[0.5]]], [0.5] * 1_000_001],
    ids=lambda c: f"{len(c)} of {c[0]}",
)
def test_columns_hold_nothing_but_numbers(client: TestClient, column: list[Any]) -> None:
    script = begun(client)
    body = acting.points(0, range(1, 2), value=0.5)
    body["blocks"][0]["values"] = column
    answer = script.send("points", body)
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "blocks.0.values")


def test_a_script_ended_when_it_says_and_not_when_that_is_heard(client: TestClient) -> None:
    ended = time.time() - 3600
    script = begun(client, started=ended - 60)
    script.finish(wall=ended)
    run = run_of(client, script)
    assert run["finished_at"] < run["created_at"]
    absurd = begun(client, identity="b" * 64, started=1e300)
    assert absurd.finish(wall=1e12).status_code == 204


def test_a_resumed_run_is_one_curve_and_its_older_attempt_can_write_no_more(client: TestClient) -> None:
    first = begun(client)
    first.points(range(10), value=1.0)
    second = begun(client, "token-of-the-second-attempt", resume=True)
    assert (second.claim["run_id"], second.claim["attempt"]) == (first.run_id, 2)
    second.ok("begin", {"resumed_from": 6})
    second.points(range(6, 12), value=2.0)
    series = client.get(f"{first.path}/metrics").json()["series"]["train/loss/l1"]
    assert series["value"] == [1.0] * 6 + [2.0] * 6
    assert first.send("points", acting.points(10, range(10, 12))).json()["error"]["code"] == "stale_attempt"
    assert begin(client).json()["error"]["code"] == "stale_attempt"
    assert begun(client, "token-of-the-second-attempt", resume=True).claim["attempt"] == 2
    outcomes = [attempt["outcome"] for attempt in run_of(client, first)["attempts"]]
    assert outcomes == ["lost", None]


def test_a_finished_run_can_be_gone_on_with(client: TestClient) -> None:
    begun(client).finish()
    second = begun(client, "token-of-the-second-attempt", resume=True)
    assert run_of(client, second)["status"] == "running"


def test_a_cancelled_script_is_told_and_ends_when_it_is_gone(
    client: TestClient, app: FastAPI, settings: Settings
) -> None:
    script = begun(client)
    client.post(f"{script.path}/cancel")
    assert begin(client).json()["cancel_requested"] is True
    assert script.renew()["cancel_requested"] is True
    acting.expire(app, script.run_id)
    sweep(app.state.database, settings)
    assert acting.status_of(client, script.run_id) == "cancelled"
    script.points(range(3), value=0.5)
    assert acting.status_of(client, script.run_id) == "cancelled"


def test_no_worker_gets_a_script_and_retrying_one_is_refused_in_a_sentence(client: TestClient) -> None:
    script = begun(client)
    script.finish("failed", "no")
    assert acting.claim(client, training_version="") is None
    refused = client.post(f"{script.path}/retry")
    assert refused.status_code == 409
    assert "own script" in refused.json()["error"]["message"]
    client.post(f"/api/experiments/{script.claim['experiment_id']}/retry")
    assert acting.status_of(client, script.run_id) == "failed"
    assert script.finish("queued").status_code == 204, "its first end stands"
    assert acting.status_of(client, script.run_id) == "failed"
    other = begun(client, identity="b" * 64)
    assert other.finish("queued").json()["error"]["code"] == "illegal_move"


def test_depth_maps_of_a_script_come_back_as_they_were_sent(client: TestClient) -> None:
    script = begun(client)
    png = io.BytesIO()
    Image.new("RGB", (6, 4), (1, 2, 3)).save(png, "PNG")
    more = {"target": depth(0, metres=3.0)["depth"], "rgb": base64.b64encode(png.getvalue()).decode()}
    for step in (10, 20, 20):
        script.ok("depth", depth(step, metres=step / 10, **more))
    script.ok("depth", depth(20, "frame 13"))
    entries = client.get(f"{script.path}/predictions").json()
    assert [(entry["step"], entry["frame"]) for entry in entries] == [
        (10, "frame 12"),
        (20, "frame 12"),
        (20, "frame 13"),
    ]
    assert entries[0]["frame_id"] == entries[1]["frame_id"], "one picture, stored once"
    assert entries[0]["epoch"] == 5.0
    assert (np.frombuffer(client.get(entries[1]["url"]).content, "<u2") == 2000).all()
    frame, bare = entries[0]["frame_id"], entries[2]["frame_id"]
    assert client.get(f"/api/frames/{frame}/rgb").content == png.getvalue()
    assert (np.frombuffer(client.get(f"/api/frames/{frame}/depth").content, "<u2") == 3000).all()
    assert not np.frombuffer(client.get(f"/api/frames/{bare}/depth").content, "<u2").any()
    wrong = script.send("depth", {**depth(30), "width": 7})
    assert (wrong.status_code, wrong.json()["error"]["field"]) == (422, "depth")


def test_what_belongs_to_registered_data_is_refused_in_a_sentence(client: TestClient) -> None:
    script = begun(client)
    for what, body, method in (
        ("evaluations", acting.evaluation(5), "POST"),
        ("predictions", [acting.prediction(5, "a")], "POST"),
        ("frames", [acting.frame("a", 0)], "PUT"),
        ("checkpoints", {"step": 5, "path": "/tmp/a", "sha256": "0" * 64, "bytes": 1}, "POST"),
    ):
        refused = script.send(what, body, method)
        assert refused.status_code == 422, what
        assert "is of a script" in refused.json()["error"]["message"]
    script.ok("log", {"offset": 0, "text": "hello"})
    assert client.get(f"{script.path}/trained").status_code == 409


@pytest.mark.parametrize("mixed", [False, True])
def test_every_page_of_an_experiment_with_scripts_answers(client: TestClient, mixed: bool) -> None:
    experiment = acting.submit(client) if mixed else None
    script = begun(client, experiment=acting.SPEC["name"])
    script.points(range(5), value=0.5)
    script.ok("depth", depth(4))
    number = script.claim["experiment_id"]
    assert experiment is None or number == experiment["id"]
    base = f"/api/experiments/{number}"
    standing = client.get(base).json()
    assert standing["counts"]["running"] == 1
    assert 0 <= standing["progress"] <= 1
    assert standing["evaluation"] == ([f"test {acting.PROTOCOL}"] if mixed else [])
    paths = [base, f"{base}/runs", f"{base}/runs?sort=rmse", f"{base}/figures", f"{base}/results", f"{base}/sharpness"]
    paths += [f"{base}/qualitative", f"{base}/results?format=csv", script.path, "/api/runs", "/api/experiments"]
    paths += [f"{base}/figures/{entry['name']}" for entry in client.get(f"{base}/figures").json()]
    for path in paths:
        answer = client.get(path)
        assert answer.status_code == 200, f"{path}: {answer.text}"
    assert client.post("/api/experiments/dry-run", json=acting.spec()).status_code == 200


def test_deleting_the_experiment_takes_a_scripts_pictures_along(client: TestClient, app: FastAPI) -> None:
    script = begun(client)
    script.ok("depth", depth(4))
    frame = client.get(f"{script.path}/predictions").json()[0]["frame_id"]
    with app.state.database.write() as session:
        from backend.store.tables import Run

        session.delete(session.get_one(Run, script.run_id))
    assert client.get(f"/api/frames/{frame}/rgb").status_code == 404


def test_the_grid_sets_the_maps_of_scripts_beside_each_other(client: TestClient) -> None:
    target = base64.b64encode(pack_depth(np.full((4, 6), 2500, np.uint16))).decode()
    first = begun(client)
    path = f"/api/experiments/{first.claim['experiment_id']}"
    assert client.get(path).json()["depth_maps"] is False
    second = begun(client, identity="b" * 64, name="<b>mine</b>", params={})
    first.ok("depth", depth(4, target=target))
    first.ok("depth", depth(8, metres=3.0, target=target))
    first.ok("depth", depth(8, "frame 2"))
    second.ok("depth", depth(6, target=target))
    assert client.get(path).json()["depth_maps"] is True
    grid = client.get(f"{path}/qualitative").json()
    assert [(f["frame"], f["rgb_url"], f["has_truth"]) for f in grid["frames"]] == [
        ("frame 12", None, True),
        ("frame 2", None, False),
    ]
    assert [(c["label"], c["mark"], c["step"]) for c in grid["columns"]] == [
        ("l1, my network", "l1", 8),
        ("<b>mine</b>", "l2", 6),
    ]
    assert grid["steps"] == [4, 6, 8]
    assert grid["frames"][0]["camera"] is None
    row = {p["run_id"]: p for p in grid["predictions"] if p["frame_id"] == grid["frames"][0]["id"]}
    assert [p["metrics"]["rmse"] for p in row.values()] == pytest.approx([0.5, 0.5])
    early = client.get(f"{path}/qualitative?step=5").json()
    assert [(p["step"], p["frame"]) for p in early["predictions"]] == [(4, "frame 12")]
    assert client.get(f"{path}/qualitative?step=3").status_code == 422
    assert client.get(f"{path}/figures/qualitative?view=error").status_code == 200
