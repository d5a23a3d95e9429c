"""Evaluations, and the one rule by which a run's value is chosen: the same for table, bars, end marks and images."""

from __future__ import annotations

import math
import zlib
from collections import defaultdict
from typing import Any, Literal, TypeVarTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Select, func, literal, select
from sqlalchemy.orm import Session

from backend.store.tables import Evaluation, Run
from depthboard.errors import InvalidInput
from depthboard.metrics import METRICS, SUMS, Averaging, from_sums

Value = Literal["last3", "last", "best_validation"]
Metrics = dict[str, float | None]
Ts = TypeVarTuple("Ts")
Rows = list[tuple[int, dict[str, Any]]]

LAST_N: dict[Value, int] = {"last3": 3, "last": 1}


def read_sums(raw: bytes, images: int) -> NDArray[np.float64]:
    """The sums as they travel -> (images, len(SUMS)). Raises InvalidInput when the bytes are not so many numbers."""
    due = images * len(SUMS) * 8
    if len(raw) != due:
        raise InvalidInput(
            f"sums holds {len(raw)} bytes where {images} images × {len(SUMS)} float64 take {due}.",
            field="sums",
            remedy=f"Send the columns {', '.join(SUMS)} of every image, row by row.",
        )
    return np.frombuffer(raw, dtype="<f8").reshape(images, len(SUMS))


def unpack_sums(row: Evaluation) -> NDArray[np.float64]:
    """The stored sums of an evaluation, (images, len(SUMS))."""
    return np.frombuffer(zlib.decompress(row.sums), dtype="<f8").reshape(row.images, len(SUMS))


def metrics_of(sums: NDArray[np.float64]) -> tuple[Metrics, Metrics]:
    """Per image and pooled; null where a metric is not finite, since JSON has no NaN."""
    return _finite(from_sums(sums, "per_image")), _finite(from_sums(sums, "pooled"))


def _finite(values: dict[str, float]) -> Metrics:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def selected(
    session: Session, runs: Select[int], value: Value = "last3", averaging: Averaging = "per_image"
) -> dict[int, Metrics]:
    """Run id -> its metrics, for the runs that `runs` selects; runs without such an evaluation are absent.

    last3: mean of the last three evaluations on the run's own split and protocol (fewer where there are fewer); last:
    the last one; best_validation: the evaluation at the step whose validation RMSE is lowest.
    """
    if value == "best_validation":
        rows = _best_on_validation(session, runs, averaging)
    else:
        rows = _last(session, runs, averaging, LAST_N[value])
    grouped: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for run_id, metrics in rows:
        grouped[run_id].append(metrics)
    return {run_id: mean_of(metrics) for run_id, metrics in grouped.items()}


def mean_of(evaluations: list[dict[str, Any]]) -> Metrics:
    """The mean of each metric; null where one of them is null, since a mean over the rest would hide the divergence."""
    return {name: _mean([e.get(name) for e in evaluations]) for name in METRICS}


def _mean(values: list[float | None]) -> float | None:
    present = [v for v in values if v is not None]
    return math.fsum(present) / len(present) if len(present) == len(values) > 0 else None


def of_network(runs: Select[int]) -> Select[int, int]:
    """(run_id, step) of the valid evaluations of the network on each run's own split and protocol."""
    return _own(select(Evaluation.run_id, Evaluation.step), runs, "network")


def _own(query: Select[*Ts], runs: Select[int], predictor: str) -> Select[*Ts]:
    return query.join(Run, Run.id == Evaluation.run_id).where(
        Evaluation.run_id.in_(runs),
        Evaluation.superseded.is_(False),
        Evaluation.predictor == predictor,
        Evaluation.split == Run.evaluation_split,
        Evaluation.protocol == Run.protocol,
    )


def _column(averaging: Averaging) -> Any:
    return Evaluation.per_image if averaging == "per_image" else Evaluation.pooled


def _last(session: Session, runs: Select[int], averaging: Averaging, n: int) -> Rows:
    rank = func.row_number().over(partition_by=Evaluation.run_id, order_by=Evaluation.step.desc()).label("rank")
    ranked = of_network(runs).add_columns(_column(averaging).label("metrics"), rank).subquery()
    query = select(ranked.c.run_id, ranked.c.metrics).where(ranked.c.rank <= n)
    return [(run_id, metrics) for run_id, metrics in session.execute(query)]


def _best_on_validation(session: Session, runs: Select[int], averaging: Averaging) -> Rows:
    best = best_validation_steps(session, runs, averaging)
    query = of_network(runs).add_columns(_column(averaging))
    return [(run_id, metrics) for run_id, step, metrics in session.execute(query) if best.get(run_id) == step]


def best_validation_steps(session: Session, runs: Select[int], averaging: Averaging) -> dict[int, int]:
    """Run id -> the step with the lowest validation RMSE; runs that were never scored on validation are absent."""
    query = select(Evaluation.run_id, Evaluation.step, _column(averaging)).where(
        Evaluation.run_id.in_(runs),
        Evaluation.superseded.is_(False),
        Evaluation.predictor == "network",
        Evaluation.split == "validation",
    )
    best: dict[int, tuple[float, int]] = {}
    for run_id, step, metrics in session.execute(query):
        if metrics.get("rmse") is not None:
            best[run_id] = min(best.get(run_id, (math.inf, 0)), (metrics["rmse"], step))
    return {run_id: step for run_id, (_, step) in best.items()}


def constants(session: Session, runs: Select[int], averaging: Averaging = "per_image") -> dict[int, Metrics]:
    """Run id -> metrics of the constant prediction on the run's own split and protocol."""
    query = _own(select(Evaluation.run_id, _column(averaging)), runs, "constant").order_by(Evaluation.step)
    return {row[0]: row[1] for row in session.execute(query)}


def one(run_id: int) -> Select[int]:
    """A selection of one run, for the functions above."""
    return select(literal(run_id))


def refresh(session: Session, run: Run) -> None:
    """Bring the run's own copy of its default value up to date, which lists show without reading evaluations."""
    session.flush()
    run.metrics = selected(session, one(run.id)).get(run.id)
    run.rmse = run.metrics["rmse"] if run.metrics else None


def of_run(session: Session, run_id: int) -> list[Evaluation]:
    """Every valid evaluation of a run, by step."""
    query = select(Evaluation).where(Evaluation.run_id == run_id, Evaluation.superseded.is_(False))
    return list(session.scalars(query.order_by(Evaluation.step, Evaluation.split, Evaluation.predictor)))
