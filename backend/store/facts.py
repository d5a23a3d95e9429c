"""Parameters and newest metrics of runs as rows, which lists filter and sort by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import delete
from sqlalchemy.orm import Session

from backend.store.tables import Metric, Param
from backend.store.upsert import put

LONGEST_NAME, LONGEST_TEXT = 200, 300
MANY = 5000


def put_metrics(session: Session, run_id: int, values: Mapping[str, tuple[float | None, int]]) -> None:
    """Set name -> (value, step); what is not finite is kept as null."""
    put(session, Metric, _metric_rows({run_id: values}), ("run_id", "name"))


def put_newer_metrics(session: Session, runs: Mapping[int, Mapping[str, tuple[float | None, int]]]) -> None:
    """The same for several runs, but for names that are known at a higher step."""
    put(session, Metric, _metric_rows(runs), ("run_id", "name"), rising="step")


def _metric_rows(runs: Mapping[int, Mapping[str, tuple[float | None, int]]]) -> list[dict[str, object]]:
    return [
        {"run_id": run_id, "name": name, "number": _finite(value), "step": step}
        for run_id, values in sorted(runs.items())
        for name, (value, step) in sorted(values.items())
    ]


def drop_metrics_from(session: Session, run_id: int, step: int) -> list[str]:
    """Forget the values of this step and later ones; returns their names."""
    gone = delete(Metric).where(Metric.run_id == run_id, Metric.step >= step).returning(Metric.name)
    return list(session.scalars(gone))


def drop_metrics(session: Session, run_id: int, names: Iterable[str]) -> None:
    session.execute(delete(Metric).where(Metric.run_id == run_id, Metric.name.in_(list(names))))


def put_params(session: Session, run_id: int, tree: Mapping[str, Any]) -> None:
    """Set the leaves of `tree` by their dotted paths."""
    put_params_of(session, {run_id: tree})


def put_params_of(session: Session, runs: Mapping[int, Mapping[str, Any]]) -> None:
    """The same for several runs."""
    rows = [row for run_id, tree in runs.items() for row in param_rows(run_id, tree)]
    for start in range(0, len(rows), MANY):
        put(session, Param, rows[start : start + MANY], ("run_id", "name"))


def param_rows(run_id: int, tree: Mapping[str, Any]) -> list[dict[str, object]]:
    """One row a leaf; what is null has none."""
    return [
        {"run_id": run_id, "name": name[:LONGEST_NAME], "number": number, "text": text}
        for name, leaf in leaves(tree)
        for number, text in [_number_or_text(leaf)]
    ]


def leaves(tree: Mapping[str, Any], path: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted path, leaf) of everything in a tree that is not null; the items of a list by their numbers."""
    for name, value in tree.items():
        here = f"{path}{name}"
        if isinstance(value, Mapping):
            yield from leaves(value, f"{here}.")
        elif isinstance(value, list | tuple):
            yield from leaves({str(i): item for i, item in enumerate(value)}, f"{here}.")
        elif value is not None:
            yield here, value


def _number_or_text(leaf: Any) -> tuple[float | None, str | None]:
    if isinstance(leaf, bool):
        return None, str(leaf).lower()
    if isinstance(leaf, int | float):
        number = float(leaf) if abs(leaf) < 1e300 else math.inf
        return (number, None) if math.isfinite(number) else (None, str(leaf))
    return None, str(leaf)[:LONGEST_TEXT]


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
