"""Figures, the results table and the grid of depth maps of an experiment."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy import select

from backend import answers
from backend.deps import Drawing, Id, Mark, Reading, get_database
from backend.figures import entries, export, qualitative, results, results_text, sharpness, view
from backend.figures.selector import Selection, parse_selection
from backend.figures.table import ResultsTable
from backend.figures.tokens import Theme
from backend.schemas import FigureEntry, Qualitative, Results
from backend.store import evaluations, experiments, listing
from backend.store.evaluations import Value
from backend.store.tables import Run
from backend.store.types import INT64
from depthboard.metrics import Averaging

router = APIRouter(prefix="/experiments/{id}", tags=["figures"])

Name = Annotated[
    str, Path(max_length=40, description="convergence, dataset-size, encoders, qualitative, results or sharpness")
]
Number = Annotated[int | None, Query(ge=0, le=INT64)]
Level = Annotated[str | None, Query(max_length=300)]
BINARY = {"schema": {"type": "string", "format": "binary"}}
FORMS = {200: {"content": dict.fromkeys(export.MEDIA_TYPES.values(), BINARY), "description": "in `format`"}}

# A page of its own: scripts run in it, but as of no site, and it loads nothing. The same for SVG, without scripts.
SANDBOX = {
    "html": "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:; "
    "font-src data:; sandbox allow-scripts allow-downloads",
    "svg": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; sandbox",
}
TableFormat = Literal["json", "csv", "latex"]
TABLES: dict[str, str] = {"csv": "text/csv; charset=utf-8", "latex": "application/x-tex; charset=utf-8"}


@router.get("/figures")
def list_figures(experiment_id: Id, session: Reading) -> list[FigureEntry]:
    """The figures, and the options each takes; levels are those that the experiment's runs have."""
    experiments.get(session, experiment_id)
    return entries(session, experiment_id)


@router.get("/figures/{name}", response_class=Response, responses=FORMS)  # type: ignore[arg-type]
def get_figure(
    experiment_id: Id,
    name: Name,
    request: Request,
    turn: Drawing,  # noqa: ARG001
    format: export.Format = "json",
    theme: Theme = "light",
) -> Response:
    """A figure. Every option that `list_figures` names for it is a query parameter."""
    chosen = view(name)
    query = {key: value for key, value in request.query_params.items() if key not in ("format", "theme")}
    selection = parse_selection(experiment_id, query, chosen.options)
    # Drawing may take seconds: the database is let go before.
    with get_database(request).read() as session:
        experiments.get(session, experiment_id)
        numbers = chosen.gather(session, selection)
    body = export.export(chosen.draw(numbers, theme), format, theme)
    headers = {"Content-Disposition": f'inline; filename="experiment-{experiment_id}-{name}.{format}"'}
    if format in SANDBOX:
        headers["Content-Security-Policy"] = SANDBOX[format]
    return Response(body, media_type=export.MEDIA_TYPES[format], headers=headers)


@router.get("/results", response_model=Results)
def get_results(
    experiment_id: Id,
    session: Reading,
    value: Value = "last3",
    averaging: Averaging = "per_image",
    dataset: Level = None,
    protocol: Level = None,
    format: TableFormat = "json",
) -> Results | Response:
    """The results table: ours, the constant prediction, the published rows. As JSON, CSV or LaTeX."""
    experiments.get(session, experiment_id)
    table = results.gather(session, Selection(experiment_id, value, averaging, dataset=dataset, protocol=protocol))
    return _table(table, f"experiment-{experiment_id}-results", format)


@router.get("/sharpness", response_model=Results)
def get_sharpness(
    experiment_id: Id,
    session: Reading,
    dataset: Level = None,
    protocol: Level = None,
    format: TableFormat = "json",
) -> Results | Response:
    """The sharpness table: how sharp the predicted edges are. As JSON, CSV or LaTeX."""
    experiments.get(session, experiment_id)
    table = sharpness.gather(session, Selection(experiment_id, dataset=dataset, protocol=protocol))
    return _table(table, f"experiment-{experiment_id}-sharpness", format)


def _table(table: ResultsTable, name: str, format: TableFormat) -> Results | Response:
    if format == "json":
        return table.answer()
    text = results_text.to_csv(table) if format == "csv" else results_text.to_latex(table)
    headers = {"Content-Disposition": f'attachment; filename="{name}.{"csv" if format == "csv" else "tex"}"'}
    return Response(text, media_type=TABLES[format], headers=headers)


@router.get("/qualitative")
def get_qualitative(
    experiment_id: Id,
    session: Reading,
    mark: Mark,
    train_size: Number = None,
    encoder: Level = None,
    seed: Number = None,
    step: Number = None,
    value: Value = "last3",
    averaging: Averaging = "per_image",
    dataset: Level = None,
    protocol: Level = None,
) -> Qualitative:
    """The grid of depth maps: sample frames, and each loss's predictions of them at one size, encoder and seed."""
    experiments.get(session, experiment_id)
    selection = Selection(
        experiment_id,
        value,
        averaging,
        dataset=dataset,
        protocol=protocol,
        encoder=encoder,
        train_size=train_size,
        seed=seed,
        step=step,
    )
    grid = qualitative.gather(session, selection)
    ids = [column.run.id for column in grid.columns]
    shown = listing.some(session, ids)
    chosen = select(Run.id).where(Run.id.in_(ids))
    metrics = evaluations.selected(session, chosen, grid.value, averaging, grid.filed)
    found = qualitative.answer(grid, [answers.run_summary(run, metrics.get(run.id)) for run in shown])
    return answers.marked(found, mark)
