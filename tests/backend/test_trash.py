"""The trash: what deleting hides, what restoring brings back, and what emptying frees on the disk; on both databases."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from backend import purging
from backend.background import keep_house
from backend.store import submission, trash
from backend.store.session import Database, clock
from backend.store.tables import Chunk, Doomed, Experiment, Frame, Run
from depthboard.experiment import ExperimentSpec
from depthboard.settings import Settings
from tests.backend import acting
from tests.backend.acting import error_of

HERE = platform.node()


def deleted(client: TestClient, experiment: dict[str, Any], now: bool = False) -> dict[str, Any]:
    answer = client.delete(f"/api/experiments/{experiment['id']}", params={"now": now})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def note(attempt: acting.Attempt, path: Path | str, size: int, host: str = HERE, step: int = 10) -> None:
    attempt.ok("checkpoints", {"step": step, "path": str(path), "sha256": f"{step:064x}", "bytes": size, "host": host})


def mark(client: TestClient) -> str:
    """What folders of this database's runs are named by."""
    return str(client.app.state.mark)  # type: ignore[attr-defined]


def written(client: TestClient, settings: Settings, run_id: int, size: int = 300_000, name: str = "last.pt") -> Path:
    file = settings.artifacts / "runs" / f"{mark(client)}-{run_id}" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(os.urandom(size))
    return file


def bytes_of(database: Database) -> int:
    """Of the embedded database's file, with everything written into it."""
    if not database.sqlite:
        return 0
    with database.writer.connect() as connection:
        connection.connection.dbapi_connection.execute("pragma wal_checkpoint(truncate)").fetchall()  # type: ignore[union-attr]
    return Path(str(database.url.database)).stat().st_size


def let_a_week_pass(app: FastAPI) -> None:
    with app.state.database.write() as session:
        session.execute(update(Experiment).values(deleted_at=clock(session) - timedelta(days=8)))


def test_a_deleted_experiment_is_out_of_sight_and_its_page_says_until_when_it_can_be_restored(
    client: TestClient,
) -> None:
    kept, gone = acting.submit(client, name="kept", factors={"loss": ["l2"]}), acting.submit(client)
    answer = deleted(client, gone)
    assert (answer["held"], answer["stopping"], answer["freed"]) == (2, 0, None)
    assert [e["id"] for e in client.get("/api/experiments").json()["items"]] == [kept["id"]]
    assert client.get("/api/experiments", params={"q": "two losses"}).json()["total"] == 0
    assert client.get("/api/runs").json()["total"] == 1
    assert [e["run"]["loss"] for e in client.get("/api/queue").json()["items"]] == ["l2"]
    (entry,) = client.get("/api/experiments", params={"trash": True}).json()["items"]
    assert entry["id"] == gone["id"]
    page = client.get(f"/api/experiments/{gone['id']}").json()
    assert page["purge_at"] == answer["purge_at"] > page["deleted_at"]
    assert client.get("/api/trash").json() == {"experiments": 1, "days": 7.0, "waiting": {}}
    assert acting.claimed(client).claim["config"]["loss"]["name"] == "l2"
    assert acting.claim(client) is None


def test_a_restored_experiment_goes_on_as_if_nothing_had_happened(client: TestClient, woken: list[int]) -> None:
    experiment = acting.submit(client)
    attempt = acting.claimed(client)
    answer = deleted(client, experiment)
    assert (answer["held"], answer["stopping"]) == (1, 1)
    assert attempt.renew()["pause_requested"] is True
    acting.wait_for(lambda: len(woken) == 2, "the doorbell rang for the submission")
    woken.clear()
    restored = client.post(f"/api/experiments/{experiment['id']}/restore").json()
    assert (restored["deleted_at"], restored["purge_at"], restored["held"]) == (None, None, 0)
    assert attempt.renew()["pause_requested"] is False
    queued = [run["id"] for run in acting.runs_of(client, experiment) if run["status"] == "queued"]
    acting.wait_for(lambda: woken == queued, "the doorbell rang")
    assert client.get("/api/experiments").json()["total"] == 1


