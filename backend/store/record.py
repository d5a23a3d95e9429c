"""What an attempt writes besides its curves: evaluations, depth maps, sample frames, checkpoints, log, provenance.

Each function runs inside one write transaction, raises StaleAttempt unless the token's attempt has the run, and may be
called twice with the same content.
"""

from __future__ import annotations

import io
import zlib

from PIL import Image
from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from backend.store import evaluations, outbox
from backend.store.lease import check_step, owned, progressed
from backend.store.session import clock
from backend.store.tables import TRAINED, Attempt, Checkpoint, Evaluation, Frame, Log, Prediction, Run
from backend.store.upsert import insert_new
from depthboard import protocol
from depthboard.errors import DataProblem, InvalidInput

LOG_CHARACTERS = 2_000_000
"""How much of an attempt's log is kept: the end of it, where the reason of a failure stands."""


def _trained(session: Session, run_id: int, token: str) -> Run:
    """As `owned`. Raises InvalidInput for a run of a person's own script, which has no registered data."""
    run = owned(session, run_id, token)
    if run.kind != TRAINED:
        raise InvalidInput(
            f"run {run_id} is of a script and takes points, depth maps, its log and its end.",
            remedy="Send depth maps to POST /api/runs/{id}/depth.",
        )
    return run


def add_evaluation(session: Session, run_id: int, token: str, evaluation: protocol.Evaluation) -> None:
    """Keep one evaluation with the metrics that follow from its sums."""
    run = _trained(session, run_id, token)
    columns = evaluations.columns_of(evaluation)
    check_step(run, evaluation.step)
    progressed(session, run, clock(session))
    row = {"run_id": run.id, "attempt": run.attempt, **columns}
    insert_new(session, Evaluation, [row], ("run_id", "attempt", "step", "split", "protocol", "predictor"))
    session.execute(
        update(Evaluation)
        .where(
            Evaluation.run_id == run.id,
            Evaluation.attempt < run.attempt,
            Evaluation.step == evaluation.step,
            Evaluation.split == evaluation.split,
            Evaluation.protocol == evaluation.protocol,
            Evaluation.predictor == evaluation.predictor,
        )
        .values(superseded=True)
    )
    evaluations.refresh(session, run)
    outbox.add(session, "evaluation", run_id=run.id, step=evaluation.step, split=evaluation.split)


def add_predictions(session: Session, run_id: int, token: str, predictions: list[protocol.Prediction]) -> None:
    """Keep depth maps of sample frames. Raises InvalidInput for a frame that is not known and for bytes of another
    size.
    """
    # Before the first query: unpacking large maps must not keep other writers waiting.
    for i, prediction in enumerate(predictions):
        check_depth(prediction.depth, prediction.height, prediction.width, f"{i}.depth")
    run = _trained(session, run_id, token)
    if not predictions:
        return
    frames = _frames_of(session, run)
    rows = []
    for i, prediction in enumerate(predictions):
        frame = frames.get((prediction.frame, prediction.height, prediction.width))
        if frame is None:
            raise InvalidInput(
                f"there is no sample frame {prediction.frame} of {prediction.height}×{prediction.width} for this run.",
                field=f"{i}.frame",
                remedy="Send the sample frames first: PUT /api/runs/{id}/frames.",
            )
        rows.append(
            {
                "run_id": run.id,
                "attempt": run.attempt,
                "frame_id": frame,
                **prediction.model_dump(include={"step", "height", "width", "nonfinite", "depth"}),
            }
        )
    check_step(run, max(p.step for p in predictions))
    insert_new(session, Prediction, rows, ("run_id", "step", "frame_id", "attempt"))
    for step in {p.step for p in predictions}:
        outbox.add(session, "prediction", run_id=run.id, step=step)


def _frames_of(session: Session, run: Run) -> dict[tuple[str, int, int], int]:
    """(name, height, width) -> id of the frames that this run may have predicted."""
    rows = session.execute(select(Frame.frame, Frame.height, Frame.width, Frame.id).where(*frame_key(run)))
    return {(frame, height, width): id for frame, height, width, id in rows}


def frame_key(run: Run) -> tuple[ColumnElement[bool], ...]:
    """The conditions that a sample frame of this run fulfils."""
    return (
        Frame.dataset == run.dataset,
        Frame.fingerprint == run.data_fingerprint,
        Frame.split == run.split,
        Frame.part == run.evaluation_split,
        Frame.crop == run.config["data"]["crop"],
    )


