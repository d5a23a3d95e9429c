"""How long a submission will take with the workers there are now: speeds that were measured, and a queue played
through.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, load_only

from backend.store import holding
from backend.store.session import clock
from backend.store.standing import eta_of
from backend.store.submission import Planned
from backend.store.tables import Attempt, Run, Worker
from backend.store.workers import known
from depthboard.config import parts_of
from depthboard.experiment import TRAINING_VERSION
from depthboard.status import RunStatus

RECENT, FEW = 500, 50
KEPT = 0.92
"""Share of the speed of bare steps, which workers report, that a whole run has: loading, evaluations, checkpoints and the record take the rest."""
GAN = "gan"
RETRIED = (RunStatus.failed, RunStatus.cancelled)


@dataclass(frozen=True)
class Work:
    """Images still to be shown by one run, and what its speed depends on: a sum with a GAN in it is as slow as a GAN."""

    kind: str
    loss: str
    images: int


@dataclass(frozen=True)
class Estimate:
    seconds: float | None
    slots: int
    basis: str
    ahead: int


@dataclass(frozen=True)
class Due:
    """Seconds until a waiting run starts, and for how long it then trains; None where nobody knows."""

    starts_in: float | None
    seconds: float | None


@dataclass
class Speeds:
    """Images per second: `measured` from runs that ended here, `reported` by the workers; both by `loss/kind` and
    `kind`.
    """

    measured: dict[str, list[float]] = field(default_factory=dict)
    reported: dict[str, list[float]] = field(default_factory=dict)

    def of(self, work: Work) -> tuple[float, str] | None:
        """(images per second, where it comes from); None when nothing was ever measured for this kind of network."""
        exact, kind = f"{work.loss}/{work.kind}", work.kind
        for source, key, words in (
            (self.measured, exact, "finished runs of the same loss and network"),
            (self.reported, exact, "the workers' own measurement"),
            # A worker measures l1 for every loss that is computed pixel by pixel.
            (self.reported, f"l1/{kind}" if work.loss != GAN else "", "the workers' own measurement"),
            (self.reported, kind, "the workers' own measurement"),
            (self.measured, kind, "finished runs of the same network"),
        ):
            if source.get(key):
                return fmean(source[key]), words
        return None


def kind_of(encoder: str, height: int, width: int) -> str:
    return f"{encoder}@{height}x{width}"


def estimate(session: Session, planned: Sequence[Planned], silence: float) -> Estimate:
    """Wall seconds until the last run of `planned` ends: the runs ahead in the queue first, then these, on every free
    slot.
    """
    workers = _taking(session, silence)
    slots = sum(worker.slots for worker in workers)
    startup = fmean([w.startup_seconds for w in workers]) if workers else 0.0
    speeds = Speeds(_measured(session, startup, RECENT), _reported(workers))
    own = {p.existing.id for p in planned if p.existing is not None}
    ahead = _ahead(session, own)
    own_work = [_work_of(p) for p in planned]
    todo = [work for work in own_work if work.images]
    if not todo:
        return Estimate(0.0, slots, "nothing is left to train", 0)
    found = [speeds.of(work) for work in (*ahead, *todo)]
    if slots == 0:
        return Estimate(None, 0, "no worker is connected", len(ahead))
    if any(speed is None for speed in found):
        return Estimate(None, slots, "no run of this network has been measured yet", len(ahead))
    seconds = [startup + work.images / speed[0] for work, speed in zip((*ahead, *todo), found, strict=True) if speed]
    end = play(seconds[: len(ahead)], seconds[len(ahead) :], slots)
    words = sorted({speed[1] for speed in found if speed})
    return Estimate(
        end, slots, f"speed from {' and '.join(words)}, on {slots} {'slot' if slots == 1 else 'slots'}", len(ahead)
    )


def due(session: Session, waiting: Sequence[Run], silence: float) -> dict[int, Due]:
    """When each of these runs starts, in the order in which workers get them, with the workers there are now.

    A slot that trains is free when its run ends. Who rests after a loss is passed over until that is over. From a run
    whose length nobody knows on, starts are not known either.
    """
    workers = _taking(session, silence)
    slots = sum(worker.slots for worker in workers)
    startup = fmean([w.startup_seconds for w in workers]) if workers else 0.0
    speeds = Speeds(_measured(session, startup, FEW), _reported(workers))
    running = _running(session, [worker.id for worker in workers])
    _read_sums(session, [*running, *waiting])
    busy = [eta if (eta := eta_of(run)) is not None else _seconds(run, speeds, 0.0) for run in running][:slots]
    seconds = [_seconds(run, speeds, startup) for run in waiting]
    known_ends = [end for end in busy if end is not None]
    starts: Sequence[float | None] = [None] * len(waiting)
    if slots and len(known_ends) == len(busy):
        now = clock(session)
        rests = [max(0.0, (run.not_before - now).total_seconds()) if run.not_before else 0.0 for run in waiting]
        starts = _starts(known_ends + [0.0] * (slots - len(busy)), rests, seconds)
    return {run.id: Due(*found) for run, found in zip(waiting, zip(starts, seconds, strict=True), strict=True)}


def _starts(free: list[float], rests: Sequence[float], durations: Sequence[float | None]) -> list[float | None]:
    """When each run starts where every slot, as soon as it is free, takes the first that does not rest any more."""
    heapq.heapify(free)
    resting = [(rest, i) for i, rest in enumerate(rests)]
    heapq.heapify(resting)
    ready: list[int] = []
    starts: list[float | None] = [None] * len(rests)
    while ready or resting:
        at = free[0] if ready else max(free[0], resting[0][0])
        while resting and resting[0][0] <= at:
            heapq.heappush(ready, heapq.heappop(resting)[1])
        i = heapq.heappop(ready)
        starts[i], duration = at, durations[i]
        if duration is None:
            break
        heapq.heapreplace(free, at + duration)
    return starts


def _read_sums(session: Session, runs: Sequence[Run]) -> None:
    """What the sums among these runs consist of, which lists leave in the database, at once."""
    sums = [run.id for run in runs if run.loss == "sum"]
    for start in range(0, len(sums), holding.CHUNK):
        some = Run.id.in_(sums[start : start + holding.CHUNK])
        session.scalars(select(Run).where(some).options(load_only(Run.config))).all()


def _seconds(run: Run, speeds: Speeds, startup: float) -> float | None:
    work = _work_of_run(run)
    speed = speeds.of(work)
    return None if speed is None else startup + work.images / speed[0]


def _taking(session: Session, silence: float) -> list[Worker]:
    """The workers that take runs of this training version."""
    return [
        w for w, alive in known(session, silence) if alive and not w.draining and w.training_version == TRAINING_VERSION
    ]


def _running(session: Session, workers: Sequence[str]) -> list[Run]:
    query = select(Run).where(Run.status == RunStatus.running, Run.owner.in_(workers)).options(*holding.LIGHT)
    return list(session.scalars(query))


def play(before: Iterable[float], durations: Sequence[float], slots: int) -> float:
    """Seconds until the last of `durations` ends when each slot takes the next run as soon as it is free."""
    free = [0.0] * slots
    for duration in before:
        heapq.heapreplace(free, free[0] + duration)
    end = 0.0
    for duration in durations:
        finished = free[0] + duration
        heapq.heapreplace(free, finished)
        end = max(end, finished)
    return end


def _measured(session: Session, startup: float, most: int) -> dict[str, list[float]]:
    """From finished runs of one attempt: images over the time between claim and end, evaluations included, the start
    not.
    """
    rows = session.execute(
        select(Run, Attempt.started_at, Attempt.ended_at)
        .join(Attempt, Attempt.run_id == Run.id)
        .where(Run.status == RunStatus.finished, Run.attempt == 1, Run.training_version == TRAINING_VERSION)
        .order_by(Run.finished_at.desc())
        .limit(most)
    )
    speeds: dict[str, list[float]] = {}
    for run, started, ended in rows:
        seconds = (ended - started).total_seconds() - startup if ended else 0.0
        if seconds > 0:
            kind = kind_of(run.encoder, run.height, run.width)
            speeds.setdefault(f"{_loss_of(run)}/{kind}", []).append(run.images / seconds)
            speeds.setdefault(kind, []).append(run.images / seconds)
    return speeds


def _reported(workers: Sequence[Worker]) -> dict[str, list[float]]:
    speeds: dict[str, list[float]] = {}
    for worker in workers:
        for key, value in worker.speeds.items():
            if isinstance(value, int | float) and value > 0:
                speeds.setdefault(key, []).append(KEPT * float(value))
    return speeds


def _ahead(session: Session, own: set[int]) -> list[Work]:
    """What other experiments still train or wait for, in the order of the queue."""
    rows = session.scalars(
        select(Run)
        .where(
            Run.status.in_((RunStatus.queued, RunStatus.running)),
            Run.held.is_(False),
            Run.training_version == TRAINING_VERSION,
        )
        .order_by(Run.status.desc(), Run.priority, Run.position, Run.id)
    )
    return [_work_of_run(run) for run in rows if run.id not in own]


def _work_of_run(run: Run) -> Work:
    return Work(kind_of(run.encoder, run.height, run.width), _loss_of(run), _left(run))


def _left(run: Run) -> int:
    return max(run.images - run.step * run.batch_size, 0)


def _loss_of(run: Run) -> str:
    parts = run.config["loss"].get("parts", ()) if run.loss == "sum" else ()
    return _slowest(run.loss, (part["name"] for part in parts))


def _slowest(loss: str, parts: Iterable[str]) -> str:
    """The loss by whose speed a run is judged."""
    return GAN if GAN in parts else loss


def _work_of(planned: Planned) -> Work:
    run, config = planned.existing, planned.config
    kind = kind_of(config.network.encoder, config.data.height, config.data.width)
    images = config.steps * config.budget.batch_size
    if run is not None:
        images = 0 if run.status == RunStatus.finished else _left(run)
    return Work(kind, _slowest(config.loss.name, (part.name for part in parts_of(config.loss))), images)


def images_left(planned: Sequence[Planned]) -> int:
    """Training images that these runs have still to be shown."""
    return sum(_work_of(p).images for p in planned)


def describe(planned: Sequence[Planned]) -> list[dict[str, Any]]:
    """One row a run: its levels, and the run that exists already."""
    return [
        {
            "levels": p.levels,
            "exists": p.existing is not None,
            "run_id": p.existing.id if p.existing else None,
            "status": RunStatus(p.existing.status) if p.existing else None,
        }
        for p in planned
    ]


def warnings(planned: Sequence[Planned], forecast: Estimate) -> list[str]:
    """What a person may want to know before submitting."""
    found = []
    if forecast.slots == 0 and any(_work_of(p).images for p in planned):
        found.append("No worker is connected: the runs will wait. Start one with `depthboard work` or `depthboard up`.")
    if forecast.ahead:
        come = (
            "1 run of another experiment comes"
            if forecast.ahead == 1
            else f"{forecast.ahead} runs of other experiments come"
        )
        found.append(f"{come} first; the time includes {'it' if forecast.ahead == 1 else 'them'}.")
    retried = sum(p.existing is not None and RunStatus(p.existing.status) in RETRIED for p in planned)
    if retried:
        one = retried == 1
        found.append(
            f"{retried} {'run' if one else 'runs'} had failed or {'was' if one else 'were'} cancelled: {'it' if one else 'they'} will be tried again."
        )
    budgets = {p.config.steps * p.config.budget.batch_size for p in planned}
    if len(budgets) > 1:
        found.append("The runs see different numbers of images: compare them along `images seen`, not at their end.")
    protocols = {(p.config.evaluation.split, p.config.protocol) for p in planned}
    if len(protocols) > 1:
        found.append("The runs are scored by different protocols: their metrics do not compare.")
    return found
