"""The built-in dataset `rooms`: every frame is drawn from its own seed, at whatever size is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from depthboard.config import DataConfig
from depthboard.datasets import ROOMS
from depthboard.rooms import draws_of
from worker.data.rooms.build import build
from worker.data.rooms.render import render
from worker.data.source import Frame, FrameId, Probe, Source

NOISE = 3
"""Grey levels by which a pixel may be brighter or darker than it was rendered."""


class Rooms(Source):
    """Frames `train/00000` … and `test/00000` …; no files. The nominal frame is 480×640, a network's input is rendered at its own size."""

    format = "rooms"

    def __init__(self) -> None:
        super().__init__("", {})
        self.parts = {
            split: {part: tuple(f"{part}/{number:05d}" for number in range(count)) for part, count in parts.items()}
            for split, parts in ROOMS.splits.items()
        }
        self.size = (ROOMS.height or 0, ROOMS.width or 0)

    def read(self, frame_id: FrameId) -> Frame:
        return self.draw(frame_id, *self.size)

    def draw(self, frame_id: FrameId, height: int, width: int) -> Frame:
        """The frame at any size."""
        draws = draws_of(frame_id)
        scene = build(draws)
        light, depth = render(scene, height, width)
        exposed = np.clip(light * np.float32(scene.exposure), np.float32(0), np.float32(1))
        # The square root stands for a camera's gamma of 2.2: unlike a power it is exact on every machine.
        grey = (np.sqrt(exposed) * np.float32(255) + np.float32(0.5)).astype(np.int16)
        noise = draws.bytes_of(grey.size).reshape(grey.shape).astype(np.int16) % (2 * NOISE + 1) - NOISE
        return Frame(np.clip(grey + noise, 0, 255).astype(np.uint8), depth)

    def prepared(self, frame_id: FrameId, config: DataConfig) -> tuple[np.ndarray, np.ndarray]:
        if config.crop != "none":
            return super().prepared(frame_id, config)
        frame = self.draw(frame_id, config.height, config.width)
        return frame.rgb, frame.depth

    def probe(self, frame_id: FrameId) -> Probe:  # noqa: ARG002
        return Probe(self.size, self.size)

    def files(self) -> Iterator[tuple[str, Path]]:
        return iter(())

    def fingerprint(self, cache: Path | None = None) -> str:  # noqa: ARG002
        """What the core records; a test draws the frames that it is the hash of."""
        return ROOMS.fingerprint
