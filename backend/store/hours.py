"""Hours of training: for how long a run had been trained when it came to a step.

A worker's attempt counts from the first thing that it recorded, since before that it loads; a script's from when it said that
it began, since it may record first after an hour. It goes on from the hours of the step from which it resumed. So neither
a wait between attempts counts, nor what an attempt did after the step from which the next one went on: a run that was
killed and resumed lies beside one that was not. From then on all counts, evaluating too. All times are the writer's own, but
for a script whose clock is ahead of the server's.

Hours since the start, `wall`, count everything from the first attempt's beginning: waits, and what was done again. GPU hours
are hours of training times the GPUs that the run trained on at once.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.store.columns import unpack_blocks, unpack_steps, unpack_walls
from backend.store.tables import RESCORED, SCRIPT, Attempt, Axis, Chunk, Evaluation, Run
from depthboard.protocol import MAX_STEP

MANY = 20
"""Runs whose record is held at once."""
MANY_ROWS = 500
HOUR = 3600.0

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Place = tuple[int, int]
"""Run and attempt."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """An attempt: the first step that it records, when it began and how long the run had been trained by then, both in
    seconds; the steps of its record, rising, each with the latest wall time up to it.
    """

    first: int
    began: float
    before: float
    steps: Ints
    latest: Floats


@dataclass(frozen=True, slots=True)
class Clock:
    """A run's attempts in their order: of a step speaks the last of those that begin at it or before it."""

    stretches: tuple[Stretch, ...] = ()

    def of_values(self, steps: Ints, walls: Floats) -> Floats:
        """Hours of values that were logged at `steps` and at the wall times `walls`; NaN where there is no time."""
        seconds = np.zeros(len(steps))
        for stretch in self.stretches:
            own = steps >= stretch.first
            seconds[own] = stretch.before + np.maximum(walls[own] - stretch.began, 0)
        return np.where(walls > 0, seconds / HOUR, np.nan)

    def wall_of_values(self, walls: Floats) -> Floats:
        """Hours since the run's start of values that were logged at `walls`; NaN where there is no time."""
        start = self.stretches[0].began if self.stretches else np.nan
        return np.where(walls > 0, np.maximum(walls - start, 0) / HOUR, np.nan)

    def wall(self, step: int) -> float:
        """Hours since the run's start when everything at `step` had been recorded; NaN where there is no record."""
        for stretch in reversed(self.stretches):
            if stretch.first <= step and len(stretch.steps):
                n = int(np.searchsorted(stretch.steps, step, side="right"))
                last = float(stretch.latest[n - 1]) if n else stretch.began
                return max(0.0, last - self.stretches[0].began) / HOUR
        return float("nan")

    def at(self, step: int) -> float:
        """Hours when everything at `step` had been recorded, by the last record at it or before it; NaN where there is no record."""
        known = any(len(stretch.steps) for stretch in self.stretches)
        return _seconds(self.stretches, step) / HOUR if known else float("nan")


def trained(session: Session, run_id: int) -> float | None:
    """Hours for which the run has been trained by all that counts of its record; None before anything was recorded."""
    clock = clocks(session, [run_id]).get(run_id, Clock())
    hours = clock.at(MAX_STEP)
    return hours if math.isfinite(hours) else None


def _seconds(stretches: Sequence[Stretch], step: int) -> float:
    for stretch in reversed(stretches):
        if stretch.first <= step:
            n = int(np.searchsorted(stretch.steps, step, side="right"))
            return stretch.before + (max(0.0, float(stretch.latest[n - 1]) - stretch.began) if n else 0.0)
    return 0.0


