"""The broker killed, emptied or hung: submissions are answered at once and every run is found at a poll."""

from __future__ import annotations

import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from tests.faults.acting import spec
from tests.faults.product import Product, free_port, until

pytestmark = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="no redis-server: a broker that may be killed"
)

SLOWEST = 1.0
"""Seconds that a submission may take while the broker does not answer."""


class Broker:
    """A Redis of one's own, which keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self.port, self._folder = free_port(), folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        options = ("--port", str(self.port), "--save", "", "--dir", str(self._folder), "--bind", "127.0.0.1")
        self.process = subprocess.Popen(["redis-server", *options], stdout=subprocess.DEVNULL)
        until(self._answers, 10, "the broker's first answer")

    def _answers(self) -> bool:
        try:
            with redis.Redis(port=self.port, socket_timeout=1) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    broker = Broker(tmp_path)
    yield broker
    broker.process.send_signal(signal.SIGCONT)
    broker.kill()


def submit(product: Product, count: int) -> list[float]:
    """Seconds that each submission took."""
    took = []
    for number in range(count):
        began = time.monotonic()
        product.client.submit(
            spec(1, steps=8) | {"name": f"{count}-{number}", "factors": {"seed": [100 * count + number]}}
        )
        took.append(time.monotonic() - began)
    return took


def all_over(product: Product) -> bool:
    runs = product.client.api.json("GET", "/api/runs", size=1000)["items"]
    return all(run["status"] == "finished" for run in runs)


def test_a_broker_that_is_killed_and_comes_back_empty_delays_no_submission_and_loses_no_run(
    tmp_path: Path, broker: Broker
) -> None:
    """F9."""
    with Product(tmp_path, DEPTHBOARD_BROKER_URL=broker.url) as product:
        product.start_api()
        took = submit(product, 4)
        broker.kill()
        took += submit(product, 5)
        broker.start()
        took += submit(product, 6)
        product.act([1, 2])
        until(lambda: all_over(product))
        assert max(took) < SLOWEST
        assert product.verdict() == []


@pytest.mark.parametrize("seconds", [3.0, pytest.param(60.0, marks=pytest.mark.long)])
def test_a_broker_that_hangs_delays_no_submission(tmp_path: Path, broker: Broker, seconds: float) -> None:
    """F10."""
    with Product(tmp_path, DEPTHBOARD_BROKER_URL=broker.url) as product:
        product.start_api()
        product.listen()
        product.act([1])
        broker.process.send_signal(signal.SIGSTOP)
        end = time.monotonic() + seconds
        took = submit(product, 20)
        until(lambda: all_over(product))
        time.sleep(max(0.0, end - time.monotonic()))
        assert max(took) < SLOWEST
        broker.process.send_signal(signal.SIGCONT)
        assert product.verdict() == []