def add_frames(session: Session, run_id: int, token: str, frames: list[protocol.SampleFrame]) -> None:
    """Keep RGB and ground truth of sample frames of the run's dataset, once. Raises InvalidInput for what is no
    picture.
    """
    for i, frame in enumerate(frames):
        check_png(frame.rgb, frame.height, frame.width, f"{i}.rgb")
        check_depth(frame.depth, frame.height, frame.width, f"{i}.depth")
    run = _trained(session, run_id, token)
    rows: list[dict[str, object]] = [
        {"dataset": run.dataset, "fingerprint": run.data_fingerprint, **frame.model_dump()} for frame in frames
    ]
    keys = ("dataset", "fingerprint", "split", "part", "crop", "height", "width", "frame")
    insert_new(session, Frame, rows, keys)


def check_depth(packed: bytes, height: int, width: int, field: str) -> None:
    """Raises InvalidInput unless the bytes are one whole zlib stream, which is served as it is, of height × width values."""
    due, inflate = height * width * 2, zlib.decompressobj()
    fault = "the depth map is cut off, or other bytes follow it"
    try:
        held = len(inflate.decompress(packed, due + 1))
        if held != due:
            fault = f"the depth map holds {'more' if held > due else 'fewer'} than {height}×{width} values"
        elif inflate.eof and not inflate.unused_data:
            return
    except zlib.error as error:
        fault = f"the depth map cannot be unpacked ({error})"
    raise InvalidInput(f"{fault}.", field=field, remedy="Pack it with depthboard.protocol.pack_depth.")


def check_png(data: bytes, height: int, width: int, field: str) -> None:
    """Raises DataProblem unless the bytes are a PNG picture of that size."""
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as picture:
            size = picture.size
            if size == (width, height):
                picture.load()
    except (OSError, ValueError, SyntaxError, zlib.error, Image.DecompressionBombError) as error:
        raise DataProblem("these bytes are no whole PNG picture.", field=field) from error
    if size != (width, height):
        raise DataProblem(f"the picture is {size[1]}×{size[0]} where {height}×{width} is due.", field=field)


def add_checkpoint(session: Session, run_id: int, token: str, note: protocol.CheckpointNote) -> None:
    """Note a checkpoint from which a later attempt may go on. Raises InvalidInput for a step that the run does not have."""
    run = _trained(session, run_id, token)
    check_step(run, note.step)
    run.step = max(run.step, note.step)
    row = {"run_id": run.id, "attempt": run.attempt, "created_at": clock(session), **note.model_dump()}
    insert_new(session, Checkpoint, [row], ("run_id", "attempt", "step"))


def add_log(session: Session, run_id: int, token: str, piece: protocol.LogText) -> None:
    """Keep a piece of the attempt's log; of two pieces with the same offset the longer one. Old pieces go when it grows
    long.
    """
    run = owned(session, run_id, token)
    attempt = session.get_one(Attempt, (run.id, run.attempt))
    if not piece.text:
        return
    known = session.get(Log, (run.id, run.attempt, piece.offset))
    if known is None:
        session.add(Log(run_id=run.id, attempt=run.attempt, start=piece.offset, text=piece.text))
        attempt.log_length += len(piece.text)
    elif len(piece.text) > len(known.text):
        attempt.log_length += len(piece.text) - len(known.text)
        known.text = piece.text
    session.flush()
    _forget_old_log(session, attempt)
    outbox.add(session, "log", run_id=run.id, attempt=run.attempt)


def _forget_old_log(session: Session, attempt: Attempt) -> None:
    while attempt.log_length > LOG_CHARACTERS:
        oldest = session.execute(
            select(Log.start, func.length(Log.text))
            .where(Log.run_id == attempt.run_id, Log.attempt == attempt.attempt)
            .order_by(Log.start)
            .limit(2)
        ).all()
        if len(oldest) < 2:
            return
        start, length = oldest[0]
        session.execute(
            delete(Log).where(Log.run_id == attempt.run_id, Log.attempt == attempt.attempt, Log.start == start)
        )
        attempt.log_length -= length


def set_provenance(session: Session, run_id: int, token: str, provenance: protocol.Provenance) -> None:
    """Keep what determined the result besides the configuration; the newest attempt's stands."""
    run = owned(session, run_id, token)
    run.provenance = provenance.model_dump(mode="json")
