"""Old runs from elsewhere as runs of scripts: every curve with its steps and wall times, NaN and infinities too.

A run's identity is of its name and content, so that importing it again adds nothing.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from depthboard.client import Api
from depthboard.errors import InvalidInput
from depthboard.protocol import MAX_POINTS, MAX_STEP, Block, Finish, Points, ScriptRun, ScriptStart
from depthboard.script import UNFIT
from depthboard.spool import check_keys
from depthboard.status import RunStatus

LONGEST_NAME = 200


@dataclass
class Imported:
    """A run as it was found: its values in the order in which they were written. `key`, `step`, `wall`, `value` are
    columns; `key` counts `keys`.
    """

    name: str
    """Whole, as the run's identity is of it; the record shows its first LONGEST_NAME characters."""
    content: str
    keys: list[str] = field(default_factory=list)
    key: list[int] = field(default_factory=list)
    step: list[int] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    value: list[float] = field(default_factory=list)
    params: dict[str, Any] = field(default_factory=dict)
    timed: bool = True
    """Whether the wall times are of the source."""
    _places: dict[str, int] = field(default_factory=dict)

    def add(self, key: str, step: int, wall: float, value: float) -> None:
        if key not in self._places:
            check_keys([key])
            self._places[key] = len(self.keys)
            self.keys.append(key)
        if not 0 <= step <= MAX_STEP:
            raise InvalidInput(f"step {step} of {key} is not between 0 and {MAX_STEP}.", field="step")
        self.key.append(self._places[key])
        self.step.append(step)
        self.wall.append(wall if np.isfinite(wall) else 0.0)
        self.value.append(value)


def check_name(what: str, name: str, remedy: str) -> None:
    """Raises InvalidInput for a name that no run and no experiment can have."""
    if not name[:LONGEST_NAME].strip() or UNFIT.search(name):
        raise InvalidInput(f"{name!r:.80} is no name of {what}.", field="name", remedy=remedy)


def bring(api: Api, experiment: str, run: Imported) -> tuple[ScriptRun, bool]:
    """The run in the record, and whether it is new. Raises what the API raises."""
    secret = hashlib.sha256(f"{run.name}\n{run.content}".encode()).hexdigest()
    token = hashlib.sha256(f"import {secret}".encode()).hexdigest()
    own = Api(api.url, token=token)
    known_walls = [wall for wall in run.wall if wall > 0] if run.timed else []
    try:
        start = ScriptStart(
            identity=hashlib.sha256(f"imported {secret}".encode()).hexdigest(),
            experiment=experiment,
            name=run.name[:LONGEST_NAME],
            params=run.params,
            host=socket.gethostname()[:200],
            started=min(known_walls, default=None),
        )
        known = ScriptRun.model_validate(own.json("POST", "/api/scripts", start))
        if known.status.final:
            return known, False
        for points in batches(run):
            own.json("POST", f"/api/runs/{known.run_id}/points", points)
        end = Finish(status=RunStatus.finished, wall=max(known_walls, default=None))
        own.json("POST", f"/api/runs/{known.run_id}/finish", end)
        return known, True
    finally:
        own.close()


def batches(run: Imported) -> Iterable[Points]:
    key, step = np.asarray(run.key, "<i8"), np.asarray(run.step, "<i8")
    wall, value = np.asarray(run.wall, "<f8"), np.asarray(run.value, "<f8")
    for first in range(0, len(key), MAX_POINTS):
        part = slice(first, first + MAX_POINTS)
        yield Points(
            writer="import", first_seq=first, blocks=_blocks(run.keys, key[part], step[part], wall[part], value[part])
        )


def _blocks(
    keys: list[str],
    key: NDArray[np.int64],
    step: NDArray[np.int64],
    wall: NDArray[np.float64],
    value: NDArray[np.float64],
) -> list[Block]:
    blocks = []
    for number in np.unique(key):
        rows = np.flatnonzero(key == number)
        blocks.append(Block(keys=[keys[number]], rows=rows, steps=step[rows], walls=wall[rows], values=value[rows]))
    return blocks
