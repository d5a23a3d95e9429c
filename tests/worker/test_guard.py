"""Nothing of an attempt outlives it: whoever is killed, and wherever a grandchild went."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from depthboard.process import started, status_fields
from worker import guard
from worker.guard import Log
from worker.orphans import VARIABLE, Mark, end_attempt, environment_of, here, sweep

WORKER = """
import os, subprocess, sys, time
from pathlib import Path
from worker.orphans import Mark, VARIABLE
home, training = Path(sys.argv[1]), sys.argv[2]
mark = Mark.new(7, 1)
folder = home / "attempts" / str(mark)
folder.mkdir(parents=True)
environment = {**os.environ, VARIABLE: str(mark), "DEPTHBOARD_HOME": str(home)}
guard = subprocess.Popen([sys.executable, "-c", training, folder, str(os.getpid())], start_new_session=True, env=environment)
print(mark, guard.pid, flush=True)
sys.exit(guard.wait())
"""
TRAINING = """
import os, signal, subprocess, sys, time
from pathlib import Path
from worker.guard import guarded
from worker.orphans import Mark

def sleep():
    time.sleep(300)
    os._exit(0)

def fork_children():
    for _ in range(3):
        os.fork() or sleep()

def daemon():
    if os.fork() == 0:
        os.setsid()
        os.fork() or sleep()
        os._exit(0)

def nameless_daemon():
    subprocess.Popen(["sleep", "300"], env={{}}, start_new_session=True)

def deaf_child():
    if os.fork() == 0:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sleep()

def bomb(depth=6):
    end = time.monotonic() + 20
    while time.monotonic() < end and len(os.listdir("/proc")) < 400:
        if os.fork() == 0:
            os.setsid()
            bomb()
        time.sleep(0.02)
    sleep()

def train():
    {trouble}
    (folder / "begun").write_text(str(os.getpid()))
    (folder / "begun").rename(folder / "training")
    {end}
    return 0

