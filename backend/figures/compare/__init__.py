"""Figures of any runs of any experiments, set beside each other."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from backend.figures import View
from backend.figures.compare import bars, chosen, lines, paired, parallel, scatter, written
from backend.figures.compare.chosen import Asked
from backend.figures.selector import SELECTOR_OPTIONS
from backend.schemas import FigureEntry
from depthboard.errors import UnknownName
from depthboard.metrics import METRICS

AVERAGING = {"averaging": SELECTOR_OPTIONS["averaging"]}
COMPARISONS: dict[str, View[Asked]] = {
    "lines": View(
        title="Over training",
        description="A metric over the evaluations of each run, or a key that they logged.",
        options={"metric": (), "x": (), "y_log": ("no", "yes"), **AVERAGING},
        gather=lines.gather,
        draw=lines.draw,
        to_csv=written.lines,
    ),
    "bars": View(
        title="Values",
        description="A metric of each run as a bar.",
        options={"metric": (), **SELECTOR_OPTIONS},
        gather=bars.gather,
        draw=bars.draw,
        to_csv=written.bars,
    ),
    "scatter": View(
        title="Two metrics",
        description="Two metrics of each run against each other, with the distribution of each.",
        options={"metric": (), "horizontal": (), "marginal": ("box", "histogram"), **SELECTOR_OPTIONS},
        gather=scatter.gather,
        draw=scatter.draw,
        to_csv=written.scatter,
    ),
    "parallel": View(
        title="Settings and metrics",
        description="Parallel coordinates over the settings that differ and some metrics.",
        options={"metric": (), **SELECTOR_OPTIONS},
        gather=parallel.gather,
        draw=parallel.draw,
        to_csv=written.parallel,
    ),
    "paired": View(
        title="By image",
        description="Two runs against each other on every test image.",
        options={"a": (), "b": (), "metric": ("rmse", *(name for name in METRICS if name != "rmse"))},
        gather=paired.gather,
        draw=paired.draw,
        to_csv=written.paired,
    ),
}


def view(name: str) -> View[Asked]:
    """Raises UnknownName for a figure there is not."""
    if name not in COMPARISONS:
        known = ", ".join(COMPARISONS)
        raise UnknownName(f"there is no comparison {name}.", field="name", remedy=f"Choose one of: {known}.")
    return COMPARISONS[name]


def entries(session: Session, runs: tuple[int, ...]) -> list[FigureEntry]:
    """The figures with their options, as these runs have them."""
    members = chosen.members(session, runs)
    names = chosen.measures(session, members)
    ids = [str(member.id) for member in members]
    open_ones: dict[str, Sequence[str]] = {
        "x": lines.axes(session, members),
        "metric": names,
        "horizontal": names,
        "a": ids,
        "b": ids,
    }
    return [
        FigureEntry(
            name=name,
            title=v.title,
            description=v.description,
            options={key: list(values or open_ones[key]) for key, values in v.options.items()},
        )
        for name, v in COMPARISONS.items()
    ]
