"""What a figure shows, and which evaluation speaks for a run (the rule itself is backend.store.evaluations.selected)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from backend.figures.aggregate import Band
from backend.figures.look import AS_IT_IS, Look, parse_look
from backend.store.evaluations import Value
from depthboard.errors import InvalidInput, UnknownName
from depthboard.metrics import AVERAGINGS, Averaging

XAxis = Literal["epoch", "step", "images", "hours", "wall", "gpu"]
X_TITLES: dict[XAxis, str] = {
    "epoch": "epoch",
    "step": "step",
    "images": "training images seen",
    "hours": "hours of training",
    "wall": "hours since the start",
    "gpu": "GPU hours",
}
IN_TIME: tuple[XAxis, ...] = ("hours", "wall", "gpu")
"""Axes on which every run has its own position at a step, and whose end nobody knows before."""
Options = Mapping[str, Sequence[str]]

VALUES: tuple[Value, ...] = ("last3", "last", "best_validation")

# The selector's two parameters, which every figure takes.
SELECTOR_OPTIONS: dict[str, tuple[str, ...]] = {"value": VALUES, "averaging": AVERAGINGS}

MOST_SMOOTHING = 0.99
BETWEEN = "|"
"""Between the names in an option that takes several."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a figure shows of an experiment. None leaves the choice to the figure: the part, encoder or size that most runs have.

    `group`: the factors that tell lines apart, all but the seed for None. `target` as the axis shows it. `hidden` and
    `only` name lines by their labels; `low` to `high` is the stretch of x that is looked at.
    """

    experiment_id: int
    value: Value = "last3"
    averaging: Averaging = "per_image"
    metric: str = "mae"
    x: XAxis = "epoch"
    y_log: bool = False
    published: bool = False
    look: Look = AS_IT_IS
    dataset: str | None = None
    protocol: str | None = None
    encoder: str | None = None
    train_size: int | None = None
    seed: int | None = None
    step: int | None = None
    key: str | None = None
    band: Band = "std"
    smoothing: float = 0.0
    target: float | None = None
    x_log: bool = False
    group: tuple[str, ...] | None = None
    base: str | None = None
    hidden: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None


def parse_selection(experiment_id: int, query: Mapping[str, str], options: Options) -> Selection:
    """The query parameters as a Selection.

    Raises UnknownName for a parameter or value that `options` does not list, InvalidInput for a number that is none.
    """
    given = check_options(query, options)
    return Selection(
        experiment_id,
        value=cast(Value, given.get("value", "last3")),
        averaging=cast(Averaging, given.get("averaging", "per_image")),
        metric=given.get("metric", "mae"),
        x=cast(XAxis, given.get("x", next(iter(options.get("x", ())), "epoch"))),
        y_log=given.get("y_log") == "yes",
        published=given.get("published") == "yes",
        look=parse_look(given),
        dataset=given.get("dataset"),
        protocol=given.get("protocol"),
        encoder=given.get("encoder"),
        train_size=_whole(given, "train_size"),
        seed=_whole(given, "seed"),
        step=_whole(given, "step"),
        key=given.get("key"),
        band=cast(Band, given.get("band", "std")),
        smoothing=_smoothing(given),
        target=_number(given, "target"),
        x_log=given.get("x_log") == "yes",
        group=tuple(_names(given, "group", ",")) if "group" in given else None,
        base=given.get("base"),
        hidden=tuple(_names(given, "hidden", BETWEEN)),
        only=tuple(_names(given, "only", BETWEEN)),
        low=_number(given, "x_from"),
        high=_number(given, "x_to"),
    )


def check_options(query: Mapping[str, str], options: Options) -> dict[str, str]:
    """What is given of `options`: one without values takes any, an empty value is one not given. Raises UnknownName."""
    given = {key: value for key, value in query.items() if value != ""}
    for key, value in given.items():
        if key not in options:
            raise UnknownName(f"this figure has no option {key}.", field=key, remedy=f"It takes: {', '.join(options)}.")
        if options[key] and value not in options[key]:
            raise UnknownName(f"{key} cannot be {value!r}.", field=key, remedy=f"It can be: {', '.join(options[key])}.")
    return given


def _names(given: Mapping[str, str], key: str, between: str) -> list[str]:
    return list(dict.fromkeys(name for text in given.get(key, "").split(between) if (name := text.strip())))


def _number(given: Mapping[str, str], key: str) -> float | None:
    if key not in given:
        return None
    try:
        value = float(given[key])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InvalidInput(
            f"{key} must be a number, not {given[key]!r}.", field=key, remedy="Write it as 0.42, in the axis's unit."
        )
    return value


def _smoothing(given: Mapping[str, str]) -> float:
    weight = _number(given, "smoothing") or 0.0
    if not 0 <= weight <= MOST_SMOOTHING:
        raise InvalidInput(
            f"smoothing must lie between 0 and {MOST_SMOOTHING}, not {given['smoothing']}.",
            field="smoothing",
            remedy="0 leaves the curves as they are, 0.6 is a common choice.",
        )
    return weight


def _whole(given: Mapping[str, str], key: str) -> int | None:
    text = given.get(key)
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or len(text) > 15:
        raise InvalidInput(f"{key} must be a whole number, not {text!r}.", field=key)
    return int(text)


VALUE_WORDS: dict[Value, str] = {
    "last3": "mean of the last three evaluations",
    "last": "last evaluation",
    "best_validation": "evaluation with the lowest validation RMSE",
}
AVERAGING_WORDS: dict[Averaging, str] = {"per_image": "averaged per image", "pooled": "pooled over all pixels"}


def selector_words(selection: Selection) -> str:
    """The selector as captions print it."""
    return f"{VALUE_WORDS[selection.value]}, {AVERAGING_WORDS[selection.averaging]}"
