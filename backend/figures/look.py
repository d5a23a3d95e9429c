"""How the grid of depth maps is looked at: what the tiles show, in which colours and range, in which order. The browser's address holds the same."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from backend.figures.colouring import DEPTH_MAPS
from depthboard.errors import InvalidInput, UnknownName
from depthboard.metrics import METRICS

Shown = Literal["depth", "error", "relative"]
Order = Literal["position", "worst", "best", "difference"]

SHOWN: tuple[Shown, ...] = ("depth", "error", "relative")
SPANS = ("2-98", "0-100", "1-99", "5-95")
ORDERS: tuple[Order, ...] = ("worst", "best", "difference")
DEEPEST = 65.535
"""Metres that a stored map can hold."""

OPTIONS: dict[str, tuple[str, ...]] = {
    "view": SHOWN,
    "colours": DEPTH_MAPS,
    "percentile": SPANS,
    "low": (),
    "high": (),
    "limit": (),
    "scaled": ("no", "yes"),
    "mask": ("no", "yes"),
    "edges": ("no", "yes"),
    "sort": (),
    "a": (),
    "b": (),
}


@dataclass(frozen=True, slots=True)
class Look:
    """`low`, `high` and `limit` (of the error: metres, or a share) are what the data say where None. `a` and `b` are runs whose difference rows may be sorted by."""

    view: Shown = "depth"
    colours: str = "depth"
    span: tuple[int, int] = (2, 98)
    low: float | None = None
    high: float | None = None
    limit: float | None = None
    scaled: bool = False
    mask: bool = False
    edges: bool = False
    order: Order = "position"
    metric: str = "rmse"
    a: int | None = None
    b: int | None = None


AS_IT_IS = Look()


def parse_look(given: Mapping[str, str]) -> Look:
    """From query parameters whose closed values were checked. Raises InvalidInput, UnknownName."""
    low, high = (_number(given, key, 0, DEEPEST) for key in ("low", "high"))
    if low is not None and high is not None and low >= high:
        raise InvalidInput(f"low {low:g} m is not below high {high:g} m.", field="low")
    first, _, last = given.get("percentile", SPANS[0]).partition("-")
    metric, order = _order(given.get("sort", ""))
    return Look(
        view=cast(Shown, given.get("view", "depth")),
        colours=given.get("colours", "depth"),
        span=(int(first), int(last)),
        low=low,
        high=high,
        limit=_number(given, "limit", 0.001, 30),
        scaled=given.get("scaled") == "yes",
        mask=given.get("mask") == "yes",
        edges=given.get("edges") == "yes",
        order=order,
        metric=metric,
        a=_run(given, "a"),
        b=_run(given, "b"),
    )


def _order(text: str) -> tuple[str, Order]:
    """`rmse` or `rmse:worst`, `rmse:best`, `rmse:difference`; nothing is the dataset's order."""
    if text in ("", "position"):
        return "rmse", "position"
    metric, _, order = text.partition(":")
    order = order or "worst"
    if metric not in METRICS or order not in ORDERS:
        raise UnknownName(
            f"rows cannot be sorted by {text!r}.",
            field="sort",
            remedy="Give a metric and worst, best or difference, such as rmse:worst.",
        )
    return metric, order


def _number(given: Mapping[str, str], key: str, least: float, most: float) -> float | None:
    if key not in given:
        return None
    try:
        value = float(given[key])
    except ValueError:
        value = math.nan
    if not least <= value <= most:
        raise InvalidInput(f"{key} must be a number from {least:g} to {most:g}, not {given[key]!r}.", field=key)
    return value


def _run(given: Mapping[str, str], key: str) -> int | None:
    """A run's number; `truth`, which the browser compares with too, has no metrics."""
    text = given.get(key, "truth")
    if text == "truth":
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise InvalidInput(f"{key} must be the number of a run, not {text!r}.", field=key)
    return int(text)
