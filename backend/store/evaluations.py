"""Evaluations, and the one rule by which a run's value is chosen: the same for table, bars, end marks and images."""

from __future__ import annotations

import math
import zlib
from collections import defaultdict
from typing import Any, Literal, NamedTuple, TypeVarTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Select, and_, func, literal, not_, or_, select
from sqlalchemy.orm import Session

from backend.store import facts
from backend.store.tables import RESCORED, Evaluation, Run
from depthboard import protocol
from depthboard.errors import InvalidInput
from depthboard.metrics import FIRST_SUMS, METRICS, SHARPNESS, SUMS, Averaging, from_sums, sharpness_means

Value = Literal["last3", "last", "best_validation"]
Metrics = dict[str, float | None]
Ts = TypeVarTuple("Ts")
Rows = list[tuple[int, dict[str, Any]]]

LAST_N: dict[Value, int] = {"last3": 3, "last": 1}
AT_END = or_(Evaluation.attempt != RESCORED, Evaluation.step == Run.steps)
"""Of what was scored again, the run's end alone: the checkpoint that was best on validation is no last value."""
SUM_COLUMNS = (len(SUMS), FIRST_SUMS)
"""How many columns an array of sums may have: those of this evaluator, and of the first."""


class Filed(NamedTuple):
    """How an evaluation is filed: the part that was scored, and the protocol's name, which ends in the evaluator's version."""

    part: str
    protocol: str

    def __str__(self) -> str:
        return f"{self.part}/{self.protocol}"


def read_sums(raw: bytes, images: int) -> NDArray[np.float64]:
    """The sums as they travel -> (images, columns). Raises InvalidInput when the bytes are not so many numbers."""
    due = {images * columns * 8: columns for columns in SUM_COLUMNS}
    if len(raw) not in due:
        raise InvalidInput(
            f"sums holds {len(raw)} bytes where {images} images × {len(SUMS)} float64 take {images * len(SUMS) * 8} "
            f"(× {FIRST_SUMS} of the first evaluator: {images * FIRST_SUMS * 8}).",
            field="sums",
            remedy=f"Send the columns {', '.join(SUMS)} of every image, row by row.",
        )
    return np.frombuffer(raw, dtype="<f8").reshape(images, due[len(raw)])


def read_sharpness(raw: bytes, images: int) -> NDArray[np.float64]:
    """The measures of edges as they travel -> (images, len(SHARPNESS)). Raises InvalidInput as `read_sums` does."""
    due = images * len(SHARPNESS) * 8
    if len(raw) != due:
        raise InvalidInput(
            f"sharpness holds {len(raw)} bytes where {images} images × {len(SHARPNESS)} float64 take {due}.",
            field="sharpness",
            remedy=f"Send the columns {', '.join(SHARPNESS)} of every image, row by row, or leave sharpness out.",
        )
    return np.frombuffer(raw, dtype="<f8").reshape(images, len(SHARPNESS))


def columns_of(sent: protocol.Evaluation) -> dict[str, object]:
    """What is stored of an evaluation beside its run and attempt: its arrays packed, and the means that follow from them."""
    per_image, pooled = metrics_of(read_sums(sent.sums, sent.images))
    kept = sent.model_dump(include={"step", "split", "protocol", "predictor", "constant", "images", "wall", "seconds"})
    edges = None if sent.sharpness is None else means_of(read_sharpness(sent.sharpness, sent.images))
    return {
        **kept,
        "sums": zlib.compress(sent.sums, 6),
        "per_image": per_image,
        "pooled": pooled,
        "sharpness": None if sent.sharpness is None else zlib.compress(sent.sharpness, 6),
        "sharpness_means": edges,
    }


def means_of(sharpness: NDArray[np.float64]) -> dict[str, Any]:
    """Measure -> {value, images}: the mean over the images where the measure is defined; null over none."""
    means = sharpness_means(sharpness)
    return {
        name: {"value": mean.value if math.isfinite(mean.value) else None, "images": mean.images}
        for name, mean in means.items()
    }


