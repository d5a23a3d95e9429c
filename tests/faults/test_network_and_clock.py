"""A bad network and wrong clocks between workers and the API: every write arrives once, leases hold, the stream catches up."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest

from tests.faults import acting
from tests.faults.acting import Actor, claimed, spec
from tests.faults.history import read
from tests.faults.product import Listener, Product, seed_of, until
from tests.faults.proxy import proxy

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)


@pytest.mark.parametrize(
    "fault", ["drop", "cut", *(pytest.param(slow, marks=pytest.mark.long) for slow in ("trickle", "delay", "mute"))]
)
def test_a_bad_network_neither_loses_nor_doubles_a_point(tmp_path: Path, fault: str) -> None:
    """F19. A half-open connection and a delay are noticed by the client's own time-out."""
    seed = seed_of(f"F19 {fault}")
    with Product(tmp_path, lease=60.0) as product:
        product.start_api()
        product.client.submit(spec(1 if fault in ("delay", "mute") else 2))
        with proxy(product.port, seed, fault, "pass") as network:
            over = threading.Event()
            worker = threading.Thread(target=_write_all, args=(network.url, product, over))
            worker.start()
            until(product.over, 120)
            over.set()
            worker.join(60)
            assert network.seen[fault], f"no connection met the fault: {network.seen}"
        assert product.verdict() == []
        assert product.counts()["finished"] == sum(product.counts().values())


def _write_all(url: str, product: Product, over: threading.Event) -> None:
    """An actor that opens a connection a batch, so that each meets the network anew, and gives up on one after 3 s."""
    while not over.is_set():
        given = acting.claim(product.client.api, product.history)
        if given is None:
            over.wait(0.2)
            continue
        actor = Actor(given, url, product.history, timeout=3.0)
        while actor.step < actor.steps:
            actor.points(10)
            actor.writer.api.close()
            actor.writer = Actor(given, url, product.history, timeout=3.0).writer
        actor.finish()
        actor.close()


@pytest.mark.parametrize(
    ("whose", "jump"),
    [
        ("worker", "+1d"),
        pytest.param("API", "-1d", marks=pytest.mark.long),
        pytest.param("worker", "-1h", marks=pytest.mark.long),
        pytest.param("API", "+1h", marks=pytest.mark.long),
    ],
)
@pytest.mark.skipif(FAKETIME is None, reason="no libfaketime: apt install faketime")
def test_a_wall_clock_that_jumps_moves_no_lease(tmp_path: Path, whose: str, jump: str) -> None:
    """F18: the clock is set a while after the start, under load. On SQLite the API's clock is the database's: no lease may be lost by less than a jump."""
    clock = tmp_path / "clock"
    clock.write_text("+0")
    fake = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_CACHE_DURATION": "1",
    }
    with Product(tmp_path, lease=20.0 if whose == "worker" else 5.0) as product:
        product.start_api(**(fake if whose == "API" else {}))
        product.client.submit(spec(4))
        product.listen()
        product.start_actor(1, **(fake if whose == "worker" else {}))
        until(lambda: product.counts()["finished"])
        clock.write_text(jump)
        until(product.over)
        assert product.verdict() == []
        if whose == "worker":
            assert all(run["attempt"] == 1 for run in product.client.runs(1)), "no attempt was lost"


def test_a_worker_that_slept_through_its_lease_is_refused_when_it_wakes(tmp_path: Path) -> None:
    """F5, of a process that writes: stopped for two leases, then going on as if nothing had been."""
    with Product(tmp_path) as product:
        product.start_api()
        product.client.submit(spec(1, steps=400))
        sleeper = product.start_actor(1)
        until(lambda: product.client.run(1)["step"] > 5)
        sleeper.send_signal(signal.SIGSTOP)
        other = claimed(product.client.api, product.history)
        assert other.attempt == 2
        actor = Actor(other, product.url, product.history)
        actor.points(10)
        sleeper.send_signal(signal.SIGCONT)
        until(lambda: any(entry["kind"] == "refused" for entry in read(product.history.path)), what="a refusal")
        actor.points(actor.steps - actor.step)
        actor.finish()
        actor.close()
        until(product.over)
        assert product.verdict() == []


@pytest.mark.parametrize("away", [1.0, pytest.param(60.0, marks=pytest.mark.long)])
def test_a_browser_that_was_away_hears_what_it_missed(tmp_path: Path, away: float) -> None:
    """F26: it leaves, comes back with the last id that it heard, and knows at the end what the database says."""
    with Product(tmp_path) as product:
        product.start_api()
        product.client.submit(spec(6))
        product.act([1, 2])
        browser = Listener(product.url, product.history, "browser")
        for _ in range(3):
            leaving = threading.Event()
            visit = threading.Thread(target=browser.listen, args=(leaving,))
            visit.start()
            time.sleep(0.6)
            leaving.set()
            visit.join()
            time.sleep(away)
        product.listen(browser)
        until(product.over)
        assert product.verdict() == []
