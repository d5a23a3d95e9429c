"""A supervised attempt against the real API: its process dies with its supervisor, is fenced, tried again, goes on, and tells its reason."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from fastapi import FastAPI

from backend.store import trash
from depthboard.client import Client
from depthboard.errors import DataProblem, DepthboardError, SequenceGap
from depthboard.experiment import TRAINING_VERSION
from depthboard.protocol import Claim
from depthboard.settings import Settings
from tests.backend import acting
from tests.worker.supervising import LONG, Supervised, claimed, ends, launched, on_sqlite, submitted, training
from worker.artifacts import OutOfReach
from worker.checkpoint import Unwritten
from worker.launch import _told, reason_of
from worker.orphans import Mark
from worker.outcome import Watch, outcome
from worker.stop import EXIT_AGAIN, EXIT_LATER, EXIT_STOPPED
from worker.supervise import Leave, _environment, renew_seconds, supervise

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {child!r}], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""
CHILD = """
import os, sys, time
from depthboard.process import die_with_parent
die_with_parent(int(sys.argv[1]) if len(sys.argv) > 1 else os.getppid())
time.sleep(60)
"""


def test_a_training_dies_with_its_killed_supervisor() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT.format(child=CHILD)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(1.0)  # the child asks for the signal first thing, after its interpreter has started
    assert psutil.pid_exists(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert ends(child, 10)


def test_a_child_whose_parent_is_gone_already_ends_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD, "1"], timeout=30, check=False)
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            DataProblem("frame 7 is cut short.", field="data", remedy="Copy it again."),
            "data: frame 7 is cut short. Copy it again.",
        ),
        (DepthboardError("no."), "no."),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero. The log has the details."),
    ],
)
def test_a_failure_is_told_in_a_sentence(error: Exception, words: str) -> None:
    assert reason_of(error).startswith(words)


def test_what_may_go_well_from_the_last_checkpoint_on_is_told_by_the_exit(tmp_path: Path) -> None:
    def exit_of(number: int, error: Exception) -> int:
        def train() -> int:
            raise error

        folder = tmp_path / str(number)
        folder.mkdir()
        return _told(folder, train)

    errors = [
        OutOfReach("away."),
        Unwritten("no room."),
        SequenceGap("row 9 does not follow row 4."),
        DepthboardError("no."),
    ]
    assert [exit_of(*pair) for pair in enumerate(errors)] == [EXIT_LATER, EXIT_AGAIN, EXIT_AGAIN, 1]
    assert "restored backup" in (tmp_path / "2" / "reason.txt").read_text()


def test_how_an_attempt_ended_follows_from_its_exit_and_from_what_was_asked(tmp_path: Path) -> None:
    def status(code: int, watch: Watch) -> tuple[str, bool]:
        end = outcome(code, tmp_path, watch)
        return end.status, end.retry

    now = time.monotonic()
    assert status(0, Watch()) == ("finished", False)
    assert status(0, Watch(cancelled=True)) == ("finished", False)  # it was done before the wish arrived
    assert status(EXIT_STOPPED, Watch(cancelled=True, asked_to_stop=now)) == ("cancelled", False)
    assert status(-9, Watch(cancelled=True, asked_to_stop=now)) == ("cancelled", False)
    assert status(EXIT_STOPPED, Watch(asked_to_stop=now)) == ("queued", False)
    assert status(EXIT_STOPPED, Watch()) == ("queued", False)  # a service manager signals worker and training together
    assert status(1, Watch()) == ("failed", False)
    assert status(EXIT_LATER, Watch()) == ("queued", True)
    assert status(EXIT_AGAIN, Watch()) == ("failed", True)
    assert status(137, Watch()) == status(-9, Watch()) == ("failed", True)
    assert status(-9, Watch(hung=700.0)) == ("failed", True)
    assert outcome(EXIT_STOPPED, tmp_path, Watch(paused=True)).reason == "its experiment was paused or deleted"
    assert "killed by SIGKILL" in outcome(137, tmp_path, Watch()).reason
    assert "SIGSEGV" in outcome(139, tmp_path, Watch()).reason


def test_a_failed_attempt_carries_its_reason(tmp_path: Path) -> None:
    (tmp_path / "reason.txt").write_text("frame 7 is cut short.")
    assert outcome(1, tmp_path, Watch()).reason == "frame 7 is cut short."


@on_sqlite
def test_the_training_of_a_run_that_is_gone_is_killed(supervised: Supervised, app: FastAPI) -> None:
    child = supervised.train()
    (experiment,) = supervised.client.experiments()
    with app.state.database.write() as session:
        trash.purge(session, experiment["id"])
    supervised.thread.join(10)
    assert not supervised.thread.is_alive()
    assert ends(child, 0)
    assert not supervised.folders


@on_sqlite
def test_a_killed_training_is_tried_again_and_its_reason_says_so(supervised: Supervised) -> None:
    child = supervised.train()
    psutil.Process(child).kill()
    run = supervised.ended(10)
    assert (run["status"], run["attempt"]) == ("queued", 1)
    assert "killed by SIGKILL" in run["reason"]
    assert "will be tried again" in run["reason"]
    assert "training images of rooms" in supervised.client.api.json("GET", f"/api/runs/{run['id']}/log")["text"]


def test_a_lease_is_renewed_each_second_where_the_api_is_near(settings: Settings) -> None:
    data = {"name": "rooms", "format": "rooms", "path": "", "fingerprint": "f"}
    lease = {"lease_seconds": 60, "renew_seconds": 2, "training_version": TRAINING_VERSION}
    claim = Claim.model_validate({"run_id": 7, "attempt": 2, "token": "", **lease, "dataset": data, "config": {}})

    def seconds(url: str, **changes: float) -> float:
        return renew_seconds(claim, settings.model_copy(update={"api_url": url, **changes}))

    assert [seconds(f"http://{host}:1") for host in ("127.0.0.1", "localhost", "[::1]")] == [1.0] * 3
    assert [seconds(f"http://{host}:1") for host in ("10.0.0.7", "lab.example", "localhost.example")] == [2.0] * 3
    assert seconds("http://127.0.0.1:1", renew_seconds=0.2) == 0.2


SHORT = {
    "data": {"train_size": 16, "zoom": 1.5, "rotation": 2},
    "budget": {"images_seen": 8 * 30, "batch_size": 8},
    "evaluation": {"evaluations": 5, "samples": 0},
    "optimiser": {"lr": 2e-3, "schedule": "one_cycle"},
    "network": {"dropout": 0.2},
}


def test_the_training_is_given_its_mark_its_threads_its_gpus_and_memory_that_it_keeps(settings: Settings) -> None:
    mark = Mark.new(7, 2)

    def given(gpus: str | None) -> dict[str, str]:
        return _environment(settings, mark, gpus)

    assert given(None)["MALLOC_MMAP_MAX_"] == "0"
    assert given(None)["OMP_NUM_THREADS"] == str(settings.threads)
    assert given(None)["DEPTHBOARD_ATTEMPT"] == str(mark)
    assert given("3,5")["CUDA_VISIBLE_DEVICES"] == "3,5"


def trained(client: Client, settings: Settings) -> Claim:
    """Claim the next run and train it to its end."""
    claim = claimed(client)
    supervise(claim, settings, Leave())
    run = client.run(claim.run_id)
    assert run["status"] == "finished", client.api.json("GET", f"/api/runs/{claim.run_id}/log")["text"]
    return claim


def final_weights(claim: Claim, settings: Settings) -> dict[str, torch.Tensor]:
    newest = max((settings.artifacts / "runs" / f"{claim.store}-{claim.run_id}").glob("step-*.pt"))
    return dict(torch.load(newest, weights_only=True)["network"])


@on_sqlite
@pytest.mark.long
def test_a_run_killed_at_any_step_ends_with_the_bits_of_an_unbroken_one(
    api: str, app: FastAPI, settings: Settings
) -> None:
    """Killed twice by SIGKILL, wherever it happens to be, and its newest checkpoint cut short: it goes on from the one before."""
    settings = settings.model_copy(update={"api_url": api, "renew_seconds": 0.2})
    with Client(api) as client:
        submitted(client, SHORT, ["gan"])
        for least in (8, 20):
            attempt = Supervised(client, settings, claimed(client))
            attempt.until(lambda attempt=attempt, least=least: bool(attempt.run["step"] >= least))
            training().kill()
            assert attempt.ended(10)["status"] == "queued"
            acting.make_due(app, 1)
        newest = max((settings.artifacts / "runs").glob("*/step-*.pt"))
        newest.write_bytes(newest.read_bytes()[:-1])
        claim = trained(client, settings)
        assert claim.attempt == 3
        first, second = claim.resume_from[:2]
        log = client.api.json("GET", "/api/runs/1/log")["text"]
        assert f"the checkpoint of step {first.step} is missing or damaged" in log
        assert client.run(1)["attempts"][2]["resumed_from"] == second.step + 1
        ours = final_weights(claim, settings)
        client.api.json("DELETE", "/api/experiments/1", now=True)
        submitted(client, SHORT, ["gan"])
        whole = trained(client, settings)
        assert whole.attempt == 1
        theirs = final_weights(whole, settings)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@on_sqlite
@pytest.mark.long
def test_two_processes_train_as_one_does(api: str, settings: Settings) -> None:
    """With gloo on the CPU, to half a percent: a float32 sum in another order is 1e-6 off, and Adam divides small gradients by their size."""
    base = {
        "data": {"train_size": 16, "zoom": 1.2},
        "budget": {"images_seen": 64, "batch_size": 8},
        "evaluation": {"evaluations": 1, "samples": 0},
    }
    settings = settings.model_copy(update={"api_url": api, "renew_seconds": 0.5})
    curves, rmse, key = [], [], "train/loss/sum"
    with Client(api) as client:
        for processes in (1, 2):
            engine = {"processes": processes, "precision": "float32"}
            submitted(client, {**base, "engine": engine}, [{"name": "sum", "parts": ["gan", "berhu", "kendall_gal"]}])
            claim = trained(client, settings)
            curves.append(client.api.json("GET", f"/api/runs/{claim.run_id}/metrics", key=key)["series"][key]["value"])
            rmse.append(client.run(claim.run_id)["metrics"]["rmse"])
    assert curves[1][0] == pytest.approx(curves[0][0], rel=1e-6)
    assert curves[1] == pytest.approx(curves[0], rel=5e-3)
    assert rmse[1] == pytest.approx(rmse[0], rel=5e-3)


@pytest.mark.long
@on_sqlite
def test_several_processes_end_together(api: str, settings: Settings) -> None:
    with Client(api) as client:
        submitted(client, {**LONG["base"], "engine": {"processes": 2}}, ["l1"])
        quick = settings.model_copy(update={"api_url": api, "renew_seconds": 0.5})
        attempt = Supervised(client, quick, claimed(client))
        others = [p.pid for p in launched(psutil.Process(attempt.train()))]
        assert len(others) == 1
        attempt.leave.stopping.set()
        assert attempt.ended(60)["status"] == "queued"
        assert ends(others[0], 10)
        again = claimed(client)
        assert again.resume_from
        attempt = Supervised(client, quick, again)
        (other,) = launched(psutil.Process(attempt.train()))
        other.kill()
        run = attempt.ended(30)
        assert run["status"] == "queued", "one that is killed takes the others with it, and the run is tried again"
        assert "killed by SIGKILL" in run["reason"]


BROKEN = """
import subprocess, sys
from pathlib import Path
from types import SimpleNamespace
from worker import attempt

launched = []
start = subprocess.Popen
subprocess.Popen = lambda command: launched.append(start(["sleep", "60"])) or launched[-1]
attempt._end_with = lambda other, over: None  # it hears of the end too late
attempt.BREAK_SECONDS = 1.0
claim = SimpleNamespace(config=SimpleNamespace(engine=SimpleNamespace(processes=2)))
with attempt._others(claim, Path(sys.argv[1])):
    if sys.argv[2] == "killed":
        launched[0].kill()
    raise RuntimeError("Connection closed by peer")
"""


@pytest.mark.parametrize(("case", "code"), [("killed", -signal.SIGKILL), ("alive", 1)])
def test_a_connection_that_a_kill_broke_is_no_reason_to_fail(tmp_path: Path, case: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-c", BROKEN, tmp_path, case], check=False, timeout=60)
    assert done.returncode == code