folder = Path(sys.argv[1])
sys.exit(guarded(int(sys.argv[2]), Mark.read(folder.name), folder / "log.txt", lambda: os._exit(75), train))
"""


class Attempt:
    """A worker, its guard and something that trains, each a process of its own."""

    def __init__(self, home: Path, trouble: str, end: str = "sleep()") -> None:
        training = TRAINING.format(trouble=trouble, end=end)
        self.worker = subprocess.Popen(
            [sys.executable, "-c", WORKER, home, training], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.worker.stdout is not None
        mark, guard = self.worker.stdout.readline().split()
        self.worker.stdout.close()
        self.guard = int(guard)
        read = Mark.read(mark)
        assert read is not None
        self.mark, self.folder = read, home / "attempts" / mark
        self.family: set[int] = set()

    def training(self) -> int:
        within(lambda: (self.folder / "training").is_file())
        pid = int((self.folder / "training").read_text())
        self.look()
        return pid

    def look(self) -> None:
        self.family |= {p.pid for p in psutil.Process(self.guard).children(recursive=True)} | {self.guard}

    @property
    def left(self) -> set[int]:
        """What is alive of all that was seen, or carries the mark."""
        marked = {pid for pid in psutil.pids() if environment_of(pid).get(VARIABLE) == str(self.mark)}
        return {pid for pid in self.family | marked if alive(pid)}


def alive(pid: int) -> bool:
    fields = status_fields(pid)
    return fields is not None and fields[0] != "Z"


def within(condition: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


@pytest.fixture
def attempt(tmp_path: Path) -> Iterator[Callable[..., Attempt]]:
    begun: list[Attempt] = []

    def begin(*arguments: str) -> Attempt:
        begun.append(Attempt(tmp_path, *arguments))
        return begun[-1]

    yield begin
    for one in begun:
        one.worker.kill()
        one.worker.wait()
        end_attempt(one.mark)


TROUBLES = ["fork_children()", "daemon()", "nameless_daemon()", "deaf_child()", "os.fork() or bomb()"]


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("victim", ["worker", "child", "group", "end"])
def test_nothing_is_left_when_the_worker_the_training_or_its_group_is_killed_or_it_ends(
    attempt: Callable[..., Attempt], victim: str, trouble: str
) -> None:
    running = attempt(trouble, "time.sleep(1)" if victim == "end" else "sleep()")
    training = running.training()
    if victim == "worker":
        running.worker.kill()
    elif victim == "child":
        os.kill(training, signal.SIGKILL)
    elif victim == "group":
        os.killpg(training, signal.SIGKILL)
    within(lambda: not running.left)
    if victim != "worker":
        assert running.worker.wait(10) == (0 if victim == "end" else 128 + signal.SIGKILL)


@pytest.mark.parametrize("trouble", TROUBLES[:2] + TROUBLES[3:])
def test_a_killed_guard_takes_the_training_along_and_the_mark_finds_the_rest(
    attempt: Callable[..., Attempt], trouble: str
) -> None:
    running = attempt(trouble)
    training = running.training()
    os.kill(running.guard, signal.SIGKILL)
    within(lambda: not alive(training))
    assert end_attempt(running.mark)
    assert not running.left


def test_the_next_worker_ends_what_a_killed_one_and_its_killed_guard_left(
    attempt: Callable[..., Attempt], tmp_path: Path
) -> None:
    lost, other = attempt("daemon()"), attempt("daemon()")
    for running in (lost, other):
        running.training()
    lost.worker.kill()
    os.kill(lost.guard, signal.SIGKILL)
    lost.worker.wait()
    sweep(tmp_path / "another home")
    if not lost.left:
        pytest.skip("the guard was quicker than its own end")
    sweep(tmp_path)
    assert not lost.left
    assert not lost.folder.exists(), "with the token that lay in it"
    assert len(other.left) == 3, "its worker lives"
    assert other.folder.is_dir()


def test_a_wish_to_stop_reaches_the_training_alone(attempt: Callable[..., Attempt]) -> None:
    running = attempt("deaf_child()")
    running.training()
    os.kill(running.guard, signal.SIGTERM)
    assert running.worker.wait(10) == 75
    assert not running.left


def test_a_number_that_is_used_again_is_no_living_supervisor() -> None:
    mark = Mark.new(7, 2)
    assert Mark.read(str(mark)) == mark
    assert not mark.forsaken
    reused = Mark(7, 2, mark.nonce, os.getpid(), (started(os.getpid()) or 0) - 1, here())
    assert reused.forsaken
    elsewhere = Mark(7, 2, mark.nonce, os.getpid(), 1, "of another container")
    assert not elsewhere.forsaken, "who lives there cannot be seen from here"
    assert [Mark.read(text) for text in ("", "7-2", "a-2-c-4-5-f", "logs")] == [None] * 4


def test_where_there_is_no_proc_the_folder_of_a_living_worker_is_kept(tmp_path: Path) -> None:
    """Such a mark has no start: on macOS, say, where processes are not looked at either."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    living, gone = Mark(1, 1, "aa", os.getpid(), 0, here()), Mark(2, 1, "bb", ended.pid, 0, here())
    for mark in (living, gone):
        (tmp_path / "attempts" / str(mark)).mkdir(parents=True)
    assert [mark.forsaken for mark in (living, gone, Mark(3, 1, "cc", 10**30, 0, here()))] == [False, True, True]
    sweep(tmp_path)
    assert [folder.name for folder in (tmp_path / "attempts").iterdir()] == [str(living)]


def test_a_burst_of_output_is_cut_and_its_end_is_kept(attempt: Callable[..., Attempt]) -> None:
    running = attempt("print('the first words')", "[print('x' * 2**20) for _ in range(500)]; print('the last words')")
    assert running.worker.wait(60) == 0
    log = (running.folder / "log.txt").read_bytes()
    assert log.startswith(b"the first words\n")
    assert b"bytes of output were left out" in log
    assert log.endswith(b"the last words\n")
    assert len(log) < 2 * guard.BURST


def test_what_a_training_prints_in_a_year_stays_within_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    log = Log(tmp_path / "log.txt")
    for _ in range(2000):
        now += 3600
        log.write(b"y" * 2**15)
    log.close()
    assert guard.TOTAL <= (tmp_path / "log.txt").stat().st_size < guard.TOTAL + 2 * guard.TAIL
