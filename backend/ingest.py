"""The way of logged rows into the database: batches that come while one transaction runs go together in the next.

So two hundred clients share a commit, and its wait for the disk, instead of standing in line for one each.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from backend.store import ingest
from backend.store.ingest import Sent
from backend.store.session import Database
from depthboard.errors import DepthboardError
from depthboard.protocol import Points

TOGETHER = 64


@dataclass(eq=False)
class _Waiting:
    sent: Sent
    answer: int | BaseException | None = None


class Ingest:
    """One a process; threads call `append` at will."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turn, self._mutex = threading.Lock(), threading.Lock()
        self._waiting: list[_Waiting] = []

    def append(self, run_id: int, token: str, points: Points) -> int:
        """The highest sequence number held, once it is committed. Raises what `backend.store.ingest.append` answers, and what
        the database raises.
        """
        mine = _Waiting(Sent(run_id, token, points))
        with self._mutex:
            self._waiting.append(mine)
        with self._turn:
            # Whoever has the turn does what waits; most find theirs done when they get it.
            while mine.answer is None:
                self._commit_some()
        if isinstance(mine.answer, BaseException):
            raise mine.answer
        return mine.answer

    def _commit_some(self) -> None:
        with self._mutex:
            some, self._waiting = self._waiting[:TOGETHER], self._waiting[TOGETHER:]
        try:
            with self._database.write() as session:
                answers: list[int | DepthboardError] = ingest.append(session, [waiting.sent for waiting in some])
        except BaseException as error:
            for waiting in some:
                waiting.answer = error
            return
        for waiting, answer in zip(some, answers, strict=True):
            waiting.answer = answer
