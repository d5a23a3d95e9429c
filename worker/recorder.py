"""The recorder: hands what a training produces to the API from a thread of its own, in order, so that the training never waits for the network."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from depthboard import points, protocol
from depthboard.client import RunWriter
from depthboard.points import Row

BATCH_SECONDS = 0.5
BATCH_POINTS = 1000


@dataclass(frozen=True)
class _Write:
    send: Callable[[Any], Any]
    body: Any


class Recorder:
    """Ordered, batched writes of one attempt. A refused write (stale attempt, bad value) is raised at the next call."""

    def __init__(self, writer: RunWriter) -> None:
        self._writer = writer
        self._queue: queue.Queue[Row | _Write | threading.Event] = queue.Queue()
        self._seq = 0
        self._error: Exception | None = None
        threading.Thread(target=self._run, name="recorder", daemon=True).start()

    def point(self, step: int, values: dict[str, float], wall: float) -> None:
        self._put(Row(step, wall, values))

    def begin(self, resumed_from: int | None) -> None:
        """Before all else: from which step on this attempt records."""
        self._put(_Write(self._writer.begin, resumed_from))

    def evaluation(self, evaluation: protocol.Evaluation) -> None:
        self._put(_Write(self._writer.evaluation, evaluation))

    def predictions(self, predictions: list[protocol.Prediction]) -> None:
        self._put(_Write(self._writer.predictions, predictions))

    def frames(self, frames: list[protocol.SampleFrame]) -> None:
        self._put(_Write(self._writer.frames, frames))

    def checkpoint(self, note: protocol.CheckpointNote) -> None:
        self._put(_Write(self._writer.checkpoint, note))

    def provenance(self, provenance: protocol.Provenance) -> None:
        self._put(_Write(self._writer.provenance, provenance))

    def flush(self) -> None:
        """Return when the API has committed everything given so far. Raises the error a write was refused with."""
        done = threading.Event()
        self._put(done)
        while not done.wait(0.2):
            self._check()
        self._check()

    def _put(self, item: Row | _Write | threading.Event) -> None:
        self._check()
        self._queue.put(item)

    def _check(self) -> None:
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while True:
                self._handle(self._queue.get())
        except Exception as error:  # raised again in the training, by whoever writes or waits next
            self._error = error

    def _handle(self, item: Row | _Write | threading.Event) -> None:
        if isinstance(item, Row):
            batch, after = self._gather(item)
            self._writer.points(points.batch(self._seq, batch))
            self._seq += len(batch)
            if after is not None:
                self._handle(after)
        elif isinstance(item, threading.Event):
            item.set()
        else:
            item.send(item.body)

    def _gather(self, first: Row) -> tuple[list[Row], _Write | threading.Event | None]:
        """Points that come within BATCH_SECONDS, up to the first write of another kind, which must follow them."""
        batch, end = [first], time.monotonic() + BATCH_SECONDS
        while len(batch) < BATCH_POINTS and (left := end - time.monotonic()) > 0:
            try:
                item = self._queue.get(timeout=left)
            except queue.Empty:
                break
            if not isinstance(item, Row):
                return batch, item
            batch.append(item)
        return batch, None
