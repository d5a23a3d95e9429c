"""From runs to what a figure draws: one protocol, rows of data, columns of sizes, and cells of runs that differ in their seed alone."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from backend.figures.aggregate import mean_of
from backend.figures.selector import Selection
from backend.figures.tokens import LOSS_ORDER, loss_words
from backend.store.evaluations import Filed
from backend.store.study import Study, StudyRun, load_study, study_runs
from depthboard.errors import UnknownName
from depthboard.status import RunStatus

NYUV2_FORMATS = ("nyuv2_mat", "nyuv2_raw", "densedepth", "bts", "sparse_to_dense")

ANGLES = str.maketrans("<>{}", "‹›()")
"""In labels, which figures, tables and pages show alike, nothing may look like Plotly's markup or its templates."""

T = TypeVar("T", bound=Hashable)

ALL = "all"
"""The level of the option `dataset` for a figure that draws every one."""

# What axes, panels and markers say already; any other difference between runs is written beside the loss's name.
SHOWN = ("data.dataset", "data.split", "data.train_size", "network.encoder", "seed")


@dataclass(frozen=True, slots=True)
class Cell:
    """Runs with one configuration but for the seed: what a mean is taken over."""

    loss: str
    label: str
    dataset: str
    split: str
    train_size: int
    encoder: str
    runs: tuple[StudyRun, ...]

    @property
    def data(self) -> str:
        return data_name(self.dataset, self.split)

    @property
    def order(self) -> tuple[int, str]:
        return LOSS_ORDER.get(self.loss, len(LOSS_ORDER)), self.label


@dataclass(frozen=True, slots=True)
class Scope:
    """The runs that have evaluations of one part and protocol; the others are counted, never mixed in.

    `selection` is what is shown: with runs in it that were scored again, of which three evaluations are not
    to be had, the mean of the last three is the last one for every run.
    """

    study: Study
    filed: Filed
    runs: tuple[StudyRun, ...]
    other_protocols: int
    selection: Selection

    @property
    def part(self) -> str:
        return self.filed.part

    @property
    def protocol(self) -> str:
        return self.filed.protocol

    @property
    def rescored(self) -> int:
        """How many of the runs recorded nothing under this protocol themselves."""
        return sum(self.filed in run.rescored for run in self.runs)

    def values(self, runs: Iterable[StudyRun], metric: str) -> dict[int, float]:
        """Run id -> what a finished run is worth; left out are those not finished, diverged, or for which the selector finds no finite value."""
        ended = [run for run in runs if run.status is RunStatus.finished and run.diverged_at is None]
        found = {run.id: self.study.values.get(run.id, {}).get(metric) for run in ended}
        return {run_id: value for run_id, value in found.items() if value is not None}

    def constant(self, runs: Iterable[StudyRun], metric: str) -> float | None:
        """What predicting the training median everywhere scores: the mean over the runs where it is known."""
        found = [self.study.constant.get(run.id, {}).get(metric) for run in runs]
        return mean_of(value for value in found if value is not None)


def data_name(dataset: str, split: str) -> str:
    """A dataset and its division into parts, as the option `dataset` names them."""
    return f"{dataset}/{split}"


def data_title(dataset: str, split: str) -> str:
    return dataset if split == "official" else f"{dataset}, {split} split"


def evaluation_of(run: StudyRun) -> Filed:
    return Filed(run.part, run.protocol)


def evaluation_names(run: StudyRun) -> tuple[str, ...]:
    """The run's own part and protocol, then those under which it was scored again, as the option `protocol` names them."""
    return tuple(map(str, (evaluation_of(run), *run.rescored)))


def in_scope(session: Session, selection: Selection) -> Scope:
    """The runs that `selection` names, by protocol and data, with what is known of them under that protocol.

    Without a protocol it is the one that most runs have as their own. Raises NotFound for the experiment, UnknownName for
    a protocol or dataset it does not have.
    """
    every = study_runs(session, selection.experiment_id)
    filed = _filed(every, selection.protocol)
    if selection.protocol is None:
        runs = tuple(run for run in every if evaluation_of(run) == filed)
    else:
        runs = tuple(run for run in every if filed in (evaluation_of(run), *run.rescored))
    others = len(every) - len(runs)
    if selection.dataset not in (None, ALL):
        known = {run.dataset for run in runs} | {data_name(run.dataset, run.split) for run in runs}
        if selection.dataset not in known:
            raise _unknown("dataset", selection.dataset, known)
        runs = tuple(run for run in runs if selection.dataset in (run.dataset, data_name(run.dataset, run.split)))
    if selection.value == "last3" and any(filed in run.rescored for run in runs):
        selection = replace(selection, value="last")
    study = load_study(session, selection.experiment_id, selection.value, selection.averaging, filed, every)
    return Scope(study, filed, runs, others, selection)


