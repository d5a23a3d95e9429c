"""Real trainings under a supervisor in this process, against the real API."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from depthboard.client import Client
from depthboard.experiment import TRAINING_VERSION
from depthboard.protocol import Claim, ClaimRequest
from depthboard.settings import Settings
from worker.supervise import Leave, supervise

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

LONG = {
    "name": "long",
    "base": {
        "data": {"train_size": 8},
        "budget": {"images_seen": 80_000, "batch_size": 8},
        "evaluation": {"evaluations": 1, "samples": 0},
    },
}


def launched(process: psutil.Process) -> list[psutil.Process]:
    """The process's children that guard or train; one that has ended and was not waited for has no command line."""
    alive = [child for child in process.children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "worker.launch" in child.cmdline()]


def training() -> psutil.Process:
    """The one that this process supervises."""
    (guard,) = launched(psutil.Process())
    (child,) = launched(guard)
    return child


@dataclass
class Supervised:
    """A claimed run of the real API that trains under `supervise` in a thread."""

    client: Client
    settings: Settings
    claim: Claim
    leave: Leave = field(default_factory=Leave)

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=supervise, args=(self.claim, self.settings, self.leave))
        self.thread.start()

    def until(self, condition: Callable[[], bool], seconds: float = 90) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end
            time.sleep(0.1)

    def train(self) -> int:
        """Wait for some steps; the process that trains."""
        begin = self.claim.resume_from[0].step if self.claim.resume_from else 0
        self.until(lambda: bool(self.run["step"] > begin + 2))
        return training().pid

    def ended(self, seconds: float) -> dict[str, Any]:
        """The run, once the attempt has ended."""
        self.thread.join(seconds)
        assert not self.thread.is_alive()
        return self.run

    @property
    def run(self) -> dict[str, Any]:
        return self.client.run(self.claim.run_id)

    @property
    def folders(self) -> list[Path]:
        return list((self.settings.home / "attempts").iterdir())


def claimed(client: Client) -> Claim:
    request = ClaimRequest(worker_id="supervised", host="here", training_version=TRAINING_VERSION)
    return Claim.model_validate(client.api.json("POST", "/api/claims", request))


def submitted(client: Client, base: dict[str, Any], losses: list[Any]) -> None:
    client.submit({"name": "some", "base": base, "factors": {"loss": losses}})


def ends(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while True:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        if time.monotonic() > end:
            return False
        time.sleep(0.05)


def begun(api: str, settings: Settings, spec: dict[str, Any], **changes: Any) -> Iterator[Supervised]:
    with Client(api) as client:
        client.submit(spec)
        quick = settings.model_copy(update={"api_url": api, "renew_seconds": 0.5, **changes})
        attempt = Supervised(client, quick, claimed(client))
        yield attempt
        attempt.leave.stopping.set()
        attempt.leave.hurry.set()
        attempt.thread.join(60)
        assert not attempt.thread.is_alive()
