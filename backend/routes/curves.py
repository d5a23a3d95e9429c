"""Curves of many runs in one request: of an experiment, or of runs by their numbers."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from backend import curve_sets, sheets
from backend.deps import Gathering, Id, get_database
from backend.kept import Body, Make, answer
from backend.routes.exports import download
from backend.routes.figures import version_of
from backend.schemas import CurveSet
from backend.store import curves, experiments, extracts, listing
from backend.store.types import INT64
from depthboard.protocol import MAX_STEP

router = APIRouter(tags=["curves"])

MOST_RUNS = 1000
Keys = Annotated[list[str] | None, Query(max_length=100, description="e.g. train/loss/l1; all keys without it")]
MaxPoints = Annotated[
    int | None,
    Query(
        ge=10,
        le=1_000_000,
        description="thin every curve to about so many points; extremes and what is not finite stay",
    ),
]
AfterStep = Annotated[int, Query(ge=-1, le=MAX_STEP)]
Axes = Annotated[list[curve_sets.Axis] | None, Query(max_length=4, description="the x columns wanted; step without it")]
Format = Literal["json", "binary", "csv", "parquet"]
BINARY = {"schema": {"type": "string", "format": "binary"}}
FORMS = {
    200: {
        "content": dict.fromkeys((curve_sets.BINARY, sheets.MEDIA_TYPES["csv"], sheets.MEDIA_TYPES["parquet"]), BINARY),
        "description": "in `format`",
    }
}


@router.get("/experiments/{id}/curves", response_model=CurveSet, responses=FORMS)  # type: ignore[arg-type]
def get_experiment_curves(
    experiment_id: Id,
    request: Request,
    turn: Gathering,  # noqa: ARG001
    key: Keys = None,
    x: Axes = None,
    max_points: MaxPoints = None,
    after_step: AfterStep = -1,
    format: Format = "json",
) -> Response:
    """The curves of all runs of an experiment, as columns: JSON, or little-endian float64 (docs/runs.md). As CSV or Parquet
    a row a point, with all x columns.
    """
    if format in ("csv", "parquet"):
        with get_database(request).read() as session:
            runs = listing.linked_runs(session, experiments.get(session, experiment_id).id)
        points = extracts.point_rows(get_database(request), runs, key, after_step, max_points)
        return download(f"experiment-{experiment_id}-curves", format, extracts.POINT_HEAD, points)
    wanted = curve_sets.Wanted(key, tuple(x or ("step",)), max_points, after_step)

    def gather(session: Session) -> Make:
        return _body(session, listing.linked_runs(session, experiment_id), wanted, format)

    return answer(request, version_of(experiment_id), ("curves", experiment_id, wanted, format), gather)


@router.get("/curves", response_model=CurveSet, responses=FORMS)  # type: ignore[arg-type]
def get_curves_of_runs(
    request: Request,
    turn: Gathering,  # noqa: ARG001
    run: Annotated[list[Annotated[int, Query(ge=1, le=INT64)]], Query(min_length=1, max_length=MOST_RUNS)],
    key: Keys = None,
    x: Axes = None,
    max_points: MaxPoints = None,
    after_step: AfterStep = -1,
    format: Format = "json",
) -> Response:
    """The curves of the runs named, as those of an experiment; runs that do not exist have none."""
    if format in ("csv", "parquet"):
        points = extracts.point_rows(get_database(request), run, key, after_step, max_points)
        return download("curves", format, extracts.POINT_HEAD, points)
    wanted = curve_sets.Wanted(key, tuple(x or ("step",)), max_points, after_step)

    def gather(session: Session) -> Make:
        return _body(session, run, wanted, format)

    return answer(request, lambda session: curves.state(session, run), ("curves", run, wanted, format), gather)


def _body(session: Session, runs: list[int], wanted: curve_sets.Wanted, format: Format) -> Make:
    found = curve_sets.gather(session, runs, wanted)
    if format == "binary":
        return lambda: Body(curve_sets.as_binary(found, wanted.axes), curve_sets.BINARY)
    return lambda: Body(curve_sets.as_json(found, wanted.axes), "application/json")
