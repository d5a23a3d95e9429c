"""The story: forty runs, two workers, kills at random for ten minutes; then every sum and every figure against an undisturbed experiment's, bit for bit.

`python -m tests.faults.story` (MINUTES=10 SEED=… RUNS=40 STEPS=150). Runs that end before the time are followed by nothing: the faults go on until the last run is over or the
time is, and after that all that is left trains in peace.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from backend.store.tables import Evaluation, Run
from tests.faults import stored
from tests.faults.nemesis import KILLS, Nemesis
from tests.faults.product import Product, end_cleanly, seed_of, until
from tests.faults.soak import RUNS, done, spec

Record = dict[tuple[str, int], Any]


def train(
    folder: Path, minutes: float, seed: int | None, runs: int, steps: int
) -> tuple[Record, dict[str, bytes], list[str]]:
    """(run -> its evaluations and curves, figure -> its bytes, the checker's findings) of an experiment; disturbed where a seed is given."""
    with Product(folder, lease=6.0) as product:
        nemesis = Nemesis(product, seed or 0)
        nemesis.start()
        experiment = product.client.submit(spec(runs=runs, steps=steps))["id"]
        began = time.monotonic()
        if seed is not None:
            nemesis.rage(60 * minutes, lambda: done(product, experiment), only=KILLS)
        until(lambda: done(product, experiment), 3600, "the end of every run")
        took = time.monotonic() - began
        found = product.verdict()
        held = stored.read(product.database)
        attempts = Counter(str(attempt.outcome) for run in held.runs.values() for attempt in run.attempts)
        print(f"{took / 60:.1f} minutes, faults {dict(nemesis.counts)}, attempts {dict(attempts)}", flush=True)
        return record(product.database, held), figures(product, experiment), found


def record(database: str, held: stored.Stored) -> Record:
    """(loss, seed) -> the hashes of its evaluations' sums by step and predictor, and of its curves."""
    engine = create_engine(database)
    found: Record = {}
    with Session(engine) as session:
        for run in session.scalars(select(Run)):
            mine = select(Evaluation).where(Evaluation.run_id == run.id, Evaluation.superseded.is_(False))
            sums = {(row.step, row.predictor): digest(row.sums) for row in session.scalars(mine)}
            shown = held.runs[run.id].shown
            curves = {key: digest(steps.tobytes() + values.tobytes()) for key, (steps, values) in shown.items()}
            found[run.loss, run.seed] = (str(run.status), sums, curves)
    engine.dispose()
    return found


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def figures(product: Product, experiment: int) -> dict[str, bytes]:
    """Every figure's data as JSON, and the results table."""
    api = product.client.api
    names = [entry["name"] for entry in api.json("GET", f"/api/experiments/{experiment}/figures")]
    found = {}
    for name in names:
        answer = product.client.figure(experiment, name, format="json")
        found[name] = answer
    found["results table"] = repr(product.client.results(experiment)["rows"]).encode()
    return found


def differences(disturbed: Record, undisturbed: Record) -> list[str]:
    found = []
    for key in sorted(undisturbed.keys() | disturbed.keys()):
        ours, theirs = disturbed.get(key), undisturbed.get(key)
        if ours != theirs:
            parts = [
                name
                for name, a, b in zip(("status", "sums", "curves"), ours or (), theirs or (), strict=False)
                if a != b
            ]
            found.append(f"run {key}: {', '.join(parts) or 'missing'} differ")
    return found


def main() -> int:
    end_cleanly()
    minutes, steps = float(os.environ.get("MINUTES", "10")), int(os.environ.get("STEPS", "150"))
    runs = int(os.environ.get("RUNS", RUNS))
    seed = seed_of(f"story of {minutes:g} minutes")
    with tempfile.TemporaryDirectory(prefix="depthboard-story-") as folder:
        print(f"{runs} runs, two workers, kills at random:", flush=True)
        ours, our_figures, found = train(Path(folder) / "disturbed", minutes, seed, runs, steps)
        print("the same undisturbed:", flush=True)
        theirs, their_figures, _ = train(Path(folder) / "undisturbed", minutes, None, runs, steps)
    found += differences(ours, theirs)
    found += [f"figure {name} differs" for name in their_figures if our_figures.get(name) != their_figures[name]]
    same = len(theirs) - len(differences(ours, theirs))
    print(
        f"{same} of {len(theirs)} runs equal bit for bit in every evaluation's sums and every curve; {len(their_figures)} figures compared"
    )
    print("\n".join(found) or "no difference, and the checker found nothing")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
