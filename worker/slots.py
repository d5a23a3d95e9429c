"""A worker's slots: each trains one run at a time. A doorbell (Celery), the poll or the end of a training starts a free slot, which claims the next run."""

from __future__ import annotations

import contextlib
import logging
import os
import platform
import secrets
import threading
from typing import Any

from pydantic import ValidationError

from depthboard import __version__
from depthboard.client import Api, RunWriter
from depthboard.errors import DepthboardError
from depthboard.experiment import TRAINING_VERSION
from depthboard.protocol import Claim, ClaimRequest, DoomedFile, Finish, Freed, WorkerNote, WorkerOrders
from depthboard.settings import Settings
from depthboard.status import RunStatus
from worker import artifacts, gpus
from worker.calibrate import Calibration
from worker.places import Places
from worker.supervise import Leave, hold, supervise

log = logging.getLogger(__name__)


class Slots:
    """Trainings in `places` of this host, claimed over REST from the API at settings.url."""

    def __init__(self, settings: Settings, places: Places, calibration: Calibration) -> None:
        self.leave = Leave()
        self._settings, self._places, self._calibration = settings, places, calibration
        self._device = gpus.device_name()
        self._draining = False
        self._id = secrets.token_hex(16)
        self._api = Api(settings.url)
        self._threads: set[threading.Thread] = set()
        self._starting = threading.Lock()
        self._poller = threading.Thread(target=self._poll, name="poll", daemon=True)
        self._cleaner: threading.Thread | None = None

    def start(self) -> None:
        """Say that we are here and look for work, every poll_seconds, whatever the broker does."""
        self._poller.start()

    def ring(self) -> None:
        """Start a free slot, if there is one; otherwise the busy ones find the run when they are done."""
        with self._starting:
            if self.leave.stopping.is_set() or self._draining:
                return
            if (place := self._places.take()) is not None:
                thread = threading.Thread(target=self._work, args=(place,), name=f"slot {place}")
                try:
                    thread.start()
                except RuntimeError:  # no thread is to be had now
                    self._places.give_back([place])
                    raise
                self._threads.add(thread)

    def stop(self) -> None:
        """Give every run back after a checkpoint, and wait for it; `leave.hurry` ends that."""
        with self._starting:  # no slot starts that is not waited for
            self.leave.stopping.set()
            threads = list(self._threads)
        for thread in threads:
            thread.join()
        for helper in (self._poller, self._cleaner):
            if helper is not None and helper.is_alive():
                helper.join(1.0)
        self._api.close()

    def _work(self, place: str) -> None:
        held, more = [place], False
        try:
            claim = self._claim()
            if claim is not None:
                log.info("run %s: attempt %s", claim.run_id, claim.attempt)
                if 1 < claim.config.engine.processes <= self._places.gpus:
                    held = []
                    held = self._several(claim, place)
                more = not held or supervise(claim, self._settings, self.leave, ",".join(dict.fromkeys(held)) or None)
        finally:
            self._places.give_back(held)
            with self._starting:
                self._threads.discard(threading.current_thread())
        if more:  # else the next look for work is soon enough
            self.ring()

    def _several(self, claim: Claim, place: str) -> list[str]:
        """In exchange for this place those of several GPUs, once they are empty; none if the run is no longer ours by then."""
        ticket, count, given = object(), claim.config.engine.processes, None
        self._places.exchange(place, ticket)
        log.info("run %s: waits until %s GPUs are empty", claim.run_id, count)
        try:
            given = hold(claim, self._settings, self.leave, lambda: self._places.take_gpus(ticket, count))
        finally:
            if given is None:
                self._places.leave(ticket)
        return given or []

    def _claim(self) -> Claim | None:
        request = ClaimRequest(
            worker_id=self._id,
            host=platform.node(),
            device=self._device,
            training_version=TRAINING_VERSION,
            processes=self._places.gpus or None,
        )
        try:
            answer = self._api.json("POST", "/api/claims", request)
        except DepthboardError as error:
            log.warning("no claim: %s", error)
            return None
        try:
            return None if answer is None else Claim.model_validate(answer)
        except ValidationError as error:
            self._decline(answer, error)
            return None

    def _decline(self, answer: dict[str, Any], error: ValidationError) -> None:
        """Give a run back whose claim this release cannot read: it uses up no attempt."""
        fault = error.errors()[0]
        reason = (
            f"the worker on {platform.node()} has Depthboard {__version__}, which cannot read what the API says of this "
            f"run ({'.'.join(map(str, fault['loc']))}: {fault['msg']}). Install the API's release there."
        )
        log.error(reason)
        with contextlib.suppress(DepthboardError, KeyError, TypeError):
            writer = RunWriter(answer["run_id"], answer["token"], self._settings.url, timeout=10.0, patience=0)
            try:
                writer.finish(Finish(status=RunStatus.queued, reason=reason, retry=True))
            finally:
                writer.api.close()

    def _poll(self) -> None:
        while not self.leave.stopping.is_set():
            try:
                answer = self._api.json("PUT", f"/api/workers/{self._id}", self._note())
                self._obey(WorkerOrders.model_validate(answer))
                for _ in self._places.all:
                    self.ring()
            except DepthboardError as error:
                log.info("not heard: %s", error)
            except Exception:  # whatever it was, the next look may go well
                log.exception("the look for work went wrong")
            self.leave.stopping.wait(self._settings.poll_seconds)

    def _obey(self, orders: WorkerOrders) -> None:
        if orders.draining != self._draining:
            self._draining = orders.draining
            log.info("draining: nothing more is claimed" if orders.draining else "no longer draining")
        if orders.doomed and (self._cleaner is None or not self._cleaner.is_alive()):
            self._cleaner = threading.Thread(target=self._clean, args=(orders.doomed,), name="cleaner", daemon=True)
            self._cleaner.start()

    def _clean(self, doomed: list[DoomedFile]) -> None:
        """Delete files that the record no longer needs; a store that does not answer keeps nobody else waiting."""
        freed = [one.id for one in doomed if artifacts.free(self._settings, one.path)]
        with contextlib.suppress(DepthboardError):
            if freed:
                self._api.json("POST", f"/api/workers/{self._id}/freed", Freed(ids=freed))

    def _note(self) -> WorkerNote:
        return WorkerNote(
            host=platform.node(),
            device=self._device,
            threads=self._settings.threads,
            slots=len(self._places.all),
            pid=os.getpid(),
            version=__version__,
            training_version=TRAINING_VERSION,
            speeds=self._calibration.speeds,
            startup_seconds=self._calibration.startup_seconds,
            gpus=gpus.use(),
        )
