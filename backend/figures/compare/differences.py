"""What tells the runs of a comparison apart: settings, code, data and environment, path by path."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from backend.figures.compare.chosen import Member
from backend.store.facts import leaves
from depthboard.config import RunConfig

Group = Literal["setting", "data", "code", "environment"]
HIDDEN = ("labels.", "schema_version")
CODE = ("code_version", "code_sha256", "torch_build", "libraries.", "python", "precision", "deterministic")
OWN_NAMES = ("first_batch", "initialisation.weights_sha256")
"""Of the provenance what follows from seed and data, and is different in every run."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing that runs have; a run without it has None. `values` are in the order of the runs."""

    path: str
    group: Group
    values: tuple[Any, ...]

    @property
    def differs(self) -> bool:
        return any(value != self.values[0] or type(value) is not type(self.values[0]) for value in self.values[1:])


def rows(members: Sequence[Member]) -> list[Row]:
    """Those that differ first, in each part as a configuration has them."""
    found = [*_rows(members, _settings, None), *_rows(members, _data, "data"), *_rows(members, _made, None)]
    return [row for row in found if row.differs] + [row for row in found if not row.differs]


def varied(members: Sequence[Member]) -> list[Row]:
    """The settings that differ."""
    return [row for row in _rows(members, _settings, None) if row.differs]


def _rows(members: Sequence[Member], read: Any, group: Group | None) -> list[Row]:
    trees = [dict(read(member)) for member in members]
    paths = list(dict.fromkeys(path for tree in trees for path in tree))
    return [Row(path, group or _group(path), tuple(tree.get(path) for tree in trees)) for path in paths]


def _group(path: str) -> Group:
    if not path.startswith("run."):
        return "setting"
    return "code" if path.removeprefix("run.").startswith(CODE) else "environment"


def _settings(member: Member) -> list[tuple[str, Any]]:
    """As the run was trained: what its configuration leaves out stands at its default. Of a script what it said."""
    config = member.run.config
    if member.script:
        return list(leaves(config.get("params", {})))
    tree = RunConfig.model_validate(config).model_dump(mode="json")
    tree["data"] = {**tree["data"], "train_size": member.run.train_size}
    return [(path, value) for path, value in leaves(tree) if not path.startswith(HIDDEN)]


def _data(member: Member) -> list[tuple[str, Any]]:
    run = member.run
    facts = {"data fingerprint": run.data_fingerprint, "evaluated by": str(member.filed) if run.protocol else ""}
    return [(name, value) for name, value in facts.items() if value]


def _made(member: Member) -> list[tuple[str, Any]]:
    """Where its result comes from; the names are set apart from settings by `run.`"""
    found = [("training_version", member.run.training_version), *leaves(member.run.provenance or {})]
    return [(f"run.{path}", value) for path, value in found if value != "" and not path.startswith(OWN_NAMES)]
