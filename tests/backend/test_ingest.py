"""Batches that come at once share a transaction, and nothing else."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event
from starlette.testclient import TestClient

from backend.ingest import Ingest
from backend.store import curves
from depthboard.errors import SequenceGap, StaleAttempt
from depthboard.points import Row, batch
from depthboard.protocol import MAX_KEYS
from tests.backend import acting


def rows(first: int, n: int, key: str = "a") -> Any:
    return batch(first, [Row(first + i + 1, 1e9, {key: float(first + i)}) for i in range(n)])


@pytest.fixture
def attempts(client: TestClient) -> list[acting.Attempt]:
    acting.submit(
        client,
        base={**acting.SPEC["base"], "budget": {"images_seen": 8000, "batch_size": 8}},
        factors={"seed": list(range(8))},
    )
    return [acting.claimed(client) for _ in range(8)]


def test_many_writers_at_once_lose_nothing_and_share_commits(app: FastAPI, attempts: list[acting.Attempt]) -> None:
    commits: list[object] = []
    event.listen(app.state.database.writer, "commit", commits.append)
    ingest = Ingest(app.state.database)

    async def write(attempt: acting.Attempt) -> None:
        for i in range(20):
            assert await ingest.append(attempt.run_id, attempt.claim["token"], rows(10 * i, 10)) == 10 * i + 9

    async def write_all() -> None:
        await asyncio.gather(*map(write, attempts))

    asyncio.run(write_all())
    with app.state.database.read() as session:
        for attempt in attempts:
            assert curves.read(session, attempt.run_id)["a"].values.tolist() == [float(i) for i in range(200)]
    assert len(commits) < 160, "what came while one transaction ran went together in the next"


def test_batches_of_many_keys_do_not_share_a_transaction(app: FastAPI, attempts: list[acting.Attempt]) -> None:
    """Each key is looked up and written: three thousand of each of eight writers would hold the others up for seconds."""
    commits: list[object] = []
    event.listen(app.state.database.writer, "commit", commits.append)
    ingest = Ingest(app.state.database)

    async def write_all() -> None:
        many = batch(0, [Row(1, 1e9, {f"{part}/{key}": 0.0 for key in range(1000)}) for part in range(3)])
        await asyncio.gather(*(ingest.append(attempt.run_id, attempt.claim["token"], many) for attempt in attempts))

    asyncio.run(write_all())
    assert len(commits) == 3  # three, three and two


def test_a_batch_of_too_many_keys_is_refused_in_a_sentence(attempts: list[acting.Attempt]) -> None:
    content = batch(0, [Row(1, 1e9, {f"{part}/{key}": 0.0 for key in range(1000)}) for part in range(10)])
    assert content.names == MAX_KEYS
    body = content.model_dump(mode="json")
    body["blocks"].append({**body["blocks"][0], "keys": [f"k{key}" for key in range(1000)], "rows": [10]})
    answer = attempts[0].send("points", body)
    assert answer.status_code == 422
    assert "at most 10000 keys" in answer.text


def test_one_that_is_refused_takes_no_other_with_it(app: FastAPI, attempts: list[acting.Attempt]) -> None:
    from backend.store.ingest import Sent, append

    first, second, third = attempts[:3]
    sent = [
        Sent(first.run_id, first.claim["token"], rows(0, 5)),
        Sent(second.run_id, "a token of nobody", rows(0, 5)),
        Sent(third.run_id, third.claim["token"], rows(7, 5)),
        Sent(first.run_id, first.claim["token"], rows(5, 5)),
        Sent(first.run_id, first.claim["token"], rows(0, 5)),
        Sent(10**6, "t", rows(0, 1)),
    ]
    with app.state.database.write() as session:
        answers = append(session, sent)
    assert answers[0] == 4
    assert isinstance(answers[1], StaleAttempt)
    assert isinstance(answers[2], SequenceGap)
    assert answers[3:5] == [9, 9], "two batches of one writer in one transaction, and one of them again"
    assert isinstance(answers[5], StaleAttempt)
    with app.state.database.read() as session:
        assert len(curves.read(session, first.run_id)["a"]) == 10
        assert curves.read(session, second.run_id) == curves.read(session, third.run_id) == {}


def test_what_the_database_raises_reaches_everyone_who_waits(app: FastAPI, attempts: list[acting.Attempt]) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no disk")

    async def both() -> list[object]:
        ingest = Ingest(app.state.database)
        sent = [ingest.append(a.run_id, a.claim["token"], rows(0, 3)) for a in attempts[:2]]
        return list(await asyncio.gather(*sent, return_exceptions=True))

    event.listen(app.state.database.writer, "commit", broken)
    assert [str(answer) for answer in asyncio.run(both())] == ["no disk", "no disk"]
    event.remove(app.state.database.writer, "commit", broken)
    assert asyncio.run(both()) == [2, 2]


def test_a_client_that_goes_away_takes_no_other_with_it(app: FastAPI, attempts: list[acting.Attempt]) -> None:
    async def one_leaves() -> int:
        ingest = Ingest(app.state.database)
        first, second = (
            asyncio.create_task(ingest.append(a.run_id, a.claim["token"], rows(0, 3))) for a in attempts[:2]
        )
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert asyncio.run(one_leaves()) == 2
    with app.state.database.read() as session:
        assert len(curves.read(session, attempts[0].run_id)["a"]) == 3, "what is committed stays so"


def test_where_no_thread_is_to_be_had_everyone_hears_of_it(
    app: FastAPI, attempts: list[acting.Attempt], monkeypatch: pytest.MonkeyPatch
) -> None:
    ingest = Ingest(app.state.database)

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    async def write(attempt: acting.Attempt) -> int:
        return await asyncio.wait_for(ingest.append(attempt.run_id, attempt.claim["token"], rows(0, 10)), 10)

    async def write_all() -> list[object]:
        with monkeypatch.context() as patch:
            patch.setattr(threading.Thread, "start", start)
            refused = await asyncio.gather(*map(write, attempts), return_exceptions=True)
        assert {str(answer) for answer in refused} == {"can't start new thread"}
        return await asyncio.gather(*map(write, attempts))

    assert asyncio.run(write_all()) == [9] * len(attempts)
