"""Means over seeds. Every published mean comes from here: exact, with its spread and its n."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

Band = Literal["std", "se", "ci95", "minmax", "seeds", "none"]
BANDS: tuple[Band, ...] = ("std", "se", "ci95", "minmax", "seeds", "none")
"""What is drawn about a mean; `seeds` are the single runs in place of a band."""


@dataclass(frozen=True, slots=True)
class Summary:
    """Mean, sample standard deviation (None for n < 2), how many values went in, the smallest and the largest."""

    mean: float
    std: float | None
    n: int
    low: float
    high: float

    @property
    def error(self) -> float | None:
        """The standard error of the mean."""
        return None if self.std is None else self.std / math.sqrt(self.n)


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
    return Summary(mean, std, n, min(finite), max(finite))


def band(summary: Summary, kind: Band) -> tuple[float, float] | None:
    """What `kind` spans about the mean; None for one value alone, and for the kinds that are no band.

    ci95 is the interval that holds the mean with 95 % if the values are normal: Student's t with n - 1 degrees of freedom.
    """
    if summary.std is None or summary.error is None:
        return None
    if kind == "minmax":
        return summary.low, summary.high
    half = {"std": summary.std, "se": summary.error, "ci95": t95(summary.n - 1) * summary.error}.get(kind)
    return None if half is None else (summary.mean - half, summary.mean + half)


@cache
def t95(freedom: int) -> float:
    """Student's t that 2.5 % lie above: 12.706 for one degree of freedom, 1.960 for many."""
    from scipy.special import stdtrit  # a tenth of the API's start, for one figure

    return float(stdtrit(freedom, 0.975))


def mean_of(values: Iterable[float]) -> float | None:
    """The mean of the finite values, None where there is none."""
    summary = over_seeds(values)
    return None if summary is None else summary.mean
