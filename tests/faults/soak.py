"""`make soak MINUTES=15 SEED=7`: an API and two workers train small runs under random faults; what happened, and the checker's verdict."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from depthboard.errors import Unavailable
from tests.faults import stored
from tests.faults.nemesis import Nemesis
from tests.faults.product import Product, end_cleanly, seed_of, until

RUNS = 40
LOSSES = ("l1", "l2", "berhu", "eigen")


def spec(number: int = 0, runs: int = RUNS, steps: int = 60) -> dict[str, Any]:
    """The experiment of this number: four losses, every run with weights of its own."""
    base = {
        "data": {"train_size": 16},
        "budget": {"images_seen": steps * 8, "batch_size": 8},
        "evaluation": {"evaluations": 6, "samples": 1, "sharpness": "off"},
    }
    seeds = range(number * runs, number * runs + runs // len(LOSSES))
    return {"name": f"soak {number}", "base": base, "factors": {"loss": list(LOSSES), "seed": list(seeds)}}


def done(product: Product, experiment: int) -> bool:
    try:
        return product.over(experiment)
    except Unavailable:
        return False


def soak(minutes: float, seed: int) -> list[str]:
    """The checker's findings."""
    with tempfile.TemporaryDirectory(prefix="depthboard-soak-") as folder, Product(Path(folder), lease=6.0) as product:
        nemesis = Nemesis(product, seed)
        nemesis.start()
        product.listen()
        end, number = time.monotonic() + 60 * minutes, 0
        while time.monotonic() < end:
            experiment = product.client.submit(spec(number))["id"]
            nemesis.rage(end - time.monotonic(), lambda experiment=experiment: done(product, experiment))
            number += 1
        last = number
        until(lambda: all(done(product, n + 1) for n in range(last)), 1800, "the end of every run")
        found = product.verdict()
        found += report(nemesis, stored.read(product.database))
        return found


def report(nemesis: Nemesis, found: stored.Stored) -> list[str]:
    """Prints the counts; a run that a fault made fail is a finding."""
    ends = Counter(run.status for run in found.runs.values())
    outcomes = Counter(str(attempt.outcome) for run in found.runs.values() for attempt in run.attempts)
    print(f"faults: {sum(nemesis.counts.values())}")
    for name, count in sorted(nemesis.counts.items()):
        print(f"  {name}: {count}")
    print("runs: " + ", ".join(f"{count} {status}" for status, count in sorted(ends.items())))
    print("attempts: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())))
    points = sum(len(piece.steps) for run in found.runs.values() for piece in run.pieces)
    print(f"points: {points:,}")
    return [f"run {run.id} failed" for run in found.runs.values() if run.status == "failed"]


def main() -> int:
    end_cleanly()
    minutes = float(os.environ.get("MINUTES", "15"))
    found = soak(minutes, seed_of(f"soak of {minutes:g} minutes"))
    print("\n".join(found) or "the checker found nothing")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