def test_runs_shared_with_a_living_experiment_go_on_and_stay(client: TestClient, settings: Settings) -> None:
    first = acting.submit(client, factors={"loss": ["l1", "l2"]})
    second = acting.submit(client, name="second", factors={"loss": ["l2", "eigen"]})
    l1, l2 = (run["id"] for run in acting.runs_of(client, first))
    for run_id in (l1, l2):
        written(client, settings, run_id)
    assert deleted(client, first)["held"] == 1
    freed = deleted(client, first, now=True)["freed"]
    assert (freed["experiments"], freed["runs"], freed["files"]) == (1, 1, 300_000)
    assert client.get(f"/api/experiments/{first['id']}").status_code == 404
    assert client.get(f"/api/runs/{l1}").status_code == 404
    assert [run["loss"] for run in acting.runs_of(client, second)] == ["l2", "eigen"]
    assert [folder.name for folder in (settings.artifacts / "runs").iterdir()] == [f"{mark(client)}-{l2}"]


def test_a_run_that_is_only_in_the_trash_is_shared_again_by_a_new_submission(client: TestClient) -> None:
    first = acting.submit(client)
    deleted(client, first)
    second = acting.submit(client, name="second")
    assert [r["id"] for r in acting.runs_of(client, second)] == [r["id"] for r in acting.runs_of(client, first)]
    assert acting.claim(client) is not None
    assert deleted(client, first, now=True)["freed"]["runs"] == 0
    (run, _) = acting.runs_of(client, second)
    assert [e["trashed"] for e in client.get(f"/api/runs/{run['id']}").json()["experiments"]] == [False]


def test_a_run_in_two_trashed_experiments_goes_with_the_second(client: TestClient) -> None:
    first, second = acting.submit(client), acting.submit(client, name="second")
    deleted(client, first)
    deleted(client, second)
    assert deleted(client, first, now=True)["freed"]["runs"] == 0
    assert client.delete("/api/trash").json()["runs"] == 2
    assert client.get("/api/runs").json()["total"] == 0


def test_emptying_frees_the_rows_the_files_and_the_pages_of_the_database(
    client: TestClient, app: FastAPI, settings: Settings
) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    attempt.frames()
    attempt.ok("log", {"offset": 0, "text": os.urandom(400_000).hex()})
    note(attempt, written(client, settings, attempt.run_id), 300_000)
    written(client, settings, attempt.run_id, 5_000, "worker.log")
    attempt.points(range(1, 21))
    attempt.finish()
    keep_house(app.state.database, settings)
    before = bytes_of(app.state.database)

    freed = deleted(client, experiment, now=True)["freed"]

    assert freed["files"] == 305_000
    assert freed["waiting"] == {}
    assert list((settings.artifacts / "runs").iterdir()) == []
    with app.state.database.read() as session:
        for table in (Run, Chunk, Frame, Doomed):
            assert session.scalar(select(func.count()).select_from(table)) == 0
    if app.state.database.sqlite:
        assert freed["database"] > 700_000
        assert before - bytes_of(app.state.database) >= freed["database"] - 100_000


def test_housekeeping_empties_what_has_been_in_the_trash_long_enough_and_nothing_else(
    client: TestClient, app: FastAPI, settings: Settings
) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    file = written(client, settings, attempt.run_id)
    note(attempt, file, 300_000)
    attempt.finish()
    deleted(client, experiment)
    keep_house(app.state.database, settings)
    assert file.exists()
    assert client.get(f"/api/experiments/{experiment['id']}").status_code == 200
    let_a_week_pass(app)
    keep_house(app.state.database, settings)
    assert not file.parent.exists()
    assert client.get(f"/api/experiments/{experiment['id']}").status_code == 404


def test_removing_for_good_waits_until_the_running_runs_have_been_given_back(
    client: TestClient, app: FastAPI, settings: Settings
) -> None:
    experiment = acting.submit(client)
    attempt = acting.claimed(client)
    answer = deleted(client, experiment, now=True)
    assert (answer["stopping"], answer["freed"]) == (1, None)
    assert attempt.renew()["pause_requested"] is True
    keep_house(app.state.database, settings)
    note(attempt, written(client, settings, attempt.run_id), 300_000)
    attempt.finish("queued")
    keep_house(app.state.database, settings)
    assert client.get(f"/api/experiments/{experiment['id']}").status_code == 404
    assert list((settings.artifacts / "runs").iterdir()) == []


