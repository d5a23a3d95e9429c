"""The training loop: from the first step or a checkpoint to the end of the budget."""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from depthboard import protocol
from depthboard.config import RunConfig
from depthboard.errors import Diverged
from depthboard.metrics import AVERAGINGS, Averaging, from_sums
from worker.data import FrameStore, augment
from worker.data.feed import Feed
from worker.data.store import Batch
from worker.distributed import ALONE, Group
from worker.evaluate import Evaluator, Scored
from worker.memory import explained, is_out_of_memory
from worker.objective import Objective
from worker.recorder import Recorder
from worker.schedule import ImageOrder, evaluation_steps, log_every
from worker.stop import Interrupted, Stop

FETCH_SECONDS = 0.5
FETCH_STEPS = 256
"""Losses stay on the device until this long or this many steps have passed: fetching them waits for the GPU."""
ASK_EVERY = 16
"""Steps between two agreements of several GPUs on whether to go on: each of them waits for the GPU too."""
SAVE_SECONDS = 600
"""A checkpoint is written at least this often, also between evaluations."""

GO_ON, STOPPED, OUT_OF_TIME = 0, 1, 2

SEED_STEP = 1_000_003

Save = Callable[[dict[str, Any]], None]


class Trainer:
    """Trains one network with one objective; everything it does follows from the configuration and the step.

    Of several processes of a run, only the first has a recorder: it evaluates, and the others wait.
    """

    def __init__(
        self,
        config: RunConfig,
        network: nn.Module,
        objective: Objective,
        train: FrameStore,
        evaluators: list[Evaluator],
        recorder: Recorder | None,
        device: torch.device,
        group: Group = ALONE,
    ) -> None:
        self._config, self.network, self._objective = config, network, objective
        self._train, self._evaluators = train, evaluators
        self._device, self._group = device, group
        self._order = ImageOrder(len(train), config.budget.batch_size, config.seed)
        self._losses = Losses(config, recorder, self.names)
        self._recorder = recorder
        self.feed = Feed(train, device)
        self._due = set(evaluation_steps(config))
        self._ask_every = ASK_EVERY if device.type == "cuda" else 1
        self._best: dict[Averaging, tuple[int, float]] = {}
        self.step, self.seconds = 0, 0.0
        self._owed = False

    def run(self, stop: Stop, save: Save, progress: Progress) -> bool:
        """Train to the end; False when `stop` was set first (a checkpoint is saved then too). Raises Diverged, OutOfMemory."""
        self.network.train()
        try:
            return self._loop(stop, save, progress)
        except Exception as error:
            if is_out_of_memory(error):
                traceback.clear_frames(error.__traceback__)  # what the failed step held is free again
                raise explained(self._config, self._device, self.feed.resident) from error
            raise
        finally:
            self.feed.close()

    def _loop(self, stop: Stop, save: Save, progress: Progress) -> bool:
        saved = time.monotonic()
        ends = self.step >= self._config.steps or self._out_of_time
        if self._owed:
            if not self.evaluate(stop, progress, last=ends):
                return False
            self._save(save)
        while not ends:
            began = time.monotonic()
            self._advance(progress)
            self.seconds += time.monotonic() - began
            stop.moved = True
            verdict = self._verdict(stop)
            ends = verdict == OUT_OF_TIME or self.step == self._config.steps
            due = ends or self.step in self._due
            whole = not due or self.evaluate(stop, progress, last=ends)
            if due or verdict == STOPPED or time.monotonic() - saved > SAVE_SECONDS:
                self._save(save)
                saved = time.monotonic()
            if not whole or (verdict == STOPPED and not ends):
                return False
        return True

    def _save(self, save: Save) -> None:
        """Nothing is saved whose losses or weights are not finite: the last good checkpoint stays the last."""
        self._losses.fetch()
        weights = [value for value in self.network.state_dict().values() if value.is_floating_point()]
        if self._group.leads and not bool(torch.stack([torch.isfinite(value).all() for value in weights]).all()):
            raise Diverged(
                f"the training diverged: a gradient was not finite before step {self.step}, though the losses were.",
                field="optimiser.lr",
                remedy="Lower the learning rate; the last checkpoint is from before.",
            )
        save(self.state())

    def _advance(self, progress: Progress) -> None:
        if self._group.size > 1:  # a checkpoint holds the draws of one process: those of several follow from the step
            torch.manual_seed(self._config.seed + SEED_STEP * (self._group.size * self.step + self._group.rank))
        parts = self._objective.step(*self.batch(self.step))
        self.step += 1
        self._losses.add(self.step, parts, self._objective.finite)
        if self._losses.ripe or self.step == 1 or self.step in self._due:
            self._losses.fetch()
            progress.update(self.step, self._config.budget.batch_size)

    def _verdict(self, stop: Stop) -> int:
        """Whether to go on, which all processes of the run answer alike."""
        if self._group.size > 1 and self.step % self._ask_every:
            return GO_ON
        # A training that is out of time ends before it stops: whoever goes on with it then knows that its last evaluation is owed.
        return self._group.agree(OUT_OF_TIME if self._out_of_time else STOPPED if stop.is_set() else GO_ON)

    @property
    def _out_of_time(self) -> bool:
        minutes = self._config.budget.minutes
        return minutes is not None and self.seconds >= 60 * minutes

    def batch(self, step: int) -> Batch:
        """RGB (B,3,H,W) in [−1, 1], depth (B,1,H,W) in metres and its mask, of update `step`."""
        batch = self.feed.batch(step, self._order.batch)
        return augment(batch, self._config.data, self._config.seed, step, self._aspect)

    @property
    def _aspect(self) -> float:
        return self._train.aspect if self._config.data.rotation > 0 else 1.0

    @property
    def images(self) -> tuple[int, int]:
        """How many are trained on, and how many scored."""
        return len(self._train), self._evaluators[0].images

    @property
    def nbytes(self) -> int:
        """What the training images take when packed."""
        return self._train.nbytes

    @property
    def median_depth(self) -> float:
        """Metres; see `FrameStore.median_depth`."""
        return self._train.median_depth()

    def names(self, step: int) -> list[str]:
        return [self._train.frames[int(i)] for i in self._order.batch(step)]

    def evaluate(self, stop: Stop, progress: Progress, last: bool = False) -> bool:
        """Score every part; the first process does, and the others wait for it.

        False when `stop` came first: nothing is recorded then, and the evaluation of this step is owed by whoever goes on.
        """
        whole = True
        if self._recorder is not None:
            scored = self._score(stop, progress, last)
            whole = len(scored) == len(self._evaluators)
            for evaluation, predictions in scored if whole else []:
                self._recorder.evaluation(evaluation)
                self._remember_best(evaluation)
                if predictions:
                    self._recorder.predictions(predictions)
        whole = bool(self._group.agree(int(whole)))
        self._owed = not whole
        return whole

    def _score(self, stop: Stop, progress: Progress, last: bool) -> list[Scored]:
        """What every part scores; fewer when `stop` came between two batches."""

        def between() -> None:
            progress.touch(self.step)
            stop.check()

        scored: list[Scored] = []
        with contextlib.suppress(Interrupted):
            for evaluator in self._evaluators:
                scored.append(evaluator.score(self.network, self.step, last, between))
        return scored

    def _remember_best(self, evaluation: protocol.Evaluation) -> None:
        """The step with the lowest RMSE on validation by each averaging, whose checkpoint is kept."""
        if evaluation.split == "validation":
            sums = np.frombuffer(evaluation.sums, "<f8").reshape(evaluation.images, -1)
            for averaging in AVERAGINGS:
                rmse = from_sums(sums, averaging)["rmse"]
                if math.isfinite(rmse) and rmse < self._best.get(averaging, (0, math.inf))[1]:
                    self._best[averaging] = (evaluation.step, rmse)

    def state(self) -> dict[str, Any]:
        """All that the rest of the training depends on; the order of the data follows from the step."""
        return {
            "step": self.step,
            "seconds": self.seconds,
            "owed": self._owed,
            "best": {averaging: list(best) for averaging, best in self._best.items()},
            "network": self.network.state_dict(),
            "objective": self._objective.state_dict(),
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state_all() if self._device.type == "cuda" else [],
        }

    def load(self, state: dict[str, Any]) -> None:
        self.step, self.seconds = int(state["step"]), float(state["seconds"])
        self._owed = bool(state.get("owed", False))  # releases before did not stop within an evaluation
        self._best = {averaging: (int(step), float(rmse)) for averaging, (step, rmse) in state["best"].items()}
        self.network.load_state_dict(state["network"])
        self._objective.load_state_dict(state["objective"])
        torch.set_rng_state(state["random"])
        generators = state["random_cuda"]
        if self._device.type == "cuda" and len(generators) == torch.cuda.device_count():
            torch.cuda.set_rng_state_all(generators)


