"""Scoring a network on the evaluation split, and keeping the depth maps of the sample frames."""

from __future__ import annotations

import io
import time
from collections.abc import Iterator
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
from worker.metrics import constant_sums, evaluation_sums

BATCH = 16


class Evaluator:
    """One part of the data (test or validation) under one protocol."""

    def __init__(self, store: FrameStore, config: RunConfig, part: str, device: torch.device) -> None:
        self._store, self._config, self._device = store, config, device
        self.part, self.images = part, len(store)
        self._frame = store.source.probe(store.frames[0]).depth
        keep = min(config.evaluation.samples, len(store)) if part == config.evaluation.split else 0
        self._samples = equally_spaced(len(store), keep) if keep else []

    def score(
        self, network: nn.Module, step: int, last: bool = False
    ) -> tuple[protocol.Evaluation, list[protocol.Prediction]]:
        """Per-image sums of every frame, and the depth maps of the sample frames."""
        began = time.monotonic()
        network.eval()
        sums, kept = [], []
        with torch.inference_mode():
            for indices, rgb, target in self._batches():
                pred = self._predict(network, rgb)
                sums.append(evaluation_sums(pred, target, **self._protocol()).cpu())
                kept += [self._keep(step, int(i), pred[j, 0]) for j, i in enumerate(indices) if i in self._samples]
        network.train()
        return self._evaluation(step, torch.cat(sums), seconds=time.monotonic() - began), kept

    def constant(self, depth: float) -> protocol.Evaluation:
        """The same scores for predicting `depth` metres everywhere."""
        sums = [constant_sums(depth, target, **self._protocol()).cpu() for _, _, target in self._batches()]
        return self._evaluation(0, torch.cat(sums), predictor="constant", constant=depth)

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

    def _batches(self) -> Iterator[tuple[np.ndarray, Tensor, Tensor]]:
        for start in range(0, len(self._store), BATCH):
            indices = np.arange(start, min(start + BATCH, len(self._store)))
            rgb, depth, _ = self._store.batch(indices.tolist())
            if self._config.evaluation.resize == "native":
                depth = torch.from_numpy(np.stack([self._native(int(i)) for i in indices]))[:, None]
            yield indices, rgb.to(self._device), depth.to(self._device)

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
        pred: Tensor = network(rgb)
        if self._config.evaluation.flip_average:
            pred = (pred + network(rgb.flip(-1)).flip(-1)) / 2
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
        sums: Tensor,
        predictor: protocol.Predictor = "network",
        constant: float | None = None,
        seconds: float = 0.0,
    ) -> protocol.Evaluation:
        return protocol.Evaluation(
            step=step,
            split=self.part,
            protocol=self._config.protocol,
            predictor=predictor,
            constant=constant,
            images=len(sums),
            sums=sums.numpy().astype("<f8").tobytes(),
            wall=time.time(),
            seconds=seconds,
        )


def millimetres(depth: Tensor) -> tuple[np.ndarray, int]:
    """(H,W) metres -> uint16 millimetres, 0 where the depth is not finite or not positive, and how many were not finite."""
    metres = depth.double().cpu().numpy()
    finite = np.isfinite(metres)
    packed = np.where(finite, np.clip(np.rint(np.where(finite, metres, 0) * 1000), 0, 65535), 0).astype(np.uint16)
    return packed, int(finite.size - finite.sum())
