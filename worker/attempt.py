"""One attempt, from its claim to its last write: data, network, objective, loop."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from depthboard.client import RunWriter
from depthboard.config import EngineConfig, RunConfig
from depthboard.config.losses import LPIPS, parts_of
from depthboard.errors import DepthboardError
from depthboard.protocol import Claim
from depthboard.settings import Settings, get_settings
from worker import checkpoint, memory, usage
from worker.artifacts import open_store
from worker.checkpoint import Saver, Shelf
from worker.data import FrameStore, open_unchanged, test_frames, training_frames, validation_frames
from worker.data.source import Source
from worker.distributed import ALONE, Group, join, leave
from worker.evaluate import Evaluator
from worker.networks import D3Net, prepare_network
from worker.objective import Objective
from worker.provenance import describe
from worker.recorder import Recorder
from worker.stop import Stop
from worker.train import SEED_STEP, Progress, Trainer

GRACE_SECONDS = 15.0
"""In which this process finds for itself what ended another of the run, and records what led to it."""

BREAK_SECONDS = 5.0
"""From the break of a connection to the end of the process that it led to, on a busy machine."""

How = dict[str, str | int | list[str]]


def run_attempt(claim: Claim, folder: Path, stop: Stop) -> bool:
    """Train the claimed run; True when its budget is used up, False when `stop` came first. Raises DepthboardError with the reason of a failure."""
    settings, config = get_settings(), claim.config
    device = prepare_torch(settings, config.engine, config.seed)
    memory.check(config, device)
    recorder, progress = Recorder(RunWriter(claim.run_id, claim.token)), Progress(folder / "progress.json")
    state = checkpoint.first_whole(claim.resume_from)
    recorder.begin(None if state is None else state["step"] + 1)
    network, initialisation = make_network(config)  # before the data: a wrong weights file is told at once
    progress.touch(0)
    with _others(claim, folder) as size:
        group = join(0, size, device, _meeting(folder))
        trainer, evaluators = make_trainer(claim, settings, network, recorder, device, group)
        _describe(trainer, claim, recorder, device, initialisation)
        if not claim.frames_known and (frames := evaluators[0].sample_frames()):
            recorder.frames(frames)
        progress.touch(0)
        resume(trainer, state, group)
        if trainer.step == 0:
            recorder.evaluation(evaluators[0].constant(trainer.median_depth))
        saver = Saver(shelf_of(claim, settings), recorder.flush, recorder.checkpoint)
        try:
            with usage.recorded(recorder, lambda: trainer.step):
                done = trainer.run(stop, saver.save, progress)
            saver.close() if done else saver.wait()
        except Exception:
            with contextlib.suppress(Exception):  # the failure is the reason, not what became of the last checkpoint
                saver.wait()
            raise
        finally:
            recorder.flush()  # also what led to a failure: the last points of a diverged run
    if trainer.step < config.steps and done:
        (folder / "ended.json").write_text(json.dumps({"step": trainer.step}))
    print(f"waited for data {trainer.feed.waited / max(trainer.seconds, 1e-9):.1%} of the training time", flush=True)
    return done


def join_attempt(claim: Claim, folder: Path, rank: int) -> None:
    """The part of another than the first process in a run over several: it trains along, and records nothing."""
    settings, config = get_settings(), claim.config
    device = prepare_torch(settings, config.engine, config.seed, rank)
    network, _ = make_network(config)
    group = join(rank, config.engine.processes, device, _meeting(folder))
    trainer, _ = make_trainer(claim, settings, network, None, device, group)
    resume(trainer, checkpoint.first_whole(claim.resume_from), group)
    trainer.run(Stop(), lambda _: None, Progress(folder / f"progress-{rank}.json"))
    leave()


def make_trainer(
    claim: Claim,
    settings: Settings,
    network: D3Net,
    recorder: Recorder | None,
    device: torch.device,
    group: Group = ALONE,
) -> tuple[Trainer, list[Evaluator]]:
    """The run's trainer at its first step, and the evaluators it calls."""
    data = claim.dataset
    source = open_unchanged(data.format, data.path, data.options, data.fingerprint, settings.cache)
    train, evaluators = open_parts(source, claim, settings, device)
    network.to(device)
    objective = Objective(network, claim.config, device, group)
    # Now, and not before: the number of weights that a loss brings along must not decide what dropout draws.
    torch.manual_seed(claim.config.seed + SEED_STEP * group.rank)
    return Trainer(claim.config, network, objective, train, evaluators, recorder, device, group), evaluators


def prepare_torch(settings: Settings, engine: EngineConfig, seed: int, rank: int = 0) -> torch.device:
    """Threads, seeds and kernels: the same configuration gives the same bits on the same kind of processor, and with `deterministic` on the same kind of GPU."""
    device = torch.device("cuda", rank) if torch.cuda.is_available() else torch.device("cpu")
    torch.set_num_threads(settings.threads)
    random.seed(seed)
    torch.manual_seed(seed)
    exact = engine.deterministic or device.type == "cpu"
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(exact, warn_only=device.type == "cpu")
    torch.backends.cudnn.benchmark = not exact
    # Nothing here reads such memory, and filling it takes 7 % of a step.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.set_flush_denormal(True)
    # float32 means float32: TF32 has three digits. Convolutions of a bfloat16 run do not ask; those of its head and of evaluations do.
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    return device


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