def unpack_sums(row: Evaluation) -> NDArray[np.float64]:
    """The stored sums of an evaluation, (images, columns)."""
    return np.frombuffer(zlib.decompress(row.sums), dtype="<f8").reshape(row.images, -1)


def metrics_of(sums: NDArray[np.float64]) -> tuple[Metrics, Metrics]:
    """Per image and pooled; null where a metric is not finite, since JSON has no NaN."""
    return _finite(from_sums(sums, "per_image")), _finite(from_sums(sums, "pooled"))


def _finite(values: dict[str, float]) -> Metrics:
    return {name: value if math.isfinite(value) else None for name, value in values.items()}


def selected(
    session: Session,
    runs: Select[int],
    value: Value = "last3",
    averaging: Averaging = "per_image",
    filed: Filed | None = None,
) -> dict[int, Metrics]:
    """Run id -> its metrics, for the runs that `runs` selects; runs without such an evaluation are absent.

    last3: mean of the last three evaluations on the run's own split and protocol, or those of `filed` (fewer where
    there are fewer); last: the last one; best_validation: the evaluation at the step whose validation RMSE is lowest.
    """
    if value == "best_validation":
        rows = _best_on_validation(session, runs, averaging, filed)
    else:
        rows = _last(session, runs, averaging, LAST_N[value], filed)
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


def of_network(runs: Select[int], filed: Filed | None = None) -> Select[int, int]:
    """(run_id, step) of the valid evaluations of the network on each run's own split and protocol, or under `filed`."""
    return _of(select(Evaluation.run_id, Evaluation.step), runs, "network", filed)


def _of(query: Select[*Ts], runs: Select[int], predictor: str, filed: Filed | None) -> Select[*Ts]:
    return query.join(Run, Run.id == Evaluation.run_id).where(
        Evaluation.run_id.in_(runs),
        Evaluation.superseded.is_(False),
        Evaluation.predictor == predictor,
        *_under(filed),
    )


def _under(filed: Filed | None, *, again: bool = False) -> tuple[ColumnElement[bool], ...]:
    """Without `filed` what the run itself recorded under its own protocol. With it the same of runs whose own it is, and
    of the others what was scored again. `again` admits what was scored again under the run's own protocol too.
    """
    during = literal(True) if again else Evaluation.attempt != RESCORED
    if filed is None:
        return Evaluation.split == Run.evaluation_split, Evaluation.protocol == Run.protocol, during
    own = and_(Run.evaluation_split == filed.part, Run.protocol == filed.protocol)
    source = or_(and_(own, during), and_(not_(own), Evaluation.attempt == RESCORED))
    return Evaluation.split == filed.part, Evaluation.protocol == filed.protocol, source


def _column(averaging: Averaging) -> Any:
    return Evaluation.per_image if averaging == "per_image" else Evaluation.pooled


def _last(session: Session, runs: Select[int], averaging: Averaging, n: int, filed: Filed | None) -> Rows:
    rank = func.row_number().over(partition_by=Evaluation.run_id, order_by=Evaluation.step.desc()).label("rank")
    ranked = of_network(runs, filed).where(AT_END).add_columns(_column(averaging).label("metrics"), rank).subquery()
    query = select(ranked.c.run_id, ranked.c.metrics).where(ranked.c.rank <= n)
    return [(run_id, metrics) for run_id, metrics in session.execute(query)]


def _best_on_validation(session: Session, runs: Select[int], averaging: Averaging, filed: Filed | None) -> Rows:
    best = best_validation_steps(session, runs, averaging)
    query = of_network(runs, filed).add_columns(_column(averaging))
    return [(run_id, metrics) for run_id, step, metrics in session.execute(query) if best.get(run_id) == step]


