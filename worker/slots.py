"""A worker's slots: each trains one run at a time. A doorbell (Celery) or the poll starts a free slot; it then claims until nothing is queued."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import queue
import secrets
import threading

from depthboard import __version__
from depthboard.client import Api
from depthboard.errors import DepthboardError
from depthboard.experiment import TRAINING_VERSION
from depthboard.protocol import Claim, ClaimRequest, WorkerNote
from depthboard.settings import Settings
from worker.calibrate import Calibration
from worker.gpus import gpu_of
from worker.supervise import supervise

log = logging.getLogger(__name__)


class Slots:
    """`count` trainings side by side on this host, claimed over REST from the API at settings.url."""

    def __init__(self, settings: Settings, count: int, device: str, calibration: Calibration) -> None:
        self.stopping = threading.Event()
        self._settings = settings
        self._free = queue.SimpleQueue[int]()
        for number in range(count):
            self._free.put(number)
        self._count = count
        self._device = device
        self._calibration = calibration
        self._id = secrets.token_hex(16)
        self._api = Api(settings.url)
        self._threads: set[threading.Thread] = set()

    def start(self) -> None:
        """Say that we are here and look for work, every poll_seconds, whatever the broker does."""
        threading.Thread(target=self._poll, name="poll", daemon=True).start()

    def ring(self) -> None:
        """Start a free slot, if there is one; otherwise the busy ones find the run when they are done."""
        if self.stopping.is_set():
            return
        with contextlib.suppress(queue.Empty):
            number = self._free.get_nowait()
            thread = threading.Thread(target=self._work, args=(number,), name=f"slot {number}")
            self._threads.add(thread)
            thread.start()

    def stop(self) -> None:
        """Give every run back after a checkpoint, and wait for it."""
        self.stopping.set()
        for thread in list(self._threads):
            thread.join()

    def _work(self, number: int) -> None:
        try:
            while not self.stopping.is_set() and (claim := self._claim()) is not None:
                log.info("run %s: attempt %s", claim.run_id, claim.attempt)
                supervise(claim, self._settings, self.stopping, gpu_of(number))
        finally:
            self._free.put(number)
            self._threads.discard(threading.current_thread())

    def _claim(self) -> Claim | None:
        request = ClaimRequest(
            worker_id=self._id,
            host=platform.node(),
            device=self._device,
            training_version=TRAINING_VERSION,
        )
        try:
            answer = self._api.json("POST", "/api/claims", request)
        except DepthboardError as error:
            log.warning("no claim: %s", error)
            return None
        return None if answer is None else Claim.model_validate(answer)

    def _poll(self) -> None:
        while not self.stopping.is_set():
            with contextlib.suppress(DepthboardError):
                self._api.json("PUT", f"/api/workers/{self._id}", self._note())
                for _ in range(self._count):
                    self.ring()
            self.stopping.wait(self._settings.poll_seconds)

    def _note(self) -> WorkerNote:
        return WorkerNote(
            host=platform.node(),
            device=self._device,
            threads=self._settings.threads,
            slots=self._count,
            pid=os.getpid(),
            version=__version__,
            training_version=TRAINING_VERSION,
            speeds=self._calibration.speeds,
            startup_seconds=self._calibration.startup_seconds,
        )
