"""Sends what a script logs while it runs, in a thread of its own: neither `log` nor the training waits for the API."""

from __future__ import annotations

import errno
import threading
import time
from pathlib import Path

from depthboard import spool
from depthboard.errors import SequenceGap
from depthboard.sending import FIRST_WAIT, LONGEST_WAIT, Refused, Say, Sending
from depthboard.spool import About, Spool
from depthboard.tail import PIECE

PAUSE_SECONDS = 0.1


class Sender(Sending):
    """Sends the spool that this process writes, until the script has ended and all is sent."""

    def __init__(self, folder: Path, about: About, say: Say, written: Spool) -> None:
        self._written = written
        self.asked = False
        self.ended: spool.End | None = None
        super().__init__(folder, about, say, written)

    def start(self) -> threading.Thread:
        """`follow` in a thread of its own. Raises OSError where there is none to be had."""
        thread = threading.Thread(target=self.follow, name="depthboard", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            self._close()
            raise OSError(errno.EAGAIN, str(error)) from error
        return thread

    def follow(self) -> None:
        """Send what the script logs until it has ended and all is sent, or the API refuses it."""
        wait, told = FIRST_WAIT, False
        while not self.done:
            try:
                self._some()
                wait, told = FIRST_WAIT, False
            except Refused as error:
                self._refuse(error)
            except Exception as error:  # whatever it is, the spool is kept, and the training goes on
                if wait > FIRST_WAIT and not told:  # a connection may break once
                    words = getattr(error, "message", None) or f"{type(error).__name__}: {error}"
                    self.say(f"{words} What is logged is kept in {self.folder} and sent later.")
                    told = True
                self._rest(wait)
                wait = min(2 * wait, LONGEST_WAIT)
        self._close()

    def _some(self) -> None:
        """Send what there is, then wait for more."""
        began = time.monotonic()
        new = self.run is None and self._told()
        if self.ended is not None and self._told() and self._last_words(self.ended):
            return
        sent = not new and self.all_there_is()  # what a script logs in its first moments goes together
        if self.ended is not None and not self._left():
            self._finish(self.ended)
        elif sent or new:
            self._rest(began + PAUSE_SECONDS - time.monotonic())
        else:
            self._wait()

    def _last_words(self, end: spool.End) -> bool:
        """End the run with its last rows in one request: a short run waits for one commit less. False where they are no
        single batch, or something else goes first.
        """
        data = self._data()
        last = self._take(data)
        alone = (
            last.used == len(data) < PIECE and last.next_seq == self._written.count and last.first_seq == self.acked + 1
        )
        if not last.rows or not alone or self.about.joined or self._begins(last) or self._maps():
            return False
        try:
            self._finish(end, last)
        except SequenceGap as gap:
            self._go_back(gap)
            return False
        return True

    def _wait(self) -> None:
        """Until something is logged; a row that was logged in this moment is seen too."""
        assert self.run is not None
        self._written.wake.clear()
        self._written.idle = True
        if not (self._left() or self.asked or self.ended):
            self._written.wake.wait(max(0.0, self._heard + self.run.renew_seconds - time.monotonic()))
        self._written.idle = self.asked = False

    def _rest(self, seconds: float) -> None:
        """A pause that a flush or the end of the script cuts short."""
        self._written.wake.clear()
        if seconds > 0 and not self.asked:
            self._written.wake.wait(seconds)
        self.asked = False

    def hurry(self) -> None:
        """Send what there is now."""
        self.asked = True
        self._written.wake.set()

    def _left(self) -> bool:
        return self.acked + 1 < self._written.count or bool(self._maps())
