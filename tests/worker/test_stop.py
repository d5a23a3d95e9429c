"""How a training ends before its time: cancelled, paused, in a hurry, hung, out of memory, waiting for GPUs."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import psutil
import torch
from fastapi import FastAPI

from backend.store import lease
from backend.store.tables import Run
from depthboard.client import Client, RunWriter
from depthboard.protocol import CheckpointNote, Finish
from depthboard.settings import Settings
from depthboard.status import RunStatus
from tests.worker.supervising import LONG, Supervised, begun, claimed, ends, launched, on_sqlite, submitted, training
from worker.orphans import Mark
from worker.outcome import Watch, outcome
from worker.supervise import Leave, _environment, hold, supervise


@on_sqlite
def test_a_worker_that_shuts_down_gives_its_run_back_with_a_checkpoint(supervised: Supervised) -> None:
    child = supervised.train()
    supervised.leave.stopping.set()
    run = supervised.ended(60)
    assert ends(child, 0)
    assert (run["status"], run["attempts"][0]["outcome"]) == ("queued", "queued")
    again = claimed(supervised.client)
    assert again.attempt == 2
    assert again.resume_from
    assert again.resume_from[0].step == run["step"] > 2
    assert not supervised.folders, "the token and the log are not left behind"


@on_sqlite
def test_a_second_signal_ends_the_training_at_once_and_gives_the_run_back(supervised: Supervised) -> None:
    child = supervised.train()
    psutil.Process(child).suspend()  # it cannot write a checkpoint
    supervised.leave.stopping.set()
    time.sleep(1)
    supervised.leave.hurry.set()
    run = supervised.ended(10)
    assert ends(child, 0)
    assert (run["status"], run["reason"]) == ("queued", "the worker was shut down")


@on_sqlite
def test_a_cancelled_training_stops_within_five_seconds_and_leaves_a_checkpoint(supervised: Supervised) -> None:
    supervised.train()
    supervised.client.cancel(1)
    run = supervised.ended(5)
    assert run["status"] == "cancelled"
    supervised.client.retry(1)
    assert claimed(supervised.client).resume_from[0].step == run["step"]


@on_sqlite
def test_a_training_that_is_cancelled_before_its_first_step_ends_at_once(supervised: Supervised) -> None:
    supervised.until(lambda: bool(launched(psutil.Process())))
    supervised.client.cancel(1)
    assert supervised.ended(5)["status"] == "cancelled"


LONG_EVALUATION = {
    "name": "long evaluation",
    "base": {
        "data": {"train_size": 8, "validation": 0.1},
        "budget": {"images_seen": 8 * 100, "batch_size": 8},
        "evaluation": {
            "split": "validation",
            "evaluations": 50,
            "samples": 0,
            "sharpness": "all",
            "flip_average": True,
        },
    },
}


@on_sqlite
def test_a_cancel_does_not_wait_for_the_end_of_an_evaluation(api: str, settings: Settings) -> None:
    for attempt in begun(api, settings, LONG_EVALUATION):
        attempt.until(lambda attempt=attempt: bool(attempt.run["step"] >= 2))
        attempt.client.cancel(1)
        run = attempt.ended(5)
        assert (run["status"], run["step"]) == ("cancelled", 2)
        assert [e for e in attempt.client.evaluations(1) if e["step"] > 0] == []
        attempt.client.retry(1)
        note = claimed(attempt.client).resume_from[0]
        assert torch.load(note.path, weights_only=True)["owed"]


@on_sqlite
def test_a_paused_run_goes_back_to_the_queue_without_using_up_an_attempt(supervised: Supervised, app: FastAPI) -> None:
    supervised.train()
    with app.state.database.write() as session:
        row = session.get_one(Run, 1)
        row.pause_requested = True
    run = supervised.ended(10)
    assert (run["status"], run["reason"]) == ("queued", "its experiment was paused or deleted")
    with app.state.database.read() as session:
        assert session.get_one(Run, 1).tries == 0
    assert claimed(supervised.client).resume_from


@on_sqlite
def test_a_run_whose_store_is_not_mounted_rests_and_keeps_its_attempts(
    api: str, settings: Settings, app: FastAPI, tmp_path: Path
) -> None:
    with Client(api) as client:
        client.submit(LONG)
        claim = claimed(client)
        writer = RunWriter(claim.run_id, claim.token, api)
        path = f"file://{tmp_path}/disk/runs/1/step-000000000002-1.pt"
        writer.checkpoint(CheckpointNote(step=2, path=path, sha256="0" * 64, bytes=1))
        writer.finish(Finish(status=RunStatus.queued))
        writer.api.close()
        (tmp_path / "disk").mkdir()
        supervise(claimed(client), settings.model_copy(update={"api_url": api}), Leave())
        run = client.run(1)
        assert (run["status"], run["step"]) == ("queued", 2), "it did not begin from scratch"
        assert f"{tmp_path}/disk is not there" in run["reason"]
        with app.state.database.read() as session:
            kept = session.get_one(Run, 1)
            assert kept.tries == 0
            assert kept.not_before is not None


@on_sqlite
def test_a_training_that_hangs_is_killed_where_that_is_asked_for_and_fails_in_the_end(
    api: str, settings: Settings, app: FastAPI
) -> None:
    for attempt in begun(api, settings, LONG, stall_kill_seconds=10.0):
        attempt.train()
        with app.state.database.write() as session:
            session.get_one(Run, 1).max_attempts = 1
        training().suspend()
        run = attempt.ended(30)
        assert run["status"] == "failed"
        assert "it made no progress for" in run["reason"]
        assert "It was tried once." in run["reason"]


OUT_OF_MEMORY = """
import resource, sys
from pathlib import Path
import psutil
from worker import launch, train
from worker.stop import Stop

