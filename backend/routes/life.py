"""The writes of an attempt. Each carries the token of its claim and is refused as stale when the attempt lost its run."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body

from backend.deps import Id, Ingesting, SettingsOf, Token, Writing
from backend.store import ingest, lease, record
from backend.store.tables import TRAINED
from depthboard import protocol

router = APIRouter(prefix="/runs/{id}", tags=["run's life"])

MAX_LIST = 256

POINTS = {
    "first_seq": 0,
    "blocks": [
        {"keys": ["train/loss/l1"], "steps": [1, 2], "walls": [1795219200.0, 1795219200.1], "values": [0.82, "NaN"]}
    ],
}
RENEWAL = {"progress": {"step": 120, "images_per_second": 41.5}}
FINISH = {"status": "failed", "reason": "the training diverged at step 120.", "exit_code": 1}


def example(value: dict[str, Any]) -> Any:
    """The body with an example in OpenAPI."""
    return Body(openapi_examples={"example": {"value": value}})


@router.post("/renewals")
def renew_run(
    run_id: Id,
    token: Token,
    renewal: Annotated[protocol.Renewal, example(RENEWAL)],
    session: Writing,
    settings: SettingsOf,
) -> protocol.RenewalAnswer:
    """Extend the lease and say how far the training is; the answer says whether it shall stop."""
    run = lease.renew(session, run_id, token, renewal.progress, settings.lease_seconds)
    return protocol.RenewalAnswer(
        cancel_requested=run.cancel_requested,
        pause_requested=run.pause_requested,
        lease_seconds=settings.lease_seconds if run.kind == TRAINED else lease.SCRIPT_LEASE,
    )


@router.post("/begin", status_code=204)
def begin_attempt(run_id: Id, token: Token, begin: protocol.Begin, session: Writing) -> None:
    """Say from which step on this attempt logs: what older ones logged from there on no longer counts."""
    lease.begin(session, run_id, token, begin.resumed_from)


@router.post("/points")
async def add_points(
    run_id: Id, token: Token, points: Annotated[protocol.Points, example(POINTS)], ingest: Ingesting
) -> protocol.PointsAnswer:
    """Append logged rows. Acknowledged after commit; a batch sent again adds nothing, one that leaves a gap is refused."""
    return protocol.PointsAnswer(last_seq=await ingest.append(run_id, token, points))


@router.post("/evaluations", status_code=204)
def add_evaluation(run_id: Id, token: Token, evaluation: protocol.Evaluation, session: Writing) -> None:
    """Keep one evaluation: per-image sums, from which every metric follows."""
    record.add_evaluation(session, run_id, token, evaluation)


@router.post("/predictions", status_code=204)
def add_predictions(
    run_id: Id,
    token: Token,
    predictions: Annotated[list[protocol.Prediction], Body(max_length=MAX_LIST)],
    session: Writing,
) -> None:
    """Keep predicted depth maps of sample frames that are known already."""
    record.add_predictions(session, run_id, token, predictions)


@router.put("/frames", status_code=204)
def add_frames(
    run_id: Id,
    token: Token,
    frames: Annotated[list[protocol.SampleFrame], Body(max_length=MAX_LIST)],
    session: Writing,
) -> None:
    """Keep RGB and ground truth of the sample frames, once a dataset, part, crop and size."""
    record.add_frames(session, run_id, token, frames)


@router.post("/checkpoints", status_code=204)
def add_checkpoint(run_id: Id, token: Token, note: protocol.CheckpointNote, session: Writing) -> None:
    """Note a checkpoint that is complete on the worker's disk."""
    record.add_checkpoint(session, run_id, token, note)


@router.post("/log", status_code=204)
def add_log(run_id: Id, token: Token, text: protocol.LogText, session: Writing) -> None:
    """Append to the attempt's log."""
    record.add_log(session, run_id, token, text)


@router.post("/provenance", status_code=204)
def set_provenance(run_id: Id, token: Token, provenance: protocol.Provenance, session: Writing) -> None:
    """Keep what determined the result besides its configuration."""
    record.set_provenance(session, run_id, token, provenance)


@router.post("/finish", status_code=204)
def finish_run(
    run_id: Id,
    token: Token,
    finish: Annotated[protocol.Finish, example(FINISH)],
    session: Writing,
    settings: SettingsOf,
) -> None:
    """End the attempt: finished, failed with its reason, cancelled, or given back to the queue. Its last rows may come along."""
    if finish.points is not None:
        ingest.append_last(session, ingest.Sent(run_id, token, finish.points))
    lease.finish(session, run_id, token, finish, settings.lease_seconds)