def test_without_a_trash_deleting_removes_at_once(client: TestClient, app: FastAPI, settings: Settings) -> None:
    app.state.settings = settings.model_copy(update={"trash_days": 0})
    experiment = acting.submit(client)
    assert deleted(client, experiment)["freed"]["runs"] == 2
    assert client.delete(f"/api/experiments/{experiment['id']}").status_code == 404


def test_files_of_another_host_wait_for_a_worker_there(client: TestClient) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    note(attempt, "/scratch/runs/1/10.pt", 700, "gpu-07", step=10)
    note(attempt, "/scratch/runs/1/10.pt", 700, "gpu-07", step=11)
    note(attempt, "s3://bucket/runs/1/20.pt", 50, "", step=20)
    attempt.finish()
    assert deleted(client, experiment, now=True)["freed"]["waiting"] == {"": 50, "gpu-07": 700}
    assert client.get("/api/trash").json()["waiting"] == {"": 50, "gpu-07": 700}
    body = {"host": "gpu-07", "device": "cpu"}
    orders = client.put("/api/workers/worker-0007", json=body).json()
    assert sorted(file["path"] for file in orders["doomed"]) == ["/scratch/runs/1/10.pt", "s3://bucket/runs/1/20.pt"]
    client.post("/api/workers/worker-0007/freed", json={"ids": [file["id"] for file in orders["doomed"]]})
    assert client.get("/api/trash").json()["waiting"] == {}


def test_files_that_nobody_can_delete_do_not_stand_before_the_others(client: TestClient, app: FastAPI) -> None:
    with app.state.database.write() as session:
        for number in range(300):
            session.add(Doomed(path=f"/gone/runs/1/{number}.pt", host="gpu-07", bytes=1, created_at=clock(session)))
    seen: set[str] = set()
    for _ in range(60):
        orders = client.put("/api/workers/worker-0007", json={"host": "gpu-07", "device": "cpu"}).json()
        assert len(orders["doomed"]) == 100
        seen |= {file["path"] for file in orders["doomed"]}
    assert len(seen) == 300


def test_a_file_on_a_disk_that_the_api_shares_with_another_host_is_freed_here(
    client: TestClient, settings: Settings
) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    note(attempt, written(client, settings, attempt.run_id, 400), 400, "another-container")
    attempt.finish()
    freed = deleted(client, experiment, now=True)["freed"]
    assert (freed["files"], freed["waiting"]) == (400, {})


def test_the_same_path_on_two_hosts_is_two_files(client: TestClient, settings: Settings) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    file = written(client, settings, attempt.run_id, 400)
    note(attempt, file, 400, step=5)
    note(attempt, file, 400, "gpu-07", step=10)
    attempt.finish()
    freed = deleted(client, experiment, now=True)["freed"]
    assert (freed["files"], freed["waiting"]) == (400, {"gpu-07": 400})


@pytest.mark.parametrize(
    "how", ["plainly", "dots", "link", "link to a folder", "another run", "the folder", "relative", "beside the runs"]
)
def test_a_path_that_leads_out_of_the_artifact_folder_or_to_a_living_run_is_never_deleted(
    client: TestClient, app: FastAPI, settings: Settings, tmp_path: Path, how: str
) -> None:
    acting.submit(client, name="living", factors={"loss": ["l2"]})
    living = acting.claimed(client)
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    precious, other = tmp_path / "precious" / "thesis.pt", written(client, settings, living.run_id)
    precious.parent.mkdir()
    precious.write_text("years of work")
    beside = settings.artifacts / "notes.pt"
    beside.write_text("a person's")
    own = written(client, settings, attempt.run_id).parent
    (own / "link.pt").symlink_to(precious)
    (own / "out").symlink_to(precious.parent)
    path = {
        "plainly": precious,
        "dots": f"{own}/../../../../precious/thesis.pt",
        "link": own / "link.pt",
        "link to a folder": own / "out" / "thesis.pt",
        "another run": other,
        "the folder": settings.artifacts,
        "relative": "precious/thesis.pt",
        "beside the runs": beside,
    }[how]
    note(attempt, path, 13)
    attempt.finish()
    deleted(client, experiment, now=True)
    purging.free_files(app.state.database, settings)
    assert precious.read_text() == "years of work"
    assert other.exists()
    assert beside.exists()
    assert not own.exists()