def best_validation_steps(session: Session, runs: Select[int], averaging: Averaging) -> dict[int, int]:
    """Run id -> the step with the lowest validation RMSE; runs that were never scored on validation are absent."""
    query = (
        select(Evaluation.run_id, Evaluation.step, _column(averaging))
        .join(Run, Run.id == Evaluation.run_id)
        .where(
            Evaluation.run_id.in_(runs),
            Evaluation.superseded.is_(False),
            Evaluation.predictor == "network",
            Evaluation.split == "validation",
            Evaluation.protocol == Run.protocol,
            Evaluation.attempt != RESCORED,
        )
    )
    best: dict[int, tuple[float, int]] = {}
    for run_id, step, metrics in session.execute(query):
        if metrics.get("rmse") is not None:
            best[run_id] = min(best.get(run_id, (math.inf, 0)), (metrics["rmse"], step))
    return {run_id: step for run_id, (_, step) in best.items()}


def constants(
    session: Session, runs: Select[int], averaging: Averaging = "per_image", filed: Filed | None = None
) -> dict[int, Metrics]:
    """Run id -> metrics of the constant prediction on the run's own split and protocol, or under `filed`."""
    query = _of(select(Evaluation.run_id, _column(averaging)), runs, "constant", filed).order_by(Evaluation.step)
    return {row[0]: row[1] for row in session.execute(query)}


def sharpness(session: Session, runs: Select[int], filed: Filed | None = None) -> dict[int, Metrics]:
    """Run id -> measures of edges at its last evaluation that took them, on the run's own split and protocol, or under
    `filed`; runs without one are absent. Where the run took none itself, those that were scored again count.
    """
    query = (
        select(Evaluation.run_id, Evaluation.sharpness_means)
        .join(Run, Run.id == Evaluation.run_id)
        .where(
            Evaluation.run_id.in_(runs),
            Evaluation.superseded.is_(False),
            Evaluation.predictor == "network",
            Evaluation.sharpness_means.is_not(None),
            AT_END,
            *_under(filed, again=True),
        )
        .order_by(Evaluation.step, Evaluation.attempt)
    )
    return {
        run_id: {name: mean["value"] for name, mean in (means or {}).items()}
        for run_id, means in session.execute(query)
    }


def rescored(session: Session, runs: Select[int]) -> dict[int, tuple[Filed, ...]]:
    """Run id -> the parts and protocols, other than its own, under which its network was scored again."""
    query = (
        select(Evaluation.run_id, Evaluation.split, Evaluation.protocol)
        .join(Run, Run.id == Evaluation.run_id)
        .where(
            Evaluation.run_id.in_(runs),
            Evaluation.attempt == RESCORED,
            Evaluation.predictor == "network",
            or_(Evaluation.split != Run.evaluation_split, Evaluation.protocol != Run.protocol),
        )
        .order_by(Evaluation.run_id, Evaluation.split, Evaluation.protocol)
    )
    found: dict[int, tuple[Filed, ...]] = {}
    for run_id, split, protocol_name in session.execute(query):
        found[run_id] = (*found.get(run_id, ()), Filed(split, protocol_name))
    return found


def one(run_id: int) -> Select[int]:
    """A selection of one run, for the functions above."""
    return select(literal(run_id))


def refresh(session: Session, run: Run) -> None:
    """Bring the run's own copy of its default value up to date, which lists show without reading evaluations."""
    session.flush()
    before, run.metrics = run.metrics, selected(session, one(run.id)).get(run.id)
    run.rmse = run.metrics["rmse"] if run.metrics else None
    if before and not run.metrics:  # a new attempt from scratch
        facts.drop_metrics(session, run.id, before)
    facts.put_metrics(session, run.id, {name: (value, run.step) for name, value in (run.metrics or {}).items()})


def of_run(session: Session, run_id: int) -> list[Evaluation]:
    """Every valid evaluation of a run, by step."""
    query = select(Evaluation).where(Evaluation.run_id == run_id, Evaluation.superseded.is_(False))
    return list(session.scalars(query.order_by(Evaluation.step, Evaluation.split, Evaluation.predictor)))
