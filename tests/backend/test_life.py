"""A run's life over REST, on both databases: claim, renew, write, finish, lose, resume."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import update
from starlette.testclient import TestClient

from backend.store.session import clock
from backend.store.tables import Run, Worker
from backend.sweeper import sweep
from depthboard.settings import Settings
from tests.backend import acting
from tests.backend.acting import error_of


def test_a_claim_gives_the_oldest_queued_run_with_its_configuration_and_data(client: TestClient) -> None:
    experiment = acting.submit(client)
    first = acting.runs_of(client, experiment)[0]
    claim = acting.claimed(client).claim
    assert claim["run_id"] == first["id"]
    assert claim["attempt"] == 1
    assert claim["config"]["loss"]["name"] == "l1"
    assert claim["dataset"] == {**claim["dataset"], "name": "rooms", "format": "rooms", "path": ""}
    assert claim["resume_from"] == []
    assert acting.status_of(client, first["id"]) == "running"


def test_runs_are_claimed_in_the_order_of_submission_and_then_there_is_none(client: TestClient) -> None:
    ids = [run["id"] for run in acting.runs_of(client, acting.submit(client))]
    later = acting.submit(client, name="later", factors={"loss": ["l2"]})
    ids += [run["id"] for run in acting.runs_of(client, later)]
    assert [acting.claimed(client).run_id for _ in ids] == ids
    assert acting.claim(client) is None


def test_a_worker_of_another_training_version_gets_nothing(client: TestClient) -> None:
    acting.submit(client)
    assert acting.claim(client, training_version="0") is None


def test_the_end_of_a_training_takes_no_rows_and_no_step_beyond_its_last(client: TestClient) -> None:
    acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    refused = attempt.finish(points=acting.points(0, range(1, 3)))
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "points")
    refused = attempt.finish(step=21)
    assert (refused.status_code, refused.json()["error"]["field"]) == (422, "step")
    assert attempt.finish(step=20).status_code == 204


def test_concurrent_claims_never_get_the_same_run(client: TestClient) -> None:
    acting.submit(client, factors={"loss": ["l1"], "seed": list(range(24))})
    got: list[int] = []
    lock = threading.Lock()

    def work(name: str) -> None:
        while (attempt := acting.claim(client, name)) is not None:
            with lock:
                got.append(attempt.run_id)

    threads = [threading.Thread(target=work, args=(f"worker-{i:04d}",)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 24
    assert len(set(got)) == 24


def test_a_finished_run_keeps_everything_it_wrote(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    attempt.frames()
    attempt.evaluate(0, 1.0, predictor="constant", constant=2.0)
    attempt.points(range(1, 21))
    for step in (10, 15, 20):
        attempt.evaluate(step, 1 / step)
        attempt.predict(step)
    attempt.ok("log", {"offset": 0, "text": "begun\n"})
    attempt.ok("provenance", {"code_version": "abc", "threads": 1})
    assert attempt.finish().status_code == 204

    run = client.get(attempt.path).json()
    assert run["status"] == "finished"
    assert run["step"] == run["steps"] == 20
    assert run["images_seen"] == 160
    assert run["epoch"] == 10
    assert run["metrics"]["mae"] == pytest.approx((1 / 10 + 1 / 15 + 1 / 20) / 3, rel=1e-12)
    assert run["constant"]["mae"] == pytest.approx(1.0)
    assert run["provenance"]["code_version"] == "abc"
    assert run["attempts"][0]["outcome"] == "finished"
    series = client.get(f"{attempt.path}/metrics").json()["series"]["train/loss/l1"]
    assert series["step"] == list(range(1, 21))
    assert series["value"] == [1.0 / s for s in range(1, 21)]
    assert series["images_seen"][0] == 8
    assert len(client.get(f"{attempt.path}/evaluations").json()) == 4
    assert len(client.get(f"{attempt.path}/predictions").json()) == 6
    assert "begun" in client.get(f"{attempt.path}/log").json()["text"]


def test_finishing_twice_ends_it_once_and_another_end_is_stale(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    assert attempt.finish().status_code == 204
    assert attempt.finish().status_code == 204
    assert attempt.finish("failed").json()["error"]["code"] == "stale_attempt"


def test_a_failed_run_says_why_and_is_not_tried_again(client: TestClient) -> None:
    acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    attempt.finish("failed", "the loss diverged")
    run = client.get(attempt.path).json()
    assert (run["status"], run["reason"]) == ("failed", "the loss diverged")
    assert acting.claim(client) is None


WRITES = {
    "renewals": ("POST", {}),
    "points": ("POST", acting.points(0, range(1, 2))),
    "evaluations": ("POST", acting.evaluation(1)),
    "predictions": ("POST", [acting.prediction(1, acting.FRAMES[0])]),
    "frames": ("PUT", [acting.frame(acting.FRAMES[0], 0)]),
    "checkpoints": ("POST", {"step": 1, "path": "/x", "sha256": "0" * 64, "bytes": 1}),
    "log": ("POST", {"offset": 0, "text": "late"}),
    "provenance": ("POST", {"code_version": "late"}),
    "finish": ("POST", {"status": "finished"}),
}


@pytest.mark.parametrize("what", WRITES)
def test_no_write_of_a_lost_attempt_is_accepted(
    client: TestClient, app: FastAPI, settings: Settings, what: str
) -> None:
    acting.submit(client, factors={"loss": ["l1"]})
    old = acting.claimed(client)
    acting.expire(app, old.run_id)
    assert sweep(app.state.database, settings) == [old.run_id]
    acting.make_due(app, old.run_id)
    new = acting.claimed(client)
    new.frames()
    method, body = WRITES[what]
    answer = old.send(what, body, method)
    assert answer.status_code == 409
    assert answer.json()["error"]["code"] == "stale_attempt"
    assert client.get(old.path).json()["attempt"] == 2
    assert new.send(what, body, method).status_code in (200, 204)


def test_a_write_without_a_token_or_with_a_wrong_one_is_refused(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    assert client.post(f"{attempt.path}/renewals", json={}).status_code == 401
    attempt.claim["token"] = "x" * 43
    assert attempt.send("renewals", {}).status_code == 409


def test_the_token_of_one_run_does_not_write_another(client: TestClient) -> None:
    acting.submit(client)
    one, other = acting.claimed(client), acting.claimed(client)
    one.claim["run_id"] = other.run_id
    assert one.send("renewals", {}).status_code == 409


def test_a_lost_run_is_queued_again_after_a_pause_and_fails_when_its_attempts_are_used_up(
    client: TestClient, app: FastAPI, settings: Settings
) -> None:
    acting.submit(client, factors={"loss": ["l1"]})
    for attempt_number in range(1, settings.max_attempts + 1):
        attempt = acting.claimed(client)
        assert attempt.claim["attempt"] == attempt_number
        acting.expire(app, attempt.run_id)
        sweep(app.state.database, settings)
        if attempt_number < settings.max_attempts:
            assert acting.status_of(client, attempt.run_id) == "queued"
            assert acting.claim(client) is None, "it waits a little first"
            acting.make_due(app, attempt.run_id)
    run = client.get(attempt.path).json()
    assert run["status"] == "failed"
    assert "lost 3 times" in run["reason"]
    assert [a["outcome"] for a in run["attempts"]] == ["lost"] * 3
    assert sweep(app.state.database, settings) == [], "sweeping twice changes nothing"


def test_a_renewal_keeps_the_lease_and_shows_progress(client: TestClient, app: FastAPI, settings: Settings) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    acting.expire(app, attempt.run_id)
    said = {"cancel_requested": False, "pause_requested": False, "lease_seconds": settings.lease_seconds}
    assert attempt.renew(step=7, speed=80.0) == said
    assert sweep(app.state.database, settings) == []
    run = client.get(attempt.path).json()
    assert (run["step"], run["images_per_second"]) == (7, 80.0)
    assert run["eta_seconds"] == pytest.approx((160 - 56) / 80)


def test_a_run_given_back_is_claimed_again_without_using_up_an_attempt(client: TestClient, settings: Settings) -> None:
    acting.submit(client, factors={"loss": ["l1"]})
    for number in range(1, settings.max_attempts + 3):
        attempt = acting.claimed(client)
        assert attempt.claim["attempt"] == number
        assert attempt.finish("queued", "the worker was shut down").status_code == 204
    assert acting.status_of(client, attempt.run_id) == "queued"


def test_a_run_whose_checkpoints_are_out_of_reach_rests_longer_each_time_and_loses_no_attempt(
    client: TestClient, app: FastAPI
) -> None:
    acting.submit(client, factors={"loss": ["l1"]})
    away = {"status": "queued", "reason": "the store is not there.", "exit_code": 69, "retry": True}
    rests = []
    for times in range(9):
        attempt = acting.claimed(client)
        if times == 0:  # a worker that was shut down before is no reason to rest longer
            attempt.ok("finish", {"status": "queued", "reason": "the worker was shut down", "exit_code": 75})
            attempt = acting.claimed(client)
        attempt.ok("finish", away)
        assert acting.claim(client) is None, "not at once"
        with app.state.database.read() as session:
            run = session.get_one(Run, attempt.run_id)
            assert (run.tries, run.reason) == (0, "the store is not there.")
            assert run.not_before is not None
            rests.append(round((run.not_before - clock(session)).total_seconds()))
        acting.make_due(app, attempt.run_id)
    assert rests == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_a_second_attempt_goes_on_from_the_checkpoint_and_the_first_ones_tail_is_hidden(
    client: TestClient, app: FastAPI, settings: Settings
) -> None:
    acting.submit(client, factors={"loss": ["l1"]})
    first = acting.claimed(client)
    first.frames()
    first.evaluate(0, 1.0, predictor="constant", constant=2.0)
    first.points(range(1, 16), value=1.0)
    for step in (5, 10, 15):
        first.evaluate(step, 0.1)
        first.predict(step)
    first.checkpoint(5)
    first.checkpoint(10)
    acting.expire(app, first.run_id)
    sweep(app.state.database, settings)
    acting.make_due(app, first.run_id)

    second = acting.claimed(client)
    assert [note["step"] for note in second.claim["resume_from"]] == [10, 5]
    assert second.claim["frames_known"] is False
    run = client.get(second.path).json()
    assert run["step"] == 10
    assert run["attempts"][1]["resumed_from"] == 11
    steps = [e["step"] for e in client.get(f"{second.path}/evaluations").json()]
    assert steps == [0, 5, 10]
    second.points(range(11, 21), value=2.0)
    second.evaluate(15, 0.3)
    series = client.get(f"{second.path}/metrics").json()["series"]["train/loss/l1"]
    assert series["step"] == list(range(1, 21))
    assert series["value"] == [1.0] * 10 + [2.0] * 10
    assert sorted({p["step"] for p in client.get(f"{second.path}/predictions").json()}) == [5, 10]
    assert client.get(second.path).json()["metrics"]["mae"] == pytest.approx((0.1 + 0.1 + 0.3) / 3)


def test_an_attempt_that_begins_anew_in_spite_of_a_checkpoint_hides_all_of_the_older_one(
    client: TestClient, app: FastAPI, settings: Settings
) -> None:
    """Its worker found the checkpoint damaged: the record follows what was done, not what was offered."""
    acting.submit(client, factors={"loss": ["l1"]})
    first = acting.claimed(client)
    first.points(range(1, 11), value=1.0)
    first.evaluate(10, 0.1)
    first.checkpoint(10)
    acting.expire(app, first.run_id)
    sweep(app.state.database, settings)
    acting.make_due(app, first.run_id)

    second = acting.claimed(client)
    assert [note["step"] for note in second.claim["resume_from"]] == [10]
    refused = second.send("points", acting.points(0, range(1, 4)))
    assert (refused.status_code, error_of(refused)["field"]) == (422, "blocks.steps")
    second.ok("begin", {"resumed_from": None})
    second.points(range(1, 4), value=2.0)
    assert client.get(second.path).json()["attempts"][1]["resumed_from"] is None
    assert client.get(f"{second.path}/evaluations").json() == []
    series = client.get(f"{second.path}/metrics").json()["series"]["train/loss/l1"]
    assert series["step"] == [1, 2, 3]
    assert series["value"] == [2.0] * 3
    second.finish("queued")
    assert acting.claimed(client).claim["resume_from"] == [], "a checkpoint of the hidden line is not offered again"


def test_a_queued_run_of_another_training_version_says_why_it_waits(client: TestClient, app: FastAPI) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    with app.state.database.write() as session:
        session.execute(update(Run).values(training_version="0"))
    assert acting.claim(client) is None
    (run,) = acting.runs_of(client, experiment)
    assert "version 0" in run["reason"]
    assert "submit its experiment again" in run["reason"]


def test_an_attempt_that_broke_off_is_tried_again_and_fails_in_the_end_with_its_last_reason(
    client: TestClient, app: FastAPI
) -> None:
    acting.submit(client, factors={"loss": ["l1"]})
    broke = {"status": "failed", "reason": "its training was killed by SIGKILL", "exit_code": 137, "retry": True}
    for tried in (1, 2, 3):
        attempt = acting.claimed(client)
        attempt.ok("finish", broke)
        run = client.get(attempt.path).json()
        assert run["attempts"][-1]["outcome"] == "failed"
        if tried < 3:
            assert run["status"] == "queued"
            assert run["reason"] == "its training was killed by SIGKILL; it will be tried again."
            assert acting.claim(client) is None, "not at once"
            acting.make_due(app, run["id"])
    assert run["status"] == "failed"
    assert run["reason"] == "its training was killed by SIGKILL. It was tried 3 times."


def test_a_run_over_several_gpus_is_left_to_a_worker_that_has_as_many(client: TestClient) -> None:
    base = {**acting.SPEC["base"], "engine": {"processes": 2}}
    acting.submit(client, base=base, factors={"loss": ["l1"]})
    assert acting.claim(client, processes=1) is None
    assert acting.claimed(client, processes=2).claim["config"]["engine"]["processes"] == 2


def test_a_batch_of_an_evaluation_is_progress_though_no_step(client: TestClient, app: FastAPI) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    for progress, moves in ((None, False), ({"step": 0}, True)):
        with app.state.database.write() as session:
            session.get_one(Run, attempt.claim["run_id"]).stalled = True
        attempt.ok("renewals", {"progress": progress})
        assert client.get(attempt.path).json()["stalled"] is not moves


def test_a_run_in_which_nothing_moves_is_stalled_until_it_moves_again(
    client: TestClient, app: FastAPI, settings: Settings
) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    sweep(app.state.database, settings)
    assert client.get(attempt.path).json()["stalled"] is False
    with app.state.database.write() as session:
        session.execute(update(Run).values(progressed_at=clock(session) - timedelta(seconds=601)))
    sweep(app.state.database, settings)
    assert client.get(attempt.path).json()["stalled"] is True
    assert client.get(f"/api/experiments/{experiment['id']}").json()["stalled"] == 1
    attempt.renew()
    assert client.get(attempt.path).json()["stalled"] is True, "a worker that only answers does not train"
    attempt.renew(step=3)
    run = client.get(attempt.path).json()
    assert (run["stalled"], run["status"]) == (False, "running")


def test_a_run_whose_worker_does_not_answer_says_so_until_its_lease_ends(
    client: TestClient, app: FastAPI, settings: Settings
) -> None:
    acting.submit(client, factors={"loss": ["l1"]})
    client.put("/api/workers/worker-0001", json={"host": "here", "device": "cpu"})
    attempt = acting.claimed(client, worker="worker-0001")
    attempt.renew(step=3)
    sweep(app.state.database, settings)
    run = client.get(attempt.path).json()
    assert (run["stalled"], run["worker_answers"], run["eta_seconds"] is not None) == (False, True, True)
    with app.state.database.write() as session:
        session.get_one(Worker, "worker-0001").last_seen = clock(session) - timedelta(seconds=60)
    sweep(app.state.database, settings)
    run = client.get(attempt.path).json()
    assert (run["status"], run["stalled"], run["worker_answers"], run["eta_seconds"]) == ("running", True, False, None)
    experiment = client.get("/api/experiments/1").json()
    assert (experiment["stalled"], experiment["eta_seconds"]) == (1, None)
    acting.expire(app, attempt.run_id)
    sweep(app.state.database, settings)
    run = client.get(attempt.path).json()
    assert (run["status"], run["stalled"], run["not_before"] is not None) == ("queued", False, True)


def test_a_worker_that_is_told_to_finish_takes_nothing_more_until_it_may_again(client: TestClient) -> None:
    acting.submit(client)
    note = {
        "host": "here",
        "device": "cpu",
        "gpus": [{"index": 0, "name": "H200", "utilisation": 97, "memory_used": 61}],
    }
    assert client.put("/api/workers/worker-0001", json=note).json()["draining"] is False
    attempt = acting.claimed(client)
    entry = client.post("/api/workers/worker-0001/drain", json={"draining": True}).json()
    assert (entry["draining"], entry["alive"], entry["gpus"][0]["utilisation"]) == (True, True, 97)
    assert [run["id"] for run in entry["running"]] == [attempt.run_id]
    assert acting.claim(client) is None
    assert client.put("/api/workers/worker-0001", json=note).json()["draining"] is True
    assert attempt.renew()["cancel_requested"] is False, "what it trains it finishes"
    client.post("/api/workers/worker-0001/drain", json={"draining": False})
    assert acting.claim(client) is not None
    assert client.post("/api/workers/worker-0002/drain", json={"draining": True}).status_code == 404
