"""Runs put straight into the record: more, and with more holes, than anybody would train for a test."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from backend.store import facts
from backend.store.session import Database
from backend.store.tables import Experiment, ExperimentRun, Metric, Param, Run

Facts = dict[str, Any]

START = datetime(2026, 11, 1, tzinfo=UTC)
WORDS = ("adam", "sgd", "AdamW", "a_b", "50%", "Ünder")
STATUSES = ("queued", "finished", "failed", "cancelled")
NUMBERS = (0.0, 0.5, -1.5, 1e-3, 3.0, 12000.0)


def some_runs(count: int = 40, seed: int = 20261121) -> list[Facts]:
    """Runs with holes: parameters that are texts in one and numbers in another, metrics that are missing or not finite."""
    draw = random.Random(seed)
    found = []
    for i in range(1, count + 1):
        params: Facts = {}
        for name in ("lr", "opt.name", "mixed"):
            if draw.random() < 0.8:
                choices = {"lr": NUMBERS, "opt.name": WORDS, "mixed": (*NUMBERS, *WORDS)}[name]
                params[name] = draw.choice(choices)
        metrics = {
            name: None if draw.random() < 0.2 else draw.choice(NUMBERS)
            for name in ("val/rmse", "acc")
            if draw.random() < 0.8
        }
        found.append(
            {
                "id": i,
                "status": draw.choice(STATUSES),
                "loss": draw.choice(("l1", "berhu")),
                "encoder": draw.choice(("resnet", "densenet")),
                "name": None if draw.random() < 0.2 else draw.choice(WORDS),
                "seed": draw.choice((0, 1, 2**40)),
                "train_size": draw.choice((16, 12000)),
                "rmse": None if draw.random() < 0.3 else draw.choice(NUMBERS),
                "created_at": START + timedelta(hours=draw.randrange(48)),
                "params": params,
                "metrics": metrics,
            }
        )
    return found


def row(run: Facts) -> Facts:
    fixed = dict.fromkeys(("data_fingerprint", "training_version", "split", "evaluation_split", "protocol"), "")
    numbers = dict.fromkeys(("height", "width", "tries", "max_attempts", "priority", "attempt", "step"), 0)
    own = {key: value for key, value in run.items() if key not in ("params", "metrics")}
    more = {"identity": f"{run['id']:064x}", "kind": "script", "config": {}, "loss_label": run["loss"], "dataset": None}
    return {**fixed, **numbers, **own, **more, "steps": 10, "batch_size": 1, "images": 10, "position": run["id"]}


def record(database: Database) -> list[Facts]:
    """Put some runs into the record; those with even numbers are in experiment 1."""
    made = some_runs()
    with database.write() as session:
        session.execute(insert(Run), [row(run) for run in made])
        session.execute(
            insert(Param),
            [p for run in made for p in facts.param_rows(run["id"], {**run["params"], "seed": run["seed"]})],
        )
        session.execute(
            insert(Metric),
            [
                {"run_id": run["id"], "name": name, "number": value, "step": 1}
                for run in made
                for name, value in run["metrics"].items()
            ],
        )
        both = {"created_at": START, "updated_at": START}
        session.execute(
            insert(Experiment), [{"id": 1, "name": "e", "description": "", "spec": {}, "factors": {}, **both}]
        )
        links = [
            {"experiment_id": 1, "run_id": run["id"], "levels": {}, "position": 100 - run["id"]}
            for run in made
            if run["id"] % 2 == 0
        ]
        session.execute(insert(ExperimentRun), links)
    return made
