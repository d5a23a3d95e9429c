"""Live updates: one poller a process reads the outbox while somebody listens, and hands each event to every listener.

It also numbers what was committed since (backend.store.outbox), as the poller of another process may have done before.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import anyio.to_thread

from backend.schemas import LiveEvent
from backend.store import outbox
from backend.store.session import Database
from backend.store.tables import Event

POLL_SECONDS = 0.1
"""How soon what another process committed is seen; what this one commits is looked for at once."""
GATHER_SECONDS = 0.05
"""Between two looks, so that many commits are read together."""
WAITING = 1000
"""Events that may wait for one slow listener before it is told to load everything anew."""
REPLAYED = 20_000
"""Events that one who comes back gets at most; beyond, loading anew is quicker."""

log = logging.getLogger("depthboard.events")


@dataclass(frozen=True)
class Numbered:
    """An event with its place in the stream; None for the event says: something was missed, load anew."""

    id: int
    event: LiveEvent | None


@dataclass(eq=False)
class Listener:
    queue: asyncio.Queue[Numbered | None] = field(default_factory=lambda: asyncio.Queue(WAITING))

    def give(self, item: Numbered) -> None:
        """Never waits. A listener that does not keep up loses what waits for it and is told so."""
        try:
            self.queue.put_nowait(item)
        except asyncio.QueueFull:
            while not self.queue.empty():
                self.queue.get_nowait()
            self.queue.put_nowait(Numbered(item.id, None))


class Broadcaster:
    """Lives on the event loop of one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: set[Listener] = set()
        self._poller: asyncio.Task[None] | None = None
        self._ready: asyncio.Future[None]
        self._last = 0
        self._closed = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: asyncio.Event
        database.after_publish = self._nudge

    @contextlib.asynccontextmanager
    async def listen(self) -> AsyncIterator[tuple[Listener, int]]:
        """A listener to everything committed after the id that comes with it."""
        listener = Listener()
        if self._poller is None:
            self._loop = asyncio.get_running_loop()
            self._news = asyncio.Event()
            self._ready = self._loop.create_future()
            self._poller = asyncio.create_task(self._poll(self._ready))
        await asyncio.shield(self._ready)
        self._listeners.add(listener)
        if self._closed:
            listener.queue.put_nowait(None)
        try:
            yield listener, self._last
        finally:
            self._listeners.discard(listener)
            if not self._listeners and self._poller is not None:
                self._poller.cancel()
                self._poller = None

    def close(self) -> None:
        """End every stream, so that the server can stop; called on the event loop."""
        self._closed = True
        for listener in self._listeners:
            while not listener.queue.empty():
                listener.queue.get_nowait()
            listener.queue.put_nowait(None)

    async def replay(self, after: int, upto: int) -> tuple[list[Numbered], int]:
        """What was committed after `after` until `upto`, and the place from which live events go on.

        One gap instead where some of it may be forgotten, and for a place that this database has not come to. A client that
        comes from a process that is ahead of this one has heard some of what this one will tell.
        """
        found, reached, forgotten = await anyio.to_thread.run_sync(self._read_missed, after)
        if forgotten > after or len(found) >= REPLAYED or after > reached:
            return [Numbered(upto, None)], upto
        return [item for item in found if item.id <= upto], max(after, upto)

    def _nudge(self) -> None:
        """Something was committed; called on any thread."""
        if self._poller is not None and self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._news.set)

    async def _poll(self, ready: asyncio.Future[None]) -> None:
        try:
            self._last = await anyio.to_thread.run_sync(self._newest)
        except Exception as error:  # whoever waits for the first look is told why there is none
            self._poller = None
            ready.set_exception(error)
            return
        ready.set_result(None)
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), POLL_SECONDS)
            self._news.clear()
            try:
                found = await anyio.to_thread.run_sync(self._read, self._last)
            except Exception:  # the listeners stay; the database may come back
                log.exception("the outbox could not be read")
                continue
            for item in found:
                self._last = item.id
                for listener in () if self._closed else tuple(self._listeners):
                    listener.give(item)
            await asyncio.sleep(GATHER_SECONDS)

    def _newest(self) -> int:
        self._sequence()
        with self._database.read() as session:
            return outbox.reached(session)[0]

    def _sequence(self) -> None:
        with self._database.read() as session:
            if not outbox.waiting(session):
                return
        with self._database.write() as session:
            outbox.sequence(session)

    def _read(self, after: int) -> list[Numbered]:
        self._sequence()
        with self._database.read() as session:
            return [_numbered(row) for row in outbox.read_after(session, after, WAITING)]

    def _read_missed(self, after: int) -> tuple[list[Numbered], int, int]:
        with self._database.snapshot() as session:
            found = [_numbered(row) for row in outbox.read_after(session, after, REPLAYED)]
            return found, *outbox.reached(session)


def _numbered(row: Event) -> Numbered:
    content = {"kind": row.kind, "run_id": row.run_id, "experiment_ids": row.experiment_ids, "data": row.data}
    return Numbered(row.position or 0, LiveEvent.model_validate({**content, "versions": row.versions or {}}))


def concerns(event: LiveEvent, experiment: int | None, run: int | None) -> bool:
    """Whether a listener to one experiment or one run wants this event; workers and datasets concern everybody."""
    if event.kind in ("worker", "dataset"):
        return True
    if run is not None:
        return event.run_id == run
    return experiment is None or experiment in event.experiment_ids
