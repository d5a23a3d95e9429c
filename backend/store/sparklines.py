"""A metric over the evaluations of many runs in few points, for the lines in the rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.store import curves
from backend.store.evaluations import of_network
from backend.store.tables import Evaluation, Run
from depthboard.metrics import METRICS, Averaging

MOST_POINTS = 40
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Line:
    """`x`: share of the training; `y` is None where it is not finite. `best` and its epoch are of all values, not only of
    those drawn; None where there is none, or of a logged key, of which nobody knows which way is better.
    """

    run_id: int
    x: list[float]
    y: list[float | None]
    best: float | None
    best_epoch: float | None


@dataclass(frozen=True)
class Values:
    steps: Floats
    values: Floats


def read(session: Session, run_ids: Sequence[int], metric: str, averaging: Averaging = "per_image") -> list[Line]:
    """The runs that have any value, in the order asked for."""
    found = _evaluated(session, run_ids, metric, averaging) if metric in METRICS else _logged(session, run_ids, metric)
    columns = (Run.id, Run.steps, Run.batch_size, Run.train_size)
    runs = {row.id: row for row in session.execute(select(*columns).where(Run.id.in_(list(found))))}
    return [_line(runs[i], found[i], metric) for i in dict.fromkeys(run_ids) if i in found and i in runs]


def _evaluated(session: Session, run_ids: Sequence[int], metric: str, averaging: Averaging) -> dict[int, Values]:
    """In one statement, which takes the number out of the JSON."""
    column = Evaluation.per_image if averaging == "per_image" else Evaluation.pooled
    own = of_network(select(Run.id).where(Run.id.in_(run_ids)))
    rows = session.execute(own.add_columns(column[metric].as_float()).order_by(Evaluation.run_id, Evaluation.step))
    found: dict[int, list[tuple[int, float | None]]] = {}
    for run_id, step, value in rows:
        found.setdefault(run_id, []).append((step, value))
    return {run_id: Values(*np.array(points, dtype=np.float64).T) for run_id, points in found.items()}


def _logged(session: Session, run_ids: Sequence[int], key: str) -> dict[int, Values]:
    found = curves.read_many(session, run_ids, [key], most=MOST_POINTS, walls=False)
    return {run_id: Values(columns.steps.astype(np.float64), columns.values) for (run_id, _), columns in found.items()}


def _line(run: Any, found: Values, metric: str) -> Line:
    end = run.steps or found.steps[-1] or 1
    shown = thinned(len(found.steps), MOST_POINTS)
    finite = np.where(np.isfinite(found.values), found.values, np.nan)
    best, epoch = None, None
    if metric in METRICS and METRICS[metric].ideal is None and np.isfinite(finite).any():
        at = int(np.nanargmin(finite) if METRICS[metric].lower_is_better else np.nanargmax(finite))
        best = float(finite[at])
        epoch = float(found.steps[at]) * run.batch_size / run.train_size if run.train_size else None
    x = [round(float(step) / end, 4) for step in found.steps[shown]]
    y = [None if np.isnan(value) else float(f"{value:.5g}") for value in finite[shown]]
    return Line(run.id, x, y, best, epoch)


def thinned(n: int, most: int) -> NDArray[np.int64]:
    """Places of at most `most` of n values, evenly, the first and the last among them."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(np.int64))
