"""Looks after children: what ends unasked is started again."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

LOOK_SECONDS, STOP_SECONDS = 0.5, 40.0
SOON_SECONDS, FIRST_PAUSE, LONGEST_PAUSE = 60.0, 1.0, 60.0
"""One that ends so soon after its start is started again after a pause, twice as long each time."""

Child = subprocess.Popen[bytes]


@dataclass
class _Part:
    name: str
    start: Callable[[], Child]
    child: Child
    begun: float
    pause: float = FIRST_PAUSE
    due: float | None = None


class Keeper:
    """Starts parts and keeps them running. Its thread outlives what it starts: the kernel ends a child with the thread it came from."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._parts: list[_Part] = []
        self._say = say
        self._turn, self._stopping, self._over = threading.Lock(), False, threading.Event()
        self._thread = threading.Thread(target=self._keep, name="keeper", daemon=True)

    def begin(self, name: str, start: Callable[[], Child]) -> Child:
        """Start a part, which people know by this name. From the main thread; Ctrl-C meanwhile is heard afterwards."""
        with _uninterrupted():
            child = start()
            self._parts.append(_Part(name, start, child, time.monotonic()))
        return child

    def watch(self) -> None:
        """From now on start again what ends."""
        self._thread.start()

    def stop(self) -> None:
        """Stop the parts, the last first, and wait for each."""
        with self._turn:
            self._stopping = True
        stop([part.child for part in self._parts])
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            with self._turn:
                for part in self._parts:
                    if not self._stopping and part.child.poll() is not None:
                        self._again(part)

    def _again(self, part: _Part) -> None:
        now = time.monotonic()
        if part.due is None:
            part.pause = FIRST_PAUSE if now - part.begun > SOON_SECONDS else min(2 * part.pause, LONGEST_PAUSE)
            part.due = now + part.pause
            self._say(f"The {part.name} {ending(part.child.returncode)}; it is started again.")
        elif now >= part.due:
            try:
                part.child, part.begun, part.due = part.start(), now, None
            except OSError as error:  # no more processes to be had, a full disk
                part.due = now + LONGEST_PAUSE
                self._say(f"The {part.name} cannot be started ({error}).")


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """A child that has started and is not yet known would be left behind."""
    heard: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: heard.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if heard:
        raise KeyboardInterrupt


def ending(code: int) -> str:
    """How a process ended, as the end of a sentence."""
    if code >= 0:
        return f"ended with exit code {code}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-code).name}"
    return f"was ended by signal {-code}"


def stop(children: Sequence[Child]) -> None:
    """SIGTERM, the last first, so that workers give their runs back to a living API; what does not end in time is killed."""
    for child in reversed(children):
        with contextlib.suppress(ProcessLookupError):
            child.send_signal(signal.SIGTERM)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
