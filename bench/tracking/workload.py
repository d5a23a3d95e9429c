"""What is tracked: seeded, so that every side and every process sees the same numbers. NumPy and the standard library only:
each peer's clients read it in an environment of their own."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray

SEED = 20260901
KEYS = ("loss/train", "loss/val", "rmse", "abs_rel", "delta1", "log10", "lr", "grad_norm")
DRAWN_KEY = "loss/val"

RUNS, STEPS = 100, 1_000
DRAWN_RUNS = 50
LONG_STEPS = 100_000

LISTED_RUNS, PAGE = 10_000, 50
PARAMS = tuple(f"p{i:02d}" for i in range(20))
FINALS = tuple(f"final{i}" for i in range(10))
WORDS = ("adam", "sgd", "lamb", "lion")
FILTER, SORT = ("p00", "adam"), "final0"
"""About a quarter of the runs has this parameter; the page shows those with the largest `final0`."""

PICTURED_RUNS, SAMPLES = 20, 8
HEIGHT, WIDTH = 256, 320

Floats = NDArray[np.float64]


def curve(run: int, key: str, steps: int) -> Floats:
    """A falling curve with noise in every digit: the worst case for compression. Shape (steps,)."""
    rng = np.random.default_rng([SEED, 1, run, KEYS.index(key), steps])
    fall = np.exp(-rng.uniform(2, 6) * np.arange(steps) / steps) * rng.uniform(0.5, 3)
    return fall + 0.05 * rng.standard_normal(steps) ** 2


def curves(run: int, steps: int) -> dict[str, Floats]:
    return {key: curve(run, key, steps) for key in KEYS}


def walls(steps: int) -> Floats:
    """Seconds since the epoch at which the steps were logged: four a second, with some jitter. Shape (steps,)."""
    return 1.7e9 + np.arange(steps) * 0.25 + np.random.default_rng([SEED, 2, steps]).uniform(0, 0.01, steps)


def parameters(run: int) -> dict[str, str | float]:
    """The 20 parameters of a listed run: 5 words, 15 numbers."""
    rng = np.random.default_rng([SEED, 3, run])
    drawn = {}
    for i, name in enumerate(PARAMS):
        drawn[name] = WORDS[int(rng.integers(4))] if i % 4 == 0 else round(float(rng.uniform()), 6)
    return drawn


def finals(run: int) -> dict[str, float]:
    """The 10 final metrics of a listed run."""
    rng = np.random.default_rng([SEED, 4, run])
    return dict(zip(FINALS, rng.uniform(size=len(FINALS)).tolist(), strict=True))


def listed(runs: int = LISTED_RUNS) -> list[int]:
    """The page that is asked for, by the definition: the runs with the filter's parameter, the largest final value first."""
    matching = [run for run in range(runs) if parameters(run)[FILTER[0]] == FILTER[1]]
    return sorted(matching, key=lambda run: -finals(run)[SORT])[:PAGE]


def picture(run: int, sample: int) -> NDArray[np.uint8]:
    """A smooth scene with a little noise, (H, W, 3): a PNG of about 100 kB."""
    rng = np.random.default_rng([SEED, 5, run, sample])
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    a, b, c = rng.uniform(0.01, 0.05, 3)
    scene = np.stack([np.sin(a * x + b * y), np.cos(b * x - c * y), np.sin(c * (x + y))], axis=-1) * 90 + 128
    return np.clip(scene + rng.integers(-1, 2, (HEIGHT, WIDTH, 3)), 0, 255).astype(np.uint8)


def depth(run: int, sample: int) -> NDArray[np.uint16]:
    """A smooth depth map with noise of some centimetres, (H, W) millimetres: packed about 100 kB."""
    rng = np.random.default_rng([SEED, 6, run, sample])
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    a, b = rng.uniform(0.01, 0.03, 2)
    scene = 3000 + 1500 * np.sin(a * x) * np.cos(b * y)
    millimetres: NDArray[np.uint16] = (scene + rng.integers(-40, 41, (HEIGHT, WIDTH))).astype(np.uint16)
    return millimetres


def png(pixels: NDArray[np.uint8]) -> bytes:
    """PNG of (H, W, 3), each row as its difference from the one above."""
    height, width, _ = pixels.shape
    rows = np.diff(pixels.reshape(height, -1), axis=0, prepend=np.uint8(0))
    filtered = np.insert(rows, 0, 2, axis=1).tobytes()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(filtered, 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_part(kind, data) for kind, data in parts)


def _part(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
