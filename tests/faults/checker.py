"""The checker: invariants I1 to I8 of a history and the database it was made with. Each function returns what is wrong, in sentences.

I1 every acknowledged point is there exactly once · I2 at most one attempt of a run lives · I3 every run ends · I4 no write of an attempt is acknowledged after a
newer one was claimed · I5 a finished run's curve has no gap and no step of the wrong attempt · I6 no process works for an attempt that is over ·
I7 the database is sound · I8 the live stream, put together, is what the database says.
"""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import psutil

from tests.faults.history import WRITES, Entry, value_of
from tests.faults.stored import Stored, StoredRun

FINAL = frozenset({"finished", "failed", "cancelled"})
MARKER = "DEPTHBOARD_ATTEMPT"


@dataclass(frozen=True)
class Process:
    """A process that says which attempt it works for."""

    pid: int
    run: int
    attempt: int


def check(
    history: Sequence[Entry], stored: Stored, processes: Iterable[Process] = (), *, ended: bool = True
) -> list[str]:
    """All violations. `ended`: the test is over, so every run must be, too."""
    found = [
        *acknowledged_points(history, stored),
        *acknowledged_rest(history, stored),
        *one_attempt(history, stored),
        *no_stale_write(history),
    ]
    if ended:
        found += every_run_ends(stored)
    found += [*no_gap(stored), *begun_where_said(history, stored)]
    found += no_orphan(stored, processes)
    found += [f"I7: {problem}" for problem in stored.unsound]
    return found + live_stream(history, stored)


def acknowledged_points(history: Sequence[Entry], stored: Stored) -> list[str]:
    """I1, for runs that still exist."""
    found: list[str] = []
    acknowledged = _acknowledged(history)
    for run in stored.runs.values():
        for attempt in {piece.attempt for piece in run.pieces} | {a for r, a in acknowledged if r == run.id}:
            found += _points_of(run, attempt, acknowledged.get((run.id, attempt)))
    return found


def acknowledged_rest(history: Sequence[Entry], stored: Stored) -> list[str]:
    """I1, of evaluations and ends."""
    found = []
    for entry in history:
        run = stored.runs.get(entry.get("run", 0))
        if run is None:
            continue
        name = f"I1: run {run.id} attempt {entry.get('attempt')}"
        if entry["kind"] == "evaluation" and (entry["attempt"], entry["step"]) not in {e[:2] for e in run.evaluations}:
            found.append(f"{name}: the acknowledged evaluation of step {entry['step']} is lost")
        if entry["kind"] == "finished" and entry["status"] not in {
            a.outcome for a in run.attempts if a.number == entry["attempt"]
        }:
            found.append(f"{name}: its acknowledged end as {entry['status']} is lost")
    return found


def _acknowledged(history: Sequence[Entry]) -> dict[tuple[int, int], np.ndarray]:
    """(run, attempt) -> the steps that were acknowledged, each once."""
    steps: dict[tuple[int, int], list[np.ndarray]] = defaultdict(list)
    for entry in history:
        if entry["kind"] == "points":
            steps[entry["run"], entry["attempt"]].append(np.arange(entry["first"], entry["first"] + entry["n"]))
    return {key: np.unique(np.concatenate(found)) for key, found in steps.items()}


def _points_of(run: StoredRun, attempt: int, due: np.ndarray | None) -> list[str]:
    found: list[str] = []
    by_key: dict[str, list[np.ndarray]] = defaultdict(list)
    for piece in run.pieces:
        if piece.attempt == attempt:
            by_key[piece.key].append(piece.steps)
            if due is not None and not np.array_equal(piece.values, value_of(run.id, attempt, piece.steps)):
                found.append(f"I1: run {run.id} attempt {attempt}: a value of {piece.key} is not what was sent")
    for key, pieces in by_key.items():
        steps = np.concatenate(pieces)
        if len(np.unique(steps)) != len(steps):
            found.append(
                f"I1: run {run.id} attempt {attempt}: {len(steps) - len(np.unique(steps))} points of {key} are there twice"
            )
    if due is not None:
        held = np.concatenate([s for pieces in by_key.values() for s in pieces]) if by_key else np.array([], int)
        lost = np.setdiff1d(due, held)
        if len(lost):
            found.append(
                f"I1: run {run.id} attempt {attempt}: {len(lost)} acknowledged points are lost, first step {lost[0]}"
            )
    return found


