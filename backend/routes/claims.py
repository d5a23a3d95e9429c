"""A free worker asks for work."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Response

from backend.deps import Mark, SettingsOf, Writing
from backend.routes.life import example
from backend.store import artifacts, datasets, lease, predictions
from backend.store.tables import Checkpoint, Dataset
from depthboard.config import RunConfig
from depthboard.datasets import DatasetReport
from depthboard.experiment import TRAINING_VERSION
from depthboard.protocol import CheckpointNote, Claim, ClaimRequest, DatasetRef

router = APIRouter(tags=["run's life"])

REQUEST = {
    "worker_id": "1f0c9a53b7d24e06",
    "host": "gpu-01",
    "device": "NVIDIA H200",
    "training_version": TRAINING_VERSION,
}


@router.post("/claims", response_model=Claim, responses={204: {"description": "nothing is queued for this worker"}})
def claim_run(
    request: Annotated[ClaimRequest, example(REQUEST)], session: Writing, settings: SettingsOf, mark: Mark
) -> Claim | Response:
    """Give the best queued run of the worker's training version to it, with a lease and a token for its writes."""
    given = lease.claim(session, request, settings.lease_seconds)
    if given is None:
        return Response(status_code=204)
    run = given.run
    dataset = datasets.get(session, run.dataset or "")
    return Claim(
        run_id=run.id,
        attempt=run.attempt,
        token=given.token,
        lease_seconds=settings.lease_seconds,
        renew_seconds=settings.renew_seconds,
        config=RunConfig.model_validate(run.config),
        dataset=dataset_reference(dataset, run.data_fingerprint),
        training_version=run.training_version,
        store=mark,
        resume_from=[checkpoint_note(kept) for kept in given.resume_from],
        shared_store=artifacts.shared(session),
        frames_known=predictions.frames_known(session, run, DatasetReport.model_validate(dataset.report)),
    )


def checkpoint_note(kept: Checkpoint) -> CheckpointNote:
    return CheckpointNote(step=kept.step, path=kept.path, sha256=kept.sha256, bytes=kept.bytes, host=kept.host)


def dataset_reference(dataset: Dataset, fingerprint: str) -> DatasetRef:
    """Where a run's data lies, and the fingerprint that it must have."""
    return DatasetRef(
        name=dataset.name,
        format=dataset.format,
        path=dataset.path,
        options=dataset.options,
        fingerprint=fingerprint,
    )
