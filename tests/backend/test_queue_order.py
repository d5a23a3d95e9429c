"""The order of the queue and what a person may change of it, on both databases."""

from __future__ import annotations

import itertools
import random
import threading
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from starlette.testclient import TestClient

from backend.store.tables import Run
from backend.sweeper import sweep
from depthboard.settings import Settings
from tests.backend import acting
from tests.backend.acting import error_of


def submitted(client: TestClient, n: int) -> list[int]:
    experiment = acting.submit(client, factors={"loss": ["l1"], "seed": list(range(n))})
    return [run["id"] for run in acting.runs_of(client, experiment)]


def order(client: TestClient) -> list[int]:
    return [entry["run"]["id"] for entry in client.get("/api/queue", params={"size": 1000}).json()["items"]]


def move(client: TestClient, run_ids: list[int], before: int | None) -> Any:
    return client.post("/api/queue/move", json={"run_ids": run_ids, "before": before})


def drained(client: TestClient) -> list[int]:
    """The runs in the order in which workers get them."""
    got = []
    while attempt := acting.claim(client):
        got.append(attempt.run_id)
    return got


def test_the_queue_is_in_the_order_in_which_runs_are_claimed(client: TestClient) -> None:
    a, b, c, d = submitted(client, 4)
    assert client.patch(f"/api/runs/{c}", json={"priority": -1}).json()["priority"] == -1
    client.patch(f"/api/runs/{a}", json={"priority": 5})
    assert order(client) == [c, b, d, a]
    assert drained(client) == [c, b, d, a]


def test_an_experiments_priority_is_that_of_its_waiting_and_running_runs(client: TestClient) -> None:
    first = submitted(client, 3)
    running = acting.claimed(client)
    second = acting.submit(client, name="urgent", factors={"loss": ["l2"]})
    (urgent,) = acting.runs_of(client, second)
    assert client.post(f"/api/experiments/{second['id']}/priority", json={"priority": -10}).status_code == 200
    assert order(client) == [urgent["id"], *first[1:]]
    client.post("/api/experiments/1/priority", json={"priority": -20})
    assert order(client) == [*first[1:], urgent["id"]]
    assert client.get(running.path).json()["priority"] == -20


@pytest.mark.parametrize("priority", [0.5, "high", None, 10**7, True])
def test_a_priority_that_is_no_whole_number_in_range_is_refused(client: TestClient, priority: object) -> None:
    (run,) = submitted(client, 1)
    refused = client.patch(f"/api/runs/{run}", json={"priority": priority})
    if priority is True:
        assert refused.status_code in (200, 422)
        return
    assert (refused.status_code, error_of(refused)["field"]) == (422, "priority")


def test_runs_are_moved_before_another_one_in_exactly_the_order_given(client: TestClient) -> None:
    a, b, c, d, e = submitted(client, 5)
    assert move(client, [e, c], a).status_code == 204
    assert order(client) == [e, c, a, b, d]
    assert move(client, [e], b).status_code == 204
    assert order(client) == [c, a, e, b, d]
    assert move(client, [a, c], None).status_code == 204
    assert order(client) == [e, b, d, a, c]
    assert drained(client) == [e, b, d, a, c]


def test_a_moved_run_takes_the_priority_of_its_place(client: TestClient) -> None:
    a, b, c = submitted(client, 3)
    client.patch(f"/api/runs/{a}", json={"priority": -3})
    assert move(client, [c], a).status_code == 204
    assert order(client) == [c, a, b]
    assert client.get(f"/api/runs/{c}").json()["priority"] == -3
    assert move(client, [c], None).status_code == 204
    assert client.get(f"/api/runs/{c}").json()["priority"] == 0


def test_many_moves_keep_the_order_that_a_list_would_have(client: TestClient, app: FastAPI) -> None:
    expected = submitted(client, 9)
    with app.state.database.write() as session:  # as two submissions at once may leave it
        session.execute(update(Run).where(Run.id.in_(expected[3:6])).values(position=4))
    dice = random.Random(4)
    for _ in range(40):
        moved = dice.sample(expected, dice.randint(1, 3))
        rest = [run for run in expected if run not in moved]
        before = dice.choice([*rest, None])
        assert move(client, moved, before).status_code == 204
        at = len(rest) if before is None else rest.index(before)
        expected = rest[:at] + moved + rest[at:]
        assert order(client) == expected
    assert drained(client) == expected


def test_what_cannot_be_moved_is_said_in_a_sentence(client: TestClient) -> None:
    a, b, c = submitted(client, 3)
    assert acting.claimed(client).run_id == a
    assert error_of(move(client, [a], b))["message"] == f"run {a} does not wait any more: it is running."
    assert error_of(move(client, [c], a))["field"] == "before"
    assert error_of(move(client, [99], b))["code"] == "not_found"
    assert error_of(move(client, [b, b], c))["field"] == "run_ids"
    assert error_of(move(client, [b], b))["field"] == "run_ids"
    assert move(client, [], b).status_code == 422
    assert order(client) == [b, c]
    done = acting.claimed(client)
    done.finish()
    refused = client.patch(done.path, json={"priority": 1})
    assert (refused.status_code, error_of(refused)["field"]) == (409, "priority")


def test_every_run_says_what_it_waits_for_and_those_that_nobody_would_get_come_last(
    client: TestClient, app: FastAPI, settings: Settings
) -> None:
    lost, other, free = submitted(client, 3)
    paused = acting.submit(client, name="paused", factors={"loss": ["l2"]})
    (waits,) = acting.runs_of(client, paused)
    client.post(f"/api/experiments/{paused['id']}/pause")
    assert acting.claimed(client).run_id == lost
    acting.expire(app, lost)
    sweep(app.state.database, settings)
    with app.state.database.write() as session:
        session.execute(update(Run).where(Run.id == other).values(training_version="0"))
    client.patch(f"/api/runs/{waits['id']}", json={"priority": -9})
    entries = client.get("/api/queue").json()["items"]
    assert [(e["run"]["id"], e["place"], e["waits"]) for e in entries] == [
        (lost, 1, "backoff"),
        (free, 2, "worker"),
        (waits["id"], None, "held"),
        (other, None, "version"),
    ]
    assert entries[0]["until"] is not None
    assert entries[2]["experiments"] == [{"id": paused["id"], "name": "paused", "paused": True, "trashed": False}]
    page = client.get("/api/queue", params={"page": 2, "size": 1}).json()
    assert (page["total"], [e["place"] for e in page["items"]]) == (4, [2])


def test_moving_while_workers_claim_gives_no_run_twice_and_loses_none(client: TestClient, app: FastAPI) -> None:
    ids = submitted(client, 40)
    got: list[int] = []
    answers: list[int] = []
    idle = itertools.count()

    def work(name: str) -> None:
        while len(got) < len(ids) and next(idle) < 2000:
            if attempt := acting.claim(client, name):
                got.append(attempt.run_id)

    def shuffle(seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(15):
            waiting = order(client)
            if len(waiting) > 4:
                moved = dice.sample(waiting, 3)
                before = dice.choice([None, *(run for run in waiting if run not in moved)])
                answers.append(move(client, moved, before).status_code)

    works = [threading.Thread(target=work, args=(f"worker-{i:04d}",)) for i in range(2)]
    works += [threading.Thread(target=shuffle, args=(seed,)) for seed in range(2)]
    for thread in works:
        thread.start()
    for thread in works:
        thread.join(60)
    assert sorted(got) == ids
    assert set(answers) <= {204, 409}
    with app.state.database.read() as session:
        assert set(session.scalars(select(Run.attempt))) == {1}
