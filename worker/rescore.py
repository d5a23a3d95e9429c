"""`python -m worker.rescore EXPERIMENT`: score the checkpoints that are kept of an experiment's finished runs (the last, and those best on
validation) again, under another protocol or by a newer evaluator, and hand the evaluations to the API. Run by `depthboard rescore` in a process of its own, so that the core needs no torch.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import torch
from pydantic import ValidationError

from depthboard import protocol
from depthboard.client import Client
from depthboard.config import PROTOCOLS, RunConfig
from depthboard.config.data import Crop
from depthboard.errors import DataProblem, DepthboardError, InvalidInput, Unavailable
from depthboard.metrics import from_sums
from depthboard.settings import Settings, get_settings
from worker import checkpoint
from worker.artifacts import local
from worker.attempt import make_network, prepare_torch
from worker.data import FrameStore, open_unchanged, test_frames, validation_frames
from worker.data.source import Source
from worker.evaluate import Evaluator
from worker.launch import reason_of

Known = list[dict[str, Any]]


@dataclass(frozen=True)
class Outcome:
    """What became of one checkpoint: scored, scored already before, missing something, or not kept; with the reason in `words`."""

    run_id: int
    state: Literal["scored", "already", "missing", "not kept"]
    words: str


class Rescorer:
    """Scores runs again on this machine. `changes` are fields of the evaluation, or {"protocol": name}; none keeps the run's own."""

    def __init__(self, client: Client, settings: Settings, changes: dict[str, Any]) -> None:
        self._client, self._settings, self._changes = client, settings, changes
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._sources: dict[str, Source] = {}
        self._constants: dict[str, protocol.Evaluation] = {}

    def experiment(self, experiment_id: int) -> Iterator[Outcome]:
        """Each finished run in turn; what one lacks is told, and the rest goes on. Raises NotFound for the experiment."""
        for run in self._client.runs(experiment_id, status="finished"):
            if run["kind"] == "trained":
                yield from self.run(run["id"])

    def run(self, run_id: int) -> Iterator[Outcome]:
        """Whatever is wrong with a checkpoint is its outcome, and no reason to leave the others."""
        try:
            trained = protocol.Trained.model_validate(self._client.api.json("GET", f"/api/runs/{run_id}/trained"))
            if not trained.checkpoints:
                raise Unavailable("no checkpoint of this run was ever noted.", field="checkpoint")
            config, known = under(trained.config, self._changes), self._client.evaluations(run_id)
        except Exception as error:
            yield Outcome(run_id, "missing", reason_of(error))
            return
        last = max(note.step for note in trained.checkpoints)
        for note in trained.checkpoints:
            words = "" if note.step == last else f"best on validation, step {note.step}: "
            if is_scored(known, config, note.step, edges=note.step == last):
                yield Outcome(run_id, "already", f"{words}is scored under {config.protocol} already")
                continue
            try:
                here = find_checkpoint(note, self._settings.artifacts)
            except Unavailable as error:  # every run keeps its last one; the best may be of before they were kept
                yield Outcome(run_id, "missing" if note.step == last else "not kept", words + reason_of(error))
                continue
            try:
                outcome = self._checkpoint(trained, config, known, here, last)
            except Exception as error:
                outcome = Outcome(run_id, "missing", reason_of(error))
            yield replace(outcome, words=words + outcome.words)

    def _checkpoint(
        self, trained: protocol.Trained, config: RunConfig, known: Known, note: protocol.CheckpointNote, last: int
    ) -> Outcome:
        """Raises DepthboardError where the checkpoint or the data is not what the run had, or the protocol does not fit it."""
        if note.step != last:  # sharpness is shown of the end alone
            config = config.model_copy(update={"evaluation": config.evaluation.model_copy(update={"sharpness": "off"})})
        prepare_torch(self._settings, config.engine, config.seed)
        network = load_network(config, note).to(self._device)
        evaluator = self._evaluator(config, trained.dataset)
        evaluation, _ = evaluator.score(network, note.step)
        self._send(trained, note, evaluation)
        if (constant := self._constant(evaluator, config, trained, known)) is not None:
            self._send(trained, note, constant)
        rmse = from_sums(np.frombuffer(evaluation.sums, "<f8").reshape(evaluation.images, -1), "per_image")["rmse"]
        return Outcome(
            trained.run_id, "scored", f"RMSE {rmse:.3f} m under {config.protocol}, {evaluation.images} images"
        )

    def _send(self, trained: protocol.Trained, note: protocol.CheckpointNote, evaluation: protocol.Evaluation) -> None:
        body = protocol.Rescored(
            evaluation=evaluation, checkpoint_sha256=note.sha256, data_fingerprint=trained.dataset.fingerprint
        )
        self._client.api.json("POST", f"/api/runs/{trained.run_id}/rescored", body)

    def _evaluator(self, config: RunConfig, data: protocol.DatasetRef) -> Evaluator:
        if data.fingerprint not in self._sources:
            opened = open_unchanged(data.format, data.path, data.options, data.fingerprint, self._settings.cache)
            self._sources[data.fingerprint] = opened
        source, part = self._sources[data.fingerprint], config.evaluation.split
        frames = test_frames(source, config.data) if part == "test" else validation_frames(source, config.data)
        store = FrameStore(
            source,
            frames,
            config.data,
            fingerprint=data.fingerprint,
            cache=self._settings.cache,
            byte_limit=self._settings.cache_bytes,
        )
        return Evaluator(store, config, part, self._device)

    def _constant(
        self, evaluator: Evaluator, config: RunConfig, trained: protocol.Trained, known: Known
    ) -> protocol.Evaluation | None:
        """The run's constant prediction under the same protocol; equal ones are computed once."""
        own = [e for e in known if e["predictor"] == "constant" and not e["rescored"] and e["split"] == evaluator.part]
        if not own:
            return None
        data = config.data.model_copy(update={"train_size": None})
        key = f"{trained.dataset.fingerprint} {data.model_dump_json()} {config.protocol} {own[0]['constant']!r}"
        if key not in self._constants:
            self._constants[key] = evaluator.constant(own[0]["constant"])
        return self._constants[key]


