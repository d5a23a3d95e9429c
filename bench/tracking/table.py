"""The table as people read it, and the same as JSON."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from bench.tracking.compare import Measured, Pairing

COLUMNS = ("", "ours", "peer", "times better", "target", "met")
VERDICTS = {True: "yes", False: "NO", None: ""}


def table(pairings: Sequence[Pairing], missing: Mapping[str, str]) -> str:
    """`missing`: peer -> why it has no rows."""
    lines = [COLUMNS, *(_cells(pairing) for pairing in pairings)]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    printed = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    ]
    printed.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join([*printed, "", *_remarks(pairings, missing)])


def _cells(pairing: Pairing) -> tuple[str, ...]:
    unit = pairing.row.unit
    theirs = f"{pairing.peer} {number(pairing.theirs, unit)}" if pairing.peer else ""
    return (
        pairing.row.title,
        number(pairing.ours, unit),
        theirs,
        times(pairing.ratios),
        target(pairing),
        VERDICTS[pairing.met],
    )


def number(measured: Measured, unit: str) -> str:
    """`296k points/s`, `19.5 ms`, or a dash."""
    value = measured.median
    if value is None:
        return "–"
    return (
        f"{value / 1000:,.0f}k {unit}"
        if value >= 10_000
        else f"{value:,.3g} {unit}"
        if value < 1000
        else f"{value:,.0f} {unit}"
    )


def times(ratios: Sequence[float]) -> str:
    """`2.5 [2.3..2.8]`: the median, the least and the greatest of the rounds."""
    if not ratios:
        return ""
    return f"{statistics.median(ratios):,.3g} [{min(ratios):,.3g}..{max(ratios):,.3g}]"


def target(pairing: Pairing) -> str:
    row = pairing.row
    limits = [f"≤ {row.most:g} {row.unit}"] if row.most is not None else []
    if pairing.peer and pairing.peer in row.times:
        limits.append(f"≥ {row.times[pairing.peer]:g} × {pairing.peer}")
    return ", ".join(limits)


def _remarks(pairings: Sequence[Pairing], missing: Mapping[str, str]) -> list[str]:
    remarks = [f"{peer}: {reason}" for peer, reason in missing.items()]
    for pairing in pairings:
        for name, measured in (("ours", pairing.ours), (pairing.peer or "", pairing.theirs)):
            words = [w for w in (measured.note, measured.reason if measured.reason != "–" else "") if w]
            remarks += [f"{pairing.row.title}, {name}: {'; '.join(words)}"] if words else []
    loops = [value for pairing in pairings for value in pairing.busy]
    if loops:
        remarks.append(
            f"A fixed loop took {min(loops):.0f} to {max(loops):.0f} ms, {statistics.median(loops):.0f} in the middle: "
            "the nearer these are, the quieter the machine."
        )
    return list(dict.fromkeys(remarks))


def as_json(pairings: Sequence[Pairing], missing: Mapping[str, str], **about: Any) -> dict[str, Any]:
    """Everything measured, every round of it."""
    rows = [{**asdict(pairing), "ratios": pairing.ratios, "met": pairing.met} for pairing in pairings]
    return {**about, "missing": dict(missing), "rows": rows}
