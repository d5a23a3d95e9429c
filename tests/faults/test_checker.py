"""The checker finds each kind of loss, in a history that is sound but for that."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.faults.checker import Process, check
from tests.faults.history import Entry, History, read, value_of
from tests.faults.stored import Piece, Stored, StoredAttempt, StoredRun

KEY = "train/loss/l1"


def piece(attempt: int, first: int, last: int) -> Piece:
    steps = np.arange(first, last + 1)
    return Piece(attempt, KEY, steps, value_of(1, attempt, steps))


def sound() -> tuple[list[Entry], Stored]:
    """Run 1: attempt 1 wrote steps 1-6 and left a checkpoint at 4; attempt 2 went on from there and finished at 8."""
    shown = [(np.arange(1, 5), 1), (np.arange(5, 9), 2)]
    values = np.concatenate([value_of(1, attempt, steps) for steps, attempt in shown])
    run = StoredRun(
        1,
        "finished",
        attempt=2,
        steps=8,
        attempts=[StoredAttempt(1, 1, True, "lost"), StoredAttempt(2, 5, True, "finished")],
        pieces=[piece(1, 1, 3), piece(1, 4, 6), piece(2, 5, 8)],
        shown={KEY: (np.arange(1, 9), values)},
        evaluations=[(1, 4, "test", "network", False), (2, 8, "test", "network", False)],
    )
    of = {"run": 1, "attempt": 1}
    history: list[Entry] = [
        {"kind": "claimed", "began": 1, "at": 2, **of},
        {"kind": "points", "began": 3, "at": 4, "first": 1, "n": 3, **of},
        {"kind": "points", "began": 5, "at": 6, "first": 4, "n": 3, **of},
        {"kind": "claimed", "began": 20, "at": 21, **of, "attempt": 2},
        {"kind": "points", "began": 22, "at": 23, "first": 5, "n": 4, **of, "attempt": 2},
        {"kind": "event", "began": 2, "at": 2, "listener": "a", "id": 1, "event": "run", "status": "running", **of},
        {
            "kind": "event",
            "began": 24,
            "at": 24,
            "listener": "a",
            "id": 5,
            "event": "run",
            "status": "finished",
            "run": 1,
            "attempt": 2,
        },
    ]
    return history, Stored({1: run})


def test_a_sound_history_has_no_violation() -> None:
    history, stored = sound()
    assert check(history, stored) == []


def lose_a_batch(_: list[Entry], run: StoredRun) -> None:
    run.pieces.pop(1)
    run.shown[KEY] = (np.delete(run.shown[KEY][0], 3), np.delete(run.shown[KEY][1], 3))
    run.status, run.attempts[-1] = "cancelled", replace(run.attempts[-1], outcome="cancelled")


def lose_an_evaluation(history: list[Entry], _: StoredRun) -> None:
    history.append({"kind": "evaluation", "began": 24, "at": 25, "run": 1, "attempt": 2, "step": 7})


def lose_an_end(history: list[Entry], _: StoredRun) -> None:
    history.append({"kind": "finished", "began": 24, "at": 25, "run": 1, "attempt": 2, "status": "failed"})


def keep_a_batch_twice(_: list[Entry], run: StoredRun) -> None:
    run.pieces.insert(0, run.pieces[0])


def change_a_value(_: list[Entry], run: StoredRun) -> None:
    run.pieces[0].values[1] += 1.0
    run.shown[KEY][1][1] += 1.0


def give_an_attempt_twice(history: list[Entry], _: StoredRun) -> None:
    history.append({**history[3], "at": 40})


def leave_the_old_attempt_alive(_: list[Entry], run: StoredRun) -> None:
    run.attempts[0] = replace(run.attempts[0], ended=False)


def leave_it_running(_: list[Entry], run: StoredRun) -> None:
    run.status, run.attempts[1] = "running", replace(run.attempts[1], ended=False)


def take_a_stale_write(history: list[Entry], _: StoredRun) -> None:
    history.append({"kind": "points", "began": 22, "at": 23, "first": 6, "n": 1, "run": 1, "attempt": 1})


def take_a_stale_finish(history: list[Entry], _: StoredRun) -> None:
    history.append({"kind": "finished", "began": 30, "at": 31, "run": 1, "attempt": 1, "status": "lost"})


def leave_a_gap(_: list[Entry], run: StoredRun) -> None:
    run.pieces[2] = piece(2, 6, 8)
    run.shown[KEY] = (np.delete(run.shown[KEY][0], 4), np.delete(run.shown[KEY][1], 4))


def show_the_cut_tail(_: list[Entry], run: StoredRun) -> None:
    run.shown[KEY][1][4:6] = value_of(1, 1, np.array([5, 6]))


def begin_elsewhere(history: list[Entry], _: StoredRun) -> None:
    history[4] = {**history[4], "first": 6, "n": 3}


def show_an_evaluation_twice(_: list[Entry], run: StoredRun) -> None:
    run.evaluations.append((2, 4, "test", "network", False))


def show_a_cut_evaluation(_: list[Entry], run: StoredRun) -> None:
    run.evaluations.append((1, 6, "test", "network", False))


def hear_an_event_twice(history: list[Entry], _: StoredRun) -> None:
    history.append(history[-1])


def hear_versions_out_of_order(history: list[Entry], _: StoredRun) -> None:
    history[-2], history[-1] = {**history[-2], "versions": {"1": 4}}, {**history[-1], "versions": {"1": 3}}


def miss_the_last_event(history: list[Entry], _: StoredRun) -> None:
    history.pop()


BROKEN: dict[Callable[[list[Entry], StoredRun], None], str] = {
    lose_a_batch: "I1",
    lose_an_evaluation: "I1",
    lose_an_end: "I1",
    keep_a_batch_twice: "I1",
    change_a_value: "I1",
    give_an_attempt_twice: "I2",
    leave_the_old_attempt_alive: "I2",
    leave_it_running: "I3",
    take_a_stale_write: "I4",
    take_a_stale_finish: "I4",
    leave_a_gap: "I5",
    show_the_cut_tail: "I5",
    begin_elsewhere: "I5",
    show_an_evaluation_twice: "I5",
    show_a_cut_evaluation: "I5",
    hear_an_event_twice: "I8",
    hear_versions_out_of_order: "I8",
    miss_the_last_event: "I8",
}


@pytest.mark.parametrize("change", BROKEN, ids=lambda change: change.__name__)
def test_each_violation_is_found(change: Callable[[list[Entry], StoredRun], None]) -> None:
    history, stored = copy.deepcopy(sound())
    change(history, stored.runs[1])
    found = check(history, stored)
    assert any(problem.startswith(BROKEN[change]) for problem in found), found


def test_a_process_of_an_attempt_that_is_over_is_found_and_one_that_trains_is_not() -> None:
    history, stored = sound()
    assert any(p.startswith("I6") for p in check(history, stored, [Process(7, run=1, attempt=2)]))
    leave_it_running(history, stored.runs[1])
    found = check(history, stored, [Process(7, run=1, attempt=2), Process(8, run=1, attempt=1)], ended=False)
    assert [p for p in found if p.startswith("I6")] == ["I6: process 8 works for run 1 attempt 1, which is over"]


def test_an_unsound_database_is_a_violation() -> None:
    history, stored = sound()
    stored.unsound.append("row 3 missing from index")
    assert check(history, stored) == ["I7: row 3 missing from index"]


def test_a_history_whose_last_line_was_cut_is_read_without_it(tmp_path: Path) -> None:
    history = History(tmp_path / "history")
    history.add("claimed", run=1, attempt=1)
    history.close()
    with (tmp_path / "history").open("ab") as file:
        file.write(b'{"kind": "poi')
    assert [entry["kind"] for entry in read(tmp_path / "history")] == ["claimed"]
