"""The protocol of a run's life: every request and answer between workers, scripts and the API, typed once.

A write names its run in the path and carries the attempt's token as `Authorization: Bearer …`. A token belongs to one attempt: when that attempt no longer
owns the run, every write is refused with 409 `stale_attempt`. Arrays travel as base64 of little-endian bytes.
"""

from __future__ import annotations

import base64
import zlib
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from depthboard.config import RunConfig
from depthboard.status import RunStatus

MAX_POINTS = 10_000
MAX_STEP = 2**53
Predictor = Literal["network", "constant"]


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="strings")


def _float(value: object) -> object:
    """JSON has no NaN: it travels as "NaN", "Infinity", "-Infinity" (null, as some clients send, is NaN)."""
    return float("nan") if value is None else value


Value = Annotated[float, BeforeValidator(_float)]
Key = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Step = Annotated[int, Field(ge=0, le=MAX_STEP)]
Bytes = Annotated[
    bytes,
    BeforeValidator(lambda v: base64.b64decode(v, validate=True) if isinstance(v, str) else v),
    PlainSerializer(lambda v: base64.b64encode(v).decode(), return_type=str, when_used="json"),
]


def pack_depth(millimetres: np.ndarray) -> bytes:
    """uint16 (H, W) millimetres, 0 = invalid -> zlib of its little-endian bytes."""
    return zlib.compress(np.ascontiguousarray(millimetres, dtype="<u2").tobytes(), 6)


def unpack_depth(packed: bytes, height: int, width: int) -> np.ndarray:
    """The inverse of pack_depth; raises ValueError when the bytes are not height × width values."""
    inflate = zlib.decompressobj()
    raw = inflate.decompress(packed, height * width * 2 + 1)
    if len(raw) != height * width * 2 or not inflate.eof or inflate.unused_data:
        raise ValueError(f"the depth map holds {len(raw) // 2} values where {height}×{width} are due")
    return np.frombuffer(raw, dtype="<u2").reshape(height, width)


# --- worker ---------------------------------------------------------------------------------------------------------


class WorkerNote(Message):
    """A worker process says that it is there, every few seconds."""

    host: str = Field(max_length=200)
    device: str = Field(max_length=200, description="cpu, or the GPU's name")
    threads: int = Field(1, ge=1, le=10_000)
    slots: int = Field(1, ge=1, le=10_000)
    pid: int = Field(0, ge=0, le=2**31 - 1)
    version: str = Field("", max_length=100)
    training_version: str = Field("", max_length=100)
    speeds: dict[str, float] = Field(
        default_factory=dict,
        description="images per second in bare steps by `loss/encoder@heightxwidth`, measured here",
    )
    startup_seconds: float = Field(0.0, ge=0, description="from claim to the first step, measured here")


class ClaimRequest(Message):
    """A free worker asks for work."""

    worker_id: str = Field(min_length=8, max_length=64, description="random for each process, never the host name")
    host: str = Field(max_length=200)
    device: str = Field("cpu", max_length=200)
    training_version: str = Field(max_length=100)


class DatasetRef(Message):
    """Where a run's data lies on the worker and what it must be."""

    name: str
    format: str
    path: str
    options: dict[str, str | int | float] = Field(default_factory=dict)
    fingerprint: str


class CheckpointNote(Message):
    """A checkpoint that is complete on disk: written, synced and renamed before this is sent."""

    step: Step
    path: str = Field(max_length=1000)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Claim(Message):
    """One attempt of one run, given to one worker until its lease runs out."""

    run_id: int
    attempt: int
    token: str
    lease_seconds: float
    renew_seconds: float
    config: RunConfig
    dataset: DatasetRef
    training_version: str
    resume_from: CheckpointNote | None = None
    frames_known: bool = Field(
        False, description="the sample frames of this dataset, split and size are stored already"
    )


class Progress(Message):
    step: Step
    images_per_second: float = Field(0.0, ge=0)


class Renewal(Message):
    progress: Progress | None = None


class RenewalAnswer(Message):
    cancel_requested: bool
    lease_seconds: float


# --- the record -----------------------------------------------------------------------------------------------------


