"""The protocol of a run's life: every request and answer between workers, scripts and the API, typed once.

A write names its run in the path and carries the attempt's token as `Authorization: Bearer …`. A token belongs to one attempt: when that attempt no longer
owns the run, every write is refused with 409 `stale_attempt`. Arrays travel as base64 of little-endian bytes.
"""

from __future__ import annotations

import base64
import itertools
import zlib
from collections.abc import Callable
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema, model_validator

from depthboard.config import RunConfig
from depthboard.status import RunStatus

MAX_POINTS = 10_000
MAX_VALUES = 1_000_000
MAX_KEYS = 10_000
MAX_STEP = 2**40
"""Steps times images a step must fit in 64 bits."""
MAX_BYTES = 2**53
Predictor = Literal["network", "constant"]


class Message(BaseModel):
    model_config = ConfigDict(extra="forbid", ser_json_inf_nan="strings", arbitrary_types_allowed=True)


Key = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Name = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]*[^\x00-\x1f\x7f\s][^\x00-\x1f\x7f]*$")
]
Step = Annotated[int, Field(ge=0, le=MAX_STEP)]
Bytes = Annotated[
    bytes,
    BeforeValidator(lambda v: base64.b64decode(v, validate=True) if isinstance(v, str) else v),
    PlainSerializer(lambda v: base64.b64encode(v).decode(), return_type=str, when_used="json"),
]


PLAIN = frozenset({int, float, str, type(None)})


def _flat(values: list[Any]) -> list[Any]:
    """Numbers, or rows of them, one after the other. Looked at before NumPy does, which lists within lists may cost minutes."""
    if len(values) <= MAX_VALUES and values and set(map(type, values)) == {list} and all(values):
        values = list(itertools.islice(itertools.chain.from_iterable(values), MAX_VALUES + 1))
    if len(values) > MAX_VALUES:
        raise ValueError(f"it holds more than {MAX_VALUES} numbers; send several batches")
    if not PLAIN.issuperset(map(type, values)):
        raise TypeError
    return values


def _column(kind: str) -> Callable[[object], np.ndarray]:
    def read(value: object) -> np.ndarray:
        """From base64, or from a list in which null, "NaN", "Infinity" and "-Infinity" stand for themselves."""
        if isinstance(value, str):
            return np.frombuffer(base64.b64decode(value, validate=True), dtype=kind)
        try:
            given = np.asarray(_flat(value) if isinstance(value, list) else value, dtype=np.float64)
        except (TypeError, OverflowError) as error:
            raise ValueError("it is neither base64 nor a list of numbers") from error
        with np.errstate(invalid="ignore"):
            column = given.astype(kind).ravel()
        if kind == "<i8" and not np.array_equal(column, given.ravel()):
            raise ValueError("a number is not whole")
        return column

    return read


def _text(column: np.ndarray) -> str:
    return base64.b64encode(column.tobytes()).decode()