def under(config: RunConfig, changes: dict[str, Any]) -> RunConfig:
    """The run's configuration with another evaluation: no depth maps, edges measured. Raises InvalidInput where it does not fit."""
    own = {} if "protocol" in changes else config.evaluation.model_dump(mode="json")
    fixed = {"split": config.evaluation.split, "samples": 0, "sharpness": "all"}
    tree = config.model_dump(mode="json") | {"evaluation": {**own, **changes, **fixed}}
    tree["network"]["weights"] = None  # the checkpoint holds every weight: the file they began from may be gone
    try:
        return RunConfig.model_validate(tree)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "evaluation"
        raise InvalidInput(f"{first['msg'].removeprefix('Value error, ')}.", field=where) from error


def is_scored(known: Known, config: RunConfig, step: int, *, edges: bool = True) -> bool:
    """Whether nothing new would come: scored again before, or by the run itself, with `edges` measured where they are wanted."""
    wanted = ("network", config.evaluation.split, config.protocol, step)
    return any(
        (e["predictor"], e["split"], e["protocol"], e["step"]) == wanted
        and (e["rescored"] or not edges or e["sharpness"] is not None)
        for e in known
    )


def find_checkpoint(note: protocol.CheckpointNote, artifacts: Path) -> protocol.CheckpointNote:
    """The note of the checkpoint where this machine has it: at its own path, or in this machine's folder of artifacts.

    Raises Unavailable where there is none.
    """
    if note.path.startswith("s3://"):
        return note
    there = local(note.path)
    here = artifacts / "runs" / there.parent.name / there.name
    for path in (there, here):
        if path.is_file():
            return note.model_copy(update={"path": str(path)})
    raise Unavailable(
        f"its checkpoint {note.path} is not on this machine.",
        field="checkpoint",
        remedy=f"Run this where it lies, or copy it to {here}.",
    )


def load_network(config: RunConfig, note: protocol.CheckpointNote) -> torch.nn.Module:
    """The trained network. Raises DataProblem for a file that is not the one that was noted."""
    state = checkpoint.load(note)
    if state is None:
        raise DataProblem(
            f"the checkpoint {note.path} is damaged: its hash is not the recorded {note.sha256[:12]}.",
            field="checkpoint",
            remedy="Restore it from a copy.",
        )
    network, _ = make_network(config)
    network.load_state_dict(state["network"])
    return network


def main(arguments: list[str] | None = None) -> int:
    """Exit status 0 when every finished run is scored, 1 when some lack something, 2 when nothing could be asked."""
    given = _parser().parse_args(arguments)
    changes = {name: value for name, value in vars(given).items() if name != "experiment" and value is not None}
    counts: dict[str, int] = {"scored": 0, "already": 0, "missing": 0, "not kept": 0}
    try:
        if "protocol" in changes and len(changes) > 1:
            raise InvalidInput("a named protocol sets crop, range, resize and flip itself.", field="protocol")
        with Client() as client:
            for outcome in Rescorer(client, get_settings(), changes).experiment(given.experiment):
                counts[outcome.state] += 1
                print(f"run {outcome.run_id}: {outcome.words}", flush=True)
    except DepthboardError as error:
        print(error, file=sys.stderr)
        return 2
    gone = f" {counts['not kept']} best on validation not kept." if counts["not kept"] else ""
    print("{scored} scored, {already} scored already, {missing} not scored.".format(**counts) + gone)
    return 1 if counts["missing"] else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m worker.rescore", description="Score finished runs again.")
    parser.add_argument("experiment", type=int)
    parser.add_argument("--protocol", choices=list(PROTOCOLS), help="a named protocol instead of the fields below")
    parser.add_argument("--crop", choices=get_args(Crop))
    parser.add_argument("--resize", choices=["network", "native"])
    parser.add_argument("--min-depth", type=float)
    parser.add_argument("--max-depth", type=float)
    parser.add_argument("--flip-average", action=argparse.BooleanOptionalAction)
    return parser


if __name__ == "__main__":
    sys.exit(main())
