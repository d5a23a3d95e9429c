"""A supervised attempt against the real API: its process dies with its supervisor, is cancelled, fenced, and tells its reason."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest
import torch
from fastapi import FastAPI

from backend.sweeper import sweep
from depthboard.client import Client
from depthboard.errors import DataProblem, DepthboardError
from depthboard.experiment import TRAINING_VERSION
from depthboard.protocol import Claim, ClaimRequest
from depthboard.settings import Settings
from tests.backend import acting
from worker.launch import reason_of
from worker.supervise import EXIT_STOPPED, _environment, _outcome, _Watch, supervise

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


def ends(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


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


def test_how_an_attempt_ended_follows_from_its_exit_and_from_what_was_asked(tmp_path: Path) -> None:
    def status(code: int, watch: _Watch) -> str | None:
        outcome = _outcome(code, tmp_path, watch)
        return None if outcome is None else outcome.status

    now = time.monotonic()
    assert status(0, _Watch()) == "finished"
    assert status(0, _Watch(cancelled=True)) == "finished"  # it was done before the wish arrived
    assert status(EXIT_STOPPED, _Watch(cancelled=True, asked_to_stop=now)) == "cancelled"
    assert status(-9, _Watch(cancelled=True, asked_to_stop=now)) == "cancelled"
    assert status(EXIT_STOPPED, _Watch(asked_to_stop=now)) == "queued"
    assert status(EXIT_STOPPED, _Watch()) == "queued"  # a service manager signals worker and training together
    assert status(1, _Watch()) == "failed"
    assert status(-9, _Watch()) is None  # the lease decides: another attempt resumes


def test_a_failed_attempt_carries_its_reason(tmp_path: Path) -> None:
    (tmp_path / "reason.txt").write_text("frame 7 is cut short.")
    outcome = _outcome(1, tmp_path, _Watch())
    assert outcome is not None
    assert outcome.reason == "frame 7 is cut short."


LONG = {
    "name": "long",
    "base": {
        "data": {"train_size": 8},
        "budget": {"images_seen": 80_000, "batch_size": 8},
        "evaluation": {"evaluations": 1, "samples": 0},
    },
}


def trainings(process: psutil.Process) -> list[psutil.Process]:
    """The process's children that train; one that has ended and was not waited for has no command line."""
    alive = [child for child in process.children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "worker.launch" in child.cmdline()]


@dataclass
class Supervised:
    """A claimed run of the real API that trains under `supervise` in a thread."""

    client: Client
    settings: Settings
    claim: Claim
    stopping: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=supervise, args=(self.claim, self.settings, self.stopping))
        self.thread.start()

    def until(self, condition: Callable[[], bool], seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.1)

    def train(self) -> int:
        """Wait for some steps; the process that trains."""
        begin = self.claim.resume_from[0].step if self.claim.resume_from else 0
        self.until(lambda: bool(self.client.run(self.claim.run_id)["step"] > begin + 2))
        (child,) = trainings(psutil.Process())
        return child.pid

    @property
    def folder(self) -> Path:
        return self.settings.home / "attempts" / f"{self.claim.run_id}-{self.claim.attempt}"


def claimed(client: Client) -> Claim:
    request = ClaimRequest(worker_id="supervised", host="here", training_version=TRAINING_VERSION)
    return Claim.model_validate(client.api.json("POST", "/api/claims", request))


@pytest.fixture
def supervised(api: str, settings: Settings) -> Iterator[Supervised]:
    with Client(api) as client:
        client.submit(LONG)
        quick = settings.model_copy(update={"api_url": api, "renew_seconds": 0.5})
        training = Supervised(client, quick, claimed(client))
        yield training
        training.stopping.set()
        training.thread.join(60)
        assert not training.thread.is_alive()


on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@on_sqlite
def test_a_worker_that_shuts_down_gives_its_run_back_with_a_checkpoint(supervised: Supervised) -> None:
    child = supervised.train()
    supervised.stopping.set()
    supervised.thread.join(60)
    assert not psutil.pid_exists(child)
    run = supervised.client.run(supervised.claim.run_id)
    assert (run["status"], run["attempts"][0]["outcome"]) == ("queued", "queued")
    again = claimed(supervised.client)
    assert again.attempt == 2
    assert again.resume_from
    assert again.resume_from[0].step == run["step"] > 2
    assert not supervised.folder.exists(), "the token and the log are not left behind"


@on_sqlite
def test_the_training_of_a_run_that_was_deleted_is_killed(supervised: Supervised) -> None:
    child = supervised.train()
    (experiment,) = supervised.client.experiments()
    supervised.client.api.json("DELETE", f"/api/experiments/{experiment['id']}")
    supervised.thread.join(10)
    assert not supervised.thread.is_alive()
    assert not psutil.pid_exists(child)
    assert not supervised.folder.exists()