step = train.Trainer._advance

def with_little(self, progress):
    used = psutil.Process().memory_info().vms
    resource.setrlimit(resource.RLIMIT_AS, (used + 2**20, used + 2**20))
    step(self, progress)

train.Trainer._advance = with_little
sys.exit(launch.lead(Path(sys.argv[1]), Stop()))
"""


@on_sqlite
def test_a_training_that_gets_no_memory_fails_with_what_would_fit(api: str, settings: Settings) -> None:
    with Client(api) as client:
        base = {"data": {"train_size": 16}, "budget": {"images_seen": 256, "batch_size": 16}}
        submitted(client, {**base, "evaluation": {"samples": 0, "evaluations": 1}}, ["l1"])
        claim = claimed(client)
        folder = settings.home / "attempt"
        folder.mkdir(parents=True)
        (folder / "claim.json").write_text(claim.model_dump_json())
        mine = _environment(settings.model_copy(update={"api_url": api}), Mark.new(1, 1), None)
        done = subprocess.run([sys.executable, "-c", OUT_OF_MEMORY, folder], env=mine, timeout=90, check=False)
        end = outcome(done.returncode, folder, Watch())
        assert (end.status, end.retry) == ("failed", False)
        assert "a batch of 16 at 64×96 takes about" in end.reason


@on_sqlite
def test_a_run_that_waits_for_gpus_is_kept_and_can_be_cancelled_or_given_back(api: str, settings: Settings) -> None:
    quick = settings.model_copy(update={"api_url": api, "renew_seconds": 0.1})
    with Client(api) as client:
        client.submit(LONG)
        looks: list[int] = []

        def after_three() -> str | None:
            looks.append(client.run(1)["attempt"])
            return "the GPUs" if len(looks) > 3 else None

        leave = Leave()
        claim = claimed(client)
        assert hold(claim, quick, leave, after_three) == "the GPUs"
        leave.stopping.set()
        assert hold(claim, quick, leave, lambda: None) is None
        assert client.run(1)["status"] == "queued"
        claim = claimed(client)
        client.cancel(1)
        assert hold(claim, quick, Leave(), lambda: None) is None
        assert client.run(1)["status"] == "cancelled"


@on_sqlite
def test_a_run_that_waits_for_gpus_is_not_stalled(api: str, settings: Settings, app: FastAPI) -> None:
    quick = settings.model_copy(update={"api_url": api, "renew_seconds": 0.1})
    with Client(api) as client:
        client.submit(LONG)
        claim = claimed(client)
        seen: list[bool] = []

        def after_hours() -> str | None:
            """Each look finds that another hour has passed since the renewal before."""
            with app.state.database.write() as session:
                lease.notice_stalled(session, 5000)
                run = session.get_one(Run, 1)
                assert run.progressed_at is not None
                seen.append(run.stalled)
                run.progressed_at -= timedelta(seconds=3600)
            return "the GPUs" if len(seen) == 4 else None

        assert hold(claim, quick, Leave(), after_hours) == "the GPUs"
        assert seen == [False] * 4
        assert client.run(1)["step"] == 0


@on_sqlite
def test_a_training_that_could_not_be_started_is_given_back(api: str, settings: Settings, app: FastAPI) -> None:
    with Client(api) as client:
        client.submit(LONG)
        settings.home.mkdir(exist_ok=True)
        (settings.home / "attempts").write_text("no folder")
        assert not supervise(claimed(client), settings.model_copy(update={"api_url": api}), Leave())
        run = client.run(1)
        assert run["status"] == "queued"
        assert "could not start its training" in run["reason"]
        with app.state.database.read() as session:
            kept = session.get_one(Run, 1)
            assert (kept.tries, kept.not_before is not None) == (0, True), "it rests, and no attempt is used up"
