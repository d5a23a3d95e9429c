"""The runs that are compared: each with a letter, a label of what tells it from the others, and the look of its loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.figures.selector import AVERAGING_WORDS, VALUE_WORDS, VALUES, X_TITLES, Options, XAxis, check_options
from backend.figures.tokens import ENCODER_TITLES, LOSS_TOKENS, loss_words
from backend.store import comparison
from backend.store.comparison import Compared
from backend.store.evaluations import Filed, Value, selected
from backend.store.tables import SCRIPT, Run
from depthboard.errors import InvalidInput, UnknownName
from depthboard.metrics import AVERAGINGS, METRICS, Averaging

MOST = 20
LETTERS = "ABCDEFGHIJKLMNOPQRST"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a comparison shows. `a` and `b` are the two runs set against each other image by image."""

    runs: tuple[int, ...]
    value: Value = "last3"
    averaging: Averaging = "per_image"
    metric: str = ""
    horizontal: str = ""
    x: XAxis | None = None
    y_log: bool = False
    marginal: str = "box"
    a: int | None = None
    b: int | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A run of the comparison; `look` is the loss in whose colour, dash and marker it is drawn."""

    run: Compared
    letter: str
    label: str
    look: str

    @property
    def id(self) -> int:
        return self.run.id

    @property
    def name(self) -> str:
        return f"{self.letter}  {self.label}"

    @property
    def script(self) -> bool:
        return self.run.kind == SCRIPT

    @property
    def filed(self) -> Filed:
        return Filed(self.run.evaluation_split, self.run.protocol)


def parse_runs(text: str) -> tuple[int, ...]:
    """`1,5,9`, each once. Raises InvalidInput."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        if not (part.isascii() and part.isdigit() and len(part) < 19):
            raise InvalidInput(f"{part[:40]!r} is no run.", field="runs", remedy="Name runs by numbers: runs=1,5,9.")
    ids = tuple(dict.fromkeys(int(part) for part in parts))
    if not ids:
        raise InvalidInput("no run is named.", field="runs", remedy="Name runs by numbers: runs=1,5,9.")
    if len(ids) > MOST:
        raise InvalidInput(f"{len(ids)} runs are too many to compare.", field="runs", remedy=f"Choose at most {MOST}.")
    return ids


def parse(runs: tuple[int, ...], query: Mapping[str, str], options: Options) -> Asked:
    """The query parameters. Raises UnknownName, InvalidInput."""
    given = check_options(query, options)
    if given.get("x", "step") not in X_TITLES:
        raise UnknownName(f"x cannot be {given['x'][:40]!r}.", field="x", remedy=f"It can be: {', '.join(X_TITLES)}.")
    return Asked(
        runs,
        value=cast(Value, given.get("value", VALUES[0])),
        averaging=cast(Averaging, given.get("averaging", AVERAGINGS[0])),
        metric=given.get("metric", ""),
        horizontal=given.get("horizontal", ""),
        x=cast(XAxis, given["x"]) if "x" in given else None,
        y_log=given.get("y_log") == "yes",
        marginal=given.get("marginal", "box"),
        a=_run(given, "a", runs),
        b=_run(given, "b", runs),
    )


def _run(given: Mapping[str, str], key: str, runs: tuple[int, ...]) -> int | None:
    if key not in given:
        return None
    if given[key] not in map(str, runs):
        known = ", ".join(map(str, runs))
        raise InvalidInput(f"{key} is none of the runs compared.", field=key, remedy=f"Choose one of: {known}.")
    return int(given[key])


def members(session: Session, ids: Sequence[int]) -> tuple[Member, ...]:
    """Raises NotFound."""
    found = comparison.runs(session, ids)
    taken = {run.loss for run in found}
    free = cycle([loss for loss in LOSS_TOKENS if loss not in taken] or LOSS_TOKENS)
    labels = _labels(found)
    return tuple(
        Member(run, letter, label, run.loss if run.loss in LOSS_TOKENS else next(free))
        for run, letter, label in zip(found, LETTERS, labels, strict=False)
    )


def _labels(runs: Sequence[Compared]) -> list[str]:
    """The loss (or a script's name), and of the rest what is not the same in all."""
    several = {
        name: len({getattr(run, name) for run in runs}) > 1 for name in ("dataset", "train_size", "encoder", "seed")
    }
    labels = [_label(run, several) for run in runs]
    return [
        f"{label}, run {run.id}" if labels.count(label) > 1 else label for run, label in zip(runs, labels, strict=True)
    ]


def _label(run: Compared, several: Mapping[str, bool]) -> str:
    if run.kind == SCRIPT:
        return run.name or f"run {run.id}"
    parts = [
        loss_words(run.loss, run.loss_label),
        f"{run.train_size} images" if several["train_size"] else "",
        ENCODER_TITLES.get(run.encoder, run.encoder) if several["encoder"] else "",
        run.dataset or "" if several["dataset"] else "",
        f"seed {run.seed}" if several["seed"] else "",
    ]
    return ", ".join(part for part in parts if part)


def values(session: Session, asked: Asked, name: str) -> dict[int, float]:
    """Run -> its value of a metric by the selector, or the newest that it logged under that key."""
    if name not in METRICS:
        return comparison.newest(session, asked.runs, name)
    found = selected(session, select(Run.id).where(Run.id.in_(asked.runs)), asked.value, asked.averaging)
    return {run_id: value for run_id, metrics in found.items() if (value := metrics.get(name)) is not None}


def selector_words(asked: Asked) -> str:
    return f"{VALUE_WORDS[asked.value]}, {AVERAGING_WORDS[asked.averaging]}"


def measures(session: Session, runs: Sequence[Member]) -> list[str]:
    """What there is to compare by: the metrics, where any run is evaluated, then the keys that were logged."""
    scored = ["rmse", *(name for name in METRICS if name != "rmse")] if any(not m.script for m in runs) else []
    return [*scored, *comparison.keys(session, [member.id for member in runs])]


def key_words(runs: Sequence[Member]) -> str:
    """Which letter is which run, for a caption."""
    return "; ".join(f"{member.letter} {member.label} (run {member.id})" for member in runs) + "."


def evaluated_alike(runs: Sequence[Member]) -> str:
    """A warning where values stand beside each other that do not compare; else nothing."""
    ways = {(m.run.dataset, m.run.split, *m.filed) for m in runs if not m.script}
    if len(ways) < 2:
        return ""
    return "These runs were evaluated on different images or by different protocols: their values do not compare."
