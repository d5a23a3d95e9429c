"""A training without a server: the same parts as an attempt, its record kept in lists."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from depthboard import protocol
from depthboard.config import RunConfig
from depthboard.experiment import TRAINING_VERSION
from depthboard.metrics import from_sums
from depthboard.settings import Settings
from tests.worker.supervising import LONG, Supervised, begun
from worker.attempt import make_network, make_trainer, prepare_torch
from worker.data import open_source
from worker.stop import Stop
from worker.train import Progress


class Record:
    """Takes what a Recorder takes."""

    def __init__(self) -> None:
        self.points: list[tuple[int, dict[str, float]]] = []
        self.evaluations: list[protocol.Evaluation] = []
        self.maps: list[protocol.Prediction] = []

    def point(self, step: int, values: dict[str, float], wall: float) -> None:  # noqa: ARG002
        self.points.append((step, values))

    def evaluation(self, evaluation: protocol.Evaluation) -> None:
        self.evaluations.append(evaluation)

    def predictions(self, predictions: list[protocol.Prediction]) -> None:
        self.maps += predictions

    def metrics(self, index: int = -1) -> dict[str, float]:
        evaluation = self.evaluations[index]
        return from_sums(np.frombuffer(evaluation.sums, "<f8").reshape(evaluation.images, -1), "pooled")


class Training:
    """One run on `rooms`, in this process."""

    def __init__(self, config: RunConfig, home: Path) -> None:
        settings = Settings(home=home, threads=1)
        device = prepare_torch(settings, config.engine, config.seed)
        source = open_source("rooms")
        reference = protocol.DatasetRef(name="rooms", format="rooms", path="", fingerprint=source.fingerprint())
        claim = protocol.Claim(
            run_id=1, attempt=1, token="", lease_seconds=60, renew_seconds=2, config=config, dataset=reference, training_version=TRAINING_VERSION
        )  # fmt: skip
        self.network, self.initialisation = make_network(config)
        self.record = Record()
        self.trainer, self.evaluators = make_trainer(claim, settings, self.network, self.record, device)  # type: ignore[arg-type]
        self.train = self.trainer._train
        self.states: list[dict[str, Any]] = []
        self._progress = Progress(home / "progress.json")

    def run(self, stop: Stop | None = None) -> bool:
        return self.trainer.run(stop or Stop(), lambda s: self.states.append(copy.deepcopy(s)), self._progress)


@pytest.fixture(autouse=True)
def _torch_as_it_comes() -> Iterator[None]:
    """A training sets torch for its whole process, here for one test: the next may be of another file."""
    yield
    torch.set_flush_denormal(False)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = True
    torch.use_deterministic_algorithms(False)


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the session, so that frames are rendered once."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture
def training(home: Path) -> Callable[..., Training]:
    def make(**changes: Any) -> Training:
        base = {
            "data": {"train_size": 16},
            "budget": {"images_seen": 48, "batch_size": 8},
            "optimiser": {"lr": 2e-3, "schedule": "one_cycle"},
            "evaluation": {"evaluations": 3, "samples": 2},
            "engine": {"precision": "float32"},  # on every processor
        }
        return Training(RunConfig.model_validate({**base, **changes}), home)

    return make


@pytest.fixture
def supervised(api: str, settings: Settings) -> Iterator[Supervised]:
    """A run of ten thousand steps that trains."""
    yield from begun(api, settings, LONG)