class Point(Message):
    """One logged step. `values` are e.g. train/loss/l1; NaN and infinities are kept."""

    step: Step
    wall: float = Field(description="seconds since the epoch, the worker's clock")
    values: dict[Key, Value] = Field(min_length=1, max_length=1000)


class Points(Message):
    """An accepted batch is acknowledged after commit; sending it again adds nothing (`first_seq` numbers points within the attempt)."""

    first_seq: int = Field(ge=0, le=MAX_STEP)
    points: list[Point] = Field(min_length=1, max_length=MAX_POINTS)


class PointsAnswer(Message):
    last_seq: int = Field(description="the highest sequence number held, -1 for none")


class Evaluation(Message):
    """One evaluation: a row of per-image sums for every image (columns: depthboard.metrics.SUMS), float64, row-major."""

    step: Step
    split: str = Field(max_length=80)
    protocol: str = Field(max_length=200)
    predictor: Predictor = "network"
    constant: float | None = Field(None, description="metres predicted everywhere, for predictor=constant")
    images: int = Field(ge=1, le=10_000_000)
    sums: Bytes
    sharpness: Bytes | None = Field(
        None,
        description="images × len(depthboard.metrics.SHARPNESS) float64, row-major, NaN where undefined; none where not measured",
    )
    wall: float
    seconds: float = Field(0.0, ge=0)


class Trained(Message):
    """A finished run's network: what it is, the data it was trained on, and where its checkpoints lie."""

    run_id: int
    config: RunConfig
    dataset: DatasetRef
    checkpoints: list[CheckpointNote] = Field(
        description="the last, then those best on validation; empty where none was ever noted"
    )


class Rescored(Message):
    """An evaluation of a finished run's checkpoint under another protocol, with what shows that it is of this run: the
    hashes of the checkpoint and of the data that were read."""

    evaluation: Evaluation
    checkpoint_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    data_fingerprint: str = Field(max_length=200)


class Prediction(Message):
    """A predicted depth map, uint16 millimetres as pack_depth makes them."""

    step: Step
    frame: str = Field(max_length=500, description="the frame's name in its dataset")
    height: int = Field(ge=1, le=8192)
    width: int = Field(ge=1, le=8192)
    nonfinite: int = Field(0, ge=0, description="predicted pixels that were NaN or infinite, stored as 0")
    depth: Bytes


class SampleFrame(Message):
    """RGB (PNG) and ground truth (pack_depth) of one sample frame, stored once a dataset, part, crop and size."""

    frame: str = Field(max_length=500)
    position: int = Field(ge=0, description="index among the frames of its part")
    part: str = Field(max_length=80)
    height: int = Field(ge=1, le=8192)
    width: int = Field(ge=1, le=8192)
    crop: str = Field(max_length=40)
    split: str = Field(max_length=80)
    rgb: Bytes
    depth: Bytes


class LogText(Message):
    """Text appended to the run's log; `offset` is where it begins in the attempt's log, so a resend adds nothing."""

    offset: int = Field(ge=0)
    text: str = Field(max_length=1_000_000)


class Provenance(Message):
    """What determined a result besides its configuration."""

    code_version: str = Field(max_length=200, description="git commit, or the package's version")
    code_sha256: str = Field("", max_length=64, description="hash of the training sources")
    libraries: dict[str, str] = Field(default_factory=dict)
    python: str = ""
    host: str = ""
    device: str = ""
    processor: str = ""
    threads: int = 1
    torch_build: str = Field("", description="version, commit and CPU instruction set")
    precision: str = Field("", description="the number format that engine.precision came to")
    deterministic: bool = False
    processes: int = 1
    parameters: int = 0
    train_images: int = 0
    evaluation_images: int = 0
    initialisation: dict[str, str | int | list[str]] = Field(default_factory=dict)
    first_batch: list[str] = Field(default_factory=list, description="names of the first batch's frames")
    first_batches_sha256: str = Field("", max_length=64, description="images, depth and masks of the first two batches")


class Finish(Message):
    """The end of an attempt. A failed one says why in a sentence; `retry` puts the run back into the queue if attempts are left."""

    status: Literal[RunStatus.finished, RunStatus.failed, RunStatus.cancelled, RunStatus.queued]
    reason: str = Field("", max_length=10_000)
    exit_code: int | None = None
    step: Step | None = Field(None, description="of a run that its budget's clock ended: where")
