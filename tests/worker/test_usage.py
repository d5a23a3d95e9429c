from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from depthboard.errors import StaleAttempt
from depthboard.protocol import Gpu
from worker import gpus, usage


class Rows:
    """Takes rows as a recorder does, or refuses them."""

    def __init__(self, refuse: bool = False) -> None:
        self.rows: list[tuple[int, dict[str, float]]] = []
        self.refuse, self.came = refuse, threading.Event()

    def point(self, step: int, values: dict[str, float], wall: float) -> None:  # noqa: ARG002
        self.rows.append((step, values))
        self.came.set()
        if self.refuse:
            raise StaleAttempt("another attempt has the run.")


def seen(monkeypatch: pytest.MonkeyPatch, *found: Gpu) -> None:
    use: Callable[[], list[Gpu]] = lambda: list(found)
    monkeypatch.setattr(gpus, "use", use)


def test_what_a_training_takes_is_recorded_at_its_step_while_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch, Gpu(index=3, utilisation=95, memory_used=78_000_000_000, power=588.5), Gpu(index=4))
    rows = Rows()
    steps = itertools.chain([6], itertools.repeat(7))
    with usage.recorded(rows, lambda: next(steps), seconds=0.01):  # type: ignore[arg-type]
        assert rows.came.wait(5)
    step, values = rows.rows[0]
    assert step == 7
    assert set(values) == {
        "system/cpu",
        "system/memory",
        "system/gpu3/utilisation",
        "system/gpu3/memory",
        "system/gpu3/power",
    }
    assert (values["system/gpu3/utilisation"], values["system/gpu3/memory"], values["system/gpu3/power"]) == (
        95,
        78,
        588.5,
    )
    n = len(rows.rows)
    time.sleep(0.05)
    assert len(rows.rows) == n, "nothing is recorded when it is over"


def test_a_row_comes_with_a_further_step_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A resumed attempt may not log the step before its first, and a training that hangs is seen by what no longer comes."""
    seen(monkeypatch)
    rows, at = Rows(), [10]
    with usage.recorded(rows, lambda: at[0], seconds=0.01):  # type: ignore[arg-type]
        time.sleep(0.1)
        assert rows.rows == [], "nothing while the first step lasts"
        at[0] = 11
        assert rows.came.wait(5)
        time.sleep(0.1)
    assert [step for step, _ in rows.rows] == [11]


def test_a_refused_row_ends_the_watching_and_not_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    seen(monkeypatch)
    rows = Rows(refuse=True)
    with usage.recorded(rows, itertools.count().__next__, seconds=0.01):  # type: ignore[arg-type]
        assert rows.came.wait(5)
        time.sleep(0.1)
    assert len(rows.rows) == 1


def test_a_busy_core_is_a_hundred_per_cent(monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = iter([(10.0, 1.0), (12.0, 4.0)])
    now: list[float] = []

    def look() -> float:
        now[:] = next(clocks)
        return now[0]

    monkeypatch.setattr(time, "monotonic", look)
    monkeypatch.setattr(time, "process_time", lambda: now[1])
    assert usage.Processor().share() == 150  # 3 s of processor time in 2 s


def test_memory_is_what_the_process_holds() -> None:
    before = usage.memory()
    held = np.ones(64 * 2**20, np.uint8)
    assert usage.memory() - before == pytest.approx(len(held), rel=0.2)
