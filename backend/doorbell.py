"""The doorbell: wakes a worker for queued runs, from a thread of its own, so that a broker that hangs keeps nobody waiting."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Iterable

WAITING = 32
"""One wake-up starts a slot, which then claims until nothing is queued: more than there are slots would be noise."""

log = logging.getLogger("depthboard.api")


class Doorbell:
    """`wake` rings for one run; what it raises is logged and otherwise ignored, since workers also poll."""

    def __init__(self, wake: Callable[[int], None]) -> None:
        self._wake = wake
        self._waiting: queue.Queue[int | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="doorbell", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ring(self, run_ids: Iterable[int]) -> None:
        """Returns at once; to be called after the commit that queued the runs."""
        for run_id in run_ids:
            try:
                self._waiting.put_nowait(run_id)
            except queue.Full:
                return

    def stop(self) -> None:
        """Ring for nobody any more. The thread is not waited for: it may hang in the broker."""
        self._forget()
        self._waiting.put_nowait(None)

    def _run(self) -> None:
        while (run_id := self._waiting.get()) is not None:
            try:
                self._wake(run_id)
            except Exception as error:
                log.warning("the wake-up for run %s was not sent: %s", run_id, error)
                self._forget()

    def _forget(self) -> None:
        while not self._waiting.empty():
            self._waiting.get_nowait()
