"""What a training takes of its machine, recorded beside its losses: processor and memory of the process, and its GPUs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from depthboard.errors import DepthboardError
from worker import gpus
from worker.recorder import Recorder

SECONDS = 15.0
GB = 1e9
PAGE = os.sysconf("SC_PAGE_SIZE")


@contextmanager
def recorded(recorder: Recorder, step: Callable[[], int], seconds: float = SECONDS) -> Iterator[None]:
    """While this lasts, a row of `system/…` every so many seconds, at the step that the training has come to.

    None where it has come to no further step since: the step that it resumed from is not its own to log, and a row would
    make a training that hangs look as if it moved.
    """
    over = threading.Event()
    args = (recorder, step, step(), seconds, over)
    thread = threading.Thread(target=_record, args=args, name="usage", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _record(recorder: Recorder, step: Callable[[], int], last: int, seconds: float, over: threading.Event) -> None:
    processor = Processor()
    while not over.wait(seconds):
        if (now := step()) == last:
            continue
        last = now
        values = {"system/cpu": processor.share(), "system/memory": memory() / GB}
        for gpu in gpus.use():
            shown = {"utilisation": gpu.utilisation, "power": gpu.power, "temperature": gpu.temperature}
            shown["memory"] = None if gpu.memory_used is None else gpu.memory_used / GB
            values |= {f"system/gpu{gpu.index}/{name}": value for name, value in shown.items() if value is not None}
        try:
            recorder.point(now, values, time.time())
        except DepthboardError:  # a refused write: the training hears of it at its own next one
            return


class Processor:
    """The processor time of this process between two looks."""

    def __init__(self) -> None:
        self._last = time.monotonic(), time.process_time()

    def share(self) -> float:
        """Per cent of one core: two busy cores are 200."""
        now = time.monotonic(), time.process_time()
        before, self._last = self._last, now
        return 100 * (now[1] - before[1]) / max(now[0] - before[0], 1e-9)


def memory() -> int:
    """Bytes that this process holds in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE
