"""Any runs of any experiments set beside each other: what tells them apart, and figures of them."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy.orm import Session

from backend import answers
from backend.deps import Drawing, Reading
from backend.figures import compare, export
from backend.figures.compare import chosen, differences
from backend.figures.tokens import Theme
from backend.kept import Body, Make, answer
from backend.routes.figures import FORMS, SANDBOX
from backend.schemas import ComparedRun, Comparison, DifferenceRow
from backend.store import comparison, listing

router = APIRouter(prefix="/compare", tags=["compare"])

Runs = Annotated[str, Query(max_length=400, description=f"ids with commas between, at most {chosen.MOST}: 1,5,9")]
Name = Annotated[str, Path(max_length=40, description="lines, bars, scatter, parallel or paired")]


@router.get("")
def get_comparison(session: Reading, runs: Runs) -> Comparison:
    """The runs with their letters, what tells them apart first and what they share after it, and the figures of them."""
    members = chosen.members(session, chosen.parse_runs(runs))
    ids = [member.id for member in members]
    rows = {run.id: run for run in listing.some(session, ids)}
    return Comparison(
        runs=[
            ComparedRun(
                letter=member.letter,
                label=member.label,
                look=member.look,
                run=answers.run_summary(rows[member.id], rows[member.id].metrics),
            )
            for member in members
        ],
        rows=[
            DifferenceRow(path=row.path, group=row.group, values=list(row.values), differs=row.differs)
            for row in differences.rows(members)
        ],
        note=chosen.evaluated_alike(members),
        figures=compare.entries(session, tuple(ids)),
    )


@router.get("/{name}", response_class=Response, responses=FORMS)  # type: ignore[arg-type]
def get_comparison_figure(
    name: Name,
    request: Request,
    turn: Drawing,  # noqa: ARG001
    runs: Runs,
    format: export.Format = "json",
    theme: Theme = "light",
) -> Response:
    """A figure of these runs. Every option that the comparison names for it is a query parameter."""
    chosen_view = compare.view(name)
    ids = chosen.parse_runs(runs)
    query = {key: value for key, value in request.query_params.items() if key not in ("runs", "format", "theme")}
    asked = chosen.parse(ids, query, chosen_view.options)
    headers = {"Content-Disposition": f'inline; filename="compare-{name}.{format}"'}
    if format in SANDBOX:
        headers["Content-Security-Policy"] = SANDBOX[format]

    def gather(session: Session) -> Make:
        numbers = chosen_view.gather(session, asked)
        return lambda: Body(
            export.export(chosen_view.draw(numbers, theme), format, theme), export.MEDIA_TYPES[format], headers
        )

    return answer(
        request, lambda session: comparison.version(session, ids), ("compare", name, asked, format, theme), gather
    )
