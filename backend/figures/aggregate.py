"""Means over seeds. Every published mean comes from here: exact, with its spread and its n."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Summary:
    """Mean, sample standard deviation (None for n < 2) and how many values went in."""

    mean: float
    std: float | None
    n: int


def over_seeds(values: Iterable[float]) -> Summary | None:
    """The finite values' summary, None where there is none.

    The sums are correctly rounded (math.fsum), so the result does not depend on the order of the runs.
    """
    finite = [v for v in values if math.isfinite(v)]
    n = len(finite)
    if n == 0:
        return None
    mean = math.fsum(finite) / n
    std = math.sqrt(math.fsum((v - mean) ** 2 for v in finite) / (n - 1)) if n > 1 else None
    return Summary(mean, std, n)


def mean_of(values: Iterable[float]) -> float | None:
    """The mean of the finite values, None where there is none."""
    summary = over_seeds(values)
    return None if summary is None else summary.mean