def make_network(config: RunConfig) -> tuple[D3Net, How]:
    """The network with its first weights, which depend on encoder and seed alone, and how they came about."""
    weighs = any(part.name == "kendall_gal" for part in parts_of(config.loss))
    prepared = prepare_network(config.network, config.seed, scale_head=weighs)
    how: How = {"rule": prepared.initialisation, "seed": config.seed, "weights_sha256": weights_hash(prepared.network)}
    if prepared.pretrained is not None:
        how |= {"weights": config.network.weights or "", "sha256": prepared.pretrained.sha256}
        how |= {"copied": prepared.pretrained.copied}
        how |= {"not_copied": prepared.pretrained.not_copied}
    return prepared.network, how


def loss_weights(config: RunConfig) -> How:
    """The content of the file that a loss reads its backbone from, as LPIPS does."""
    files = [part.weights for part in parts_of(config.loss) if isinstance(part, LPIPS) and part.weights]
    return {"lpips_sha256": checkpoint.file_hash(Path(files[0]))} if files else {}


def weights_hash(network: nn.Module) -> str:
    """sha256 over names and values of the weights that every loss trains; the scale head of one loss is left out."""
    digest = hashlib.sha256()
    for name, value in network.state_dict().items():
        if not name.startswith("scale."):
            digest.update(name.encode() + b"\0" + _bytes(value))
    return digest.hexdigest()


def batch_hash(trainer: Trainer, steps: int = 2) -> str:
    """sha256 over images, depth and masks of the first batches, as the network gets them."""
    digest = hashlib.sha256()
    for step in range(steps):
        for part in trainer.batch(step):
            digest.update(_bytes(part))
    return digest.hexdigest()


def shelf_of(claim: Claim, settings: Settings) -> Shelf:
    """Where the run's checkpoints go: the database's mark keeps apart two that share a home."""
    mark = f"{claim.store}-{claim.run_id}" if claim.store else str(claim.run_id)
    return Shelf(
        open_store(settings, known=claim.shared_store), f"runs/{mark}", claim.attempt, settings.keep_checkpoints
    )


def resume(trainer: Trainer, state: dict[str, Any] | None, group: Group = ALONE) -> None:
    """Go on from a checkpoint: the first process of the run says from which step, and all have the same files."""
    step = group.agree(0 if state is None else int(state["step"]))
    if step == 0:
        return
    if state is None or state["step"] != step:
        raise DepthboardError("the processes of this run do not find the same checkpoints.", field="artifacts_url")
    trainer.load(state)
    print(f"resumed from step {trainer.step}", flush=True)


def _describe(trainer: Trainer, claim: Claim, recorder: Recorder, device: torch.device, initialisation: How) -> None:
    print(
        f"data: {trainer.images[0]} training images of {claim.dataset.name}, {claim.dataset.fingerprint[:12]}, read from {trainer.feed.place}",
        flush=True,
    )
    if trainer.feed.place == "files":
        print(f"not packed: that takes DEPTHBOARD_CACHE_BYTES above {trainer.nbytes}", flush=True)
    initialisation = initialisation | loss_weights(claim.config)
    told = describe(
        trainer.network,
        claim.config.engine,
        device,
        trainer.images,
        initialisation,
        first_batch=trainer.names(0),
        first_batches_sha256=batch_hash(trainer),
    )
    recorder.provenance(told)
    trainer.feed.waited = 0.0


@contextmanager
def _others(claim: Claim, folder: Path) -> Iterator[int]:
    """Start the run's other processes; yields how many there are in all. They belong to this one's group and end with it."""
    size = claim.config.engine.processes
    if torch.cuda.is_available() and size > torch.cuda.device_count():
        raise DepthboardError(
            f"the run asks for {size} GPUs, and this worker has {torch.cuda.device_count()}.",
            field="engine.processes",
            remedy="Ask for fewer, or start a worker on a host that has them.",
        )
    _meeting(folder).unlink(missing_ok=True)
    command = [sys.executable, "-m", "worker.launch", str(folder), str(os.getpid())]
    others = [subprocess.Popen([*command, str(rank)]) for rank in range(1, size)]
    over = threading.Event()
    for other in others:
        threading.Thread(target=_end_with, args=(other, over), daemon=True).start()
    try:
        yield size
        leave()  # together: NCCL waits for every process of a host
        over.set()  # how the others end from here on changes nothing
        for other in others:
            other.wait()
    except RuntimeError:
        if _one_was_killed(others):  # then this failure is of the connection to it, and no reason
            os.kill(os.getpid(), signal.SIGKILL)
        raise
    finally:
        over.set()
        for other in others:
            other.kill()  # of an attempt that failed: they would wait for this one


def _one_was_killed(others: list[subprocess.Popen[bytes]]) -> bool:
    """Whether another of the run's processes ended by a signal; its end may be heard of a moment after its connection broke."""
    end = time.monotonic() + BREAK_SECONDS
    while others and time.monotonic() < end:
        if any(code is not None and code < 0 for code in [other.poll() for other in others]):
            return True
        time.sleep(0.05)
    return False


def _end_with(other: subprocess.Popen[bytes], over: threading.Event) -> None:
    """End this process if another of the run ends before it: it would wait for that one for hours."""
    code = other.wait()
    if code < 0 and not over.is_set():
        os.kill(os.getpid(), signal.SIGKILL)  # what was killed is tried again
    if code > 0 and not over.wait(GRACE_SECONDS):
        os._exit(code)  # the other one has written the reason


def _meeting(folder: Path) -> Path:
    return folder / "processes"


def _bytes(value: Tensor) -> bytes:
    return value.detach().cpu().contiguous().numpy().tobytes()
