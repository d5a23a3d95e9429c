"""The training loop: from the first step or a checkpoint to the end of the budget."""

from __future__ import annotations

import json
import math
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from depthboard.config import RunConfig
from depthboard.errors import Diverged
from worker.data import FrameStore, augment
from worker.evaluate import Evaluator
from worker.objective import Objective
from worker.recorder import Recorder
from worker.schedule import ImageOrder, evaluation_steps, log_every

DIVERGED_STEPS = 20


class Trainer:
    """Trains one network with one objective; everything it does follows from the configuration and the step."""

    def __init__(
        self,
        config: RunConfig,
        network: nn.Module,
        objective: Objective,
        train: FrameStore,
        evaluators: list[Evaluator],
        recorder: Recorder,
        device: torch.device,
    ) -> None:
        self._config, self._network, self._objective = config, network, objective
        self._train, self._evaluators, self._recorder = train, evaluators, recorder
        self._device = device
        self._order = ImageOrder(len(train), config.budget.batch_size, config.seed)
        self._not_finite = 0
        self.step = 0

    def run(self, stop: threading.Event, save: Callable[[dict[str, Any]], None], progress: Progress) -> bool:
        """Train to the end; False when `stop` was set first (a checkpoint is saved then too). Raises Diverged."""
        due, every = set(evaluation_steps(self._config)), log_every(self._config)
        self._network.train()
        while self.step < self._config.steps:
            if stop.is_set():
                save(self.state())
                return False
            parts = self._objective.step(*self.batch(self.step))
            self.step += 1
            if self.step % every == 0 or self.step == 1 or self.step in due:
                self._log(parts)
                progress.update(self.step, self._config.budget.batch_size)
            if self.step in due:
                self.evaluate()
                save(self.state())
        return True

    def batch(self, step: int) -> tuple[Tensor, Tensor, Tensor]:
        """RGB (B,3,H,W) in [−1, 1], depth (B,1,H,W) in metres and its mask, of update `step`."""
        indices = self._order.batch(step)
        rgb, depth, mask = augment(self._train.batch(indices.tolist()), self._config.data, self._config.seed, step)
        return rgb.to(self._device), depth.to(self._device), mask.to(self._device)

    def names(self, step: int) -> list[str]:
        return [self._train.frames[int(i)] for i in self._order.batch(step)]

    def evaluate(self) -> None:
        for evaluator in self._evaluators:
            evaluation, predictions = evaluator.score(self._network, self.step)
            self._recorder.evaluation(evaluation)
            if predictions:
                self._recorder.predictions(predictions)

    def state(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "network": self._network.state_dict(),
            "objective": self._objective.state_dict(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if self._device.type == "cuda" else [],
        }

    def load(self, state: dict[str, Any]) -> None:
        self.step = int(state["step"])
        self._network.load_state_dict(state["network"])
        self._objective.load_state_dict(state["objective"])
        torch.set_rng_state(state["random"])
        generators = state.get("random_cuda", [])
        if self._device.type == "cuda" and len(generators) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(generators)

    def _log(self, parts: dict[str, Tensor]) -> None:
        values = {f"train/loss/{name}": float(value) for name, value in parts.items()}
        self._recorder.point(self.step, values)
        finite = math.isfinite(values[f"train/loss/{self._config.loss.name}"])
        self._not_finite = 0 if finite else self._not_finite + 1
        if self._not_finite >= DIVERGED_STEPS:
            raise Diverged(
                f"the training diverged: its loss has not been finite since about step {self.step - DIVERGED_STEPS * log_every(self._config)}.",
                field="optimiser.lr",
                remedy="Lower the learning rate, or look at the data.",
            )


class Progress:
    """Leaves step and speed in a file for the supervisor; the speed is a moving average that forgets in some seconds."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._last: tuple[float, int] | None = None
        self._speed = 0.0

    def update(self, step: int, batch_size: int) -> None:
        now = time.monotonic()
        if self._last is not None and now - self._last[0] < 0.2:
            return
        if self._last is not None:
            seconds, steps = now - self._last[0], step - self._last[1]
            share = 1 - math.exp(-seconds / 10)
            self._speed += (steps * batch_size / seconds - self._speed) * (share if self._speed else 1)
        self._last = (now, step)
        temporary = self._file.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps({"step": step, "images_per_second": round(self._speed, 3)}))
        temporary.rename(self._file)
