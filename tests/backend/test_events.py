"""The live stream, over a real server and real sockets."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import httpx2
from fastapi import FastAPI
from sqlalchemy import update

from backend.events import WAITING, Listener, Numbered, concerns
from backend.schemas import LiveEvent
from backend.store import outbox
from backend.store.tables import Event as Row
from tests.backend import acting

Event = dict[str, Any]


class Stream:
    """Reads a stream of events on a thread."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.events: list[Event] = []
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(lines,), daemon=True)
        self._thread.start()

    def _read(self, lines: Iterable[bytes]) -> None:
        event: Event = {}
        for line in lines:
            name, _, value = line.decode().rstrip("\r\n").partition(": ")
            if name:
                event[name] = value
            elif event:
                with self._changed:
                    self.events.append({**event, "data": json.loads(event.get("data", "null"))})
                    self._changed.notify_all()
                event = {}

    def wait_for(self, kind: str, count: int = 1, timeout: float = 20.0) -> list[Event]:
        def found() -> list[Event]:
            return [event for event in self.events if event.get("event") == kind]

        with self._changed:
            assert self._changed.wait_for(lambda: len(found()) >= count, timeout), self.events
            return found()

    def join(self) -> None:
        self._thread.join(10)


@contextmanager
def listening(api: str, path: str = "/api/events", **headers: str) -> Iterator[Stream]:
    address = urlsplit(api)
    connection = HTTPConnection(address.hostname or "", address.port, timeout=60)
    connection.request("GET", path, headers=headers)
    wire = connection.sock
    answer = connection.getresponse()
    assert answer.headers["content-type"].startswith("text/event-stream")
    stream = Stream(answer)
    stream.wait_for("hello")
    try:
        yield stream
    finally:
        wire.shutdown(socket.SHUT_RDWR)  # closing alone would leave the reading thread's end open
        stream.join()
        connection.close()


@contextmanager
def http(api: str) -> Iterator[Any]:
    with httpx2.Client(base_url=api, timeout=30, trust_env=False) as client:
        yield client


def test_a_listener_hears_of_what_happens_to_its_experiment_and_of_no_other(api: str) -> None:
    with http(api) as client:
        experiment = acting.submit(client, factors={"loss": ["l1"]})
        acting.submit(client, name="other", factors={"loss": ["l2"]})
        with listening(api, f"/api/events?experiment={experiment['id']}") as stream:
            attempt = acting.claimed(client)
            assert stream.wait_for("run")[-1]["data"]["data"]["status"] == "running"
            attempt.points(range(1, 3))
            stream.wait_for("points")
            acting.claimed(client)  # the other experiment's
            attempt.evaluate(2)
            stream.wait_for("evaluation")
            attempt.finish()
            last = stream.wait_for("run", 2)[-1]
    assert last["data"]["data"]["status"] == "finished"
    assert last["data"]["experiment_ids"] == [experiment["id"]]
    ids = [int(event["id"]) for event in stream.events]
    assert ids == sorted(ids)
    assert {event["data"].get("run_id") for event in stream.events[1:]} == {attempt.run_id}


def test_who_comes_back_gets_what_was_missed_and_nothing_twice(api: str) -> None:
    with http(api) as client:
        acting.submit(client)
        with listening(api) as stream:
            client.put("/api/workers/worker-0001", json={"host": "h", "device": "cpu"})
            seen = int(stream.wait_for("worker")[0]["id"])
        acting.submit(client, name="while away")
        attempt = acting.claimed(client)
        for step in (1, 2, 3):
            attempt.evaluate(step)
        with listening(api, **{"Last-Event-ID": str(seen)}) as back:
            missed = back.wait_for("evaluation", 3)
            assert [e["data"]["data"]["step"] for e in missed] == [1, 2, 3]
            assert [e["event"] for e in back.events if e["event"] == "worker"] == []
            attempt.evaluate(4)
            assert len(back.wait_for("evaluation", 4)) == 4


def test_who_was_away_too_long_is_told_to_load_anew(api: str, app: FastAPI) -> None:
    with http(api) as client:
        acting.submit(client)
        acting.submit(client, name="second")
        with app.state.database.write() as session:
            outbox.sequence(session)
            session.execute(update(Row).values(created_at=datetime(2026, 1, 1, tzinfo=UTC)))
            outbox.prune(session, datetime.now(UTC))
        with listening(api, **{"Last-Event-ID": "1"}) as stream:
            stream.wait_for("resync")


def test_the_table_is_read_only_while_somebody_listens(api: str, app: FastAPI) -> None:
    broadcaster = app.state.broadcaster
    assert broadcaster._poller is None
    with listening(api), listening(api):
        assert broadcaster._poller is not None
    end = time.monotonic() + 10
    while broadcaster._poller is not None and time.monotonic() < end:
        time.sleep(0.02)
    assert broadcaster._poller is None


def test_a_slow_listener_is_told_to_load_anew_and_keeps_nobody_waiting() -> None:
    async def flood() -> Numbered | None:
        listener = Listener()
        event = LiveEvent(kind="run", run_id=1)
        for i in range(WAITING + 1):
            listener.give(Numbered(i, event))
        return listener.queue.get_nowait()

    assert asyncio.run(flood()) == Numbered(WAITING, None)


def test_events_concern_their_run_their_experiments_and_workers_everybody() -> None:
    event = LiveEvent(kind="points", run_id=1, experiment_ids=[5])
    assert concerns(event, None, None)
    assert concerns(event, 5, None)
    assert not concerns(event, 6, None)
    assert concerns(event, None, 1)
    assert not concerns(event, None, 2)
    assert concerns(LiveEvent(kind="worker"), 6, 2)
