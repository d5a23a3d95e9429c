"""Two people, or a person and a worker, at the same moment; and writers that send too much."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from fastapi import FastAPI

from backend.sweeper import sweep
from depthboard.client import Api, Client
from depthboard.errors import Conflict
from depthboard.protocol import LogText
from depthboard.settings import Settings
from tests.backend.acting import expire
from tests.faults import stored
from tests.faults.acting import Actor, claim, claimed, spec
from tests.faults.checker import check
from tests.faults.history import History
from tests.faults.product import Product

MEGABYTE = 2**20


def race(*sides: Callable[[], object]) -> None:
    """All at once; a conflict is one of the ways in which a race may end."""
    start = threading.Barrier(len(sides))

    def run(side: Callable[[], object]) -> None:
        start.wait()
        try:
            side()
        except Conflict:
            return

    threads = [threading.Thread(target=run, args=(side,)) for side in sides]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def cancel_race(api: str, app: FastAPI, settings: Settings, history: History, rounds: int) -> None:
    with Client(api) as client, Client(api) as person:
        for number in range(rounds):
            experiment = client.submit(spec(0, steps=4) | {"factors": {"seed": [number]}})["id"]
            (run,) = client.runs(experiment)
            actors: list[Actor] = []

            def work(actors: list[Actor] = actors, until: int = number % 4) -> None:
                """Get as far as the round's number says: claiming, writing, finishing, lost."""
                given = claim(client.api, history)
                if given is None:
                    return
                actors.append(Actor(given, api, history))
                if until > 0:
                    actors[0].points(4)
                if until > 1:
                    actors[0].finish()
                if until == 3:
                    actors[0].finish()

            race(work, lambda run=run: person.cancel(run["id"]))
            for actor in actors:
                settle(client, app, settings, actor)
                actor.close()
            assert client.run(run["id"])["status"] in ("cancelled", "finished")


def settle(client: Client, app: FastAPI, settings: Settings, actor: Actor) -> None:
    """Its worker hears of the wish, or dies of its lease."""
    run = client.run(actor.claim.run_id)
    if run["status"] == "running":
        assert run["cancel_requested"]
        expire(app, run["id"])
        race(lambda: sweep(app.state.database, settings), actor.renew, lambda: sweep(app.state.database, settings))
        if client.run(run["id"])["status"] == "running":  # the renewal came first
            expire(app, run["id"])
            sweep(app.state.database, settings)


def test_a_cancelled_run_ends_once_however_far_its_worker_was(
    api: str, app: FastAPI, settings: Settings, tmp_path: Path
) -> None:
    """F23: cancel against claim, write, finish and sweep; 200 rounds of each in the long run."""
    history = History(tmp_path / "history")
    cancel_race(api, app, settings, history, 40)
    assert check(history.entries(), stored.read(settings.database)) == []
    history.close()


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_cancelled_run_ends_once_in_a_thousand_races(
    api: str, app: FastAPI, settings: Settings, tmp_path: Path
) -> None:
    """F23."""
    history = History(tmp_path / "history")
    cancel_race(api, app, settings, history, 800)
    assert check(history.entries(), stored.read(settings.database)) == []
    history.close()


def test_a_burst_of_log_and_of_names_leaves_the_api_small(tmp_path: Path) -> None:
    """F27: 60 MB of log in one burst and 20,000 names; the API keeps the log's end and grows by less than 300 MB."""
    burst(tmp_path, megabytes=60, names=20_000)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_half_a_gigabyte_of_log_and_a_hundred_thousand_names_leave_the_api_small(tmp_path: Path) -> None:
    """F27."""
    burst(tmp_path, megabytes=500, names=100_000)


def burst(folder: Path, megabytes: int, names: int) -> None:
    with Product(folder, lease=600.0) as product:
        api = psutil.Process(product.start_api().pid)
        product.client.submit(spec(1, steps=1000))
        actor = Actor(claimed(product.client.api, product.history), product.url, product.history)
        before = api.memory_info().rss
        line = "x" * 999_999 + "\n"
        for number in range(megabytes):
            actor.writer.log(LogText(offset=number * len(line), text=line))
        for first in range(0, names, 1000):
            _write_names(actor, first)
        assert api.memory_info().rss - before < 300 * MEGABYTE
        kept = product.client.api.json("GET", f"/api/runs/{actor.claim.run_id}/log")
        assert kept["truncated"]
        assert len(kept["text"]) < 4 * MEGABYTE
        assert (product.home / "depthboard.sqlite3").stat().st_size < 150 * MEGABYTE
        actor.close()


def _write_names(actor: Actor, first: int) -> None:
    """A thousand new names in one row."""
    block = {"keys": [f"metric/{first + i}" for i in range(1000)], "steps": [1], "walls": [0.0], "values": [0.5] * 1000}
    api = Api(actor.writer.api.url, token=actor.claim.token)
    api.json("POST", f"{actor.writer.path}/points", {"first_seq": first // 1000, "blocks": [block]})
    api.close()