COLUMN_SCHEMA = WithJsonSchema(
    {"anyOf": [{"type": "string", "contentEncoding": "base64"}, {"type": "array", "items": {}}]}
)
IntColumn = Annotated[
    np.ndarray,
    BeforeValidator(_column("<i8")),
    PlainSerializer(_text, return_type=str, when_used="json"),
    COLUMN_SCHEMA,
]
FloatColumn = Annotated[
    np.ndarray,
    BeforeValidator(_column("<f8")),
    PlainSerializer(_text, return_type=str, when_used="json"),
    COLUMN_SCHEMA,
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


class Gpu(Message):
    """A GPU of the worker's host as NVML sees it."""

    index: int = Field(ge=0, le=10_000)
    name: str = Field("", max_length=200)
    uuid: str = Field("", max_length=100)
    utilisation: float | None = Field(
        None, ge=0, le=100, description="per cent of the last moment in which it computed"
    )
    memory_used: int | None = Field(None, ge=0, le=MAX_BYTES, description="bytes")
    memory_total: int | None = Field(None, ge=0, le=MAX_BYTES, description="bytes")
    power: float | None = Field(None, ge=0, le=100_000, description="watts")
    temperature: float | None = Field(None, ge=-300, le=1000, description="degrees Celsius")


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
    gpus: list[Gpu] = Field(default_factory=list, max_length=1000)


class DoomedFile(Message):
    id: int
    path: str


class WorkerOrders(Message):
    """The answer to a worker's note."""

    draining: bool = Field(description="finish what is training and claim nothing more")
    doomed: list[DoomedFile] = Field(
        description="files on this host or in the shared store to delete and report as freed"
    )


class Freed(Message):
    """Files that are gone now, deleted or never there."""

    ids: list[int] = Field(max_length=1000)


class ClaimRequest(Message):
    """A free worker asks for work."""

    worker_id: str = Field(min_length=8, max_length=64, description="random for each process, never the host name")
    host: str = Field(max_length=200)
    device: str = Field("cpu", max_length=200)
    training_version: str = Field(max_length=100)
    processes: int | None = Field(
        None,
        ge=1,
        le=10_000,
        description="how many processes one run may have here: the worker's GPUs; none: any number",
    )


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
    host: str = Field("", max_length=200, description="whose disk holds it; empty: a store that all workers reach")


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
    store: str = Field("", description="a short name of this database, which folders shared with others carry")
    resume_from: list[CheckpointNote] = Field(
        default_factory=list,
        description="checkpoints it may go on from, the furthest first: the first whole one counts",
    )
    shared_store: bool = Field(
        False,
        description="the record has checkpoints in a folder that all workers reach: one that is empty is not mounted",
    )
    frames_known: bool = Field(
        False, description="the sample frames of this dataset, split and size are stored already"
    )


class Progress(Message):
    step: Step
    images_per_second: float = Field(0.0, ge=0)


class Renewal(Message):
    progress: Progress | None = Field(
        None, description="only when the training moved since the last one, or waits for its GPUs"
    )


class RenewalAnswer(Message):
    cancel_requested: bool
    pause_requested: bool = Field(False, description="give the run back after a checkpoint")
    lease_seconds: float


# --- the record -----------------------------------------------------------------------------------------------------


class Block(Message):
    """Rows that were logged under the same keys, as columns: base64 of little-endian numbers, or plain lists."""

    keys: list[Key] = Field(min_length=1, max_length=1000)
    rows: IntColumn | None = Field(None, description="places of the rows in the batch (int64); none: in order")
    steps: IntColumn = Field(description="int64")
    walls: FloatColumn = Field(description="float64, seconds since the epoch, the writer's clock")
    values: FloatColumn = Field(description="float64, row by row, a column a key; NaN and infinities are kept")

    @model_validator(mode="after")
    def _fits(self) -> Block:
        n = len(self.steps)
        if len(set(self.keys)) < len(self.keys):
            raise ValueError("a key is named twice")
        if n == 0 or len(self.walls) != n or self.values.size != n * len(self.keys):
            raise ValueError(
                f"{n} steps, {len(self.walls)} wall times and {self.values.size} values for {len(self.keys)} keys do not fit"
            )
        if self.steps.min() < 0 or self.steps.max() > MAX_STEP:
            raise ValueError(f"a step is below 0 or above {MAX_STEP}")
        if self.rows is not None and len(self.rows) != n:
            raise ValueError("rows names another number of rows than there are")
        if not np.isfinite(self.walls).all():
            raise ValueError("a wall time is not finite")
        return self

    @property
    def places(self) -> np.ndarray:
        return np.arange(len(self.steps)) if self.rows is None else self.rows


class Points(Message):
    """A batch of logged rows, acknowledged after commit; `first_seq` numbers the rows of a writer within the attempt.

    Sent again it adds nothing; one that would leave a gap is refused with 409 `sequence_gap` and the number that is due.
    """

    writer: str = Field(
        "main", min_length=1, max_length=40, pattern=r"^[\w.:-]+$", description="one of several processes"
    )
    first_seq: int = Field(ge=0, le=MAX_STEP)
    blocks: list[Block] = Field(min_length=1, max_length=MAX_POINTS)

    @model_validator(mode="after")
    def _numbered(self) -> Points:
        if self.size > MAX_POINTS or sum(block.values.size for block in self.blocks) > MAX_VALUES:
            raise ValueError(f"a batch holds at most {MAX_POINTS} rows and {MAX_VALUES} values; send several")
        if self.names > MAX_KEYS:
            raise ValueError(f"the blocks of a batch name at most {MAX_KEYS} keys together; send several batches")
        places = np.sort(np.concatenate([block.places for block in self.blocks]))
        if not np.array_equal(places, np.arange(self.size)):
            raise ValueError("the rows of the blocks are not 0, 1, 2 … each once")
        return self

    @property
    def size(self) -> int:
        return sum(len(block.steps) for block in self.blocks)

    @property
    def names(self) -> int:
        """Keys of the blocks together: each is looked up and written, which takes longer than a number."""
        return sum(len(block.keys) for block in self.blocks)


class PointsAnswer(Message):
    last_seq: int = Field(description="the highest sequence number held, -1 for none")


class Begin(Message):
    """An attempt says from where it goes on, before its first write."""

    resumed_from: Step | None = Field(
        None, description="the first step it will log; none: from scratch. Older points at or after it no longer count."
    )


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
    """The end of an attempt. A failed one says why in a sentence; `retry` puts the run back into the queue if attempts are left.

    One that is `queued` is given back and counts as no attempt; with `retry` it rests for a while first.
    """

    status: Literal[RunStatus.finished, RunStatus.failed, RunStatus.cancelled, RunStatus.queued]
    reason: str = Field("", max_length=10_000)
    exit_code: int | None = None
    step: Step | None = Field(None, description="of a run that its budget's clock ended: where")
    retry: bool = Field(
        False,
        description="of a failed one: the run is tried again if it has attempts left; of a queued one: not at once",
    )
    wall: float | None = Field(
        None, description="of a script's run: when it ended, seconds since the epoch by its clock; none: now"
    )
    points: Points | None = Field(None, description="of a script's run: its last rows, kept in the same transaction")


# --- people's own scripts -------------------------------------------------------------------------------------------


class ScriptStart(Message):
    """A person's own script begins a run, or one of its processes joins it. Sent again it changes nothing but that the
    script was heard of. The token of its writes is chosen by the script too.
    """

    identity: str = Field(
        pattern=r"^[0-9a-f]{64}$", description="chosen by the script: the same identity is the same run"
    )
    experiment: Name = Field(description="the newest experiment of this name, or a new one")
    name: Name = Field(description="of the run")
    params: dict[str, Any] = Field(default_factory=dict, max_length=1000)
    host: str = Field("", max_length=200)
    device: str = Field("", max_length=200)
    started: float | None = Field(None, description="seconds since the epoch, the script's clock; none: now")
    resume: bool = Field(False, description="go on with a run of this identity as its next attempt")


class ScriptRun(Message):
    """How a script's run stands."""

    run_id: int
    experiment_id: int | None = Field(description="none where it was taken out of every experiment")
    attempt: int
    status: RunStatus
    cancel_requested: bool
    lease_seconds: float
    renew_seconds: float = Field(description="how often the script says that it is there")


class ScriptDepth(Message):
    """A depth map that a script shows, with ground truth and picture of the same size where it has them.

    Depth as pack_depth makes it, 0 = invalid; the picture as PNG.
    """

    step: Step
    frame: Name = Field(description="which image: the same name over the steps is one row of the viewer")
    height: int = Field(ge=1, le=8192)
    width: int = Field(ge=1, le=8192)
    nonfinite: int = Field(0, ge=0, description="predicted pixels that were NaN or infinite, stored as 0")
    depth: Bytes
    target: Bytes | None = None
    rgb: Bytes | None = None