def one_attempt(history: Sequence[Entry], stored: Stored) -> list[str]:
    """I2: no attempt is given twice, the newest is the highest, and only the newest of a running run has not ended."""
    claims = Counter((entry["run"], entry["attempt"]) for entry in history if entry["kind"] == "claimed")
    found = [f"I2: attempt {attempt} of run {run} was given {n} times" for (run, attempt), n in claims.items() if n > 1]
    for run in stored.runs.values():
        numbers = [attempt.number for attempt in run.attempts]
        if numbers != list(range(1, run.attempt + 1)):
            found.append(f"I2: run {run.id} is at attempt {run.attempt} and has the attempts {numbers}")
        live = [attempt.number for attempt in run.attempts if not attempt.ended]
        if live != ([run.attempt] if run.status == "running" else []):
            found.append(f"I2: run {run.id} is {run.status} at attempt {run.attempt} and has live attempts {live}")
    return found


def every_run_ends(stored: Stored) -> list[str]:
    return [f"I3: run {run.id} is still {run.status}" for run in stored.runs.values() if run.status not in FINAL]


def no_stale_write(history: Sequence[Entry]) -> list[str]:
    """I4: a write that was begun after a newer attempt had been given is never acknowledged."""
    given = {(entry["run"], entry["attempt"]): entry["at"] for entry in history if entry["kind"] == "claimed"}
    found = []
    for entry in history:
        if entry["kind"] not in WRITES:
            continue
        newer = [
            n for (run, n), at in given.items() if run == entry["run"] and n > entry["attempt"] and at < entry["began"]
        ]
        if newer:
            found.append(
                f"I4: {entry['kind']} of run {entry['run']} attempt {entry['attempt']} was taken after attempt {min(newer)} was given"
            )
    return found


def no_gap(stored: Stored) -> list[str]:
    """I5: of every shown curve each step is of the attempt that trained it; a finished run has all its steps."""
    found: list[str] = []
    for run in stored.runs.values():
        for key, (steps, values) in run.shown.items():
            if run.status == "finished" and not np.array_equal(steps, np.arange(1, run.steps + 1)):
                found.append(f"I5: run {run.id}: {key} has {len(steps)} steps of {run.steps}{_where(steps, run.steps)}")
            if not np.array_equal(*_aligned(run, key, steps, values), equal_nan=True):
                found.append(f"I5: run {run.id}: {key} shows values of an attempt that was cut")
        found += [*_evaluated_twice(run), *_cut_evaluations(run)]
    return found


def begun_where_said(history: Sequence[Entry], stored: Stored) -> list[str]:
    """I5: an attempt's first acknowledged step is the one that the record says it resumed at."""
    first: dict[tuple[int, int], int] = {}
    for entry in history:
        if entry["kind"] == "points":
            key = (entry["run"], entry["attempt"])
            first[key] = min(entry["first"], first.get(key, entry["first"]))
    return [
        f"I5: run {run.id} attempt {attempt.number} logged from step {first[run.id, attempt.number]} and is said to begin at {attempt.first}"
        for run in stored.runs.values()
        for attempt in run.attempts
        if first.get((run.id, attempt.number), attempt.first) != attempt.first
    ]


def _where(steps: np.ndarray, last: int) -> str:
    missing = np.setdiff1d(np.arange(1, last + 1), steps)
    return f", first missing {missing[0]}" if len(missing) else ""


