"""When waiting runs start, reckoned with measured speeds, and what became of the runs of a worker that is gone."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import pytest
from fastapi import FastAPI
from sqlalchemy import update
from starlette.testclient import TestClient

from backend.store.estimate import KEPT
from backend.store.session import clock
from backend.store.tables import Run, Worker
from backend.sweeper import sweep
from depthboard.experiment import TRAINING_VERSION
from tests.backend import acting
from tests.backend.test_kept import questions

# 160 images a run; a worker that measured 16/0.92 images a second in bare steps trains 16, so 10 s a run.
SPEED = 16 / KEPT


def submitted(client: TestClient, n: int) -> list[int]:
    experiment = acting.submit(client, factors={"loss": ["l1"], "seed": list(range(n))})
    return [run["id"] for run in acting.runs_of(client, experiment)]


def arrives(client: TestClient, worker: str, slots: int, **said: Any) -> None:
    note = {
        "host": worker,
        "device": "cpu",
        "training_version": TRAINING_VERSION,
        "slots": slots,
        "startup_seconds": 2.0,
    }
    assert client.put(f"/api/workers/{worker}", json={**note, **said}).status_code == 200


def times(client: TestClient) -> list[tuple[float | None, float | None]]:
    return [(e["starts_in"], e["seconds"]) for e in client.get("/api/queue").json()["items"]]


@pytest.fixture
def speeds(client: TestClient) -> dict[str, float]:
    ids = submitted(client, 5)
    run = client.get(f"/api/runs/{ids[0]}").json()["config"]
    return {f"l1/{run['network']['encoder']}@{run['data']['height']}x{run['data']['width']}": SPEED}


def test_runs_start_one_after_another_on_the_slots_there_are(client: TestClient, speeds: dict[str, float]) -> None:
    arrives(client, "worker-0001", 2, speeds=speeds)
    # Two at once for 2 + 10 s each.
    assert [start for start, _ in times(client)] == pytest.approx([0, 0, 12, 12, 24])
    assert [seconds for _, seconds in times(client)] == pytest.approx([12] * 5)


def test_a_slot_that_trains_is_free_when_its_run_ends(client: TestClient, speeds: dict[str, float]) -> None:
    arrives(client, "worker-0001", 1, speeds=speeds)
    acting.claimed(client).renew(step=10, speed=20.0)  # 80 images left at 20 a second
    assert [start for start, _ in times(client)] == pytest.approx([4, 16, 28, 40])
    second = client.get("/api/queue", params={"page": 2, "size": 2}).json()["items"]
    assert [e["starts_in"] for e in second] == pytest.approx([28, 40])


def test_without_a_worker_or_a_speed_nobody_knows(client: TestClient, speeds: dict[str, float]) -> None:
    assert times(client) == [(None, None)] * 5
    arrives(client, "worker-0001", 1)
    assert [start for start, _ in times(client)] == [0, None, None, None, None]
    arrives(client, "worker-0002", 1, speeds=speeds)
    client.post("/api/workers/worker-0002/drain", json={"draining": True})
    assert times(client)[0] == (0, None), "what drains takes nothing"


def test_a_run_that_rests_is_passed_over_until_then(client: TestClient, app: FastAPI, speeds: dict[str, float]) -> None:
    arrives(client, "worker-0001", 1, speeds=speeds)
    first = client.get("/api/queue").json()["items"][0]["run"]["id"]
    with app.state.database.write() as session:
        later = clock(session) + timedelta(seconds=600)
        session.execute(update(Run).where(Run.id == first).values(not_before=later))
    # The others take 12 s each meanwhile.
    assert [start for start, _ in times(client)] == pytest.approx([600, 0, 12, 24, 36], abs=5)


def test_the_queue_and_the_workers_cost_the_same_however_many_runs_were_lost(client: TestClient, app: FastAPI) -> None:
    two = {"name": "sum", "parts": [{"name": "l1"}, {"name": "berhu"}]}
    acting.submit(client, factors={"loss": [two], "seed": list(range(6))})  # whose parts tell how fast it is

    def lose(worker: str) -> None:
        arrives(client, worker, 1)
        attempt = acting.claimed(client, worker=worker)
        attempt.checkpoint(8)
        acting.expire(app, attempt.run_id)
        with app.state.database.write() as session:
            session.execute(update(Worker).values(last_seen=clock(session) - timedelta(hours=1)))
        sweep(app.state.database, app.state.settings)

    def asked(path: str) -> int:
        with questions(app) as statements:
            assert client.get(path).status_code == 200
        return len(statements)

    lose("worker-0000")
    few = [asked(path) for path in ("/api/queue", "/api/workers")]
    acting.submit(client, factors={"loss": [two], "seed": list(range(6, 12))})
    for i in range(1, 5):
        lose(f"worker-{i:04d}")
    assert [asked(path) for path in ("/api/queue", "/api/workers")] == few
    workers = client.get("/api/workers").json()["items"]
    assert [[lost["resumes_from"] for lost in worker["lost"]] for worker in workers] == [[4]] * 5
    assert [entry["resumes_from"] for entry in client.get("/api/queue").json()["items"]].count(4) == 5


def test_a_worker_that_is_gone_says_what_became_of_its_run(
    client: TestClient, app: FastAPI, speeds: dict[str, float]
) -> None:
    arrives(client, "worker-0001", 1, speeds=speeds)
    attempt = acting.claimed(client)
    attempt.points(range(1, 13))
    attempt.checkpoint(8)
    acting.expire(app, attempt.run_id)
    with app.state.database.write() as session:
        long_ago = cast(Any, session.get(Worker, "worker-0001")).last_seen - timedelta(hours=1)
        session.execute(update(Worker).values(last_seen=long_ago))
    sweep(app.state.database, app.state.settings)
    (gone,) = client.get("/api/workers").json()["items"]
    assert (gone["alive"], gone["running"]) == (False, [])
    # batch 8 of 16 images: step 8 is epoch 4
    assert [(lost["run"]["id"], lost["run"]["status"], lost["resumes_from"]) for lost in gone["lost"]] == [
        (attempt.run_id, "queued", 4)
    ]
    entry = next(e for e in client.get("/api/queue").json()["items"] if e["run"]["id"] == attempt.run_id)
    assert entry["resumes_from"] == 4
    acting.make_due(app, attempt.run_id)
    with app.state.database.write() as session:
        session.execute(update(Run).where(Run.id != attempt.run_id).values(position=1e6))
    again = acting.claimed(client, worker="worker-0002")
    assert again.run_id == attempt.run_id
    assert client.get("/api/workers").json()["items"][0]["lost"] == [], "another worker has it now"
