"""Smoothing for the eye alone: of a finished figure, in its drawing. The browser's lib/smoothing.ts does the same; both are held
to tests/fixtures/smoothing.json.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go

SMOOTHED = ("mean", "run", "seed")
"""The roles of the traces that are smoothed; behind the first two the raw curve stays, faint."""
FAINT = 0.3


def smooth(values: Sequence[float | None], weight: float) -> list[float | None]:
    """Exponential moving average, debiased as in Adam: s_i = Σ w^(i−j) y_j / Σ w^(i−j) over the finite y_j so far.

    A missing value stays missing and does not count.
    """
    total, mass = 0.0, 0.0
    found: list[float | None] = []
    for value in values:
        if value is None or not math.isfinite(value):
            found.append(None)
            continue
        total, mass = total * weight + value, mass * weight + 1
        found.append(float(f"{total / mass:.7g}"))
    return found


def words(weight: float) -> str:
    return f"Lines are smoothed for the eye (debiased moving average, weight {weight:.2f}), the raw values faint behind; marks, bands and all numbers are raw."


def smoothed(figure: go.Figure, weight: float) -> go.Figure:
    """The figure with its curves smoothed; itself at weight 0."""
    if weight <= 0:
        return figure
    tree = figure.to_dict()
    tree["data"] = [part for trace in tree["data"] for part in _parts(trace, weight)]
    meta = tree["layout"]["meta"]
    meta["caption"] = f"{words(weight)} {meta['caption']}"
    return go.Figure(tree)


def _parts(trace: dict[str, Any], weight: float) -> list[dict[str, Any]]:
    role = (trace.get("meta") or {}).get("role")
    if role not in SMOOTHED:
        return [trace]
    line = {**trace, "y": smooth([None if v is None else float(v) for v in trace["y"]], weight)}
    if "hovertemplate" in trace:
        line["hovertemplate"] = trace["hovertemplate"].replace("%{y", "smoothed %{y", 1)
    if role == "seed":
        return [line]
    faint: dict[str, Any] = {
        **{key: trace[key] for key in ("type", "x", "y", "xaxis", "yaxis", "legendgroup") if key in trace},
        "mode": "lines",
        "line": {"color": trace["line"]["color"], "width": 1},
        "opacity": FAINT,
        "hoverinfo": "skip",
        "showlegend": False,
        "meta": {**trace["meta"], "role": "raw"},
    }
    return [faint, line]
