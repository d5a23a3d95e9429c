"""How a run stands, in words and for the live stream."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.store import outbox
from backend.store.tables import Run
from depthboard.experiment import TRAINING_VERSION
from depthboard.status import RunStatus


def reason_of(run: Run) -> str | None:
    """Why the run stands as it does; for one that no worker of this release will ever take, that."""
    if run.status == RunStatus.queued and run.training_version != TRAINING_VERSION:
        return (
            f"it was submitted for training code of version {run.training_version}, and this is version {TRAINING_VERSION}: "
            "submit its experiment again, or start a worker of that release."
        )
    if run.status == RunStatus.queued and run.held:
        return "held: every experiment that links it is paused or in the trash. Resume or restore one of them."
    return run.reason


def seen_of(run: Run) -> int:
    """Training images shown so far."""
    return run.images if run.status == RunStatus.finished else run.step * run.batch_size


def eta_of(run: Run) -> float | None:
    """Seconds of training left; None while nobody knows, as where it does not move."""
    speed = run.images_per_second
    moves = run.status == RunStatus.running and not run.stalled
    return (run.images - seen_of(run)) / speed if moves and speed else None


def announce(session: Session, run: Run, *, results: bool = True) -> None:
    """Tell the live stream how the run stands, in the words of backend.schemas.RunSummary. `results` false: it only went on."""
    seen = seen_of(run)
    outbox.add(
        session,
        "run",
        run_id=run.id,
        results=results,
        status=str(run.status),
        attempt=run.attempt,
        step=run.step,
        epoch=seen / run.train_size if run.train_size else 0.0,
        images_seen=seen,
        images_per_second=run.images_per_second,
        eta_seconds=eta_of(run),
        cancel_requested=run.cancel_requested,
        pause_requested=run.pause_requested,
        stalled=run.stalled,
        held=run.held,
        priority=run.priority,
        position=run.position,
        diverged_at=run.diverged_at,
        reason=reason_of(run),
    )
