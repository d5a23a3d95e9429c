"""The way of logged rows into the database: batches that come while one transaction runs go together in the next.

So two hundred clients share a commit, and its wait for the disk, instead of standing in line for one each; and who waits
holds no thread.
"""

from __future__ import annotations

import asyncio
import itertools

import anyio.to_thread

from backend.store import ingest
from backend.store.ingest import Sent
from backend.store.session import Database
from depthboard.errors import DepthboardError
from depthboard.protocol import MAX_KEYS, Points

TOGETHER = 64

Waiting = tuple[Sent, "asyncio.Future[int]"]
Answer = int | BaseException


class Ingest:
    """One a process, on its event loop."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[Waiting] = []
        self._work: asyncio.Task[None] | None = None

    async def append(self, run_id: int, token: str, points: Points) -> int:
        """The highest sequence number held, once it is committed. Raises what `backend.store.ingest.append` answers, and what
        the database raises.
        """
        answer: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting.append((Sent(run_id, token, points), answer))
        if self._work is None or self._work.done():
            self._work = asyncio.create_task(self._commit_all())
        return await answer

    async def _commit_all(self) -> None:
        """One transaction after another, until nobody waits."""
        while self._waiting:
            some = self._next()
            try:
                answers = await anyio.to_thread.run_sync(self._commit, [sent for sent, _ in some])
            except Exception as error:  # no thread to be had: whoever waits hears of it
                answers = [error] * len(some)
            for (_, waiting), answer in zip(some, answers, strict=True):
                if waiting.cancelled():
                    continue  # its client has gone: what is committed stays so
                if isinstance(answer, BaseException):
                    waiting.set_exception(answer)
                else:
                    waiting.set_result(answer)

    def _next(self) -> list[Waiting]:
        """Those that go together: so few that no transaction is long."""
        names = itertools.accumulate(sent.points.names for sent, _ in self._waiting[:TOGETHER])
        count = max(1, sum(total <= MAX_KEYS for total in names))
        some, self._waiting = self._waiting[:count], self._waiting[count:]
        return some

    def _commit(self, some: list[Sent]) -> list[Answer]:
        try:
            with self._database.write() as session:
                answers: list[int | DepthboardError] = ingest.append(session, some)
        except BaseException as error:
            return [error] * len(some)
        return list(answers)
