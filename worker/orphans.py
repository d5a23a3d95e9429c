"""The processes of an attempt, wherever they went: found by the mark in their environment or as descendants, frozen, then killed.

A group is not enough: a grandchild may leave it. The mark of an attempt is in the environment of all its processes (DEPTHBOARD_ATTEMPT) and names the
worker that supervises it by number, start and place, so that neither a number that is used again nor another container's worker is mistaken for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import platform
import secrets
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from depthboard.process import exists, started, status_fields

VARIABLE = "DEPTHBOARD_ATTEMPT"
KILL_SECONDS = 5.0
LOOKS = 3


@dataclass(frozen=True)
class Mark:
    """What an attempt's processes carry, and what its folder is called."""

    run_id: int
    attempt: int
    nonce: str
    supervisor: int
    supervisor_started: int
    place: str

    @classmethod
    def new(cls, run_id: int, attempt: int) -> Mark:
        """Of an attempt that this process supervises."""
        return cls(run_id, attempt, secrets.token_hex(4), os.getpid(), started(os.getpid()) or 0, here())

    @classmethod
    def read(cls, text: str) -> Mark | None:
        """The mark that `text` is, or None."""
        parts = text.split("-")
        if len(parts) != 6 or not all(parts[i].isdecimal() for i in (0, 1, 3, 4)):
            return None
        return cls(int(parts[0]), int(parts[1]), parts[2], int(parts[3]), int(parts[4]), parts[5])

    def __str__(self) -> str:
        return f"{self.run_id}-{self.attempt}-{self.nonce}-{self.supervisor}-{self.supervisor_started}-{self.place}"

    @property
    def forsaken(self) -> bool:
        """Whether its supervisor, which ran where we do, is gone."""
        if self.place != here():
            return False
        if (
            self.supervisor_started == 0
        ):  # made where there is no /proc: a number that is used again counts as the supervisor
            return not exists(self.supervisor)
        return started(self.supervisor) != self.supervisor_started


@cache
def here() -> str:
    """Where process numbers mean what they mean here: this host, and within it this container."""
    return hashlib.sha256(f"{platform.node()} {_numbering('self')}".encode()).hexdigest()[:8]


def _numbering(pid: int | str) -> str:
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/{pid}/ns/pid")
    return ""


def end_attempt(mark: Mark, family_of: int | None = None) -> bool:
    """Kill every process of the attempt but this one, and with `family_of` all descendants of that process; True when none is left."""
    belongs = str(mark)
    return _end(
        lambda pid: (
            environment_of(pid).get(VARIABLE) == belongs or (family_of is not None and _descends(pid, family_of))
        )
    )


def sweep(home: Path) -> None:
    """Kill what is left of this home's attempts whose worker is gone, and remove their folders."""
    mine = os.path.realpath(home)

    def forsaken(pid: int) -> bool:
        environment = environment_of(pid)
        mark = Mark.read(environment.get(VARIABLE, ""))
        same_home = os.path.realpath(environment.get("DEPTHBOARD_HOME", "")) == mine
        return mark is not None and same_home and mark.forsaken and _numbering(pid) == _numbering("self")

    _end(forsaken)
    for folder in (home / "attempts").glob("*"):
        mark = Mark.read(folder.name)
        if mark is not None and mark.forsaken:
            shutil.rmtree(folder, ignore_errors=True)


def environment_of(pid: int) -> dict[str, str]:
    """With what a process of this user was started; empty for another's, for one that has ended, and where there is no /proc."""
    process = Path(f"/proc/{pid}")
    try:
        if process.stat().st_uid != os.getuid():
            return {}
        raw = (process / "environ").read_bytes()
    except OSError:
        return {}
    pairs = (entry.partition("=") for entry in raw.decode("utf-8", "replace").split("\0"))
    return {name: value for name, _, value in pairs}


def _descends(pid: int, ancestor: int) -> bool:
    """Whether a living process is a child, grandchild, … of `ancestor`."""
    fields = status_fields(pid)
    if fields is None or fields[0] == "Z":
        return False
    while fields is not None and (parent := int(fields[1])) > 1:
        if parent == ancestor:
            return True
        fields = status_fields(parent)
    return False


def _end(belongs: Callable[[int], bool]) -> bool:
    """Freeze all that belong, then kill them, until LOOKS looks find none: what forks cannot outrun that.

    One look is not enough: a process may fork after the list was made and end before it is looked at.
    """
    give_up, quiet = time.monotonic() + KILL_SECONDS, 0
    while quiet < LOOKS:
        found = _freeze(belongs)
        for pid in found:
            _send(pid, signal.SIGKILL, belongs)
        quiet = 0 if found else quiet + 1
        if found and time.monotonic() > give_up:
            return False
        time.sleep(0.005)
    return True


def _freeze(belongs: Callable[[int], bool]) -> set[int]:
    frozen: set[int] = set()
    while new := {pid for pid in _numbers() if pid not in frozen and belongs(pid)}:
        for pid in new:
            _send(pid, signal.SIGSTOP, belongs)
        frozen |= new
    return frozen


def _numbers() -> list[int]:
    """Of all processes but this one."""
    if not os.path.isdir("/proc/self"):
        return []
    return [int(name) for name in os.listdir("/proc") if name.isdecimal() and int(name) != os.getpid()]


def _send(pid: int, number: signal.Signals, belongs: Callable[[int], bool]) -> None:
    """Signal the process if it still is the one that belongs: held first, looked at second, so that its number cannot pass to another between."""
    try:
        process = os.pidfd_open(pid)
    except OSError:
        return
    try:
        if belongs(pid):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                signal.pidfd_send_signal(process, number)
    finally:
        os.close(process)
