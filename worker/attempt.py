"""One attempt, from its claim to its last write: data, network, objective, loop."""

from __future__ import annotations

import random
import threading
from pathlib import Path
from typing import Any

import torch

from depthboard.client import RunWriter
from depthboard.config import RunConfig
from depthboard.protocol import Claim
from depthboard.settings import Settings, get_settings
from worker import checkpoint
from worker.data import FrameStore, open_unchanged, test_frames, training_frames, validation_frames
from worker.data.source import Source
from worker.evaluate import Evaluator
from worker.networks import prepare_network
from worker.objective import make_objective
from worker.provenance import describe
from worker.recorder import Recorder
from worker.train import Progress, Trainer


def run_attempt(claim: Claim, folder: Path, stop: threading.Event) -> bool:
    """Train the claimed run; True when its budget is used up, False when `stop` came first. Raises DepthboardError with the reason of a failure."""
    settings, config = get_settings(), claim.config
    device = prepare_torch(settings, config.seed)
    recorder = Recorder(RunWriter(claim.run_id, claim.token))
    network, initialisation = make_network(config)  # before the data: a wrong weights file is told at once
    network.to(device)
    data = claim.dataset
    source = open_unchanged(data.format, data.path, data.options, data.fingerprint, settings.cache)
    train, evaluators = open_parts(source, claim, settings, device)
    print(f"data: {len(train)} training images of {data.name}, {data.fingerprint[:12]}", flush=True)

    objective = make_objective(network, config, device)
    trainer = Trainer(config, network, objective, train, evaluators, recorder, device)
    images = (len(train), evaluators[0].images)
    recorder.provenance(
        describe(network, device_label(device), torch.get_num_threads(), images, initialisation, trainer.names(0))
    )
    if not claim.frames_known and (frames := evaluators[0].sample_frames()):
        recorder.frames(frames)
    resume(trainer, claim)
    if trainer.step == 0:
        recorder.evaluation(evaluators[0].constant(train.median_depth()))

    def save(state: dict[str, Any]) -> None:
        recorder.flush()  # a checkpoint never runs ahead of the record
        recorder.checkpoint(checkpoint.save(settings.artifacts / "runs" / str(claim.run_id), trainer.step, state))
        print(f"step {trainer.step} of {config.steps}: evaluated, checkpoint saved", flush=True)

    try:
        return trainer.run(stop, save, Progress(folder / "progress.json"))
    finally:
        recorder.flush()  # also what led to a failure: the last points of a diverged run


def prepare_torch(settings: Settings, seed: int) -> torch.device:
    """Threads, seeds and deterministic kernels: the same configuration gives the same bits on the same machine."""
    torch.set_num_threads(settings.threads)
    random.seed(seed)
    torch.manual_seed(seed)
    torch.use_deterministic_algorithms(True, warn_only=True)
    # Nothing here reads such memory, and filling it takes 7 % of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_flush_denormal(True)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def device_label(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu"


def open_parts(
    source: Source, claim: Claim, settings: Settings, device: torch.device
) -> tuple[FrameStore, list[Evaluator]]:
    """The training images, and an evaluator for the evaluation split first and the validation part, if there is one, after it."""
    config = claim.config

    def store(frames: list[str]) -> FrameStore:
        fingerprint, limit = claim.dataset.fingerprint, settings.cache_bytes
        return FrameStore(source, frames, config.data, fingerprint=fingerprint, cache=settings.cache, byte_limit=limit)

    parts = {"test": test_frames(source, config.data)} if config.evaluation.split == "test" else {}
    if config.data.validation > 0:
        parts["validation"] = validation_frames(source, config.data)
    evaluators = [Evaluator(store(frames), config, part, device) for part, frames in parts.items()]
    return store(training_frames(source, config.data)), evaluators


def make_network(config: RunConfig) -> tuple[torch.nn.Module, dict[str, str | int | list[str]]]:
    """The network with its first weights, which depend on encoder and seed alone, and how they came about."""
    prepared = prepare_network(config.network, config.seed)
    how: dict[str, str | int | list[str]] = {"rule": prepared.initialisation, "seed": config.seed}
    if prepared.pretrained is not None:
        how |= {"weights": config.network.weights or "", "sha256": prepared.pretrained.sha256}
        how |= {"copied": prepared.pretrained.copied}
        how |= {"not_copied": prepared.pretrained.not_copied}
    return prepared.network, how


def resume(trainer: Trainer, claim: Claim) -> None:
    if claim.resume_from is None:
        return
    state = checkpoint.load(claim.resume_from)
    if state is None:
        print(f"the checkpoint of step {claim.resume_from.step} is missing or damaged; beginning anew", flush=True)
        return
    trainer.load(state)
    print(f"resumed from step {trainer.step}", flush=True)
