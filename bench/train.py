"""`make bench-train`: our training step against a plain loop, side by side in one run.

The plain loop is what one writes first: PIL and a DataLoader with a process a core, float32, channels first, Adam as it comes, a loss
printed each step. Both train the same network on the same files with the same batch size, L1 and a mirrored half, each in a process of its
own, set up as it is in use; they take turns in short blocks, so that a noisy neighbour touches both alike. Workers of the DataLoader are
started before the clock is.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import astuple, dataclass
from itertools import count as numbers
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import FlopCounterMode

from depthboard.config import RunConfig
from depthboard.settings import Settings
from worker.attempt import make_network, prepare_torch
from worker.data import FrameStore, augment, open_source
from worker.data.feed import Feed
from worker.environment import training_environment
from worker.gpus import visible_gpus
from worker.objective import Objective
from worker.precision import Precision, computes_in, processor
from worker.schedule import ImageOrder

FRAME = (480, 640)
PLAIN, OURS = "plain loop", "Depthboard"
AS_GIVEN = dict(os.environ)
"""The environment before torch is set up here, which sets some of it."""


@dataclass(frozen=True)
class Preset:
    """A size to compare at: what to train, the batch, and steps a block."""

    encoder: str
    height: int
    width: int
    batch: int
    steps: int
    blocks: int

    @property
    def frames(self) -> int:
        """Enough for long epochs: at the end of one the DataLoader runs dry and waits for its processes."""
        return 50 * self.batch

    def config(self, **engine: Any) -> RunConfig:
        return RunConfig.model_validate(
            {
                "network": {"encoder": self.encoder},
                "data": {"dataset": "bench", "height": self.height, "width": self.width},
                "budget": {"batch_size": self.batch, "steps": 10**6},
                "engine": engine,
            }
        )


PRESETS = {
    "cpu": {"small": Preset("densenet_small", 64, 96, 8, 48, 7), "full": Preset("densenet121", 256, 320, 4, 3, 7)},
    "cuda": {"small": Preset("densenet_small", 64, 96, 64, 50, 5), "full": Preset("densenet121", 256, 320, 64, 20, 4)},
}


class Files(Dataset[tuple[Tensor, Tensor]]):
    """Pairs of JPEG and 16-bit PNG, decoded and resized each time they are asked for."""

    def __init__(self, folder: Path, preset: Preset) -> None:
        self._pictures, self._size = sorted((folder / "rgb").iterdir()), (preset.width, preset.height)

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        picture = self._pictures[index]
        rgb = Image.open(picture).convert("RGB").resize(self._size, Image.Resampling.BILINEAR)
        depth = Image.open(picture.parent.parent / "depth" / f"{picture.stem}.png").resize(
            self._size, Image.Resampling.NEAREST
        )
        image = torch.from_numpy(np.asarray(rgb).copy()).permute(2, 0, 1).float() / 127.5 - 1
        metres = torch.from_numpy(np.asarray(depth).astype(np.float32) / 1000)[None]
        if torch.rand(()) < 0.5:
            image, metres = image.flip(-1), metres.flip(-1)
        return image, metres


@dataclass
class Block:
    """Seconds of some steps, and how many of them went by before the batches were there."""

    seconds: float
    waited: float
    images: int

    @property
    def speed(self) -> float:
        return self.images / self.seconds


def write_frames(folder: Path, count: int) -> None:
    """So many rooms enlarged to a camera's 480×640, as files."""
    source = open_source("rooms")
    for part in ("rgb", "depth"):
        (folder / part).mkdir(parents=True)
    for i, name in enumerate(source.frames("official", "train")[:count]):
        frame = source.read(name)
        picture = Image.fromarray(frame.rgb).resize(FRAME[::-1], Image.Resampling.BICUBIC)
        picture.save(folder / "rgb" / f"{i:04d}.jpg", quality=92)
        millimetres = Image.fromarray((frame.depth * 1000).astype(np.uint16)).resize(
            FRAME[::-1], Image.Resampling.NEAREST
        )
        millimetres.save(folder / "depth" / f"{i:04d}.png")


