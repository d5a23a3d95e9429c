"""The paper's numbers, quoted: Carvalho et al., ICIP 2018, Figures 2, 3, 5 and Table 2. Never averaged with runs.

`published.json` holds them as printed or as measured from the PDF's vectors, with the origin of each; shares are printed in per cent and are
given here as 0..1, Figure 3's network units (1 unit = 5 m) as metres.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from depthboard.metrics import METRES_PER_UNIT

SHARES = ("delta1", "delta2", "delta3")


@dataclass(frozen=True, slots=True)
class QuotedRow:
    """A row of Table 2; values by metric, None where the table has a dash."""

    label: str
    year: int
    note: str
    values: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class QuotedCurve:
    """A curve of Figure 3: epochs and test L1 in metres."""

    epoch: tuple[float, ...]
    mae: tuple[float, ...]


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(Path(__file__).with_name("published.json").read_text("utf-8"))
    return data


def source(part: str) -> str:
    """Where the numbers of `part` (figure2, figure3, figure5, table2) come from, in a sentence."""
    return f"{_data()['source']}, {_data()[part]['origin']}"


def table2() -> list[QuotedRow]:
    table = _data()["table2"]
    return [
        QuotedRow(
            row["label"],
            row["year"],
            row["note"],
            {m: _plain(m, v) for m, v in zip(table["metrics"], row["values"], strict=True)},
        )
        for row in table["rows"]
    ]


def figure2(metric: str) -> dict[str, dict[int, float]]:
    """loss -> training images -> value, for rmse and delta1; empty for another metric."""
    figure = _data()["figure2"]
    return {
        loss: {size: _share(metric, v) for size, v in zip(figure["sizes"], values, strict=True)}
        for loss, values in figure.get(metric, {}).items()
    }


def figure3(train_size: int) -> dict[str, QuotedCurve]:
    """loss -> curve at the paper's size nearest to `train_size` within 10 % (795, 12,000, 230,000); empty where none is."""
    curves: dict[str, Any] = _data()["figure3"]["curves"]
    near = [s for s in curves if abs(int(s) - train_size) <= 0.1 * int(s)]
    return {
        loss: QuotedCurve(tuple(e for e, _ in points), tuple(v * METRES_PER_UNIT for _, v in points))
        for loss, points in (curves[near[0]].items() if near else ())
    }


def figure5(metric: str) -> dict[str, dict[str, float]]:
    """encoder -> loss -> value at 12,000 images, for rmse, abs_rel and delta1; empty for another metric."""
    return {
        encoder: {loss: _share(metric, v) for loss, v in values.items()}
        for encoder, values in _data()["figure5"].get(metric, {}).items()
    }


def _plain(metric: str, value: float | None) -> float | None:
    return None if value is None else _share(metric, value)


def _share(metric: str, value: float) -> float:
    return round(value / 100, 6) if metric in SHARES else value
