"""Records made quickly: rows as the API would have left them, written to the tables without it."""

from __future__ import annotations

import io
import itertools
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from pydantic import SecretStr
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from backend.app import open_database
from backend.store import facts, submission
from backend.store.columns import Columns, pack_columns, pack_steps, pack_values, pack_walls, thin
from backend.store.compaction import LONG
from backend.store.curves import SUMMARY_POINTS
from backend.store.evaluations import metrics_of
from backend.store.session import Database
from backend.store.tables import (
    SCRIPT,
    Attempt,
    Axis,
    Curve,
    Dataset,
    Evaluation,
    ExperimentRun,
    Frame,
    Metric,
    Param,
    Prediction,
    Run,
)
from bench.tracking import workload
from depthboard.config.presets import PAPER_LOSSES
from depthboard.experiment import ExperimentSpec
from depthboard.protocol import pack_depth
from depthboard.settings import Settings
from depthboard.status import RunStatus

NOW = datetime(2026, 11, 1, tzinfo=UTC)
KEYS = ("train/loss/l1", *(f"train/{name}" for name in workload.KEYS[1:]))
LOSSES = ("l1", "l2", "eigen", "berhu", "huber")
EVALUATIONS, IMAGES = 20, 8
POOL = 32
"""Different curves of a length, and runs evaluated; runs beyond them repeat these, each with rows of its own."""
MANY = 500


# --- runs to be listed -----------------------------------------------------------------------------------------------


def fill_listed(home: Path, runs: int) -> None:
    """The workload's listed runs, as scripts would have logged them, in a new SQLite database in `home`."""
    database = open_database(Settings(_env_file=None, home=home, database_url=SecretStr("")))
    try:
        for start in range(0, runs, MANY):
            with database.write() as session:
                _add_listed(session, range(start, min(start + MANY, runs)))
    finally:
        database.close()


def _add_listed(session: Session, numbers: range) -> None:
    identities = {f"listed-{number}": number for number in numbers}
    session.execute(insert(Run), [_script(identity, number) for identity, number in identities.items()])
    known = session.execute(select(Run.identity, Run.id).where(Run.identity.in_(identities)))
    ids = {identities[identity]: run_id for identity, run_id in known}
    params = [row for number, run_id in ids.items() for row in facts.param_rows(run_id, workload.parameters(number))]
    session.execute(insert(Param), params)
    metrics = [
        {"run_id": run_id, "name": name, "number": value, "step": 0}
        for number, run_id in ids.items()
        for name, value in workload.finals(number).items()
    ]
    session.execute(insert(Metric), metrics)


def _script(identity: str, number: int) -> dict[str, Any]:
    """A script's run that ended: it has none of what a training's configuration says."""
    texts = (
        "data_fingerprint",
        "training_version",
        "loss",
        "loss_label",
        "split",
        "encoder",
        "evaluation_split",
        "protocol",
    )
    numbers = ("train_size", "height", "width", "seed", "steps", "batch_size", "images", "priority", "step")
    return {
        **dict.fromkeys(texts, ""),
        **dict.fromkeys(numbers, 0),
        "identity": identity,
        "kind": SCRIPT,
        "name": f"r{number}",
        "config": workload.parameters(number),
        "status": RunStatus.finished,
        "attempt": 1,
        "tries": 1,
        "max_attempts": 1,
        "position": number,
        "created_at": NOW,
        "finished_at": NOW,
    }


# --- experiments with curves and figures -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Grid:
    """The runs of a filled experiment: every loss with every size and seed, images of height × width."""

    losses: tuple[str, ...] = LOSSES
    sizes: tuple[int, ...] = (16,)
    seeds: int = 10
    height: int = 64
    width: int = 96

    @property
    def runs(self) -> int:
        return len(self.losses) * len(self.sizes) * self.seeds


STUDY = Grid(tuple(PAPER_LOSSES), sizes=(16, 64, 512), height=workload.HEIGHT, width=workload.WIDTH)
"""The 210 runs of a study: seven losses, three sizes, ten seeds."""
EXPERIMENT_RUNS = Grid().runs


@dataclass(frozen=True)
class Packed:
    """A compacted curve as its row holds it."""

    values: bytes
    summary: bytes | None


