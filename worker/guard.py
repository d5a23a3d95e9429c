"""The guard of an attempt: a light process between the worker and the training, there so that nothing of the training outlives it.

It adopts what the training leaves behind, passes its output on to a log of limited size, hands on the wish to stop, and when the training ends or the worker
is gone, however that came, kills all that is left. If the guard itself is killed, the training dies with it, and the worker kills the rest.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import NoReturn

from depthboard.process import adopt_orphans, die_with_parent
from worker.orphans import Mark, end_attempt

END = signal.SIGUSR1
"""Asks the guard to kill all of the attempt now."""
LOOK_SECONDS = 1.0
BURST = 2 * 2**20
RATE = 16 * 2**10
TOTAL = 32 * 2**20
TAIL = 64 * 2**10


class Log:
    """What a training prints, as far as it keeps within bounds: BURST bytes at once, RATE a second, TOTAL in all, and always the last TAIL."""

    def __init__(self, file: Path) -> None:
        self._file = file.open("ab", buffering=0)
        self._room, self._since, self._written = float(BURST), time.monotonic(), 0
        self._left_out, self._tail = 0, b""

    def write(self, data: bytes) -> None:
        now = time.monotonic()
        self._room, self._since = min(BURST, self._room + RATE * (now - self._since)), now
        if len(data) > min(self._room, TOTAL - self._written):
            self._left_out += len(data)
            self._tail = (self._tail + data)[-TAIL:]
        else:
            self._catch_up()
            self._append(data)

    def close(self) -> None:
        self._catch_up()
        self._file.close()

    def _catch_up(self) -> None:
        """After a gap: how much is missing, and what came last before now."""
        if self._left_out:
            missing, tail = self._left_out - len(self._tail), self._tail
            self._left_out, self._tail = 0, b""
            told = f"\n[{missing} bytes of output were left out: too much at once]\n" if missing else ""
            self._append(told.encode() + tail)

    def _append(self, data: bytes) -> None:
        self._room -= len(data)
        self._written += len(data)
        with contextlib.suppress(OSError):  # a full disk must not end what it tells of
            self._file.write(data)


class Guard:
    """Of the training `pid`, whose output comes from `output`, for the worker `supervisor`."""

    def __init__(self, supervisor: int, pid: int, mark: Mark, output: int, wake: int, log: Log) -> None:
        self._supervisor, self._pid, self._mark = supervisor, pid, mark
        self._output, self._wake, self._log = output, wake, log
        self._open = True

    def watch(self) -> int:
        """Until the training has ended and nothing of it is left: its exit code as a shell says it, 128 + n for one that signal n killed."""
        code, heard = None, b""
        while code is None and END not in heard and os.getppid() == self._supervisor:
            heard = self._heard()
            if signal.SIGTERM in heard:
                os.kill(self._pid, signal.SIGTERM)  # not waited for yet, so the number is still its own
            code = self._reap()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._pid, signal.SIGKILL)
        end_attempt(self._mark, family_of=os.getpid())
        self._drain()
        self._log.close()
        return 1 if code is None else code

    def _heard(self) -> bytes:
        """The signals that came within LOOK_SECONDS, or until the training printed something."""
        ready, _, _ = select.select([self._wake, *([self._output] if self._open else [])], [], [], LOOK_SECONDS)
        if self._output in ready:
            self._copy()
        return os.read(self._wake, 4096) if self._wake in ready else b""

    def _copy(self) -> bool:
        """Pass on what there is to read; False when there is nothing now, or never again."""
        try:
            data = os.read(self._output, 2**16)
        except BlockingIOError:
            return False
        self._open = bool(data)
        self._log.write(data)
        return self._open

    def _drain(self) -> None:
        while self._open and self._copy():
            pass

    def _reap(self) -> int | None:
        """Wait for whoever has ended, adopted ones too; the training's exit code once it is among them."""
        code = None
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._pid:
                    exit_code = os.waitstatus_to_exitcode(ended[1])
                    code = exit_code if exit_code >= 0 else 128 - exit_code
        return code


def guarded(supervisor: int, mark: Mark, log: Path, stop: Callable[[], None], train: Callable[[], int]) -> int:
    """Run `train` in a process of its own with this one as its guard; SIGTERM to either calls `stop` there. Returns its exit code; see `Guard.watch`."""
    wake, wakes = os.pipe()
    output, printed = os.pipe()
    for end in (wake, wakes, output):
        os.set_blocking(end, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    for number in (signal.SIGTERM, signal.SIGCHLD, END):
        signal.signal(number, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    adopt_orphans()
    die_with_parent(supervisor, signal.SIGTERM)
    guard = os.getpid()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # until the training listens itself
    pid = os.fork()
    if pid == 0:
        _train(guard, printed, stop, train)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    os.close(printed)
    return Guard(supervisor, pid, mark, output, wake, Log(log)).watch()


def _train(guard: int, printed: int, stop: Callable[[], None], train: Callable[[], int]) -> NoReturn:
    """In the training: a session and group of its own, its output to the guard."""

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop()

    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, END):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGTERM, on_signal)
    os.setsid()
    die_with_parent(guard)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    os.close(printed)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    sys.exit(train())
