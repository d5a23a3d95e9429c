"""People's own scripts: begin, join or go on with a run, and show depth maps. Points, log and end go as a worker's do."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, HTTPException
from sqlalchemy.orm import Session

from backend.deps import Id, Token, Writing
from backend.routes.life import example
from backend.store import scripts
from backend.store.lease import SCRIPT_LEASE
from backend.store.tables import Run
from depthboard import protocol

router = APIRouter(tags=["scripts"])

RENEW_SECONDS = 10.0
SHORTEST_TOKEN = 16
START = {
    "identity": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "experiment": "my study",
    "name": "l1, my network",
    "params": {"loss": "l1", "lr": 0.001, "batch_size": 8, "train_size": 795},
}


@router.post("/scripts")
def start_script(
    token: Token, start: Annotated[protocol.ScriptStart, example(START)], session: Writing
) -> protocol.ScriptRun:
    """Begin a script's run, join it, or say that the script is still there; the answer says whether it shall stop."""
    if len(token) < SHORTEST_TOKEN:
        raise HTTPException(401, f"the token needs {SHORTEST_TOKEN} characters that nobody guesses.")
    return _standing(session, scripts.start(session, token, start))


def _standing(session: Session, run: Run) -> protocol.ScriptRun:
    return protocol.ScriptRun(
        run_id=run.id,
        experiment_id=scripts.experiment_of(session, run),
        attempt=run.attempt,
        status=run.status,
        cancel_requested=run.cancel_requested,
        lease_seconds=SCRIPT_LEASE,
        renew_seconds=RENEW_SECONDS,
    )


@router.post("/runs/{id}/depth", status_code=204)
def add_depth(run_id: Id, token: Token, depth: protocol.ScriptDepth, session: Writing) -> None:
    """Keep a depth map that a script shows, with its ground truth and picture."""
    scripts.add_depth(session, run_id, token, depth)
