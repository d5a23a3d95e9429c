"""Finished runs whose checkpoints are scored again: what a scorer needs to know, and what it hands in.

What it hands in stands beside the run's own evaluations, under the attempt RESCORED, and changes none of them.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.store import evaluations, outbox, runs
from backend.store.lease import checkpoints
from backend.store.tables import RESCORED, TRAINED, Checkpoint, Evaluation, Run
from backend.store.upsert import insert_new
from depthboard import protocol
from depthboard.errors import Conflict, InvalidInput, NotFound
from depthboard.metrics import AVERAGINGS, EVALUATOR_VERSION
from depthboard.status import RunStatus


def trained(session: Session, run_id: int) -> tuple[Run, list[Checkpoint]]:
    """A finished run and the notes of the checkpoints that are kept of it: the last, then those of the steps that were best on
    validation by each averaging. Raises NotFound, and Conflict for a run that has not finished.
    """
    run = runs.get(session, run_id)
    _check_finished(run)
    return run, _kept(session, run)


def _kept(session: Session, run: Run) -> list[Checkpoint]:
    notes = {note.step: note for note in reversed(checkpoints(session, run))}
    steps = ({max(notes)} if notes else set()) | best_steps(session, run)
    return [notes[step] for step in sorted(steps & notes.keys(), reverse=True)]


def best_steps(session: Session, run: Run) -> set[int]:
    """The steps that were best on validation, by each averaging."""
    chosen = evaluations.one(run.id)
    found = (evaluations.best_validation_steps(session, chosen, averaging) for averaging in AVERAGINGS)
    return {step for by_run in found for step in by_run.values()}


def add(session: Session, run_id: int, sent: protocol.Rescored) -> None:
    """Keep an evaluation of the run's checkpoint; the same again adds nothing.

    Raises NotFound, Conflict for a run that has not finished and for another checkpoint or other data than the run's,
    InvalidInput for an evaluation that is not of the run's part, images or constant, or not of this evaluator.
    """
    columns = evaluations.columns_of(sent.evaluation)
    run = session.get(Run, run_id, with_for_update=True)
    if run is None:
        raise NotFound(f"there is no run {run_id}.", field="id")
    _check_finished(run)
    _check_source(run, _kept(session, run), sent)
    _check_scored(session, run, sent.evaluation)
    row = {"run_id": run.id, "attempt": RESCORED, **columns}
    insert_new(session, Evaluation, [row], ("run_id", "attempt", "step", "split", "protocol", "predictor"))
    outbox.add(session, "evaluation", run_id=run.id, step=sent.evaluation.step, split=sent.evaluation.split)


def _check_finished(run: Run) -> None:
    if run.kind != TRAINED:
        raise Conflict(f"run {run.id} is of a person's own script: its network is not kept here.", field="kind")
    if run.status != RunStatus.finished:
        raise Conflict(
            f"run {run.id} is {run.status}, and only finished runs are scored again.",
            field="status",
            remedy="Wait until it has finished, or retry it.",
        )


def _check_source(run: Run, kept: list[Checkpoint], sent: protocol.Rescored) -> None:
    steps = [note.step for note in kept if note.sha256 == sent.checkpoint_sha256]
    if not steps:
        raise Conflict(
            f"what was scored is not a checkpoint that is kept of run {run.id}.",
            field="checkpoint_sha256",
            remedy="Score those that GET /api/runs/{id}/trained names.",
        )
    if sent.data_fingerprint != run.data_fingerprint:
        raise Conflict(
            f"run {run.id} was trained on {run.dataset} as it was then ({run.data_fingerprint[:12]}), "
            f"not on these files ({sent.data_fingerprint[:12]}).",
            field="data_fingerprint",
            remedy="Restore the dataset's files.",
        )
    due = [0] if sent.evaluation.predictor == "constant" else steps
    if sent.evaluation.step not in due:
        raise InvalidInput(
            f"the checkpoint is of step {steps[0]}, and the constant prediction of step 0; not of step {sent.evaluation.step}.",
            field="evaluation.step",
        )


def _check_scored(session: Session, run: Run, sent: protocol.Evaluation) -> None:
    if not sent.protocol.endswith(f"-v{EVALUATOR_VERSION}"):
        raise InvalidInput(
            f"the protocol {sent.protocol} is not one of this evaluator, whose names end in -v{EVALUATOR_VERSION}.",
            field="evaluation.protocol",
            remedy="Score with the release that the API runs.",
        )
    own = session.execute(
        select(Evaluation.images, Evaluation.constant)
        .where(
            Evaluation.run_id == run.id,
            Evaluation.attempt != RESCORED,
            Evaluation.superseded.is_(False),
            Evaluation.split == sent.split,
            Evaluation.split == run.evaluation_split,
            Evaluation.predictor == sent.predictor,
        )
        .order_by(Evaluation.step.desc())
    ).first()
    if own is None:
        raise InvalidInput(f"run {run.id} has no evaluation of the {sent.split} part itself.", field="evaluation.split")
    if tuple(own) != (sent.images, sent.constant):
        raise InvalidInput(
            f"run {run.id} was scored on {own.images} images, with the constant {own.constant}; "
            f"this is of {sent.images}, with {sent.constant}.",
            field="evaluation.images" if own.images != sent.images else "evaluation.constant",
        )
