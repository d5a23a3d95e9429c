"""The paper's study as a finished record, without training: 210 runs, evaluated `evaluations` times each, with curves.

`python -m bench.study HOME [EVALUATIONS]` makes it in a new database in HOME; `depthboard serve` there shows it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import SecretStr
from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from backend.app import open_database
from backend.store import submission
from backend.store.session import Database
from backend.store.tables import Evaluation, Metric, Run
from bench.filling import IMAGES, KEYS, Pool, _add_curves, _finish, make_pool
from bench.tracking import workload
from depthboard.experiment import ExperimentSpec
from depthboard.metrics import METRICS
from depthboard.settings import Settings

LOSSES = ("l1", "l2", "huber", "berhu", "eigen", "eigengrad", "gan")
SIZES, ENCODERS, SEEDS = (16, 64, 512), ("densenet_small", "resnet_small"), 5
STEPS = 4000
SUMS = b"\0"
"""No figure but the grid of depth maps reads the sums: they are not worth 42,000 compressions."""


def spec(evaluations: int) -> ExperimentSpec:
    return ExperimentSpec.model_validate(
        {
            "name": "The paper's study",
            "base": {
                "data": {"dataset": "rooms", "train_size": 16},
                "budget": {"images_seen": 8 * STEPS, "batch_size": 8},
                "evaluation": {"evaluations": evaluations},
            },
            "factors": {
                "loss": list(LOSSES),
                "size": list(SIZES),
                "encoder": list(ENCODERS),
                "seed": list(range(SEEDS)),
            },
        }
    )


def add_study(database: Database, evaluations: int = 200) -> int:
    """The experiment's id."""
    pool = make_pool(STEPS)
    with database.write() as session:
        experiment, ids = submission.submit(session, spec(evaluations), max_attempts=3)
        _finish(session, ids, pool)
        _add_curves(session, ids, pool)
        _add_evaluations(session, ids, pool, evaluations)
        return experiment.id


def _add_evaluations(session: Session, ids: list[int], pool: Pool, evaluations: int) -> None:
    """A falling error of each run, with its own noise: lower for more images, and for some losses."""
    steps = np.linspace(pool.steps / evaluations, pool.steps, evaluations).astype(int)
    walls = workload.walls(pool.steps)
    common = {"attempt": 1, "predictor": "network", "images": IMAGES, "seconds": 0.0, "sums": SUMS}
    for run in session.scalars(select(Run).where(Run.id.in_(ids))):
        errors = _errors(run, steps)
        of_run = {**common, "run_id": run.id, "split": run.evaluation_split, "protocol": run.protocol}
        rows = [
            {**of_run, "step": step, "wall": float(walls[step - 1]), "per_image": found, "pooled": found}
            for step, found in zip(steps.tolist(), map(_metrics, errors.tolist()), strict=True)
        ]
        session.execute(insert(Evaluation), rows)
        logged = [{"run_id": run.id, "name": key, "number": 0.5, "step": pool.steps} for key in KEYS]
        session.execute(insert(Metric), logged)
        run.metrics = rows[-1]["per_image"]
        run.rmse = rows[-1]["per_image"]["rmse"]


def _errors(run: Run, steps: Any) -> Any:
    rng = np.random.default_rng([run.train_size, run.seed, LOSSES.index(run.loss), ENCODERS.index(run.encoder)])
    end = 0.65 - 0.03 * np.log2(run.train_size / 16) + 0.01 * LOSSES.index(run.loss)
    noise = rng.normal(0, 0.01, len(steps)) + rng.normal(0, 0.006)
    return np.maximum(0.02, end + 0.9 * np.exp(-12 * steps / steps[-1]) + noise)


def _metrics(error: float) -> dict[str, float]:
    return {name: error if known.lower_is_better else 1 - error / 2 for name, known in METRICS.items()}


def main(home: str, evaluations: str = "200") -> None:
    database = open_database(Settings(_env_file=None, home=Path(home), database_url=SecretStr("")))
    try:
        print(f"experiment {add_study(database, int(evaluations))} in {home}")
    finally:
        database.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
