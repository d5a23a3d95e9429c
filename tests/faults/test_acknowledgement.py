"""An answer means that it was committed, whatever happens to the API right after."""

from __future__ import annotations

import contextlib
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import event

from depthboard.client import Client
from depthboard.errors import DepthboardError
from tests.faults import stored
from tests.faults.acting import Actor, claimed, spec
from tests.faults.checker import check
from tests.faults.history import History


def test_a_write_whose_commit_fails_is_not_acknowledged(app: FastAPI, api: str, tmp_path: Path) -> None:
    """F13 in one process: the database breaks off at every third commit."""
    history = History(tmp_path / "history")
    commits = 0

    def break_off(_connection: object) -> None:
        nonlocal commits
        commits += 1
        if commits % 3 == 0:
            raise ConnectionError("the database is gone")

    with Client(api) as client:
        client.submit(spec(1))
        actor = Actor(claimed(client.api, history), api, history, patience=0)
        event.listen(app.state.database.writer, "commit", break_off)
        for step in range(20):
            with contextlib.suppress(DepthboardError):
                actor.points(1)
            with contextlib.suppress(DepthboardError):
                actor.evaluate(step)
        event.remove(app.state.database.writer, "commit", break_off)
        assert 0 < actor.sent < 20
        assert check(history.entries(), stored.read(app.state.settings.database), ended=False) == []
        actor.close()
    history.close()
