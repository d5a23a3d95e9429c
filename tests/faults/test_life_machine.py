"""The run's life against a plain model, in random sequences over REST, on both databases: who may write, what a claim gives, where a run ends.

Time passes by setting the lease or the pause in the database to a second ago, since both run on its clock.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import select

from backend.store import compaction, trash
from backend.store.tables import Run
from backend.sweeper import sweep
from depthboard.client import Client
from depthboard.errors import Conflict, NotFound, SequenceGap, StaleAttempt
from depthboard.settings import Settings
from depthboard.status import RunStatus
from tests.backend.acting import expire, make_due
from tests.faults import stored
from tests.faults.acting import Actor, claim, resumed, spec
from tests.faults.checker import check
from tests.faults.history import History

STEPS = 12


@dataclass
class World:
    """The product that the machine acts on."""

    app: FastAPI
    settings: Settings
    client: Client
    folder: Path
    sequences: int = 0


@dataclass
class Model:
    """A run as it should be."""

    id: int
    experiment: int
    status: str = "queued"
    attempt: int = 0
    tries: int = 0
    waiting: bool = False
    cancel: bool = False
    actors: list[Actor] = field(default_factory=list)
    checkpoints: list[tuple[int, int]] = field(default_factory=list)
    """(attempt, step) of those on the present line"""

    def lose(self, most: int) -> None:
        if self.cancel:
            self.end("cancelled")
        elif self.tries >= most:
            self.end("failed")
        else:
            self.end("queued")
            self.waiting = True

    def end(self, status: str) -> None:
        self.status, self.cancel = status, False

    @property
    def resume(self) -> int | None:
        return max((step for _, step in self.checkpoints), default=None)


class Life(RuleBasedStateMachine):
    def __init__(self, world: World) -> None:
        super().__init__()
        self.world, self.client = world, world.client
        world.sequences += 1
        self.history = History(world.folder / f"history-{world.sequences}")
        self.runs: dict[int, Model] = {}
        self.gone: list[Actor] = []

    # --- a person ---

    @initialize()
    def first(self) -> None:
        self.submit(2)

    @rule(n=st.integers(1, 2))
    def submit(self, n: int) -> None:
        if len(self.runs) > 4:
            return
        self.world.sequences += 1
        first = self.world.sequences * 10  # seeds of its own, so that no run exists already
        wanted = spec(0, STEPS) | {"factors": {"loss": ["l1"], "seed": [first, first + 1][:n]}}
        experiment = self.client.submit(wanted)["id"]
        for run in self.client.runs(experiment):
            self.runs[run["id"]] = Model(run["id"], experiment)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        run = self._some(data)
        if run is None:
            return
        if run.status == "queued":
            run.end("cancelled")
            self.client.cancel(run.id)
        elif run.status == "running":
            run.cancel = True
            self.client.cancel(run.id)
        else:
            self._refused(lambda: self.client.cancel(run.id))

    @rule(data=st.data())
    def retry(self, data: st.DataObject) -> None:
        run = self._some(data)
        if run is None:
            return
        if run.status in ("failed", "cancelled"):
            run.end("queued")
            run.tries, run.waiting = 0, False
            self.client.retry(run.id)
        else:
            self._refused(lambda: self.client.retry(run.id))

    @precondition(lambda self: len({run.experiment for run in self.runs.values()}) > 1)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        experiment = data.draw(st.sampled_from(sorted({run.experiment for run in self.runs.values()})))
        self._delete(experiment)

    # --- a worker ---

    @precondition(lambda self: any(run.status == "queued" for run in self.runs.values()))
    @rule()
    def claim(self) -> None:
        due = [run for run in self.runs.values() if run.status == "queued" and not run.waiting]
        given = claim(self.client.api, self.history)
        if not due:
            assert given is None
            return
        run = due[0]
        assert given is not None
        run.status, run.attempt, run.tries = "running", run.attempt + 1, run.tries + 1
        assert (given.run_id, given.attempt) == (run.id, run.attempt)
        assert resumed(given) == (run.resume or 0)
        run.actors.append(Actor(given, self.client.api.url, self.history))

    @rule(data=st.data(), n=st.integers(1, 4), again=st.integers(0, 2))
    def points(self, data: st.DataObject, n: int, again: int) -> None:
        actor = self._actor(data)
        if actor is not None and actor.step + n <= STEPS:
            self._write(actor, lambda: actor.points(n, min(again, actor.sent)))

    @rule(data=st.data())
    def replay(self, data: st.DataObject) -> None:
        actor = self._actor(data)
        if actor is not None and actor.sent:
            self._write(actor, lambda: actor.replay(1))

    @rule(data=st.data())
    def skip(self, data: st.DataObject) -> None:
        actor = self._actor(data)
        if actor is not None and actor.step < STEPS:
            with pytest.raises((SequenceGap, StaleAttempt)):
                actor.skip()

    @rule(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        """Its newest checkpoint is damaged: it goes on from an older one, or from scratch."""
        actor = self._actor(data)
        if actor is None or actor.wrote:
            return
        step = data.draw(st.sampled_from([0, *(note.step for note in actor.claim.resume_from)]))
        if self._write(actor, lambda: actor.begin(step)):
            run = self.runs[actor.claim.run_id]
            run.checkpoints = [(attempt, at) for attempt, at in run.checkpoints if at <= step]

    @rule(data=st.data())
    def compact(self, data: st.DataObject) -> None:
        run = self._some(data)
        if run is not None:
            compaction.compact(self.world.app.state.database, run.id)

    @rule(data=st.data())
    def renew(self, data: st.DataObject) -> None:
        actor = self._actor(data)
        if actor is not None:
            self._write(actor, lambda: self._renewed(actor))

    def _renewed(self, actor: Actor) -> None:
        assert actor.renew() == self.runs[actor.claim.run_id].cancel

    @rule(data=st.data())
    def checkpoint(self, data: st.DataObject) -> None:
        actor = self._actor(data)
        if actor is not None and actor.step and self._write(actor, actor.checkpoint):
            run = self.runs[actor.claim.run_id]
            run.checkpoints.append((run.attempt, actor.step))

    @rule(data=st.data())
    def evaluate(self, data: st.DataObject) -> None:
        actor = self._actor(data)
        if actor is not None and actor.sent:
            self._write(actor, actor.evaluate)

    @rule(data=st.data(), status=st.sampled_from(["finished", "failed", "cancelled", "queued"]))
    def finish(self, data: st.DataObject, status: str) -> None:
        actor = self._actor(data)
        if actor is None or (status == "finished" and actor.step < STEPS):
            return
        run = self.runs.get(actor.claim.run_id)
        if run is not None and actor.ended == status and run.attempt == actor.claim.attempt:
            actor.finish(RunStatus(status))  # sent twice it ends once
        elif self._write(actor, lambda: actor.finish(RunStatus(status))):
            assert run is not None
            actor.ended = status
            run.tries -= status == "queued"
            run.end("cancelled" if status == "queued" and run.cancel else status)

    # --- time ---

    @precondition(lambda self: any(run.status == "running" for run in self.runs.values()))
    @rule(data=st.data(), at_once=st.booleans())
    def lease_runs_out(self, data: st.DataObject, at_once: bool) -> None:
        """And the run is claimed again `at_once`, or waits."""
        run = data.draw(st.sampled_from([run for run in self.runs.values() if run.status == "running"]))
        expire(self.world.app, run.id)
        run.lose(self.world.settings.max_attempts)
        lost = sweep(self.world.app.state.database, self.world.settings)
        # The API's own sweep may have come first: how the run stands then is asked after every step.
        assert lost in ([], [run.id] if run.status == "queued" else [])
        if at_once and run.waiting:
            make_due(self.world.app, run.id)
            run.waiting = False
            self.claim()

    @precondition(lambda self: not any(run.status == "queued" for run in self.runs.values()))
    @rule()
    def sweep_and_claim_in_vain(self) -> None:
        assert sweep(self.world.app.state.database, self.world.settings) == []
        assert claim(self.client.api, self.history) is None

    @precondition(lambda self: any(run.waiting for run in self.runs.values()))
    @rule(data=st.data())
    def pause_ends(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from([run for run in self.runs.values() if run.waiting]))
        make_due(self.world.app, run.id)
        run.waiting = False

    # --- what must hold ---

    @invariant()
    def every_run_stands_as_the_model_says(self) -> None:
        with self.world.app.state.database.read() as session:
            found = session.execute(select(Run.id, Run.status, Run.attempt, Run.tries, Run.cancel_requested)).all()
        due = [(run.id, run.status, run.attempt, run.tries, run.cancel) for run in self.runs.values()]
        assert sorted(map(tuple, found)) == due

    def teardown(self) -> None:
        found = stored.read(self.world.settings.database)
        assert check(self.history.entries(), found, ended=False) == []
        for experiment in {run.experiment for run in self.runs.values()}:
            self._delete(experiment)
        for actor in self.gone:
            actor.close()
        self.history.close()

    def _some(self, data: st.DataObject) -> Model | None:
        return data.draw(st.sampled_from(list(self.runs.values()))) if self.runs else None

    def _actor(self, data: st.DataObject) -> Actor | None:
        """Mostly one that has its run; else any, those that lost theirs alike."""
        actors = [actor for run in self.runs.values() for actor in run.actors] + self.gone
        live = [run.actors[-1] for run in self.runs.values() if run.status == "running"]
        some = live if live and data.draw(st.integers(0, 3)) else actors
        return data.draw(st.sampled_from(some)) if some else None

    def _write(self, actor: Actor, write: Callable[[], object]) -> bool:
        """Whether the write was taken, which it must be exactly when its attempt has the run."""
        run = self.runs.get(actor.claim.run_id)
        if run is not None and run.status == "running" and run.attempt == actor.claim.attempt:
            write()
            return True
        with pytest.raises(StaleAttempt):
            write()
        return False

    def _refused(self, ask: Callable[[], object]) -> None:
        with pytest.raises(Conflict):
            ask()

    def _delete(self, experiment: int) -> None:
        with self.world.app.state.database.write() as session:
            trash.purge(session, experiment)
        for run in [run for run in self.runs.values() if run.experiment == experiment]:
            self.gone += self.runs.pop(run.id).actors
            with pytest.raises(NotFound):
                self.client.run(run.id)


def live(world: World, sequences: int) -> None:
    """`DEPTHBOARD_TEST_SHRINK=0` leaves a failing sequence as long as it was found."""
    phases = [phase for phase in Phase if phase is not Phase.shrink or os.environ.get("DEPTHBOARD_TEST_SHRINK") != "0"]
    chosen = settings(
        max_examples=sequences,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=phases,
    )
    run_state_machine_as_test(lambda: Life(world), settings=chosen)


@pytest.fixture
def world(app: FastAPI, api: str, settings: Settings, tmp_path: Path) -> Iterator[World]:
    with Client(api) as client:
        yield World(app, settings, client, tmp_path)


def test_a_runs_life_follows_the_model_in_random_sequences(world: World) -> None:
    live(world, 40 if stored.is_sqlite(world.settings.database) else 15)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_a_runs_life_follows_the_model_in_thousands_of_sequences(world: World) -> None:
    live(world, 5000)