def plain(folder: Path, preset: Preset, device: torch.device) -> Callable[[], Block]:
    """The plain loop."""
    network = make_network(preset.config())[0].to(memory_format=torch.contiguous_format).to(device)  # type: ignore[call-overload]
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            layer.__class__ = nn.Conv2d if isinstance(layer, nn.Conv2d) else nn.ConvTranspose2d  # torch's own gradients
    adam = torch.optim.Adam(network.parameters(), lr=1e-4)
    loader = DataLoader(
        Files(folder, preset),
        preset.batch,
        shuffle=True,
        drop_last=True,
        num_workers=os.cpu_count() or 1,
        persistent_workers=True,
    )

    def forever() -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield from loader

    batches = forever()
    next(batches)

    def block() -> Block:
        began, waited = time.perf_counter(), 0.0
        for _ in range(preset.steps):
            asked = time.perf_counter()
            rgb, depth = next(batches)
            waited += time.perf_counter() - asked
            rgb, depth = rgb.to(device), depth.to(device)
            mask = depth > 0
            loss = (network(rgb) - depth).abs()[mask].mean()
            adam.zero_grad()
            loss.backward()
            adam.step()
            loss.item()
        return Block(time.perf_counter() - began, waited, preset.steps * preset.batch)

    return block


def ours(folder: Path, preset: Preset, device: torch.device, cache: Path, **engine: Any) -> Callable[[], Block]:
    """The trainer's own parts: packed frames, the feed, augmentation on the device, the objective; losses are fetched once a block."""
    config = preset.config(**engine)
    source = open_source("folder", str(folder), {"unit": "mm"})
    names = sorted(source.all_frames())
    store = FrameStore(source, names, config.data, fingerprint="bench", cache=cache)
    feed, order = Feed(store, device), ImageOrder(len(store), preset.batch, 0)
    objective = Objective(make_network(config)[0].to(device), config, device)
    steps = numbers()

    def block() -> Block:
        began, before, losses = time.perf_counter(), feed.waited, []
        for step in islice(steps, preset.steps):
            rgb, depth, mask = augment(feed.batch(step, order.batch), config.data, 0, step)
            losses.append(objective.step(rgb, depth, mask)["l1"])
        torch.stack(losses).cpu()
        return Block(time.perf_counter() - began, feed.waited - before, preset.steps * preset.batch)

    return block


class Side:
    """One of the two in a process of its own, which trains a block when it is asked to."""

    def __init__(self, key: str, name: str, folder: Path, *options: str) -> None:
        command = [
            sys.executable,
            "-m",
            "bench.train",
            "--side",
            key,
            "--preset",
            name,
            "--folder",
            str(folder),
            *options,
        ]
        gpu = visible_gpus()[0] if torch.cuda.is_available() else None
        environment = AS_GIVEN if key == PLAIN else training_environment(os.cpu_count() or 1, gpu)
        self._child = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def block(self) -> Block:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        print(file=self._child.stdin, flush=True)
        return Block(*json.loads(self._child.stdout.readline()))

    def end(self) -> None:
        self._child.communicate()


