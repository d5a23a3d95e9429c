"""An experiment: a grid over the run configuration, its expansion into runs, and a run's identity."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_core import to_jsonable_python

from depthboard.config import LossBase, RunConfig, Sum, parts_of
from depthboard.config.base import Frozen
from depthboard.config.losses import LPIPS, ms_ssim_scales
from depthboard.errors import Faults, InvalidInput
from depthboard.naming import nearest_setting

# Bump when a change to the training code changes what a run computes: results of different versions are different runs.
TRAINING_VERSION = "4"

MAX_RUNS = 10_000

NAMED_FIRST = re.compile(r"([a-z_]+\.[a-z_]+):? ")
"""A sentence about the whole configuration begins with the setting it is about."""

ALIASES = {
    "size": "data.train_size",
    "train_size": "data.train_size",
    "dataset": "data.dataset",
    "encoder": "network.encoder",
    "lr": "optimiser.lr",
}

Levels = list[Any]


class Grid(Frozen):
    """Fields of the run configuration and the levels each takes; every combination is a run.

    A key is a dotted path (`optimiser.lr`, `loss.lam`) or a short name: size, encoder, dataset, lr. A level of `loss` is a name or a mapping.
    """

    factors: dict[str, Levels] = Field(default_factory=dict)

    @field_validator("factors", mode="after")
    @classmethod
    def _canonical(cls, factors: dict[str, Levels]) -> dict[str, Levels]:
        known: dict[str, Levels] = {}
        for path, levels in factors.items():
            full = ALIASES.get(path, path)
            if full.partition(".")[0] in ("labels", "schema_version"):
                raise ValueError(f"{path} is no factor: it changes nothing that is trained")
            if full in known:
                raise ValueError(f"{full} is given twice (once as {path}): keep one")
            if not levels:
                raise ValueError(f"{path} has no levels: give at least one, or leave the factor out")
            if len({json.dumps(level, sort_keys=True, default=str) for level in levels}) < len(levels):
                raise ValueError(f"{path} names a level twice: each level once")
            known[full] = levels
        return known


class ExperimentSpec(Grid):
    """What a person submits. `base` holds what every run shares; `also` adds further grids to the same experiment."""

    name: str = Field(min_length=1, max_length=200)
    description: str = Field("", max_length=20_000)
    base: dict[str, Any] = Field(default_factory=dict)
    also: list[Grid] = Field(default_factory=list, max_length=50)
    tags: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(default_factory=list, max_length=50)

    @field_validator("name", mode="after")
    @classmethod
    def _printable(cls, name: str) -> str:
        if not name.strip() or any(ord(c) < 32 for c in name):
            raise ValueError("the name needs visible characters on one line")
        return name.strip()

    @model_validator(mode="after")
    def _not_too_many(self) -> ExperimentSpec:
        n = self.most_runs
        if n > MAX_RUNS:
            raise ValueError(f"this grid has {n} runs, more than {MAX_RUNS}: split it into several experiments")
        return self

    @property
    def most_runs(self) -> int:
        """How many runs it has where no two cells are the same one."""
        return sum(math.prod(map(len, grid.factors.values())) for grid in (self, *self.also))


@dataclass(frozen=True)
class Cell:
    """One run of an experiment: its configuration and the levels that make it differ from the others."""

    config: RunConfig
    levels: dict[str, Any]


def expand(spec: ExperimentSpec) -> list[Cell]:
    """All runs of `spec`, each configuration once, in an order that fills the figures evenly.

    Raises InvalidInput, with all its faults, naming the factor when a combination is no valid configuration.
    """
    cells: dict[str, Cell] = {}
    faults = Faults()
    paths = list(dict.fromkeys(path for grid in (spec, *spec.also) for path in grid.factors))
    for levels in itertools.chain.from_iterable(_ordered(grid.factors) for grid in (spec, *spec.also)):
        try:
            config = _build(spec.base, levels)
        except InvalidInput as fault:
            faults.add(fault)
            if faults.full:
                break
            continue
        cells.setdefault(canonical(config), Cell(config, _levels(config, paths)))
    faults.check()
    return list(cells.values())


def _levels(config: RunConfig, paths: list[str]) -> dict[str, Any]:
    """The run's place on every axis of the experiment, also on those that only another grid of it varies."""
    levels = {}
    for path in paths:
        with contextlib.suppress(AttributeError):  # a parameter that this run's loss does not have
            levels[path] = _plain(config, path)
    return levels


def _ordered(factors: dict[str, Levels]) -> Iterator[dict[str, Any]]:
    """Seeds outermost; within a seed a Latin square of the first factor against the rest, so no panel waits for another to be full."""
    if not factors:
        yield {}
        return
    seeds = factors.get("seed", [None])
    paths = [p for p in factors if p != "seed"]
    first = factors[paths[0]] if paths else [None]
    rest = list(itertools.product(*(factors[p] for p in paths[1:])))
    for seed, shift, i in itertools.product(seeds, range(len(rest)), range(len(first))):
        levels = dict(zip(paths, (first[i], *rest[(i + shift) % len(rest)]), strict=True)) if paths else {}
        yield {**levels, "seed": seed} if "seed" in factors else levels


def _build(base: dict[str, Any], levels: dict[str, Any]) -> RunConfig:
    tree = json.loads(json.dumps(base))
    # A whole loss is set before its parameters, whatever order the person wrote them in.
    for path in sorted(levels, key=lambda p: p.count(".")):
        _assign(tree, path, levels[path])
    try:
        config = RunConfig.model_validate(tree)
    except ValidationError as error:
        faults = Faults()
        for fault in error.errors(include_url=False):
            faults.add(_explain(fault, levels))
        faults.check()
        raise
    _check_paths(config)
    return config


