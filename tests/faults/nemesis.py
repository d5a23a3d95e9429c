"""Random faults for a running product: an API and workers, killed, frozen, cut off and starved, from a seed that is printed."""

from __future__ import annotations

import contextlib
import random
import signal
import time
from collections import Counter
from collections.abc import Callable

import psutil

from depthboard.errors import Conflict, Unavailable
from tests.faults.checker import marked
from tests.faults.product import Product, kill_tree
from tests.faults.test_database import locked

KILLS = ("kill a training", "kill a worker", "kill all of a worker", "kill the API")


class Nemesis:
    """Draws faults and brings them upon the product; whatever it killed or stopped, it starts again."""

    def __init__(self, product: Product, seed: int, workers: int = 2) -> None:
        self.counts: Counter[str] = Counter()
        self._product, self._draw, self._workers = product, random.Random(seed), workers
        self.faults: dict[str, Callable[[], bool]] = {
            "kill a training": self._kill_training,
            "kill a worker": lambda: self._replace_worker(lambda pid: psutil.Process(pid).kill()),
            "kill all of a worker": lambda: self._replace_worker(kill_tree),
            "kill the API": self._kill_api,
            "ask a worker to stop": lambda: self._replace_worker(lambda pid: psutil.Process(pid).terminate()),
            "freeze a worker and its training": self._freeze_worker,
            "freeze the API": self._freeze_api,
            "lock the database": self._lock,
            "put junk into the queue": self._junk,
            "damage the newest checkpoint": self._damage,
            "cancel a run and queue it again": self._cancel,
        }

    def start(self) -> None:
        self._product.start_api()
        for number in range(self._workers):
            self._product.start_worker(name=f"worker-{number}")

    def rage(self, seconds: float, over: Callable[[], bool], only: tuple[str, ...] = ()) -> None:
        """A fault every few seconds, until the time or `over` is over."""
        end = time.monotonic() + seconds
        names = list(only or self.faults)
        while time.monotonic() < end and not over():
            name = self._draw.choice(names)
            with contextlib.suppress(Conflict, Unavailable, psutil.NoSuchProcess):
                if self.faults[name]():
                    self.counts[name] += 1
            time.sleep(self._draw.uniform(2.0, 8.0))

    def _some_worker(self) -> int:
        return self._draw.randrange(len(self._product.others))

    def _kill_training(self) -> bool:
        processes = marked(str(self._product.home))
        if not processes:
            return False
        psutil.Process(self._draw.choice(processes).pid).kill()
        return True

    def _replace_worker(self, end: Callable[[int], object]) -> bool:
        others, number = self._product.others, self._some_worker()
        worker = others.pop(number)
        end(worker.pid)
        try:
            worker.wait(40)
        except Exception:
            kill_tree(worker.pid)
            worker.wait()
        self._product.start_worker(name=f"worker-{number}")
        return True

    def _kill_api(self) -> bool:
        self._product.kill_api()
        time.sleep(self._draw.uniform(0, 2.0))
        self._product.start_api()
        return True

    def _freeze_worker(self) -> bool:
        worker = self._product.others[self._some_worker()]
        kill_tree(worker.pid, signal.SIGSTOP)
        time.sleep(self._draw.uniform(0.5, 2.0) * self._product.lease)
        kill_tree(worker.pid, signal.SIGCONT)
        return True

    def _freeze_api(self) -> bool:
        assert self._product.api is not None
        self._product.api.send_signal(signal.SIGSTOP)
        time.sleep(self._draw.uniform(0.2, 0.5) * self._product.lease)
        self._product.api.send_signal(signal.SIGCONT)
        return True

    def _lock(self) -> bool:
        with locked(self._product.home / "depthboard.sqlite3"):
            time.sleep(self._draw.uniform(0.2, 0.5) * self._product.lease)
        return True

    def _junk(self) -> bool:
        folder = self._product.home / "queue" / "messages"
        folder.mkdir(parents=True, exist_ok=True)
        body = self._draw.choice([b"", b"{}", b"[]", b'{"body": "x", "head', b"\xff\xfe\x00"])
        (folder / f"{time.time_ns():020d}_junk.runs.msg").write_bytes(body)
        return True

    def _damage(self) -> bool:
        files = sorted((self._product.home / "artifacts").rglob("step-*"), key=lambda file: file.stat().st_mtime_ns)
        if not files:
            return False
        data = files[-1].read_bytes()
        files[-1].write_bytes(data[: len(data) // 2])
        return True

    def _cancel(self) -> bool:
        running = self._product.client.api.json("GET", "/api/runs", size=1000, status="running")["items"]
        if not running:
            return False
        run = self._draw.choice(running)["id"]
        self._product.client.cancel(run)
        end = time.monotonic() + 30
        while self._product.client.run(run)["status"] == "running" and time.monotonic() < end:
            time.sleep(0.2)
        self._product.client.retry(run)
        return True