def answer(key: str, preset: Preset, folder: Path, **engine: Any) -> None:
    """The child of a `Side`: a block for every line that comes in."""
    if key == PLAIN:
        block = plain(folder / "frames", preset, torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    else:
        block = ours(folder / "frames", preset, set_up(), folder / "cache", **engine)
    for _ in sys.stdin:
        print(json.dumps(astuple(block())), flush=True)


def compare(name: str, preset: Preset, device: torch.device, *options: str) -> None:
    """Blocks of the two in turn; the median speed of each, and the median of the ratios of neighbours."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_frames(folder / "frames", preset.frames)
        sides = {key: Side(key, name, folder, *options) for key in (PLAIN, OURS)}
        for side in sides.values():
            side.block()
        rounds = [{key: side.block() for key, side in sides.items()} for _ in range(preset.blocks)]
        for side in sides.values():
            side.end()
    print(
        f"{name}: {preset.encoder} at {preset.height}×{preset.width}, batch {preset.batch}, {preset.blocks} blocks of {preset.steps} steps"
    )
    for key in sides:
        speed = statistics.median(turn[key].speed for turn in rounds)
        waited = sum(turn[key].waited for turn in rounds) / sum(turn[key].seconds for turn in rounds)
        print(f"  {key:12s} {speed:9.2f} images/s   waits for data {waited:6.1%}")
    ratios = [turn[OURS].speed / turn[PLAIN].speed for turn in rounds]
    print(f"  ratio {statistics.median(ratios):.2f}  [{min(ratios):.2f}..{max(ratios):.2f}]")
    if device.type == "cuda":
        used(statistics.median(turn[OURS].speed for turn in rounds), preset, device)


def used(speed: float, preset: Preset, device: torch.device) -> None:
    """Achieved FLOP/s over what the largest matrix product achieves."""
    config = preset.config()
    network = make_network(config)[0].to(device)
    with FlopCounterMode(display=False) as counter:
        network(torch.zeros(2, 3, preset.height, preset.width, device=device)).sum().backward()
    image = counter.get_total_flops() / 2
    format = getattr(torch, Precision(config.engine, device).format)
    a = torch.randn(8192, 8192, device=device, dtype=format)
    for _ in range(3):
        a @ a
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(20):
        a @ a
    torch.cuda.synchronize()
    ceiling = 20 * 2 * 8192**3 / (time.perf_counter() - began)
    print(
        f"  {image / 1e9:.0f} GFLOP an image; {speed * image / 1e12:.1f} TFLOP/s of {ceiling / 1e12:.0f} ({speed * image / ceiling:.1%})"
    )


def slots(preset: Preset, counts: list[int]) -> None:
    """Several trainings side by side on one device: images a second of all together."""
    cores = os.cpu_count() or 1
    print(f"slots: {preset.encoder} at {preset.height}×{preset.width}, batch {preset.batch}")
    for count in counts:
        threads = max(1, cores // count)
        command = [sys.executable, "-m", "bench.train", "--slot", str(threads)]
        environment = training_environment(threads, visible_gpus()[0] if torch.cuda.is_available() else None)
        children = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) for _ in range(count)]
        speeds = [float(child.communicate()[0]) for child in children]
        print(f"  {count} of {threads} thread{'s' if threads > 1 else ''}: {sum(speeds):9.1f} images/s together")


def slot(preset: Preset, device: torch.device, threads: int, seconds: float = 15) -> float:
    """Images a second of this process while its neighbours train too."""
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "frames"
        write_frames(folder, 8 * preset.batch)
        block = ours(folder, preset, device, Path(temporary) / "cache")
        block()
        blocks, end = [], time.monotonic() + seconds
        while time.monotonic() < end:
            blocks.append(block())
    return sum(b.images for b in blocks) / sum(b.seconds for b in blocks)


def set_up() -> torch.device:
    """torch as a training has it, with all cores."""
    return prepare_torch(Settings(threads=os.cpu_count() or 1), PRESETS["cpu"]["small"].config().engine, 0)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.train")
    parser.add_argument("--preset", choices=("small", "full", "both"), default="both")
    parser.add_argument("--compile", action="store_true", help="our step with engine.compile: minutes at the start")
    parser.add_argument("--side", choices=(PLAIN, OURS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--slot", type=int, metavar="THREADS", help=argparse.SUPPRESS)
    options = parser.parse_args()
    config = PRESETS["cuda" if torch.cuda.is_available() else "cpu"]
    if options.side:
        answer(options.side, config[options.preset], options.folder, compile=options.compile)
        return 0
    device = set_up()
    if options.slot:
        print(slot(config["small"], device, options.slot))
        return 0
    kind = torch.cuda.get_device_name() if device.type == "cuda" else f"CPU, {processor()}, {os.cpu_count()} cores"
    print(
        f"{kind}; computes in {computes_in(device)} (bfloat16 hardware: {'yes' if computes_in(device) == 'bfloat16' else 'no'})"
    )
    for name in ("small", "full") if options.preset == "both" else (options.preset,):
        compare(name, config[name], device, *(["--compile"] if options.compile else []))
    if options.preset != "full":
        slots(config["small"], [1, 2] if device.type == "cpu" else [1, 2, 4, 8])
    return 0


if __name__ == "__main__":
    sys.exit(main())
