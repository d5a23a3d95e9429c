"""Answers kept by the version of their experiment: never asked for twice, never one that no longer holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from starlette.testclient import TestClient

from backend.app import make_app
from backend.kept import Body, Shelf
from backend.store import datasets, outbox
from backend.store.session import Database
from depthboard.datasets import ROOMS
from depthboard.settings import Settings
from tests.backend import acting
from tests.conftest import BASE_URL

ANSWERS = (
    "figures/convergence",
    "figures/dataset-size",
    "figures/encoders",
    "figures/results?theme=dark",
    "results",
    "results?format=csv",
    "sharpness",
    "qualitative",
    "curves",
    "curves?format=binary",
)


def address(experiment: dict[str, Any], what: str) -> str:
    return f"/api/experiments/{experiment['id']}/{what}"


@contextmanager
def questions(app: FastAPI) -> Iterator[list[str]]:
    """The statements that the database is asked meanwhile."""
    asked: list[str] = []
    engine = app.state.database.reader

    def note(*arguments: Any) -> None:
        asked.append(arguments[2])

    event.listen(engine, "before_cursor_execute", note)
    yield asked
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("what", ANSWERS)
def test_who_has_an_answer_that_holds_is_told_so_before_anything_is_gathered(
    client: TestClient, app: FastAPI, what: str
) -> None:
    experiment = acting.submit(client)
    acting.claimed(client).evaluate(5)
    first = client.get(address(experiment, what))
    assert first.headers["cache-control"] == "no-cache"
    with questions(app) as asked:
        again = client.get(address(experiment, what), headers={"If-None-Match": first.headers["etag"]})
        kept = client.get(address(experiment, what))
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert kept.content == first.content
    gathered = [statement for statement in asked if "experiment_run" in statement or "evaluation" in statement]
    assert gathered == []


def test_what_no_longer_exists_is_not_found_whatever_is_kept(client: TestClient) -> None:
    experiment = acting.submit(client)
    etag = client.get(address(experiment, "results")).headers["etag"]
    client.delete(f"/api/experiments/{experiment['id']}?now=true")
    gone = client.get(address(experiment, "results"), headers={"If-None-Match": etag})
    assert gone.status_code == 404


class Reader:
    """A browser: it asks again with what it has, and compares whatever is said to hold with an answer made anew."""

    def __init__(self, client: TestClient, app: FastAPI, experiment: dict[str, Any]) -> None:
        self.client, self.app, self.experiment = client, app, experiment
        self.has: dict[str, tuple[str, bytes]] = {}

    def look(self) -> set[str]:
        """Read everything; returns what changed."""
        changed = set()
        for what in ANSWERS:
            path = address(self.experiment, what)
            etag, body = self.has.get(what, ("", b""))
            answer = self.client.get(path, headers={"If-None-Match": etag})
            self.app.state.shelf = Shelf()
            made = self.client.get(path).content
            if answer.status_code == 304:
                assert made == body, what
            else:
                assert made == answer.content, what
                self.has[what] = (answer.headers["etag"], made)
                if made != body:
                    changed.add(what)
        return changed


def test_whatever_happens_to_an_experiment_no_answer_is_said_to_hold_that_would_be_another_now(
    client: TestClient, app: FastAPI
) -> None:
    experiment = acting.submit(client)
    reader = Reader(client, app, experiment)
    reader.look()
    attempt = acting.claimed(client)
    reader.look()
    attempt.frames()

    def expect(what: str, act: Callable[[], Any]) -> None:
        act()
        assert what in reader.look(), what

    expect("figures/convergence", lambda: attempt.evaluate(5))
    expect("curves", lambda: attempt.points(range(1, 6)))
    expect("qualitative", lambda: attempt.predict(5))
    expect("qualitative", lambda: attempt.renew(7, speed=50.0))
    expect("qualitative", lambda: attempt.renew(7, speed=80.0))
    expect("figures/convergence", lambda: attempt.evaluate(10, 0.4))
    expect("figures/convergence", lambda: attempt.points(range(6, 9), value=float("nan")))
    attempt.checkpoint(20)
    attempt.evaluate(20, 0.3)
    reader.look()
    expect("qualitative", lambda: attempt.finish())
    rescored = acting.evaluation(20, 0.7, protocol="bts-0.001-10m-native-v2")
    body = {
        "evaluation": rescored,
        "checkpoint_sha256": f"{20:064x}",
        "data_fingerprint": attempt.claim["dataset"]["fingerprint"],
    }
    assert client.post(f"{attempt.path}/rescored", json=body).status_code == 204
    reader.look()
    other = acting.claimed(client)
    other.points(range(1, 3))
    other.finish("failed", "no reason")
    reader.look()
    client.post(f"{other.path}/retry")
    reader.look()
    client.post(f"/api/experiments/{experiment['id']}/cancel")
    reader.look()
    for change in ({"name": "another name"}, {"description": "what for"}, {"tags": ["pilot"]}, {"archived": True}):
        assert client.patch(f"/api/experiments/{experiment['id']}", json=change).status_code == 200
        reader.look()
    with app.state.database.write() as session:
        datasets.put(session, ROOMS.model_copy(update={"format": "nyuv2_mat"}), None)
    reader.look()


def test_an_etag_never_stands_for_two_bodies_while_others_write(client: TestClient, app: FastAPI) -> None:
    """Nothing is kept here, so that every answer is gathered beside the writers."""
    experiment = acting.submit(client, factors={"loss": ["l1", "eigen"], "seed": [0, 1]})
    attempts = [acting.claimed(client, worker=f"worker-{i:04d}") for i in range(4)]
    app.state.shelf = Shelf(0)
    seen: dict[tuple[str, str], set[bytes]] = {}
    writing = threading.Event()

    def write(attempt: acting.Attempt) -> None:
        for step in range(1, 11):
            attempt.evaluate(step, 1 / step)
            attempt.points(range(step, step + 1))

    def read(what: str) -> None:
        while not writing.is_set():
            answer = client.get(address(experiment, what))
            seen.setdefault((what, answer.headers["etag"]), set()).add(answer.content)

    with ThreadPoolExecutor(7) as pool:
        readers = [pool.submit(read, what) for what in ("figures/convergence", "qualitative", "curves")]
        for writer in [pool.submit(write, attempt) for attempt in attempts]:
            writer.result()
        writing.set()
        for reader in readers:
            reader.result()
    assert len(seen) > 10
    assert {len(bodies) for bodies in seen.values()} == {1}


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_two_api_processes_give_the_same_answer_the_same_name_and_see_each_others_changes(
    client: TestClient, settings: Settings
) -> None:
    experiment = acting.submit(client)
    with TestClient(make_app(settings), base_url=BASE_URL) as other:
        attempt = acting.claimed(client)
        for what in ANSWERS:
            ours, theirs = client.get(address(experiment, what)), other.get(address(experiment, what))
            assert (ours.headers["etag"], ours.content) == (theirs.headers["etag"], theirs.content)
        before = client.get(address(experiment, "figures/convergence"))
        acting.Attempt(other, attempt.claim).evaluate(5)
        after = client.get(
            address(experiment, "figures/convergence"), headers={"If-None-Match": before.headers["etag"]}
        )
        assert (after.status_code, after.content != before.content) == (200, True)


def test_progress_changes_no_figure_and_costs_none(client: TestClient) -> None:
    experiment = acting.submit(client)
    attempt = acting.claimed(client)
    etag = client.get(address(experiment, "figures/convergence")).headers["etag"]
    attempt.points(range(1, 6))
    attempt.renew(5)
    assert client.get(address(experiment, "figures/convergence")).headers["etag"] == etag


def test_what_is_written_beside_an_experiment_costs_no_figure(client: TestClient) -> None:
    experiment = acting.submit(client)
    path = address(experiment, "figures/convergence")
    etag = client.get(path).headers["etag"]
    for change in ({"pinned": True}, {"tags": ["a"]}, {"archived": True}, {"description": "what for"}):
        assert client.patch(f"/api/experiments/{experiment['id']}", json=change).status_code == 200
    assert client.put(address(experiment, "notes"), json={"text": "seen", "version": 0}).status_code == 200
    assert client.get(path).headers["etag"] == etag
    client.patch(f"/api/experiments/{experiment['id']}", json={"name": "what files call it"})
    assert client.get(path).headers["etag"] != etag


def test_the_shelf_holds_what_was_used_last_within_its_bytes() -> None:
    shelf = Shelf(10_000)
    for name in "abcd":
        shelf.put(name, Body(b"x" * 2000, "text/plain"))
    assert shelf.get("a") is not None
    shelf.put("e", Body(b"x" * 2000, "text/plain"))
    assert [name for name in "abcde" if shelf.get(name)] == ["a", "c", "d", "e"]
    shelf.put("large", Body(b"x" * 9000, "text/plain"))
    assert shelf.get("large") is None
    assert shelf.held <= 10_000


def test_packed_answers_are_packed_once_and_say_so(client: TestClient, database_url: str) -> None:
    assert database_url
    experiment = acting.submit(client)
    path = address(experiment, "figures/convergence")
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    packed = client.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert (packed.content, packed.headers["etag"]) == (plain.content, plain.headers["etag"])
    assert "content-encoding" not in plain.headers


def test_a_dataset_that_changes_is_news_to_the_experiments_on_it(client: TestClient, app: FastAPI) -> None:
    experiment = acting.submit(client)
    database: Database = app.state.database
    with database.write() as session:
        datasets.put(session, ROOMS, None)
    with database.write() as session:
        outbox.sequence(session)
    with database.read() as session:
        told = [event for event in outbox.read_after(session, 0) if event.kind == "dataset"]
    assert told[-1].experiment_ids == [experiment["id"]]
