"""A supervised attempt against the real API: its process dies with its supervisor, is cancelled, fenced, and tells its reason."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from depthboard.errors import DataProblem, DepthboardError
from worker.launch import reason_of
from worker.supervise import EXIT_STOPPED, _outcome, _Watch

PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", {child!r}], start_new_session=True)
print(child.pid, flush=True)
time.sleep(60)
"""
CHILD = """
import os, sys, time
from depthboard.process import die_with_parent
die_with_parent(int(sys.argv[1]) if len(sys.argv) > 1 else os.getppid())
time.sleep(60)
"""


def ends(pid: int, seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_a_training_dies_with_its_killed_supervisor() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT.format(child=CHILD)], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    time.sleep(1.0)  # the child asks for the signal first thing, after its interpreter has started
    assert psutil.pid_exists(child)
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    assert ends(child, 10)


def test_a_child_whose_parent_is_gone_already_ends_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", CHILD, "1"], timeout=30, check=False)
    assert done.returncode == 1


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (
            DataProblem("frame 7 is cut short.", field="data", remedy="Copy it again."),
            "data: frame 7 is cut short. Copy it again.",
        ),
        (DepthboardError("no."), "no."),
        (MemoryError(), "out of memory: lower budget.batch_size"),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), "out of memory: lower budget.batch_size"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero. The log has the details."),
    ],
)
def test_a_failure_is_told_in_a_sentence(error: Exception, words: str) -> None:
    assert reason_of(error).startswith(words)


def test_how_an_attempt_ended_follows_from_its_exit_and_from_what_was_asked(tmp_path: Path) -> None:
    def status(code: int, watch: _Watch) -> str | None:
        outcome = _outcome(code, tmp_path, watch)
        return None if outcome is None else outcome.status

    now = time.monotonic()
    assert status(0, _Watch()) == "finished"
    assert status(0, _Watch(cancelled=True)) == "finished"  # it was done before the wish arrived
    assert status(EXIT_STOPPED, _Watch(cancelled=True, asked_to_stop=now)) == "cancelled"
    assert status(-9, _Watch(cancelled=True, asked_to_stop=now)) == "cancelled"
    assert status(EXIT_STOPPED, _Watch(asked_to_stop=now)) == "queued"
    assert status(1, _Watch()) == "failed"
    assert status(-9, _Watch()) is None  # the lease decides: another attempt resumes


def test_a_failed_attempt_carries_its_reason(tmp_path: Path) -> None:
    (tmp_path / "reason.txt").write_text("frame 7 is cut short.")
    outcome = _outcome(1, tmp_path, _Watch())
    assert outcome is not None
    assert outcome.reason == "frame 7 is cut short."
