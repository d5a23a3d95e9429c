"""The client of people's own scripts against the real API on both databases, in one process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fastapi import FastAPI
from sqlalchemy import delete, func, select

import depthboard
from backend.store.tables import Chunk, Run, Sequence
from backend.sweeper import sweep
from depthboard.client import Client
from depthboard.settings import Settings, get_settings
from tests.backend import acting

START = {"experiment": "my study", "name": "l1, my network"}


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The person's home, which no API shares."""
    monkeypatch.setenv("DEPTHBOARD_HOME", str(tmp_path / "person"))
    get_settings.cache_clear()
    yield
    monkeypatch.undo()
    get_settings.cache_clear()


def curve(api: str, run_id: int, key: str) -> list[float]:
    with Client(api) as client:
        answer = client.api.json("GET", f"/api/runs/{run_id}/metrics", key=key, max_points=1_000_000)
    return list(answer["series"][key]["value"])


def test_a_script_is_recorded_whole(api: str) -> None:
    with depthboard.start(**START, params={"loss": "l1", "batch_size": 4}, url=api) as run:
        for step in range(12_000):
            run.log({"a": step, "b": -step} if step % 2 else {"a": step}, step=step)
        run.log_depth("frame 1", np.ones((8, 8)), step=3)
    assert run.number is not None
    assert curve(api, run.number, "a") == list(range(12_000))
    assert curve(api, run.number, "b") == [-step for step in range(1, 12_000, 2)]
    with Client(api) as client:
        assert client.run(run.number)["status"] == "finished"


def test_a_database_that_was_restored_from_a_backup_gets_what_it_lacks_again(api: str, app: FastAPI) -> None:
    run = depthboard.start(**START, url=api)
    for half in (range(500), range(500, 1000)):
        for step in half:
            run.log({"a": step}, step=step)
        assert run.flush()
    with app.state.database.write() as session:
        known = session.scalars(select(Sequence)).one()
        kept = session.scalar(select(func.min(Chunk.first_seq)).where(Chunk.first_seq > 0))
        assert kept is not None
        session.execute(delete(Chunk).where(Chunk.first_seq >= kept))
        known.last_seq = kept - 1
    run.log({"a": 1000}, step=1000)
    assert run.finish()
    assert run.number is not None
    assert curve(api, run.number, "a") == list(range(1001))


def test_a_script_that_was_swept_while_it_was_silent_goes_on(api: str, app: FastAPI, settings: Settings) -> None:
    run = depthboard.start(**START, url=api)
    run.log({"a": 0}, step=0)
    assert run.flush()
    assert run.number is not None
    acting.expire(app, run.number)
    sweep(app.state.database, settings)
    with app.state.database.read() as session:
        assert session.get_one(Run, run.number).status == "failed"
    run.log({"a": 1}, step=1)
    assert run.finish()
    with app.state.database.read() as session:
        assert session.get_one(Run, run.number).status == "finished"
    assert curve(api, run.number, "a") == [0, 1]
