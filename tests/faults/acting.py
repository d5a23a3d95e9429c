"""Acting as a worker without torch: claims, writes points that tell where they belong, and keeps the history of what was acknowledged.

The only part of the fault tests that knows the shape of the requests. As a process: `python -m tests.faults.acting URL HISTORY SEED`.
"""

from __future__ import annotations

import random
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from depthboard.client import Api, RunWriter
from depthboard.errors import Conflict, DepthboardError, StaleAttempt, Unavailable
from depthboard.experiment import TRAINING_VERSION
from depthboard.metrics import SUMS
from depthboard.protocol import Block, CheckpointNote, Claim, ClaimRequest, Evaluation, Finish, Points, Progress
from depthboard.status import RunStatus
from tests.faults.history import History, value_of

KEY = "train/loss/l1"
STEPS = 40
BATCH = 8


def spec(runs: int = 1, steps: int = STEPS, name: str = "faults") -> dict[str, Any]:
    """An experiment of so many runs of so many steps."""
    base = {"data": {"train_size": 16}, "budget": {"images_seen": steps * BATCH, "batch_size": BATCH}}
    return {"name": name, "base": base, "factors": {"loss": ["l1"], "seed": list(range(runs))}}


class Actor:
    """One attempt of a run. Each method returns after the API's acknowledgement and notes it in the history."""

    def __init__(
        self, claim: Claim, url: str, history: History, *, timeout: float = 70.0, patience: float = 300.0
    ) -> None:
        self.claim, self.history = claim, history
        self.of = {"run": claim.run_id, "attempt": claim.attempt}
        self.writer = RunWriter(claim.run_id, claim.token, url, timeout=timeout, patience=patience)
        self.step = resumed(claim)
        self.ended: str | None = None
        self.wrote = False
        self._seq = 0

    def close(self) -> None:
        self.writer.api.close()

    @property
    def sent(self) -> int:
        """Points acknowledged so far."""
        return self._seq

    @property
    def steps(self) -> int:
        return self.claim.config.steps

    def begin(self, step: int) -> None:
        """Say that it goes on from the checkpoint of this step; 0 is from scratch."""
        with self._noted("begun", step=step):
            self.writer.begin(step + 1 if step else None)
        self.step = step

    def points(self, n: int, again: int = 0) -> None:
        """The next n steps in one batch, after so many that were sent before."""
        first = self.step + 1 - again
        with self._noted("points", first=first, n=n + again):
            self.writer.points(batch(self.of, self._seq - again, first, n + again))
        self.step, self._seq = self.step + n, self._seq + n

    def replay(self, n: int) -> None:
        """The last n steps again, as a worker does that missed the acknowledgement."""
        with self._noted("points", first=self.step - n + 1, n=n):
            self.writer.points(batch(self.of, self._seq - n, self.step - n + 1, n))

    def skip(self) -> None:
        """A batch that leaves one out."""
        with self._noted("skipped"):
            self.writer.points(batch(self.of, self._seq + 1, self.step + 1, 1))

    def checkpoint(self) -> None:
        with self._noted("checkpoint", step=self.step):
            note = CheckpointNote(step=self.step, path=f"/none/{self.step}.pt", sha256=f"{self.step:064x}", bytes=1)
            self.writer.checkpoint(note)

    def evaluate(self, step: int | None = None) -> None:
        step = self.step if step is None else step
        with self._noted("evaluation", step=step):
            self.writer.evaluation(evaluation(step, self.claim))

    def renew(self) -> bool:
        """True when the run shall stop."""
        with self._noted("renewed"):
            return self.writer.renew(Progress(step=self.step)).cancel_requested

    def finish(self, status: RunStatus = RunStatus.finished, reason: str = "", *, retry: bool = False) -> None:
        with self._noted("finished", status=status):
            self.writer.finish(Finish(status=status, reason=reason, exit_code=0, retry=retry))  # type: ignore[arg-type]

    @contextmanager
    def _noted(self, kind: str, **what: Any) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        except StaleAttempt:
            self.history.add("refused", began, what=kind, **self.of)
            raise
        self.wrote |= kind != "renewed"
        self.history.add(kind, began, **self.of, **what)


def resumed(claim: Claim) -> int:
    """The step of the newest checkpoint, 0 without one."""
    return claim.resume_from[0].step if claim.resume_from else 0


def batch(of: dict[str, int], seq: int, first: int, n: int) -> Points:
    steps = np.arange(first, first + n)
    values = value_of(of["run"], of["attempt"], steps)
    block = Block(keys=[KEY], steps=steps, walls=steps.astype(float), values=values)
    return Points(first_seq=seq, blocks=[block])


def evaluation(step: int, claim: Claim) -> Evaluation:
    """Of two images, every pixel half a metre too far at two metres."""
    row = [{"n": 100.0, "abs": 50.0, "sq": 25.0, "abs_rel": 25.0, "sq_rel": 12.5}.get(name, 0.0) for name in SUMS]
    sums = np.tile(np.array(row, "<f8"), (2, 1)).tobytes()
    return Evaluation(step=step, split="test", protocol=claim.config.protocol, images=2, sums=sums, wall=time.time())


def claim(api: Api, history: History, worker: str = "actor-0001") -> Claim | None:
    began = time.monotonic()
    request = ClaimRequest(worker_id=worker, host="here", training_version=TRAINING_VERSION)
    answer = api.json("POST", "/api/claims", request)
    if answer is None:
        return None
    given = Claim.model_validate(answer)
    history.add("claimed", began, run=given.run_id, attempt=given.attempt)
    return given


def claimed(api: Api, history: History, worker: str = "actor-0001", seconds: float = 30.0) -> Claim:
    """The next run, as soon as there is one."""
    end = time.monotonic() + seconds
    while (given := claim(api, history, worker)) is None:
        assert time.monotonic() < end, f"nothing to claim in {seconds:g} s"
        time.sleep(0.1)
    return given


def work(url: str, history: History, seed: int, stopping: threading.Event, *, pause: float = 0.05) -> None:
    """Claim and write until told to stop; a lost run is left to its new owner, an API that is away is waited for."""
    draw = random.Random(seed)
    api = Api(url, timeout=20)
    while not stopping.is_set():
        try:
            given = claim(api, history, f"actor-{seed:08d}")
            if given is None:
                stopping.wait(0.2)
            else:
                with closing(Actor(given, url, history, timeout=20)) as actor:
                    live(actor, draw, stopping, pause)
        except Unavailable:
            stopping.wait(0.2)
        except Conflict:  # the run is no longer ours
            continue
    api.close()


def live(actor: Actor, draw: random.Random, stopping: threading.Event, pause: float) -> None:
    """One attempt: batches of random size, at times sent twice, with a checkpoint and an evaluation now and then."""
    while actor.step < actor.steps:
        n = min(draw.randint(1, 8), actor.steps - actor.step)
        actor.points(n)
        if draw.random() < 0.3:
            actor.replay(n)
        if draw.random() < 0.4:
            actor.evaluate()
            actor.checkpoint()
        if stopping.wait(pause):
            return actor.finish(RunStatus.queued, "the actor was shut down")
        if actor.renew():
            actor.checkpoint()
            return actor.finish(RunStatus.cancelled, "cancelled by a person")
    return actor.finish()


def main(url: str, history: str, seed: str) -> None:
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    with_patience = History(Path(history))
    try:
        work(url, with_patience, int(seed), stopping)
    except DepthboardError as error:
        sys.exit(f"actor {seed}: {error}")


if __name__ == "__main__":
    main(*sys.argv[1:])
