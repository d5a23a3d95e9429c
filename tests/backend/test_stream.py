"""The live stream against many writers, two API processes and listeners that come and go: nothing missed, nothing twice."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from starlette.testclient import TestClient

from backend.store import outbox
from backend.store.session import Database
from backend.store.tables import Event, Experiment, ExperimentRun, Run
from tests.backend import acting
from tests.backend.test_events import http, listening

ROOT = Path(__file__).parents[2]
SEED = int(os.environ.get("DEPTHBOARD_TEST_SEED", "20261121"))
WRITERS, LISTENERS, TRANSACTIONS = 6, 4, 25
KINDS = ("run", "points", "evaluation", "prediction", "log")


@contextlib.contextmanager
def processes(count: int, database_url: str, home: Path) -> Iterator[list[str]]:
    """So many API processes on one database: their addresses."""
    started, urls = [], []
    for i in range(count):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "DEPTHBOARD_HOME": str(home / str(i)),
            "DEPTHBOARD_DATABASE_URL": database_url,
            "DEPTHBOARD_PORT": str(port),
        }
        command = [sys.executable, "-m", "backend.serve"]
        started.append(subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL))
        urls.append(f"http://127.0.0.1:{port}")
    try:
        for url in urls:
            _wait_for(url)
        yield urls
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(20)


def _wait_for(url: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            with contextlib.closing(HTTPConnection(urlsplit(url).netloc, timeout=5)) as connection:
                connection.request("GET", "/api/health")
                if connection.getresponse().status == 200:
                    return
        except OSError:
            assert time.monotonic() < end, "the API did not start"
            time.sleep(0.1)


class Listener:
    """Hears the stream through many short connections, each to either process, each going on from the last id heard."""

    def __init__(self, urls: list[str], seed: int) -> None:
        self.urls, self.draw = urls, random.Random(seed)
        self.last = "0"
        self.heard: list[tuple[int, str, dict[str, Any]]] = []
        self.connections = 0

    def listen(self, done: threading.Event, seconds: float) -> None:
        """Until `done` is set, then as long as it takes to hear nothing for `seconds`."""
        quiet_since = time.monotonic()
        while not done.is_set() or time.monotonic() - quiet_since < seconds:
            before = len(self.heard)
            with contextlib.suppress(OSError, HTTPException):
                self._once(self.draw.choice([0, 1, 3, 10, 30]))
            if len(self.heard) > before or not done.is_set():
                quiet_since = time.monotonic()
            time.sleep(self.draw.choice([0, 0, 0.02, 0.2]))

    def _once(self, most: int) -> None:
        """Leave after `most` events, the hello counted, or after a moment without any."""
        self.connections += 1
        connection = HTTPConnection(urlsplit(self.draw.choice(self.urls)).netloc, timeout=1)
        connection.request("GET", "/api/events", headers={"Last-Event-ID": self.last})
        with contextlib.closing(connection):
            fields: dict[str, str] = {}
            for line in connection.getresponse():
                name, _, value = line.decode().rstrip("\r\n").partition(": ")
                if name:
                    fields[name] = value
                elif "id" in fields:
                    self._received(fields)
                    fields = {}
                    most -= 1
                    if most < 0:
                        return

    def _received(self, fields: dict[str, str]) -> None:
        """As a browser does: the id counts once the event is whole."""
        self.last = fields["id"]
        assert fields["event"] != "resync"
        if fields["event"] != "hello":
            self.heard.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))


def write(database: Database, runs: list[int], seed: int) -> list[tuple[int, int]]:
    """Transactions that publish, dawdle, and then commit or not; returns (run, number) of the evaluations committed."""
    draw = random.Random(seed)
    committed = []
    for number in range(TRANSACTIONS):
        chosen = sorted(draw.sample(runs, draw.choice([1, 1, 2])))
        noted = []
        with contextlib.suppress(ZeroDivisionError), database.write() as session:
            for run_id in chosen:
                run = session.get_one(Run, run_id, with_for_update=True)
                run.step += 1
                kind = draw.choice(KINDS)
                outbox.add(session, kind, run_id=run_id, step=run.step, tag=f"{seed}-{number}")
                if kind == "evaluation":
                    noted.append((run_id, run.step))
            outbox.publish(session)
            time.sleep(draw.choice([0, 0, 0.005, 0.05]))
            if draw.random() < 0.2:
                raise ZeroDivisionError
        committed.append(noted)
    return [pair for noted in committed for pair in noted]


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_listeners_that_come_and_go_between_two_processes_hear_every_change_once_and_in_order(
    client: TestClient, app: FastAPI, database_url: str, tmp_path: Path
) -> None:
    for name in ("a", "b", "c"):
        acting.submit(client, name=name, factors={"loss": ["l1", "l2"], "seed": [0, 1] if name == "b" else [0]})
    database: Database = app.state.database
    with database.read() as session:
        runs = sorted(session.scalars(select(Run.id)))
    done = threading.Event()
    with processes(2, database_url, tmp_path) as urls:
        listeners = [Listener(urls, SEED + i) for i in range(LISTENERS)]
        with ThreadPoolExecutor(WRITERS + LISTENERS) as pool:
            hearing = [pool.submit(listener.listen, done, 3.0) for listener in listeners]
            writing = [pool.submit(write, database, runs, SEED + 100 + i) for i in range(WRITERS)]
            for writer in writing:
                writer.result()
            done.set()
            for ear in hearing:
                ear.result()
    for listener in listeners:
        _check(database, listener)


def _check(database: Database, listener: Listener) -> None:
    """What was heard rises, repeats nothing, and tells what the database holds."""
    places = [place for place, _, _ in listener.heard]
    assert places == sorted(set(places)), "in order, nothing twice"
    versions: dict[str, int] = defaultdict(int)
    newest: dict[int, int] = {}
    for _, _, event in listener.heard:
        for experiment, version in event["versions"].items():
            assert version >= versions[experiment], "events of one transaction share its version"
            versions[experiment] = version
        if event["run_id"] is not None and "step" in event["data"]:
            newest[event["run_id"]] = max(newest.get(event["run_id"], 0), event["data"]["step"])
    with database.read() as session:
        kept = session.execute(
            select(Event.position, Event.kind, Event.run_id, Event.data).order_by(Event.position)
        ).all()
        now = {str(id): version for id, version in session.execute(select(Experiment.id, Experiment.version))}
        steps = {row.id: row.step for row in session.execute(select(Run.id, Run.step))}
    assert versions == now, "after catching up it is where the database is"
    heard = {place: event for place, _, event in listener.heard}
    assert [row.position for row in kept if row.position not in heard] == [], "nothing that is kept was missed"
    assert newest == {run_id: step for run_id, step in steps.items() if run_id in newest}
    assert listener.connections > 5


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_what_one_process_commits_the_other_tells_within_a_moment(
    client: TestClient, database_url: str, tmp_path: Path
) -> None:
    with processes(1, database_url, tmp_path) as (url,), listening(url) as stream:
        begun = time.monotonic()
        acting.submit(client)
        stream.wait_for("experiment")
        assert time.monotonic() - begun < 5


def test_a_client_that_was_away_for_an_hour_gets_exactly_what_it_missed(api: str, app: FastAPI) -> None:
    with http(api) as client:
        acting.submit(client)
        with listening(api) as stream:
            attempt = acting.claimed(client)
            seen = int(stream.wait_for("run")[-1]["id"])
        for step in range(1, 6):
            attempt.evaluate(step)
            attempt.points(range(step, step + 1))
        acting.submit(client, name="while away")
        database: Database = app.state.database
        with database.write() as session:
            session.execute(update(Event).values(created_at=datetime.now(UTC) - timedelta(hours=1)))
            outbox.prune(session, datetime.now(UTC))
        with listening(api, **{"Last-Event-ID": str(seen)}) as back:
            back.wait_for("experiment")
            told = [(int(e["id"]), e["event"]) for e in back.events if e["event"] != "hello"]
    with database.read() as session:
        missed = session.execute(
            select(Event.position, Event.kind).where(Event.position > seen).order_by(Event.position)
        )
        assert told == [tuple(row) for row in missed]
    assert [kind for _, kind in told].count("points") == 1, "of points only the newest is told"
    assert [kind for _, kind in told].count("evaluation") == 5


def test_who_is_cut_off_while_catching_up_has_lost_nothing(api: str) -> None:
    with http(api) as client:
        acting.submit(client)
        with listening(api) as stream:
            seen = stream.events[0]["id"]
        attempt = acting.claimed(client)
        attempt.evaluate(1)
        with listening(api, **{"Last-Event-ID": seen}) as back:
            greeted = back.events[0]
        with listening(api, **{"Last-Event-ID": greeted["id"]}) as again:
            again.wait_for("evaluation")


def test_nobody_listening_for_days_and_then_coming_back_is_told_to_load_anew(api: str, app: FastAPI) -> None:
    with http(api) as client:
        acting.submit(client)
        with listening(api) as stream:
            seen = stream.events[0]["id"]
        acting.submit(client, name="second")  # nobody listens: it gets no place
        with app.state.database.write() as session:
            session.execute(update(Event).values(created_at=datetime.now(UTC) - timedelta(days=2)))
            outbox.prune(session, datetime.now(UTC))
        with listening(api, **{"Last-Event-ID": seen}) as back:
            back.wait_for("resync")


def test_a_place_that_this_database_never_came_to_means_load_anew(api: str) -> None:
    with http(api) as client, listening(api, **{"Last-Event-ID": "999999"}) as stream:
        again = stream.wait_for("resync")[0]
        acting.submit(client)
        assert int(stream.wait_for("experiment")[0]["id"]) > int(again["id"])


def test_a_listener_hears_at_once_what_its_own_process_commits(app: FastAPI, api: str) -> None:
    """Without waiting for the next look at the table, which is made to be far away here."""
    from backend import events

    with pytest.MonkeyPatch.context() as patch, http(api) as client:
        patch.setattr(events, "POLL_SECONDS", 60.0)
        with listening(api) as stream:
            acting.submit(client)
            stream.wait_for("experiment", timeout=10)
    assert app.state.broadcaster is not None


def test_links_decide_which_experiments_hear_of_a_run(client: TestClient, app: FastAPI) -> None:
    first, second = acting.submit(client), acting.submit(client, name="the same runs")
    attempt = acting.claimed(client)
    attempt.evaluate(1)
    with app.state.database.write() as session:
        outbox.sequence(session)
    with app.state.database.read() as session:
        told = [event for event in outbox.read_after(session, 0) if event.kind == "evaluation"]
        linked = session.scalars(
            select(ExperimentRun.experiment_id).where(ExperimentRun.run_id == attempt.run_id)
        ).all()
    assert sorted(told[0].experiment_ids) == sorted(linked) == [first["id"], second["id"]]
    assert set(told[0].versions or {}) == {str(first["id"]), str(second["id"])}
