"""A worker's slots against the real API: what it tells, what it obeys."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from backend.store.tables import Doomed, Run, Worker
from depthboard.client import Client
from depthboard.settings import Settings
from tests.worker.supervising import LONG, launched
from worker.artifacts import Folder
from worker.calibrate import Calibration
from worker.orphans import Mark
from worker.places import Places
from worker.slots import Slots

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SPEC = {"name": "one", "base": {"data": {"train_size": 8}, "budget": {"images_seen": 8, "batch_size": 8}}}


@pytest.fixture
def slots(api: str, settings: Settings) -> Iterator[Slots]:
    quick = settings.model_copy(update={"api_url": api, "poll_seconds": 0.1})
    slots = Slots(quick, Places([], 2), Calibration({}, 1.0))
    yield slots
    slots.leave.hurry.set()
    slots.stop()


def within(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_draining_worker_claims_nothing_more_and_stays(slots: Slots, app: FastAPI, api: str) -> None:
    with Client(api) as client:
        slots.start()
        within(lambda: len(client.workers()) == 1)
        (worker,) = client.workers()
        assert worker["slots"] == 2
        with app.state.database.write() as session:
            session.get_one(Worker, worker["id"]).draining = True
        within(lambda: slots._draining)
        client.submit(SPEC)
        slots.ring()
        time.sleep(0.5)
        assert client.run(1)["status"] == "queued"
        assert client.workers()[0]["alive"]
        with app.state.database.write() as session:
            session.get_one(Worker, worker["id"]).draining = False
        within(lambda: client.run(1)["status"] != "queued")


def test_a_slot_that_is_just_starting_is_waited_for(slots: Slots, monkeypatch: pytest.MonkeyPatch) -> None:
    started, begun = [], threading.Event()

    class Late(threading.Thread):
        def start(self) -> None:
            begun.set()
            time.sleep(0.2)
            super().start()
            started.append(self)

    ringing = threading.Thread(target=slots.ring)
    monkeypatch.setattr("worker.slots.threading.Thread", Late)
    ringing.start()
    begun.wait()
    slots.stop()
    assert [thread.is_alive() for thread in started] == [False]
    ringing.join()


def test_a_slot_that_gets_no_thread_is_free_again(slots: Slots, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr("worker.slots.threading.Thread.start", refuse)
        for _ in range(3):
            with pytest.raises(RuntimeError, match="new thread"):
                slots.ring()
    assert {slots._places.take(), slots._places.take()} != {None}
    assert slots._places.take() is None


def test_a_claim_of_another_release_is_given_back_and_uses_up_no_attempt(
    slots: Slots, app: FastAPI, api: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = slots._api.json

    def newer(method: str, path: str, *more: Any) -> Any:
        answer = ask(method, path, *more)
        return {**answer, "tomorrow": 1} if path == "/api/claims" and answer else answer

    monkeypatch.setattr(slots._api, "json", newer)
    with Client(api) as client:
        client.submit(SPEC)
        slots.ring()
        within(lambda: "tomorrow" in (client.run(1)["reason"] or ""))
        assert client.run(1)["status"] == "queued"
    with app.state.database.read() as session:
        assert session.get_one(Run, 1).tries == 0


def test_files_that_nothing_needs_are_deleted_and_that_is_told(
    slots: Slots, app: FastAPI, settings: Settings, tmp_path: Path
) -> None:
    folder, host = settings.artifacts / "runs" / "9f-7", Folder(settings.artifacts, "").host
    folder.mkdir(parents=True)
    ours, gone, foreign = folder / "step-1-1.pt", folder / "step-2-1.pt", tmp_path / "step-3-1.pt"
    ours.write_bytes(b"x")
    foreign.write_bytes(b"x")
    with app.state.database.write() as session:
        for file in (ours, gone, foreign):
            session.add(Doomed(path=str(file), host=host, bytes=1, created_at=func.now()))
    slots.start()
    within(lambda: not folder.exists())

    def left() -> list[str]:
        with app.state.database.read() as session:
            return list(session.scalars(select(Doomed.path)))

    within(lambda: len(left()) == 1)
    assert left() == [str(foreign)]
    assert foreign.exists(), "it is no checkpoint of this worker"


def test_a_run_over_two_gpus_gets_none_on_which_another_trains(api: str, settings: Settings) -> None:
    quick = settings.model_copy(update={"api_url": api, "poll_seconds": 0.2})
    slots = Slots(quick, Places(["0", "1"], 1), Calibration({}, 1.0))
    with Client(api) as client:
        client.submit(LONG)
        client.submit({**LONG, "base": {**LONG["base"], "engine": {"processes": 2}}})
        slots.start()
        try:
            within(lambda: client.run(1)["step"] > 2 and client.run(2)["status"] == "running", 60)
            assert [mark.run_id for mark in marks(settings)] == [1], "the second has its lease, and waits"
            client.cancel(1)
            within(lambda: [mark.run_id for mark in marks(settings)] == [2], 30)
            within(lambda: bool(launched(psutil.Process())))
            (guard,) = launched(psutil.Process())
            assert guard.environ()["CUDA_VISIBLE_DEVICES"] == "0,1"
        finally:
            slots.leave.hurry.set()
            slots.stop()
        assert client.run(2)["status"] == "queued"


def marks(settings: Settings) -> list[Mark]:
    """Of the attempts that have a folder now."""
    found = [Mark.read(folder.name) for folder in (settings.home / "attempts").iterdir()]
    return [mark for mark in found if mark is not None]