def clocks(session: Session, run_ids: Sequence[int]) -> dict[int, Clock]:
    """Run -> its clock, from attempts, logged values and evaluations; what was scored again after the end tells nothing."""
    found: dict[int, Clock] = {}
    for start in range(0, len(run_ids), MANY):
        some = run_ids[start : start + MANY]
        begun = _begun(session, some)
        record = _record(session, some)
        for run_id, attempt in sorted(begun.keys() | record.keys()):
            earlier = found.get(run_id, Clock()).stretches
            stretch = _stretch(earlier, begun.get((run_id, attempt)), record.get((run_id, attempt), []))
            found[run_id] = Clock((*earlier, stretch))
    return found


def gpus(session: Session, run_ids: Sequence[int]) -> dict[int, int]:
    """Run -> the GPUs that it trains on at once, for runs that were trained on GPUs; of scripts they are not known."""
    found: dict[int, int] = {}
    for start in range(0, len(run_ids), MANY_ROWS):
        query = (
            select(Run.id, Run.config)
            .join(Attempt, Attempt.run_id == Run.id)
            .where(
                Run.id.in_(run_ids[start : start + MANY_ROWS]), Run.kind != SCRIPT, Attempt.device.not_in(("", "cpu"))
            )
        )
        for run_id, config in session.execute(query):
            found[run_id] = int((config.get("engine") or {}).get("processes", 1))
    return found


@dataclass(frozen=True, slots=True)
class Begun:
    """An attempt as it began: when, and the first step that it records."""

    kind: str
    started_at: datetime
    first: int


def _stretch(earlier: tuple[Stretch, ...], begun: Begun | None, record: Iterable[tuple[Ints, Floats]]) -> Stretch:
    pieces = list(record)
    steps = np.concatenate([np.zeros(0, np.int64), *(s for s, _ in pieces)])
    walls = np.concatenate([np.zeros(0), *(w for _, w in pieces)])
    steps, walls = steps[walls > 0], walls[walls > 0]  # what was imported without a time has 0
    order = np.argsort(steps, kind="stable")
    starts = [float(walls.min())] if len(walls) else []
    if begun is not None and (begun.kind == SCRIPT or not starts):
        starts.append(begun.started_at.timestamp())
    first = begun.first if begun else 0
    latest = np.maximum.accumulate(walls[order])
    return Stretch(first, min(starts, default=0.0), _seconds(earlier, first - 1), steps[order], latest)


def _begun(session: Session, run_ids: Sequence[int]) -> dict[Place, Begun]:
    columns = (Attempt.run_id, Attempt.attempt, Run.kind, Attempt.started_at, Attempt.resumed_from)
    rows = session.execute(select(*columns).join(Run, Run.id == Attempt.run_id).where(Attempt.run_id.in_(run_ids)))
    return {(row.run_id, row.attempt): Begun(row.kind, row.started_at, row.resumed_from or 0) for row in rows}


def _record(session: Session, run_ids: Sequence[int]) -> dict[Place, list[tuple[Ints, Floats]]]:
    """Steps and wall times of all that each attempt recorded."""
    record: dict[Place, list[tuple[Ints, Floats]]] = defaultdict(list)
    axes = select(Axis.run_id, Axis.attempt, Axis.steps, Axis.walls).where(Axis.run_id.in_(run_ids))
    for run_id, attempt, steps, walls in session.execute(axes):
        record[run_id, attempt].append((unpack_steps(steps), unpack_walls(walls)))
    chunks = select(Chunk.run_id, Chunk.attempt, Chunk.body).where(Chunk.run_id.in_(run_ids))
    for run_id, attempt, body in session.execute(chunks):
        record[run_id, attempt] += [(block.steps, block.walls) for block in unpack_blocks(body)]
    scored = select(Evaluation.run_id, Evaluation.attempt, Evaluation.step, Evaluation.wall).where(
        Evaluation.run_id.in_(run_ids), Evaluation.attempt != RESCORED
    )
    for run_id, attempt, step, wall in session.execute(scored):
        if wall is not None and math.isfinite(wall):
            record[run_id, attempt].append((np.array([step], np.int64), np.array([wall])))
    return record
