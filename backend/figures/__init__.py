"""Every figure is built once, here: numbers from the record, then a Plotly figure that browser, exports and REST clients share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from backend.figures import (
    convergence,
    curves,
    dataset_size,
    encoders,
    look,
    qualitative,
    results,
    results_text,
    rows,
    sharpness,
    table,
    tiles,
)
from backend.figures.aggregate import BANDS
from backend.figures.groups import ALL, data_name, evaluation_names
from backend.figures.selector import SELECTOR_OPTIONS, Selection, parse_selection
from backend.figures.tokens import Theme
from backend.schemas import FigureEntry
from backend.store.study import StudyRun, study_runs
from depthboard.errors import UnknownName
from depthboard.metrics import METRICS

# Options whose values are the experiment's own: any level that one of its runs has.
OPEN: dict[str, Callable[[StudyRun], Sequence[object]]] = {
    "dataset": lambda run: (data_name(run.dataset, run.split),),
    "encoder": lambda run: (run.encoder,),
    "train_size": lambda run: (run.train_size,),
    "seed": lambda run: (run.seed,),
    "protocol": evaluation_names,
}


Chosen = TypeVar("Chosen")
"""What a view is gathered for: a Selection of an experiment, or runs that are compared."""


@dataclass(frozen=True, slots=True)
class View(Generic[Chosen]):
    """One figure. `options`: query parameter -> the values it takes, the default first; empty where the runs decide."""

    title: str
    description: str
    options: Mapping[str, Sequence[str]]
    gather: Callable[[Session, Chosen], Any]
    draw: Callable[[Any, Theme], go.Figure]
    to_csv: Callable[[Any], str] | None = None
    """The numbers that it draws, where backend.figures.rows needs help."""
    every_data: bool = False
    """Whether it draws all data of the experiment when none is chosen."""
    of_points: bool = False
    """Whether every logged row changes it, and not only evaluations and ends."""


FIGURES: dict[str, View[Selection]] = {
    "convergence": View(
        title="Convergence",
        description="A metric on the evaluated part against training, one line a loss, a panel a dataset size (the paper's Figure 3).",
        options={
            "metric": ("mae", *(m.name for m in METRICS.values() if m.group == "error" and m.name != "mae")),
            "x": ("epoch", "step", "images", "hours", "wall", "gpu"),
            "band": BANDS,
            "smoothing": (),
            "target": (),
            "group": (),
            "x_log": ("no", "yes"),
            "y_log": ("no", "yes"),
            "published": ("no", "yes"),
            **SELECTOR_OPTIONS,
            "encoder": (),
            "dataset": (),
            "protocol": (),
            "base": (),
            "hidden": (),
            "only": (),
        },
        gather=convergence.gather,
        draw=convergence.draw,
        every_data=True,
    ),
    "curves": View(
        title="Curves",
        description="Logged values of one key against training, a line a run; of people's own scripts too.",
        options={
            "key": (),
            "x": ("step", "epoch", "images", "hours", "wall", "gpu"),
            "smoothing": (),
            "x_log": ("no", "yes"),
            "y_log": ("no", "yes"),
            "hidden": (),
            "only": (),
            "x_from": (),
            "x_to": (),
        },
        gather=curves.gather,
        draw=curves.draw,
        of_points=True,
    ),
    "dataset-size": View(
        title="Metric against dataset size",
        description="RMSE and δ<1.25 against training images on a log axis, one line a loss (the paper's Figure 2).",
        options={"published": ("no", "yes"), **SELECTOR_OPTIONS, "encoder": (), "dataset": (), "protocol": ()},
        gather=dataset_size.gather,
        draw=dataset_size.draw,
        every_data=True,
    ),
    "encoders": View(
        title="Encoders",
        description="Losses and encoders on RMSE, rel and δ<1.25 at one dataset size (the paper's Figure 5).",
        options={"published": ("no", "yes"), **SELECTOR_OPTIONS, "train_size": (), "dataset": (), "protocol": ()},
        gather=encoders.gather,
        draw=encoders.draw,
    ),
    "qualitative": View(
        title="Qualitative",
        description="Test images with the depth each loss predicts, all on one range (the paper's Figure 4).",
        options={
            **look.OPTIONS,
            **SELECTOR_OPTIONS,
            "train_size": (),
            "encoder": (),
            "seed": (),
            "step": (),
            "dataset": (),
            "protocol": (),
        },
        gather=qualitative.gather,
        draw=tiles.draw,
        to_csv=rows.tiles_to_csv,
    ),
    "results": View(
        title="Results",
        description="All metrics by loss, size and encoder, beside the constant prediction and the published rows (the paper's Table 2).",
        options={**SELECTOR_OPTIONS, "dataset": (), "protocol": (), "train_size": (), "encoder": ()},
        gather=results.gather,
        draw=table.draw,
        to_csv=results_text.to_csv,
        every_data=True,
    ),
    "sharpness": View(
        title="Sharpness",
        description="How sharp the predicted edges are, by loss, size and encoder: error and gradient at edges, edge F1, boundary errors, spectrum.",
        options={"dataset": (), "protocol": (), "train_size": (), "encoder": ()},
        gather=sharpness.gather,
        draw=table.draw,
        to_csv=results_text.to_csv,
        every_data=True,
    ),
}


def view(name: str) -> View[Selection]:
    """Raises UnknownName for a figure there is not."""
    if name not in FIGURES:
        raise UnknownName(f"there is no figure {name}.", field="name", remedy=f"Choose one of: {', '.join(FIGURES)}.")
    return FIGURES[name]


def build(
    session: Session, name: str, experiment_id: int, query: Mapping[str, str], theme: Theme = "light"
) -> go.Figure:
    """The figure `name` of an experiment; `query` holds its options alone.

    Raises UnknownName and InvalidInput for the name and the options, NotFound for the experiment.
    """
    chosen = view(name)
    return chosen.draw(chosen.gather(session, selected(chosen, experiment_id, query)), theme)


def selected(chosen: View[Selection], experiment_id: int, query: Mapping[str, str]) -> Selection:
    """`query` as this figure understands it. Raises UnknownName, InvalidInput."""
    selection = parse_selection(experiment_id, query, chosen.options)
    if selection.dataset == ALL and not chosen.every_data:
        raise UnknownName(
            f"the figure {chosen.title} shows one data set at a time.", field="dataset", remedy="Name one, or none."
        )
    return selection


def entries(session: Session | None = None, experiment_id: int | None = None) -> list[FigureEntry]:
    """The figures with their options; of an experiment also the levels that its runs have, most used first."""
    runs = study_runs(session, experiment_id) if session is not None and experiment_id is not None else ()
    found = [
        FigureEntry(name=name, title=v.title, description=v.description, options=_options(v, runs))
        for name, v in FIGURES.items()
    ]
    if session is not None and experiment_id is not None:
        for entry in found:
            if "key" in entry.options:
                entry.options["key"] = curves.keys(session, experiment_id)
    return found


def _options(chosen: View[Selection], runs: Sequence[StudyRun]) -> dict[str, list[str]]:
    options = {key: list(values) or _levels(key, runs) for key, values in chosen.options.items()}
    if chosen.every_data and len(options["dataset"]) > 1:
        options["dataset"].insert(0, ALL)
    return options


def _levels(key: str, runs: Sequence[StudyRun]) -> list[str]:
    if key not in OPEN:
        return []
    own = [OPEN[key](run)[0] for run in runs]
    levels = own + [level for run in runs for level in OPEN[key](run)[1:]]
    return [str(level) for level in sorted(dict.fromkeys(levels), key=lambda v: (-own.count(v), levels.index(v)))]
