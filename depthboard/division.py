"""How a dataset is divided, in whole numbers: the API counts by it, the worker draws by it."""

from __future__ import annotations


def equally_spaced(total: int, n: int) -> list[int]:
    """Indices (2·i·(N−1)+(n−1)) // (2·(n−1)): i·(N−1)/(n−1) rounded to whole numbers, halves up; n = 1 takes frame 0."""
    if n <= 1:
        return [0][:n]
    return [(2 * i * (total - 1) + (n - 1)) // (2 * (n - 1)) for i in range(n)]


def held_out_count(train: int, share: float) -> int:
    """How many of `train` images a validation share takes: rounded, but at least one of a share above 0."""
    return max(1, int(share * train + 0.5)) if share > 0 else 0