def _filed(runs: Iterable[StudyRun], wanted: str | None) -> Filed:
    """The part and protocol that `wanted` names, `test/` being left out at will, or else the one of most runs."""
    own = [str(evaluation_of(run)) for run in runs]
    if wanted is not None:
        levels = [name for run in runs for name in evaluation_names(run)]
        chosen = pick("protocol", wanted if "/" in wanted else f"test/{wanted}", levels)
    else:
        chosen = pick("protocol", None, own)
    part, _, protocol = (chosen or "test/").partition("/")
    return Filed(part, protocol)


def pick(field: str, wanted: T | None, levels: Iterable[T]) -> T | None:
    """`wanted`, or the level that most runs have (the first met of equals); None where there is no run.

    Raises UnknownName when no run has `wanted`.
    """
    counts = Counter(levels)
    if wanted is not None and wanted not in counts:
        raise _unknown(field, wanted, counts)
    if wanted is not None or not counts:
        return wanted
    return counts.most_common(1)[0][0]


def _unknown(field: str, value: object, known: Iterable[object]) -> UnknownName:
    listed = ", ".join(sorted(map(str, known)))
    return UnknownName(f"no run of this experiment has {field} {value}.", field=field, remedy=f"It has: {listed}.")


def cells(runs: Iterable[StudyRun]) -> list[Cell]:
    """The runs by configuration without seed, in the order of losses, then of their labels, data, size and encoder."""
    runs = list(runs)
    differing = _differing(runs)
    grouped: dict[str, list[StudyRun]] = {}
    for run in runs:
        grouped.setdefault(run.group, []).append(run)
    made = [
        Cell(r[0].loss, _label(r[0], differing), r[0].dataset, r[0].split, r[0].train_size, r[0].encoder, tuple(r))
        for r in grouped.values()
    ]
    return sorted(made, key=lambda c: (c.order, c.dataset, c.split, c.train_size, c.encoder))


def _label(run: StudyRun, differing: list[str]) -> str:
    """`Huber threshold=0.3 · lr 0.001`: the loss, its parameters set apart from the defaults, and what else differs within the experiment."""
    leaves = _leaves(run.config)
    rest = [f"{path.rpartition('.')[2]} {leaves.get(path)}".translate(ANGLES) for path in differing]
    return " · ".join([loss_words(run.loss, run.loss_label), *rest])


def _differing(runs: list[StudyRun]) -> list[str]:
    """Paths in which runs of one place in the figure (same data, size and encoder) differ.

    A setting that follows from the place, such as the dropout that one encoder has and the other lacks, splits no label.
    """
    levels: dict[tuple[str, ...], dict[str, set[str]]] = {}
    trees = [_leaves(run.config) for run in runs]
    paths = {p for tree in trees for p in tree if p not in SHOWN and not p.startswith(("loss.", "labels."))}
    for tree in trees:
        place = tuple(json.dumps(tree.get(path)) for path in SHOWN if path != "seed")
        here = levels.setdefault(place, {path: set() for path in paths})
        for path in paths:
            here[path].add(json.dumps(tree.get(path)))
    return sorted(path for path in paths if any(len(here[path]) > 1 for here in levels.values()))


def _leaves(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, value in tree.items():
        if isinstance(value, dict):
            out.update(_leaves(value, f"{prefix}{key}."))
        else:
            out[f"{prefix}{key}"] = value
    return out


def is_nyuv2(dataset: str, format: str) -> bool:
    """Whether the paper's numbers speak of this data: by its name, or by a layout that NYUv2 alone comes in."""
    return "nyu" in dataset.lower() or format in NYUV2_FORMATS