def test_a_file_that_a_crash_left_behind_is_freed_by_the_next_round(
    client: TestClient, app: FastAPI, settings: Settings
) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    file = written(client, settings, attempt.run_id)
    note(attempt, file, 300_000)
    attempt.finish()
    with app.state.database.write() as session:
        trash.purge(session, experiment["id"])
    assert file.exists()
    keep_house(app.state.database, settings)
    assert not file.exists()
    assert client.get("/api/trash").json()["waiting"] == {}


def test_sample_frames_stay_while_a_run_of_the_same_data_can_ask_for_them(client: TestClient, app: FastAPI) -> None:
    first = acting.submit(client, factors={"loss": ["l1"]})
    acting.submit(client, name="second", factors={"loss": ["l2"]})
    attempt = acting.claimed(client)
    attempt.frames()
    attempt.predict(5)
    attempt.finish()
    deleted(client, first, now=True)
    with app.state.database.read() as session:
        assert session.scalar(select(func.count()).select_from(Frame)) == 2
    other = acting.claimed(client)
    other.predict(5)


def test_a_run_that_is_being_linked_is_not_removed_and_one_that_is_being_removed_is_made_anew(
    client: TestClient, app: FastAPI
) -> None:
    """Both at once: whichever transaction comes second sees what the first one did."""
    database = app.state.database
    spec = ExperimentSpec.model_validate(acting.spec(name="second"))

    def beside(work: Callable[[], Any], session_work: Callable[[Session], Any]) -> None:
        other = threading.Thread(target=work)
        with database.write() as session:
            session_work(session)
            other.start()
            other.join(0.5)
            assert other.is_alive(), "it waits for this transaction"
        other.join(30)
        assert not other.is_alive()

    first = acting.submit(client)
    beside(
        lambda: client.delete(f"/api/experiments/{first['id']}?now=true"),
        lambda session: submission.submit(session, spec, max_attempts=3),
    )
    (second,) = client.get("/api/experiments").json()["items"]
    assert [run["loss"] for run in acting.runs_of(client, second)] == ["l1", "eigen"]

    beside(lambda: acting.submit(client, name="third"), lambda session: trash.purge(session, second["id"]))
    (third,) = client.get("/api/experiments").json()["items"]
    assert [run["loss"] for run in acting.runs_of(client, third)] == ["l1", "eigen"]


def test_the_worker_of_a_removed_run_is_told_that_it_is_stale(client: TestClient, app: FastAPI) -> None:
    experiment = acting.submit(client)
    attempt = acting.claimed(client)
    attempt.points(range(1, 3))
    with app.state.database.write() as session:
        trash.purge(session, experiment["id"])
    answer = attempt.send("renewals", {})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "stale_attempt")
    acting.submit(client)
    assert acting.claimed(client).run_id != attempt.run_id, "its number is not given again"
    assert attempt.send("renewals", {}).status_code == 409


def test_what_is_gone_cannot_be_restored(client: TestClient) -> None:
    experiment = acting.submit(client)
    deleted(client, experiment, now=True)
    assert error_of(client.post(f"/api/experiments/{experiment['id']}/restore"))["code"] == "not_found"


def test_what_is_restored_while_the_trash_is_emptied_stays(
    client: TestClient, app: FastAPI, settings: Settings
) -> None:
    experiment = acting.submit(client)
    deleted(client, experiment)
    let_a_week_pass(app)
    with app.state.database.read() as session:
        due = trash.due(session, purging.keep(settings))
    assert due == [experiment["id"]]
    client.post(f"/api/experiments/{experiment['id']}/restore")
    assert purging.purge(app.state.database, settings, due).experiments == 0
    assert len(acting.runs_of(client, experiment)) == 2


def test_a_script_that_still_runs_is_not_removed_under_its_feet(client: TestClient) -> None:
    body = {"identity": "a" * 64, "experiment": "scripts", "name": "one", "host": "here"}
    answer = client.post("/api/scripts", json=body, headers={"Authorization": "Bearer the-token-of-a-script"})
    assert answer.status_code == 200, answer.text
    run = answer.json()["run_id"]
    experiment = client.get("/api/experiments").json()["items"][0]
    assert deleted(client, experiment, now=True)["freed"] is None
    assert client.get(f"/api/runs/{run}").json()["status"] == "running"