@dataclass(frozen=True)
class Pool:
    """The axis, the curves and the evaluations of one length that all runs of a filling share."""

    steps: int
    axis: dict[str, Any]
    curves: tuple[Packed, ...]
    scored: tuple[list[dict[str, Any]], ...]


def make_pool(steps: int, evaluations: int = EVALUATIONS) -> Pool:
    at, walls = np.arange(1, steps + 1), workload.walls(steps)
    drawn = itertools.islice(itertools.product(range(POOL), workload.KEYS), POOL)
    found = [Columns(at, walls, workload.curve(run, key, steps)) for run, key in drawn]
    axis = {"number": 0, "n": steps, "steps": pack_steps(at), "walls": pack_walls(walls)}
    return Pool(
        steps, axis, tuple(_packed(columns) for columns in found), tuple(_scored(i, evaluations) for i in range(POOL))
    )


def _packed(columns: Columns) -> Packed:
    summary = pack_columns(thin(columns, SUMMARY_POINTS)) if len(columns) > LONG else None
    return Packed(pack_values(columns.values), summary)


def add_experiment(database: Database, number: int, pool: Pool, grid: Grid = Grid()) -> int:
    """An experiment of grid.runs finished runs with len(KEYS) curves of pool.steps points each; its id."""
    spec = ExperimentSpec.model_validate(
        {
            "name": f"experiment {number}",
            "base": {
                "data": {"dataset": "rooms", "train_size": 16, "height": grid.height, "width": grid.width},
                "budget": {"images_seen": 8 * pool.steps, "batch_size": 8},
                "optimiser": {"lr": 1e-4 * (1 + number / 1000)},
            },
            "factors": {"loss": list(grid.losses), "size": list(grid.sizes), "seed": list(range(grid.seeds))},
        }
    )
    with database.write() as session:
        experiment, ids = submission.submit(session, spec, max_attempts=3)
        _finish(session, ids, pool)
        _add_curves(session, ids, pool)
        _add_evaluations(session, ids, pool)
        return experiment.id


def _finish(session: Session, ids: Sequence[int], pool: Pool) -> None:
    session.execute(
        update(Run)
        .where(Run.id.in_(ids))
        .values(status=RunStatus.finished, attempt=1, tries=1, step=pool.steps, started_at=NOW, finished_at=NOW)
    )
    attempt = {"attempt": 1, "owner": "bench", "host": "bench", "device": "cpu", "started_at": NOW, "log_length": 0}
    session.execute(insert(Attempt), [{**attempt, "run_id": id, "outcome": "finished", "ended_at": NOW} for id in ids])


def _add_curves(session: Session, ids: Sequence[int], pool: Pool) -> None:
    session.execute(insert(Axis), [{"run_id": id, "attempt": 1, **pool.axis} for id in ids])
    common = {"attempt": 1, "axis": 0, "n": pool.steps, "first_step": 1, "last_step": pool.steps}
    rows = []
    for id, (place, key) in itertools.product(ids, enumerate(KEYS)):
        packed = pool.curves[(id * len(KEYS) + place) % POOL]
        rows.append({**common, "run_id": id, "key": key, "values": packed.values, "summary": packed.summary})
    session.execute(insert(Curve), rows)


def _add_evaluations(session: Session, ids: Sequence[int], pool: Pool) -> None:
    """The pool's evaluations of each run, evenly over its steps, with the error falling; and the newest of every key, for lists."""
    many = len(pool.scored[0])
    steps = np.linspace(pool.steps / many, pool.steps, many).astype(int).tolist()
    common = {"attempt": 1, "predictor": "network", "images": IMAGES, "wall": 0.0, "seconds": 0.0}
    rows, newest = [], []
    for run in session.scalars(select(Run).where(Run.id.in_(ids))):
        of_run = {**common, "run_id": run.id, "split": run.evaluation_split, "protocol": run.protocol}
        scored = pool.scored[run.id % POOL]
        rows += [{**of_run, "step": step, **found} for step, found in zip(steps, scored, strict=True)]
        run.metrics = scored[-1]["per_image"]
        run.rmse = run.metrics["rmse"]
        numbers = {**dict.fromkeys(KEYS, run.id / 1e6), **run.metrics}
        newest += [{"run_id": run.id, "name": n, "number": number, "step": pool.steps} for n, number in numbers.items()]
    session.execute(insert(Evaluation), rows)
    session.execute(insert(Metric), newest)