class Losses:
    """The losses of the last steps, left on the device until some are fetched together; every one is looked at, some are recorded."""

    def __init__(self, config: RunConfig, recorder: Recorder | None, names: Callable[[int], list[str]]) -> None:
        self._config, self._recorder, self._images = config, recorder, names
        self._every, self._due = log_every(config), set(evaluation_steps(config))
        self._waiting: list[tuple[int, float, Tensor]] = []
        self._keys: list[str] = []
        self._fetched = time.monotonic()

    @property
    def ripe(self) -> bool:
        return len(self._waiting) >= FETCH_STEPS or time.monotonic() - self._fetched > FETCH_SECONDS

    def add(self, step: int, parts: Mapping[str, Tensor], output_finite: Tensor) -> None:
        self._keys = list(parts)
        row = torch.stack([*(value.float() for value in parts.values()), output_finite.float()])
        self._waiting.append((step, time.time(), row))

    def fetch(self) -> None:
        """Bring the waiting losses over and record them. Raises Diverged at the first that is not finite."""
        waiting, self._waiting, self._fetched = self._waiting, [], time.monotonic()
        if not waiting:
            return
        values = torch.stack([row for _, _, row in waiting]).cpu()
        finite = torch.isfinite(values).all(dim=1)
        for (step, wall, _), (*row, output_finite), good in zip(waiting, values.tolist(), finite.tolist(), strict=True):
            if self._recorder is not None and (self._is_recorded(step) or not good):
                named = {f"train/loss/{key}": value for key, value in zip(self._keys, row, strict=True)}
                self._recorder.point(step, named, wall)
            if not good and self._recorder is not None:  # the first process says so, and ends the others
                raise self._diverged(step, row) if output_finite else self._broken_before(step)

    def _is_recorded(self, step: int) -> bool:
        return step % self._every == 0 or step == 1 or step in self._due

    def _diverged(self, step: int, row: list[float]) -> Diverged:
        """Which part, at which step, on which images: a part is named before the sum that it spoils."""
        broken = [key for key, value in zip(self._keys, row, strict=True) if not math.isfinite(value)]
        # L1 first: where it is broken, the prediction is, and what D says of it follows.
        part = min(broken, key=lambda key: (key != "gan_l1", key == self._config.loss.name))
        return Diverged(
            f"the training diverged: {part} was {row[self._keys.index(part)]} at step {step}, on the images {self._shown(step)}.",
            field="optimiser.lr",
            remedy="Lower the learning rate, or look at these images; the last checkpoint is from before.",
        )

    def _broken_before(self, step: int) -> Diverged:
        """The network's output was not finite, so its weights were not: what broke them is the update before."""
        if step == 1:
            return Diverged(
                "the network's first output was not finite, before anything was learnt.",
                field="network.weights",
                remedy="Look at the file of weights, if there is one, and at the pictures.",
            )
        return Diverged(
            f"the training diverged: at step {step} the network's output was not finite. The losses of step {step - 1} were, but a gradient was not, "
            f"on the images {self._shown(step - 1)}, or weights had grown beyond what the network can compute.",
            field="optimiser.lr",
            remedy="Lower the learning rate, or look at these images; the last checkpoint is from before.",
        )

    def _shown(self, step: int) -> str:
        """The images of an update, the first eight by name."""
        images = self._images(step - 1)
        return ", ".join(images[:8]) + (f" and {len(images) - 8} more" if len(images) > 8 else "")


class Progress:
    """Leaves step and speed in a file for the supervisor; the speed is a moving average that forgets in some seconds."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._last: tuple[float, int] | None = None
        self._speed = 0.0
        self._touched = 0.0

    def update(self, step: int, batch_size: int) -> None:
        now = time.monotonic()
        if self._last is not None and now - self._last[0] < 0.2:
            return
        if self._last is not None:
            seconds, steps = now - self._last[0], step - self._last[1]
            share = 1 - math.exp(-seconds / 10)
            self._speed += (steps * batch_size / seconds - self._speed) * (share if self._speed else 1)
        self._last = (now, step)
        self._write(step)

    def touch(self, step: int) -> None:
        """Something moved that is no step: a batch of an evaluation."""
        now = time.monotonic()
        if now - self._touched >= 0.2:
            self._touched = now
            self._write(step)

    def _write(self, step: int) -> None:
        temporary = self._file.with_suffix(f".{os.getpid()}")
        try:
            temporary.write_text(json.dumps({"step": step, "images_per_second": round(self._speed, 3)}))
            temporary.rename(self._file)
        except OSError:  # of a full disk, say: no reason to end a training, or to take it for one that hangs
            with contextlib.suppress(OSError):
                self._file.touch()
