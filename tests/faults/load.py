"""`make load`: many clients write at once while the API is killed; counts what was acknowledged, what of it is there, and how long it took.

A client is a thread with a connection of its own, an attempt of its own run, and a batch a second. Latency is of the request that was acknowledged;
the wait is from when its batch was ready, and so holds the time in which the API was gone.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from depthboard.client import Api
from depthboard.errors import Unavailable
from depthboard.protocol import Claim
from tests.faults.acting import BATCH, batch, claimed
from tests.faults.history import Entry, History
from tests.faults.product import Product, end_cleanly, seed_of, until

PROCESSES = 4


def write(given: Claim, url: str, history: History, points: int, seconds: float) -> None:
    """One client: `points` rows a second in one batch, for so long."""
    writer = Api(url, token=given.token, timeout=20)
    due = time.monotonic() + random.random()
    end = due + seconds
    seq, of = 0, {"run": given.run_id, "attempt": given.attempt}
    while due < end:
        time.sleep(max(0.0, due - time.monotonic()))
        began = send(writer, given.run_id, batch(of, seq, seq + 1, points))
        history.add("points", began, **of, first=seq + 1, n=points, ready=due)
        seq, due = seq + points, max(due + 1.0, time.monotonic() - 5.0)
    writer.close()


def send(api: Api, run: int, body: object) -> float:
    """Until it is acknowledged; when the request that was began."""
    while True:
        began = time.monotonic()
        try:
            api.json("POST", f"/api/runs/{run}/points", body)
            return began
        except Unavailable:
            time.sleep(0.1)


def clients(url: str, history: Path, count: int, points: int, seconds: float) -> None:
    """A process of clients. All have their run before the first writes."""
    log, api = History(history), Api(url)
    given = [claimed(api, log, f"load-{os.getpid():08d}") for _ in range(count)]
    api.close()
    threads = [threading.Thread(target=write, args=(claim, url, log, points, seconds)) for claim in given]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def spec(runs: int, steps: int) -> dict[str, object]:
    base = {"data": {"train_size": 16}, "budget": {"images_seen": steps * BATCH, "batch_size": BATCH}}
    return {"name": "load", "base": base, "factors": {"loss": ["l1"], "seed": list(range(runs))}}


def run(count: int, rate: int, seconds: float, kills: int, database: str = "") -> bool:
    """True when nothing that was acknowledged is lost."""
    draw = random.Random(seed_of("load"))
    points = rate // count
    with (
        tempfile.TemporaryDirectory(prefix="depthboard-load-") as folder,
        Product(Path(folder), database=database, lease=600.0) as product,
    ):
        product.start_api()
        product.client.submit(spec(count, int(points * (seconds + 60))))
        for number in range(PROCESSES):
            share = count // PROCESSES + (number < count % PROCESSES)
            command = ("-m", "tests.faults.load", "--client", product.url, str(product.history.path))
            sizes = ("--clients", str(share), "--rate", str(points), "--seconds", str(seconds))
            product.others.append(product.start(*command, *sizes, name=f"clients-{number}"))
        until(lambda: all_write(product, count), 120, "the first batch of every client")
        for _ in range(kills):
            time.sleep(seconds / (kills + 1) * draw.uniform(0.7, 1.3))
            product.kill_api()
            product.start_api()
        failed = [process.wait(seconds + 300) for process in product.others]
        for log in sorted(Path(folder).glob("clients-*.log")):
            print(log.read_text(), end="", file=sys.stderr)
        found = product.verdict(ended=False)
        report(product.history.entries(), seconds, kills, found)
        return not found and not any(failed)


def all_write(product: Product, count: int) -> bool:
    return len({entry["run"] for entry in product.history.entries() if entry["kind"] == "points"}) == count


def report(history: list[Entry], seconds: float, kills: int, found: list[str]) -> None:
    writes = [entry for entry in history if entry["kind"] == "points"]
    took = np.array([entry["at"] - entry["began"] for entry in writes])
    waited = np.array([entry["at"] - entry["ready"] for entry in writes])
    points = sum(entry["n"] for entry in writes)
    span = max(entry["at"] for entry in writes) - min(entry["began"] for entry in writes)
    print(f"{len({entry['run'] for entry in writes})} clients, {seconds:g} s, {kills} kills of the API")
    print(f"acknowledged: {points:,} points in {len(writes):,} batches, {points / span:,.0f} points a second")
    for name, values in (("latency of the acknowledged request", took), ("wait of a batch, restarts included", waited)):
        p50, p99 = np.percentile(values, [50, 99])
        print(f"{name}: p50 {p50 * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms, longest {values.max():.2f} s")
    print("\n".join(found) or "the checker found nothing: 0 acknowledged points lost, 0 twice")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--rate", type=int, default=20_000, help="points a second, of all clients together")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--database", default=os.environ.get("DEPTHBOARD_DATABASE_URL", ""), help="empty: SQLite")
    parser.add_argument("--client", nargs=2, metavar=("URL", "HISTORY"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.client:
        clients(given.client[0], Path(given.client[1]), given.clients, given.rate, given.seconds)
        return 0
    end_cleanly()
    return 0 if run(given.clients, given.rate, given.seconds, given.kills, given.database) else 1


if __name__ == "__main__":
    sys.exit(main())