def _scored(number: int, evaluations: int) -> list[dict[str, Any]]:
    """What the evaluations of a run came to, in the columns of their rows."""
    rng = np.random.default_rng([workload.SEED, 7, number])
    found = []
    for place in range(evaluations):
        sums = _sums(rng, 1 / (2 + place * EVALUATIONS / evaluations))
        per_image, pooled = metrics_of(sums)
        packed = zlib.compress(sums.astype("<f8").tobytes())
        found.append({"sums": packed, "per_image": per_image, "pooled": pooled})
    return found


def _sums(rng: np.random.Generator, error: float) -> Any:
    """Sums of IMAGES images of 100 pixels at 2 m, each predicted about `error` metres too far: (IMAGES, 12)."""
    off = error * rng.uniform(0.5, 1.5, IMAGES)
    log, ratio = -np.log1p(off / 2), 1 + off / 2
    columns = [np.ones(IMAGES), off, off**2, off / 2, off**2 / 2, log, log**2, np.abs(log) / np.log(10)]
    columns += [ratio < 1.25, ratio < 1.25**2, ratio < 1.25**3, np.zeros(IMAGES)]
    return 100 * np.stack(columns, axis=1)


# --- depth maps ------------------------------------------------------------------------------------------------------


def add_depth_maps(database: Database, experiment: int, frames: int) -> int:
    """`frames` sample frames, and the predictions of every run of the first seed at the largest size; how many those are."""
    with database.write() as session:
        linked = select(Run).join(ExperimentRun, ExperimentRun.run_id == Run.id)
        runs = session.scalars(linked.where(ExperimentRun.experiment_id == experiment, Run.seed == 0)).all()
        runs = [run for run in runs if run.train_size == max(run.train_size for run in runs)]
        fingerprint = session.scalars(select(Dataset.fingerprint).where(Dataset.name == "rooms")).one()
        shape = (runs[0].height, runs[0].width)
        made = [_frame(position, shape, fingerprint) for position in range(frames)]
        session.add_all(made)
        session.flush()
        common = {"attempt": 1, "height": shape[0], "width": shape[1], "nonfinite": 0}
        rows = [
            {
                **common,
                "run_id": run.id,
                "step": run.step,
                "frame_id": frame.id,
                "depth": _depth(shape, (place, run.id)),
            }
            for run in runs
            for place, frame in enumerate(made)
        ]
        session.execute(insert(Prediction), rows)
        return len(rows)


def _frame(position: int, shape: tuple[int, int], fingerprint: str) -> Frame:
    height, width = shape
    key = {"dataset": "rooms", "fingerprint": fingerprint, "split": "official", "part": "test", "crop": "none"}
    rgb = io.BytesIO()
    picture = np.random.default_rng([workload.SEED, 8, position]).integers(
        0, 256, (height // 8, width // 8, 3), np.uint8
    )
    Image.fromarray(picture).resize((width, height), Image.Resampling.BILINEAR).save(rgb, "PNG")
    depth = _depth(shape, (position, 0))
    named = {"frame": f"bench/{position:04d}", "position": position, "height": height, "width": width}
    return Frame(**key, **named, rgb=rgb.getvalue(), depth=depth)


def _depth(shape: tuple[int, int], seed: tuple[int, int]) -> bytes:
    """A slanted wall with bumps and noise of 1 cm, between about 1 m and 6 m, packed as predictions are; the lowest rows have none."""
    rng, (height, width) = np.random.default_rng([workload.SEED, 9, *seed]), shape
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j]
    wall = 2 + rng.uniform(1, 3) * x + np.sin(rng.uniform(3, 9) * y) * rng.uniform(0.2, 0.8)
    metres = wall + rng.normal(0, 0.01, shape)
    metres[height - height // 32 :] = 0 if seed[1] == 0 else 1
    return pack_depth((1000 * metres).astype(np.uint16))