@on_sqlite
def test_a_killed_training_is_left_to_its_lease(supervised: Supervised) -> None:
    child = supervised.train()
    psutil.Process(child).kill()
    supervised.thread.join(10)
    assert not supervised.thread.is_alive()
    run = supervised.client.run(supervised.claim.run_id)
    assert (run["status"], run["attempt"]) == ("running", 1)
    assert "training images of rooms" in supervised.client.api.json("GET", f"/api/runs/{run['id']}/log")["text"]


SHORT = {
    "data": {"train_size": 16, "zoom": 1.5, "rotation": 2},
    "budget": {"images_seen": 8 * 48, "batch_size": 8},
    "evaluation": {"evaluations": 6, "samples": 0},
    "optimiser": {"lr": 2e-3, "schedule": "one_cycle"},
    "network": {"dropout": 0.2},
}


def test_the_training_is_given_its_threads_its_gpu_and_memory_that_it_keeps(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    data = {"name": "rooms", "format": "rooms", "path": "", "fingerprint": "f"}
    claim = {
        "run_id": 7,
        "attempt": 2,
        "token": "",
        "lease_seconds": 60,
        "renew_seconds": 2,
        "training_version": TRAINING_VERSION,
    }

    def given(gpu: str | None, processes: int = 1) -> dict[str, str]:
        config = {"engine": {"processes": processes}}
        return _environment(settings, Claim.model_validate({**claim, "dataset": data, "config": config}), gpu)

    assert given(None)["MALLOC_MMAP_MAX_"] == "0"
    assert given(None)["OMP_NUM_THREADS"] == str(settings.threads)
    assert given(None)["DEPTHBOARD_ATTEMPT"] == "7-2"
    assert given("5")["CUDA_VISIBLE_DEVICES"] == "5"
    assert given("5", processes=2)["CUDA_VISIBLE_DEVICES"] == "3,5", "all that the worker has"


def submitted(client: Client, base: dict[str, Any], losses: list[Any]) -> None:
    client.submit({"name": "some", "base": base, "factors": {"loss": losses}})


def trained(client: Client, settings: Settings) -> Claim:
    """Claim the next run and train it to its end."""
    claim = claimed(client)
    supervise(claim, settings, threading.Event())
    run = client.run(claim.run_id)
    assert run["status"] == "finished", client.api.json("GET", f"/api/runs/{claim.run_id}/log")["text"]
    return claim


def final_weights(claim: Claim, settings: Settings) -> dict[str, torch.Tensor]:
    newest = max((settings.artifacts / "runs" / str(claim.run_id)).glob("step-*.pt"))
    return dict(torch.load(newest, weights_only=True)["network"])


@on_sqlite
def test_a_run_killed_at_any_step_ends_with_the_bits_of_an_unbroken_one(
    api: str, app: FastAPI, settings: Settings
) -> None:
    """Killed twice by SIGKILL, wherever it happens to be, its lease swept, gone on from the checkpoint."""
    settings = settings.model_copy(update={"api_url": api, "renew_seconds": 0.2})
    with Client(api) as client:
        submitted(client, SHORT, ["gan"])
        for least in (10, 26):
            training = Supervised(client, settings, claimed(client))
            training.until(lambda least=least: bool(client.run(1)["step"] >= least))
            (child,) = trainings(psutil.Process())
            child.kill()
            training.thread.join(10)
            acting.expire(app, 1)
            assert sweep(app.state.database, settings) == [1]
            acting.make_due(app, 1)
        claim = trained(client, settings)
        assert claim.attempt == 3
        assert claim.resume_from
        ours = final_weights(claim, settings)
        client.api.json("DELETE", "/api/experiments/1")
        submitted(client, SHORT, ["gan"])
        whole = trained(client, settings)
        assert whole.attempt == 1
        theirs = final_weights(whole, settings)
    assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


@on_sqlite
def test_two_processes_train_as_one_does(api: str, settings: Settings) -> None:
    """With gloo on the CPU, to half a percent: a float32 sum in another order is 1e-6 off, and Adam divides small gradients by their size."""
    base = {
        "data": {"train_size": 16, "zoom": 1.2},
        "budget": {"images_seen": 96, "batch_size": 8},
        "evaluation": {"evaluations": 2, "samples": 0},
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


@on_sqlite
def test_several_processes_end_together(api: str, settings: Settings) -> None:
    with Client(api) as client:
        submitted(client, {**LONG["base"], "engine": {"processes": 2}}, ["l1"])
        quick = settings.model_copy(update={"api_url": api, "renew_seconds": 0.5})
        training = Supervised(client, quick, claimed(client))
        child = training.train()
        others = [p.pid for p in trainings(psutil.Process(child))]
        assert len(others) == 1
        training.stopping.set()
        training.thread.join(60)
        assert not training.thread.is_alive()
        assert client.run(1)["status"] == "queued"
        assert ends(others[0], 10)
        again = claimed(client)
        assert again.resume_from
        training = Supervised(client, quick, again)
        (other,) = trainings(psutil.Process(training.train()))
        other.kill()
        training.thread.join(30)
        assert not training.thread.is_alive(), "one that is killed takes the others with it"
        assert client.run(1)["status"] == "running", "and the lease gives the run to another attempt"


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
