"""Scoring a network on the evaluation split, and keeping the depth maps of the sample frames."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from depthboard import protocol
from depthboard.config import RunConfig
from depthboard.division import equally_spaced
from depthboard.errors import DataProblem
from worker.data import FrameStore
from worker.metrics import constant_sums, evaluation_sharpness, evaluation_sums
from worker.schedule import evaluation_steps

BATCH = 16

Scored = tuple[protocol.Evaluation, list[protocol.Prediction]]


class Evaluator:
    """One part of the data (test or validation) under one protocol."""

    def __init__(self, store: FrameStore, config: RunConfig, part: str, device: torch.device) -> None:
        self._store, self._config, self._device = store, config, device
        self.part, self.images = part, len(store)
        self._frame = store.source.probe(store.frames[0]).depth
        keep = min(config.evaluation.samples, len(store)) if part == config.evaluation.split else 0
        self._touched: int | None = None
        self._samples = equally_spaced(len(store), keep) if keep else []

    def score(
        self, network: nn.Module, step: int, last: bool = False, between: Callable[[], None] = lambda: None
    ) -> Scored:
        """Per-image sums of every frame, the depth maps of the sample frames, and sharpness where it is due.

        `last` says that the run ends here; at the last step of its budget that is known anyway. What `between` raises before a batch ends it.
        """
        began = time.monotonic()
        sharp = self._sharpness_due(step, last)
        sums, edges, kept = [], [], []
        network.eval()
        with torch.inference_mode():
            for indices, rgb, depth in self._batches():
                between()
                pred = self._predict(network, rgb)
                sums.append(evaluation_sums(pred, self._target(indices, depth), **self._protocol()))
                if sharp:
                    edges.append(evaluation_sharpness(pred, depth, **self._protocol()))
                kept += [self._keep(step, int(i), pred[j, 0]) for j, i in enumerate(indices) if i in self._samples]
        network.train()
        self._say(step)
        sharpness = np.concatenate(edges).astype("<f8").tobytes() if sharp else None
        return self._evaluation(step, sums, sharpness=sharpness, seconds=time.monotonic() - began), kept

    def constant(self, depth: float) -> protocol.Evaluation:
        """The same scores for predicting `depth` metres everywhere."""
        targets = (self._target(indices, target) for indices, _, target in self._batches())
        sums = [constant_sums(depth, target, **self._protocol()) for target in targets]
        return self._evaluation(0, sums, predictor="constant", constant=depth)

    def sample_frames(self) -> list[protocol.SampleFrame]:
        """RGB and ground truth of the sample frames at the network's size."""
        data, frames = self._config.data, []
        for i in self._samples:
            rgb, depth, mask = self._store.batch([i])
            picture = ((rgb[0].permute(1, 2, 0) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8).numpy()
            png = io.BytesIO()
            Image.fromarray(picture).save(png, "PNG")
            frames.append(
                protocol.SampleFrame(
                    frame=self._store.frames[i],
                    position=i,
                    part=self.part,
                    height=data.height,
                    width=data.width,
                    crop=data.crop,
                    split=data.split,
                    rgb=png.getvalue(),
                    depth=protocol.pack_depth(millimetres(torch.where(mask, depth, 0)[0, 0])[0]),
                )
            )
        return frames

    def _protocol(self) -> dict[str, Any]:
        return {"evaluation": self._config.evaluation, "data": self._config.data, "frame": self._frame}

    def _sharpness_due(self, step: int, last: bool) -> bool:
        """On the split that the run is judged by alone: sharpness chooses no checkpoint."""
        when = self._config.evaluation.sharpness
        ends = last or step >= self._config.steps
        return self.part == self._config.evaluation.split and (when == "all" or (when == "last" and ends))

    def _say(self, step: int) -> None:
        """How often this part has been looked at, those times included that an earlier attempt did."""
        if self._touched is None:
            self._touched = sum(earlier < step for earlier in evaluation_steps(self._config))
        self._touched += 1
        often = "once" if self._touched == 1 else f"{self._touched} times"
        images = f"{self.images} {self.part} {'image' if self.images == 1 else 'images'}"
        print(
            f"step {step}: scored {images} under {self._config.protocol} ({self.part} touched {often})",
            flush=True,
        )

    def _batches(self) -> Iterator[tuple[np.ndarray, Tensor, Tensor]]:
        """Positions, RGB and ground truth at the network's size."""
        for start in range(0, len(self._store), BATCH):
            indices = np.arange(start, min(start + BATCH, len(self._store)))
            rgb, depth, _ = self._store.batch(indices.tolist())
            yield indices, rgb.to(self._device), depth.to(self._device)

    def _target(self, indices: np.ndarray, depth: Tensor) -> Tensor:
        """The ground truth at the size that is scored."""
        if self._config.evaluation.resize == "network":
            return depth
        return torch.from_numpy(np.stack([self._native(int(i)) for i in indices]))[:, None].to(self._device)

    def _native(self, index: int) -> np.ndarray:
        depth = self._store.source.read(self._store.frames[index]).depth
        if depth.shape != self._frame:
            raise DataProblem(
                f"frame {self._store.frames[index]} is {depth.shape[0]}×{depth.shape[1]}, the first one {self._frame[0]}×{self._frame[1]}.",
                field="evaluation.resize",
                remedy="Frames of different sizes can be scored at the network's size: set it to network.",
            )
        return depth

    def _predict(self, network: nn.Module, rgb: Tensor) -> Tensor:
        """(B,1,h,w) metres: the first channel, since a network may also predict its own uncertainty."""
        pred: Tensor = network(rgb)[:, :1]
        if self._config.evaluation.flip_average:
            pred = (pred + network(rgb.flip(-1))[:, :1].flip(-1)) / 2
        return pred

    def _keep(self, step: int, index: int, depth: Tensor) -> protocol.Prediction:
        packed, nonfinite = millimetres(depth)
        return protocol.Prediction(
            step=step,
            frame=self._store.frames[index],
            height=depth.shape[0],
            width=depth.shape[1],
            nonfinite=nonfinite,
            depth=protocol.pack_depth(packed),
        )

    def _evaluation(
        self,
        step: int,
        sums: list[Tensor],
        predictor: protocol.Predictor = "network",
        constant: float | None = None,
        sharpness: bytes | None = None,
        seconds: float = 0.0,
    ) -> protocol.Evaluation:
        rows = torch.cat(sums).cpu().numpy()
        return protocol.Evaluation(
            step=step,
            split=self.part,
            protocol=self._config.protocol,
            predictor=predictor,
            constant=constant,
            images=len(rows),
            sums=rows.astype("<f8").tobytes(),
            sharpness=sharpness,
            wall=time.time(),
            seconds=seconds,
        )


def millimetres(depth: Tensor) -> tuple[np.ndarray, int]:
    """(H,W) metres -> uint16 millimetres, 0 where the depth is not finite or not positive, and how many were not finite."""
    metres = depth.double().cpu().numpy()
    finite = np.isfinite(metres)
    packed = np.where(finite, np.clip(np.rint(np.where(finite, metres, 0) * 1000), 0, 65535), 0).astype(np.uint16)
    return packed, int(finite.size - finite.sum())