def _aligned(run: StoredRun, key: str, steps: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The shown values, and those that the attempts' first steps say should be shown."""
    due: dict[int, float] = {}
    for attempt in run.attempts:
        due = {step: value for step, value in due.items() if step < attempt.first}
        for piece in run.pieces:
            if piece.attempt == attempt.number and piece.key == key:
                due.update(zip(piece.steps.tolist(), piece.values.tolist(), strict=True))
    order = sorted(due)
    same = order == steps.tolist()
    return values, np.array([due[step] for step in order]) if same else np.array([])


def _evaluated_twice(run: StoredRun) -> list[str]:
    seen = Counter((step, split, predictor) for _, step, split, predictor, gone in run.evaluations if not gone)
    return [f"I5: run {run.id}: the evaluation {key} is shown {n} times" for key, n in seen.items() if n > 1]


def _cut_evaluations(run: StoredRun) -> list[str]:
    """Evaluations that are shown although a later attempt began at their step or before. Attempt 0 scored the end again."""
    found = []
    for attempt, step, split, predictor, gone in run.evaluations:
        begins = [later.first for later in run.attempts if later.number > attempt > 0]
        if not gone and begins and step >= min(begins):
            found.append(
                f"I5: run {run.id}: the evaluation {step, split, predictor} of attempt {attempt} was cut and is shown"
            )
    return found


def no_orphan(stored: Stored, processes: Iterable[Process]) -> list[str]:
    """I6; look at the processes at least two leases after the last fault."""
    found = []
    for process in processes:
        run = stored.runs.get(process.run)
        if run is None or run.status != "running" or run.attempt != process.attempt:
            found.append(
                f"I6: process {process.pid} works for run {process.run} attempt {process.attempt}, which is over"
            )
    return found


def marked(home: str) -> list[Process]:
    """The living processes of an attempt whose product has this home."""
    found = []
    for process in psutil.process_iter():
        try:
            environment = process.environ()
            alive = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            continue
        if alive and environment.get("DEPTHBOARD_HOME") == home and (mark := environment.get(MARKER)):
            run, attempt = mark.split("-")[:2]
            found.append(Process(process.pid, int(run), int(attempt)))
    return found


def live_stream(history: Sequence[Entry], stored: Stored) -> list[str]:
    """I8, for each listener: rising numbers without a double, and the last word on each run is the database's."""
    found: list[str] = []
    for listener in {entry["listener"] for entry in history if entry["kind"] == "event"}:
        heard = [entry for entry in history if entry["kind"] == "event" and entry["listener"] == listener]
        ids = [entry["id"] for entry in heard if entry["id"] is not None]
        if any(b <= a for a, b in itertools.pairwise(ids)):
            found.append(f"I8: {listener} heard an event twice or out of order")
        found += _versions(listener, heard, stored)
        last = {entry["run"]: entry for entry in heard if entry["event"] == "run"}
        found += [problem for run in stored.runs.values() for problem in _last_word(listener, run, last.get(run.id))]
    return found


def _versions(listener: str, heard: Sequence[Entry], stored: Stored) -> list[str]:
    """An experiment's versions rise with the stream, and none is of the future."""
    found, last = [], defaultdict[str, int](int)
    for entry in heard:
        for experiment, version in (entry.get("versions") or {}).items():
            if not last[experiment] <= version <= stored.versions.get(experiment, version):
                found.append(
                    f"I8: {listener} heard version {version} of experiment {experiment} after {last[experiment]}"
                )
            last[experiment] = version
    return found


def _last_word(listener: str, run: StoredRun, entry: Entry | None) -> list[str]:
    if entry is None:
        return [f"I8: {listener} never heard of run {run.id}, which is {run.status}"] if run.attempt else []
    said, is_so = (entry["status"], entry["attempt"]), (run.status, run.attempt)
    return [] if said == is_so else [f"I8: {listener} was last told {said} of run {run.id}, and it is {is_so}"]
