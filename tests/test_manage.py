"""The commands on experiments, the queue and workers, against the real application."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from depthboard import manage
from depthboard.cli import app as commands
from depthboard.client import Client
from depthboard.errors import InvalidInput
from tests.backend import acting

SPEC: dict[str, Any] = {**acting.SPEC, "factors": {"loss": ["l1", "l2"]}}

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def at(api: str) -> Iterator[Client]:
    with Client(api) as client:
        yield client


@pytest.fixture
def say(at: Client, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run a command on the application and return what it prints."""
    monkeypatch.setattr(manage, "Client", lambda: at)
    monkeypatch.setattr(manage.console, "_width", 200)

    def run(*words: object) -> str:
        done = CliRunner().invoke(commands, [str(word) for word in words])
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return done.output

    return run


def test_an_experiment_is_paused_resumed_deleted_and_restored(say: Callable[..., str], at: Client) -> None:
    id = at.submit(SPEC)["id"]
    assert "0 of 2" in say("experiments")
    assert say("pause", id).startswith(f"Experiment {id} is paused: 2 runs held.")
    assert "paused" in say("experiments")
    assert "held: paused or in the trash" in say("queue")
    assert "2 runs in the queue" in say("resume", id)
    assert f"`depthboard restore {id}`" in say("delete", id)
    assert "two losses" not in say("experiments")
    assert "in the trash" in say("experiments", "--trash")
    assert "is back: two losses" in say("restore", id)
    assert "is gone." in say("delete", id, "--now")
    assert at.experiments() == []
    assert say("empty-trash").startswith("0 experiments removed.")


def test_runs_are_retried_by_one_by_kind_and_by_missing_cell(say: Callable[..., str], at: Client) -> None:
    id = at.submit(SPEC)["id"]
    first, second = (run["id"] for run in at.runs(id))
    assert say("cancel", first) == f"Run {first}: cancelled.\n"
    assert say("retry", first) == f"Run {first}: queued.\n"
    at.cancel(second)
    assert say("retry", "--failed", id) == f"0 failed runs of experiment {id} in the queue again.\n"
    assert say("retry", "--cancelled", id) == f"1 cancelled run of experiment {id} in the queue again.\n"
    at.cancel(second)
    assert say("retry", "--missing", id) == "1 run queued again, 0 made anew.\n"
    with pytest.raises(InvalidInput, match="one run or one of"):
        say("retry", first, "--failed", id)


def test_a_run_is_put_to_the_front_of_the_queue(say: Callable[..., str], at: Client) -> None:
    first, second = (run["id"] for run in at.runs(at.submit(SPEC)["id"]))
    say("queue", "--first", second)
    assert [entry["run"]["id"] for entry in at.queue()] == [second, first]


def test_a_worker_is_drained_by_the_beginning_of_its_id(say: Callable[..., str], at: Client) -> None:
    for name in ("abcd0001", "abcd0002"):
        at.api.json("PUT", f"/api/workers/{name}", {"host": "gpu-07", "device": "cpu"})
    assert "finishing, takes nothing more" in say("workers", "--drain", "abcd0001")
    assert "finishing" not in say("workers", "--undrain", "abcd0001")
    with pytest.raises(InvalidInput, match="2 workers' ids begin"):
        say("workers", "--drain", "abcd")
