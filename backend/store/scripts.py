"""Runs of people's own scripts: begun, joined and resumed by the script itself, and the depth maps that it shows."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from PIL import Image
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from backend.store import facts, outbox
from backend.store.holding import in_sight
from backend.store.lease import SCRIPT_LEASE, digest, hear, move, owned
from backend.store.record import check_depth, check_png
from backend.store.session import clock, moment, one_at_a_time
from backend.store.standing import announce
from backend.store.tables import NOT_BEGUN, SCRIPT, Attempt, Experiment, ExperimentRun, Frame, Prediction, Run
from backend.store.types import check_tree
from backend.store.upsert import insert_new
from depthboard.errors import Conflict, StaleAttempt
from depthboard.protocol import ScriptDepth, ScriptStart, pack_depth
from depthboard.status import RunStatus

CREATION_LOCK = 0x64657074
GREY = 96
"""What stands where a script showed no photograph."""
TEXTS = {"loss": 40, "encoder": 40}
NUMBERS = {"train_size": 2**40, "batch_size": 2**22, "seed": 2**53, "steps": 2**40, "height": 2**20, "width": 2**20}
"""Parameters that columns of a run repeat, by their own name or the last part of their path, up to these."""


def start(session: Session, token: str, sent: ScriptStart) -> Run:
    """The script's run: new, known already, or known and gone on with as its next attempt.

    Raises StaleAttempt for an attempt that a later one has followed, Conflict for an identity that somebody else has.
    """
    params = check_tree(sent.params)
    run = _known(session, sent.identity)
    if run is None:
        one_at_a_time(session, CREATION_LOCK)  # of two that begin at once the second finds what the first made
        run = _known(session, sent.identity) or _new(session, token, sent, params)
    attempts = session.scalars(select(Attempt).where(Attempt.run_id == run.id)).all()
    own = next((a.attempt for a in attempts if a.owner == digest(token)), None)
    if own is None:
        _go_on(session, run, token, sent, params)
    elif own < run.attempt:
        raise StaleAttempt(f"attempt {own} of run {run.id} was followed by attempt {run.attempt}.")
    else:
        hear(session, run)
    return run


def experiment_of(session: Session, run: Run) -> int | None:
    """The first that is not in the trash, if there is one."""
    query = select(Experiment.id).join(ExperimentRun).where(ExperimentRun.run_id == run.id)
    return session.scalars(query.order_by(Experiment.deleted_at.is_not(None), Experiment.id)).first()


def _known(session: Session, identity: str) -> Run | None:
    return session.scalars(select(Run).where(Run.identity == identity).with_for_update()).one_or_none()


def _new(session: Session, token: str, sent: ScriptStart, params: dict[str, Any]) -> Run:
    now = clock(session)
    experiment = _experiment(session, sent.experiment, now)
    run = Run(
        identity=sent.identity,
        kind=SCRIPT,
        name=sent.name,
        data_fingerprint="",
        training_version="",
        loss_label=sent.name,
        dataset=None,
        split="",
        images=0,
        evaluation_split="",
        protocol="",
        attempt=0,
        tries=0,
        max_attempts=1,
        priority=0,
        position=0,
        step=0,
        created_at=now,
        status=RunStatus.running,
        **_columns(params),
    )
    _begin(run, token, sent, params, now)
    session.add(run)
    session.flush()
    _link(session, experiment, run)
    _note_attempt(session, run, sent)
    outbox.add(session, "experiment", experiment_ids=[experiment.id], change="changed")
    return run


def _experiment(session: Session, name: str, now: datetime) -> Experiment:
    """The newest of that name which is not in the trash, or a new one."""
    query = select(Experiment).where(Experiment.name == name, Experiment.deleted_at.is_(None))
    found = session.scalars(query.order_by(Experiment.id.desc()).limit(1)).one_or_none()
    if found is not None:
        return found
    spec = {"name": name}
    new = Experiment(name=name, description="", spec=spec, factors={}, created_at=now, updated_at=now, tags=[])
    session.add(new)
    session.flush()
    outbox.add(session, "experiment", experiment_ids=[new.id], change="created")
    return new


def _go_on(session: Session, run: Run, token: str, sent: ScriptStart, params: dict[str, Any]) -> None:
    if run.kind != SCRIPT or not sent.resume:
        raise Conflict(
            f"there is a run {run.id} of this identity already.",
            field="identity",
            remedy="Say resume= to go on with it, or let the script choose another run_id.",
        )
    now = clock(session)
    if run.status == RunStatus.running:
        left = session.get_one(Attempt, (run.id, run.attempt))
        left.ended_at, left.outcome, left.reason = now, "lost", "its script was started again."
    else:
        move(run, RunStatus.running)
    _begin(run, token, sent, params, now)
    for name, value in _columns(params).items():
        setattr(run, name, value)
    _note_attempt(session, run, sent)
    if not session.scalar(select(in_sight()).where(Run.id == run.id)):  # all its experiments are in the trash
        experiment = _experiment(session, sent.experiment, now)
        _link(session, experiment, run)
        outbox.add(session, "experiment", experiment_ids=[experiment.id], change="changed")


def _link(session: Session, experiment: Experiment, run: Run) -> None:
    session.add(ExperimentRun(experiment_id=experiment.id, run_id=run.id, levels={}, position=run.id))


def _begin(run: Run, token: str, sent: ScriptStart, params: dict[str, Any], now: datetime) -> None:
    run.attempt += 1
    run.token = run.owner = digest(token)
    run.config = {"params": params}
    run.lease_until, run.progressed_at = now + timedelta(seconds=SCRIPT_LEASE), now
    run.reason, run.finished_at, run.cancel_requested = None, None, False
    run.started_at = run.started_at or _began(sent, now)


def _began(sent: ScriptStart, now: datetime) -> datetime:
    return min(now, (None if sent.started is None else moment(sent.started)) or now)


def _note_attempt(session: Session, run: Run, sent: ScriptStart) -> None:
    attempt = Attempt(
        run_id=run.id,
        attempt=run.attempt,
        owner=run.owner,
        host=sent.host,
        device=sent.device,
        started_at=_began(sent, clock(session)),
        resumed_from=NOT_BEGUN if run.attempt > 1 else None,  # until it says from where, it hides nothing
        log_length=0,
    )
    session.add(attempt)
    session.flush()
    facts.put_params(session, run.id, run.config["params"])
    announce(session, run)


def _columns(params: Mapping[str, Any]) -> dict[str, Any]:
    """What a script's parameters say of a run's columns; empty or 0 where they do not."""
    said: dict[str, Any] = {}
    for path, value in facts.leaves(params):
        said.setdefault(path, value)
        said.setdefault(path.removesuffix(".name").rpartition(".")[2], value)
    texts = {name: str(said.get(name, ""))[:longest] for name, longest in TEXTS.items()}
    return {**texts, **{name: _whole(said.get(name), most) for name, most in NUMBERS.items()}}


def _whole(value: Any, most: int) -> int:
    whole = isinstance(value, int | float) and 0 <= value <= most and value == int(value)
    return int(value) if whole else 0


def add_depth(session: Session, run_id: int, token: str, sent: ScriptDepth) -> None:
    """Keep a depth map with what it is compared with; sent again it adds nothing. Raises InvalidInput, DataProblem."""
    size = (sent.height, sent.width)
    check_depth(sent.depth, *size, "depth")
    if sent.target is not None:
        check_depth(sent.target, *size, "target")
    if sent.rgb is not None:
        check_png(sent.rgb, *size, "rgb")
    truth, picture = sent.target or _no_truth(*size), sent.rgb or _no_picture(*size)
    run = owned(session, run_id, token)
    row = {
        "run_id": run.id,
        "attempt": run.attempt,
        "frame_id": _frame(session, run, sent, picture, truth),
        **sent.model_dump(include={"step", "height", "width", "nonfinite", "depth"}),
    }
    insert_new(session, Prediction, [row], ("run_id", "step", "frame_id", "attempt"))
    outbox.add(session, "prediction", run_id=run.id, step=sent.step)


def _frame(session: Session, run: Run, sent: ScriptDepth, picture: bytes, truth: bytes) -> int:
    """The id of the frame with this name and content; frames stand in the order in which their names were first sent."""
    fingerprint = hashlib.sha256(b"%d %d " % (sent.height, sent.width) + picture + truth).hexdigest()
    of_run = Frame.run_id == run.id
    found = select(Frame.id).where(of_run, Frame.frame == sent.frame, Frame.fingerprint == fingerprint)
    known = session.scalar(found)
    if known is not None:
        return known
    place = session.scalar(select(func.min(Frame.position)).where(of_run, Frame.frame == sent.frame))
    if place is None:
        place = session.scalar(select(func.count(Frame.frame.distinct())).where(of_run)) or 0
    frame = Frame(
        run_id=run.id,
        fingerprint=fingerprint,
        split="",
        part="",
        crop="",
        height=sent.height,
        width=sent.width,
        frame=sent.frame,
        position=place,
        rgb=picture,
        depth=truth,
    )
    session.add(frame)
    session.flush()
    return frame.id


def _no_truth(height: int, width: int) -> bytes:
    return pack_depth(np.zeros((height, width), np.uint16))


def _no_picture(height: int, width: int) -> bytes:
    png = io.BytesIO()
    Image.new("L", (width, height), GREY).save(png, "PNG")
    return png.getvalue()


def is_placeholder(png: bytes) -> bool:
    """Whether this is what stands where a script showed no photograph."""
    with Image.open(io.BytesIO(png)) as picture:
        return picture.mode == "L" and picture.getextrema() == (GREY, GREY)