def _check_paths(config: RunConfig) -> None:
    """Asked of new runs alone: those on record may be older than the rule. Raises InvalidInput."""
    files = [("network.weights", config.network.weights)]
    for i, part in enumerate(parts_of(config.loss)):
        if isinstance(part, LPIPS):
            files.append((f"loss.parts.{i}.weights" if isinstance(config.loss, Sum) else "loss.weights", part.weights))
    for field, file in files:
        if file is not None and not file.startswith("/"):
            raise InvalidInput(
                f"{file} is a path from wherever a worker was started, and workers may be started anywhere.",
                field=field,
                remedy="Give the whole path, such as /data/weights.pth, the same on every worker.",
            )


def _assign(tree: dict[str, Any], path: str, value: Any) -> None:
    *parents, leaf = path.split(".")
    for key in parents:
        child = tree.setdefault(key, {})
        if isinstance(child, str) and key == "loss":
            child = tree[key] = {"name": child}
        if not isinstance(child, dict):
            raise InvalidInput(
                f"{key} is a value, not a group.", field=path, remedy=f"Set {key} once, as a whole or by its parts."
            )
        tree = child
    tree[leaf] = value


def _explain(fault: Any, levels: dict[str, Any]) -> InvalidInput:
    """A fault of a configuration in a sentence, with the level that brought it."""
    # Discriminated unions add the tag to the location (loss.l1.lam, loss.sum.parts.1.l1.lam): people write loss.lam, loss.parts.1.lam.
    loc = [str(part) for part in fault["loc"]]
    if loc[:1] == ["loss"]:
        del loc[1:2]
        if loc[1:2] == ["parts"]:
            del loc[3:4]
    message = fault["msg"].removeprefix("Value error, ")
    named = NAMED_FIRST.match(message)
    path = ".".join(loc) or (named[1] if named else "base")
    blame = ", ".join(
        f"{p}={v!r}" for p, v in levels.items() if path.startswith(p) or p.startswith(loc[0] if loc else "~")
    )
    remedies = [f"In the run with {blame}."] if blame else []
    if fault["type"] == "extra_forbidden":
        message = f"there is no setting of this name{_for_loss(levels, loc)}"
        near = nearest_setting(path, _loss_at(levels, loc), ALIASES if path in levels else ())
        remedies[:0] = [f"Did you mean {near}?"] if near else []
    elif fault["type"] == "union_tag_invalid":
        message = f"unknown {loc[0]} {fault['ctx']['tag']}: choose one of {fault['ctx']['expected_tags']}"
    elif fault.get("input") is not None and not isinstance(fault["input"], dict):
        message += f" (got {fault['input']!r})"
    return InvalidInput(message + ".", field=path, remedy=" ".join(remedies) or None)


def _for_loss(levels: dict[str, Any], loc: list[str]) -> str:
    loss = _loss_at(levels, loc)
    return f" for the loss {loss}" if loss else ""


def _loss_at(levels: dict[str, Any], loc: list[str]) -> str | None:
    """The name of the loss that `loc` is a setting of, if a level says it."""
    loss = levels.get("loss")
    if loc[:1] != ["loss"] or loss is None:
        return None
    if loc[1:2] == ["parts"] and len(loc) > 3:
        loss = (levels.get("loss.parts") or loss["parts"])[int(loc[2])]
    return str(loss if isinstance(loss, str) else loss.get("name"))


def _plain(config: RunConfig, path: str) -> Any:
    """The level as a short plain value. Raises AttributeError for a path that the configuration does not have."""
    value: Any = config
    for key in path.split("."):
        value = getattr(value, key)
    if path == "loss":
        return loss_label(config)
    return to_jsonable_python(value)


def loss_label(config: RunConfig) -> str:
    """The loss with the parameters that were set apart from their defaults: `huber threshold=0.5`, `l1 + 2 ms_ssim (3 scales)`."""
    loss, size = config.loss, (config.data.height, config.data.width)
    if not isinstance(loss, Sum):
        return _part_label(loss, *size, without=set())
    weights = ["" if part.weight == 1 else f"{part.weight:g} " for part in loss.parts]
    parts = [w + _part_label(part, *size, without={"weight"}) for w, part in zip(weights, loss.parts, strict=True)]
    label = " + ".join(parts) if loss.weight == 1 else f"{loss.weight:g} ({' + '.join(parts)})"
    # The record keeps 300 characters; the hash of all keeps two long sums apart.
    return label if len(label) <= 300 else f"{label[:287]}… #{hashlib.sha256(label.encode()).hexdigest()[:10]}"


def _part_label(loss: LossBase, height: int, width: int, without: set[str]) -> str:
    name = loss.name
    if name == "ms_ssim":  # its number of scales follows from the size of the images: people must see which it was
        scales = ms_ssim_scales(height, width)
        name += f" ({scales} {'scale' if scales == 1 else 'scales'})"
    changed = loss.model_dump(mode="json", exclude_defaults=True, exclude={"name", *without})
    return " ".join([name, *(f"{k}={_level_text(v)}" for k, v in changed.items())])


def _level_text(value: Any) -> str:
    if value is None:
        return "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def canonical(config: RunConfig) -> str:
    """The configuration as one line of JSON with sorted keys, without labels."""
    return json.dumps(config.model_dump(mode="json", exclude={"labels"}), sort_keys=True, separators=(",", ":"))


def identity(config: RunConfig, data_fingerprint: str, training_version: str = TRAINING_VERSION) -> str:
    """sha256 (hex) of configuration without labels, data fingerprint and training version: equal means the same run."""
    text = "\n".join((canonical(config), data_fingerprint, training_version))
    return hashlib.sha256(text.encode()).hexdigest()
