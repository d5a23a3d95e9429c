"""Pausing and resuming experiments, also those that share runs, on both databases."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI
from sqlalchemy import select, update
from starlette.testclient import TestClient

from backend.store.tables import Run
from backend.sweeper import sweep
from depthboard.settings import Settings
from tests.backend import acting
from tests.backend.acting import error_of


def move(client: TestClient, experiment: dict[str, Any], what: str) -> dict[str, Any]:
    answer = client.post(f"/api/experiments/{experiment['id']}/{what}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def held(client: TestClient, experiment: dict[str, Any]) -> list[bool]:
    return [run["held"] for run in acting.runs_of(client, experiment)]


def test_runs_of_a_paused_experiment_wait_and_say_so_until_it_is_resumed(client: TestClient, woken: list[int]) -> None:
    experiment = acting.submit(client)
    paused = move(client, experiment, "pause")
    assert (paused["paused"], paused["held"], paused["counts"]["queued"]) == (True, 2, 2)
    assert acting.claim(client) is None
    (run, _) = acting.runs_of(client, experiment)
    assert (
        run["reason"]
        == "held: every experiment that links it is paused or in the trash. Resume or restore one of them."
    )
    acting.wait_for(lambda: len(woken) == 2, "the doorbell rang for the submission")
    woken.clear()
    assert move(client, experiment, "resume")["held"] == 0
    runs = [r["id"] for r in acting.runs_of(client, experiment)]
    acting.wait_for(lambda: woken == runs, "the doorbell rang")
    assert acting.claimed(client).run_id == run["id"]


def test_a_running_run_is_given_back_without_using_up_a_try_and_then_held(client: TestClient, app: FastAPI) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    move(client, experiment, "pause")
    assert attempt.renew()["pause_requested"] is True
    attempt.checkpoint(7)
    attempt.finish("queued", "paused by a person")
    (run,) = acting.runs_of(client, experiment)
    assert (run["status"], run["held"], run["pause_requested"]) == ("queued", True, False)
    assert acting.claim(client) is None
    with app.state.database.read() as session:
        assert session.scalar(select(Run.tries)) == 0
    move(client, experiment, "resume")
    assert acting.claimed(client).claim["resume_from"][0]["step"] == 7


def test_a_run_that_is_resumed_before_it_was_given_back_trains_on(client: TestClient) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    move(client, experiment, "pause")
    move(client, experiment, "resume")
    assert attempt.renew()["pause_requested"] is False


def test_a_paused_run_whose_worker_is_lost_is_held_and_nobody_is_woken(
    client: TestClient, app: FastAPI, settings: Settings
) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    move(client, experiment, "pause")
    acting.expire(app, attempt.run_id)
    assert sweep(app.state.database, settings) == []
    assert held(client, experiment) == [True]


def test_a_shared_run_is_held_only_while_every_experiment_that_links_it_rests(client: TestClient) -> None:
    first = acting.submit(client, factors={"loss": ["l1", "l2"]})
    second = acting.submit(client, name="second", factors={"loss": ["l2", "eigen"]})
    move(client, first, "pause")
    assert held(client, first) == [True, False]
    move(client, second, "pause")
    assert held(client, first) == [True, True]
    assert held(client, second) == [True, True]
    move(client, first, "resume")
    assert held(client, second) == [False, True]


def test_submitting_another_experiment_lets_the_runs_it_shares_go_on(client: TestClient) -> None:
    first = acting.submit(client, factors={"loss": ["l1", "l2"]})
    running = acting.claimed(client)
    move(client, first, "pause")
    assert running.renew()["pause_requested"] is True
    acting.submit(client, name="second", factors={"loss": ["l1", "l2"]})
    assert running.renew()["pause_requested"] is False
    assert held(client, first) == [False, False]


def test_a_retried_run_of_a_paused_experiment_is_held(client: TestClient) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    acting.claimed(client).finish("failed", "no")
    move(client, experiment, "pause")
    move(client, experiment, "retry")
    assert held(client, experiment) == [True]
    (run,) = acting.runs_of(client, experiment)
    assert client.post(f"/api/runs/{run['id']}/cancel").json()["held"] is False


def test_a_persons_own_script_is_not_paused(client: TestClient, app: FastAPI) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    with app.state.database.write() as session:
        session.execute(update(Run).values(kind="script"))
    move(client, experiment, "pause")
    assert client.get(attempt.path).json()["pause_requested"] is False


def test_what_is_not_there_cannot_be_paused_and_what_is_in_the_trash_says_restore_it(client: TestClient) -> None:
    assert client.post("/api/experiments/7/pause").status_code == 404
    experiment = acting.submit(client)
    client.delete(f"/api/experiments/{experiment['id']}")
    for what in ("pause", "resume", "retry", "complete"):
        refused = client.post(f"/api/experiments/{experiment['id']}/{what}")
        assert refused.status_code == 409
        assert error_of(refused)["remedy"] == "Restore it first."


def at_once(*works: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def test_two_experiments_paused_at_the_same_moment_hold_the_runs_they_share(client: TestClient) -> None:
    factors = {"loss": ["l1"], "seed": list(range(6))}
    first, second = acting.submit(client, factors=factors), acting.submit(client, name="second", factors=factors)
    for _ in range(10):
        at_once(lambda: move(client, first, "pause"), lambda: move(client, second, "pause"))
        assert held(client, first) == [True] * 6
        at_once(lambda: move(client, first, "resume"), lambda: move(client, second, "resume"))
        assert held(client, first) == [False] * 6


def test_a_run_claimed_while_its_experiment_is_paused_is_asked_back_or_was_never_given(client: TestClient) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"], "seed": list(range(30))})
    attempts: list[acting.Attempt] = []

    def work(name: str) -> None:
        for _ in range(12):
            if attempt := acting.claim(client, name):
                attempts.append(attempt)

    at_once(lambda: work("worker-1111"), lambda: work("worker-2222"), lambda: move(client, experiment, "pause"))
    assert acting.claim(client) is None
    for attempt in attempts:
        assert attempt.renew()["pause_requested"] is True
        attempt.finish("queued")
    assert held(client, experiment) == [True] * 30
