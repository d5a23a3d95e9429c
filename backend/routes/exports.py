"""Runs as files: CSV, Parquet, JSON."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import APIRouter, Request
from fastapi.responses import StreamingResponse

from backend import sheets
from backend.deps import Among, Gathering, RunFilter, Sort, get_database
from backend.store import experiments, extracts, listing
from depthboard.status import RunStatus

router = APIRouter(tags=["runs"])

BINARY = {"schema": {"type": "string", "format": "binary"}}
FORMS = {200: {"content": dict.fromkeys(sheets.MEDIA_TYPES.values(), BINARY), "description": "in `format`"}}


# Before /runs/{id}, which would take "export" for a number that is none.
@router.get("/runs/export", response_class=StreamingResponse, responses=FORMS)  # type: ignore[arg-type]
def export_runs(
    request: Request,
    turn: Gathering,  # noqa: ARG001
    format: sheets.Format = "csv",
    status: RunStatus | None = None,
    sort: Sort = "",
    filter: RunFilter = "",
    experiment: Among = None,
) -> StreamingResponse:
    """All runs that the filter finds, a row a run: its columns, then `param.…`, then `metric.…`."""
    database = get_database(request)
    with database.snapshot() as session:
        if experiment is not None:
            experiments.get(session, experiment)
        wanted = listing.Wanted(status=status, sort=sort, filter=filter, experiment=experiment)
        extract = extracts.runs(session, wanted)
    name = "runs" if experiment is None else f"experiment-{experiment}-runs"
    return download(name, format, extract.head, extracts.run_rows(database, extract))


def download(name: str, format: sheets.Format, head: sheets.Head, pieces: Iterable[sheets.Rows]) -> StreamingResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}.{format}"'}
    return StreamingResponse(sheets.write(format, head, pieces), media_type=sheets.MEDIA_TYPES[format], headers=headers)
