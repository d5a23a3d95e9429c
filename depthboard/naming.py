"""Settings by name: what a person who mistyped one most likely meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from functools import cache

from pydantic import BaseModel

from depthboard.config import LOSS_CONFIGS, RunConfig


def nearest(word: str, names: Iterable[str]) -> str | None:
    """The name that looks most like `word`, if one does."""
    return next(iter(difflib.get_close_matches(word, list(names), n=1, cutoff=0.6)), None)


def nearest_setting(path: str, loss: str | None = None, short: Iterable[str] = ()) -> str | None:
    """The setting that a dotted path which does not exist means: a like name in the same group, else the same or a like name elsewhere.

    `loss` is whose setting it is; `short` are further names that may stand alone.
    """
    group, _, name = path.rpartition(".")
    if loss in LOSS_CONFIGS:
        near = nearest(name, LOSS_CONFIGS[loss].model_fields)
        return f"{group}.{near}" if near else None
    settings = _settings()
    beside = {leaf: full for full in settings for parent, _, leaf in [full.rpartition(".")] if parent == group}
    if not group:
        beside |= {name: name for name in short}
    elsewhere = {full.rpartition(".")[2]: full for full in settings}
    for names in (beside, elsewhere):
        near = nearest(name, names)
        if near:
            return names[near]
    return None


@cache
def _settings() -> tuple[str, ...]:
    """Every group and setting of a run as a dotted path."""
    return tuple(_paths(RunConfig, ""))


def _paths(model: type[BaseModel], prefix: str) -> Iterable[str]:
    for name, field in model.model_fields.items():
        yield prefix + name
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _paths(field.annotation, f"{prefix}{name}.")
