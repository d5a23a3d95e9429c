"""Processes that must not outlive the one that started them, and what tells a process from a later one with its number."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


def die_with_parent(parent: int, number: signal.Signals = signal.SIGKILL) -> None:
    """Ask the kernel for this signal when `parent` ends; if it ended before we could ask, end now. Elsewhere than on Linux a thread watches.

    On Linux the signal comes when the *thread* that started us ends: start children from a thread that lives as long as they do.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
    else:
        threading.Thread(target=_watch, args=(parent, number), daemon=True).start()
    if os.getppid() != parent:
        os._exit(1)


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends, daemons too; only Linux can."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def started(pid: int) -> int | None:
    """When the process began, in clock ticks since the machine started; None where there is none. A number is given again, not with this."""
    fields = status_fields(pid)
    return None if fields is None else int(fields[19])


def exists(pid: int) -> bool:
    """Whether there is a process of this number, whosever it is."""
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def status_fields(pid: int) -> list[str] | None:
    """/proc/PID/stat from its third field on: state, parent, group, session, …"""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None


def _watch(parent: int, number: signal.Signals) -> None:
    while os.getppid() == parent:
        threading.Event().wait(1.0)
    os.kill(os.getpid(), number)
