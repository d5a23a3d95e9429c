"""A TCP proxy that treats its connections badly: between a worker and the API it stands for the network.

Faults, drawn anew for each connection: `pass` it on, `drop` it at once, `delay` every piece, `cut` it within a request or an answer, `mute` it
(half open: nothing comes back, nothing is closed), `trickle` one piece of a few bytes at a time.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
from collections import Counter
from collections.abc import Iterator

DELAY = 2.0


class Proxy:
    def __init__(self, port: int, seed: int, faults: tuple[str, ...]) -> None:
        self.seen: Counter[str] = Counter()
        self.faults = faults
        self._port, self._draw = port, random.Random(seed)
        self._tasks: set[asyncio.Task[None]] = set()

    async def serve(self, ready: threading.Event, stop: asyncio.Event) -> None:
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        ready.set()
        await stop.wait()
        server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        fault = self._draw.choice(self.faults)
        self.seen[fault] += 1
        with contextlib.suppress(OSError, asyncio.CancelledError):
            if fault != "drop":
                await self._join(reader, writer, fault)
        writer.transport.abort()
        self._tasks.discard(task)

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: str) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._port)
        cut = fault == "cut" and self._draw.choice((reader, far_reader))
        try:
            ways = [
                asyncio.ensure_future(self._pump(a, b, fault, cut is a))
                for a, b in ((reader, far_writer), (far_reader, writer))
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
        finally:
            far_writer.transport.abort()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, fault: str, cut: bool) -> None:
        left = self._draw.randrange(20, 4000) if cut else 1 << 40
        while left > 0 and (piece := await reader.read(7 if fault == "trickle" else 65536)):
            if fault == "mute" and writer.get_extra_info("peername")[1] != self._port:
                await asyncio.sleep(3600)  # the answer never comes
            if fault == "delay":
                await asyncio.sleep(DELAY)
            if fault == "trickle":
                await asyncio.sleep(0.001)
            writer.write(piece[:left])
            await writer.drain()
            left -= len(piece)


@contextlib.contextmanager
def proxy(port: int, seed: int, *faults: str) -> Iterator[Proxy]:
    """A proxy to this port of this machine, in a thread of its own."""
    made, ready = Proxy(port, seed, faults), threading.Event()
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(made.serve(ready, stop)), daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield made
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
