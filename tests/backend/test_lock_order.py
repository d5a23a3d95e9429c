"""PostgreSQL: whoever locks several runs and experiments does so in one order, so that no two requests wait for each other."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from backend.store import completion, experiments, ingest, queue, submission, trash
from backend.store.session import Database
from backend.store.tables import Run
from depthboard import protocol
from depthboard.errors import Conflict
from depthboard.experiment import ExperimentSpec
from tests.backend import acting

SECONDS = 4.0
ROUNDS = 4
on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
Step = Callable[[Session], object]


def hammer(database: Database, *sides: Step) -> None:
    """Each again and again in a thread and transactions of its own; a conflict is an answer, a deadlock is none."""
    failures: list[Exception] = []
    rounds = [0] * len(sides)
    end = time.monotonic() + SECONDS

    def side(number: int, step: Step) -> None:
        while not failures and (time.monotonic() < end or min(rounds) < ROUNDS):
            try:
                with database.write() as session:
                    step(session)
            except Conflict:
                pass
            except Exception as error:
                failures.append(error)
            rounds[number] += 1

    threads = [threading.Thread(target=side, args=pair) for pair in enumerate(sides)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def pausing(experiment: int) -> Step:
    paused = [False]

    def step(session: Session) -> None:
        paused[0] = not paused[0]
        experiments.pause(session, experiment, paused[0])

    return step


@on_postgresql
def test_completing_a_grid_waits_for_nobody_who_waits_for_it(client: TestClient, app: FastAPI) -> None:
    """Its first runs are of another data fingerprint, so that the grid does not ask for them; one experiment shares the others."""
    seeds = {"factors": {"loss": ["l1"], "seed": list(range(40))}}
    older, whole = acting.submit(client, **seeds)["id"], acting.submit(client, **seeds, name="whole")["id"]
    database: Database = app.state.database
    with database.write() as session:
        for run in session.scalars(select(Run).where(Run.id <= 20)):
            run.identity = f"{run.id:064x}"
    first, last = acting.claimed(client), acting.claimed(client)

    held = {first.run_id: -1, last.run_id: -1}

    def write(session: Session) -> None:
        batches = []
        for attempt in (last, first):
            sent = protocol.Points.model_validate(acting.points(held[attempt.run_id] + 1, range(1, 2)))
            batches.append(ingest.Sent(attempt.run_id, attempt.claim["token"], sent))
        answers = ingest.append(session, batches)
        assert all(isinstance(answer, int) for answer in answers), answers
        held.update({sent.run_id: answer for sent, answer in zip(batches, answers, strict=True)})

    def bin_it(session: Session) -> None:
        trash.put(session, older, timedelta(days=1))
        trash.restore(session, older)

    hammer(
        database,
        lambda session: completion.complete(session, whole, 3),
        lambda session: completion.complete(session, older, 3),
        pausing(older),
        pausing(whole),
        write,
        bin_it,
    )


@on_postgresql
def test_making_room_in_the_queue_waits_for_nobody_who_waits_for_it(client: TestClient, app: FastAPI) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"], "seed": list(range(60))})["id"]
    database: Database = app.state.database
    place = [1]

    def crowd(session: Session) -> None:
        """All positions in a row, so that the next move has to make room; and that move."""
        session.scalars(select(Run.id).order_by(Run.id).with_for_update(key_share=True)).all()
        session.execute(update(Run).values(position=Run.id))

    def move(session: Session) -> None:
        place[0] = 2 + place[0] % 40
        queue.move(session, [55, 59, 57], place[0])

    hammer(
        database,
        crowd,
        move,
        pausing(experiment),
        lambda session: queue.set_experiment_priority(session, experiment, 0),
    )


@on_postgresql
@pytest.mark.usefixtures("client")
def test_two_who_submit_the_same_runs_in_different_orders_do_not_wait_for_each_other(app: FastAPI) -> None:
    seeds = itertools.count()

    def submitting(order: int) -> Step:
        """Runs that the other side makes too, at about the same time."""

        def step(session: Session) -> None:
            first = next(seeds) // 2 * 20
            factors = {"loss": ["l1"], "seed": list(range(first, first + 20))[::order]}
            submission.submit(session, ExperimentSpec.model_validate(acting.spec(factors=factors)), 3)

        return step

    hammer(app.state.database, submitting(1), submitting(-1))
