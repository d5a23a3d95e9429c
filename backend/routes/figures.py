"""Figures, the results table and the grid of depth maps of an experiment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Path, Query, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from backend import answers
from backend.deps import Drawing, Gathering, Id, Mark, Reading
from backend.figures import entries, export, paper, qualitative, results, results_text, sharpness, view
from backend.figures.imprint import Imprint, in_csv, in_latex
from backend.figures.selector import Selection, parse_selection
from backend.figures.table import ResultsTable
from backend.figures.tokens import Theme
from backend.kept import Body, Make, answer, release
from backend.schemas import FigureEntry, Qualitative, Results
from backend.store import evaluations, experiments, listing
from backend.store.evaluations import Value
from backend.store.origin import origin
from backend.store.tables import Run
from backend.store.types import INT64
from depthboard import __version__
from depthboard.metrics import Averaging

router = APIRouter(prefix="/experiments/{id}", tags=["figures"])

Name = Annotated[
    str,
    Path(max_length=40, description="convergence, curves, dataset-size, encoders, qualitative, results or sharpness"),
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
# Parameters of the file and not of the figure.
FORM = ("format", "theme", "width", "font", "caption")
YesNo = Literal["yes", "no"]
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
    width: Annotated[
        str | None, Query(max_length=20, description="for print: single, double, slide, or a width such as 84mm")
    ] = None,
    font: Annotated[str | None, Query(max_length=20, description="size of type in points, with `width`")] = None,
    caption: Annotated[YesNo, Query(description="whether a picture carries title and caption")] = "yes",
) -> Response:
    """A figure. Every option that `list_figures` names for it is a query parameter. `csv` are the numbers that it draws."""
    chosen = view(name)
    query = {key: value for key, value in request.query_params.items() if key not in FORM}
    selection = parse_selection(experiment_id, query, chosen.options)
    sheet = paper.parse_sheet(width, font)
    headers = {"Content-Disposition": f'inline; filename="experiment-{experiment_id}-{name}.{format}"'}
    if format in SANDBOX:
        headers["Content-Security-Policy"] = SANDBOX[format]

    def gather(session: Session) -> Make:
        numbers = chosen.gather(session, selection)
        imprint = None if format == "json" else _imprint(session, experiment_id, request, chosen.title)

        def make() -> Body:  # drawing may take seconds: the database is let go before
            if format == "csv":
                content = in_csv(chosen.to_csv(numbers), imprint).encode() if imprint else b""
            else:
                figure = chosen.draw(numbers, theme)
                content = export.export(figure, format, theme, sheet, caption=caption == "yes", imprint=imprint)
            return Body(content, export.MEDIA_TYPES[format], headers)

        return make

    version = version_of(experiment_id) if chosen.of_points else results_of(experiment_id)
    form = (selection, format, theme, sheet, caption, "" if format == "json" else _recipe(request))
    return answer(request, version, ("figure", name, *form), gather)


def _imprint(session: Session, experiment_id: int, request: Request, title: str) -> Imprint:
    """What the file says of itself; the experiment's name as it is when the file is made."""
    source = origin(session, experiment_id)
    facts = [("experiment", f"{experiment_id}, {source.name}")]
    facts += [("data", "; ".join(source.data) or "not stated"), ("trained by", "; ".join(source.code) or "not stated")]
    facts += [("made by", f"Depthboard {__version__} {release()}"), ("drawn again by", _recipe(request))]
    return Imprint(title, tuple(facts), source.changed_at)


def _recipe(request: Request) -> str:
    """The address without the host, its options in one order, so that two spellings of a figure are one file."""
    options = sorted((key, value) for key, value in request.query_params.items() if value)
    return f"{request.url.path}?{urlencode(options)}" if options else request.url.path


@router.get("/results", response_model=Results)
def get_results(
    experiment_id: Id,
    request: Request,
    turn: Gathering,  # noqa: ARG001
    value: Value = "last3",
    averaging: Averaging = "per_image",
    dataset: Level = None,
    protocol: Level = None,
    train_size: Number = None,
    encoder: Level = None,
    format: TableFormat = "json",
) -> Response:
    """The results table: ours, the constant prediction, the published rows. As JSON, CSV or LaTeX."""
    selection = Selection(
        experiment_id, value, averaging, dataset=dataset, protocol=protocol, train_size=train_size, encoder=encoder
    )
    return _table(request, "results", results.gather, selection, format)


@router.get("/sharpness", response_model=Results)
def get_sharpness(
    experiment_id: Id,
    request: Request,
    turn: Gathering,  # noqa: ARG001
    dataset: Level = None,
    protocol: Level = None,
    train_size: Number = None,
    encoder: Level = None,
    format: TableFormat = "json",
) -> Response:
    """The sharpness table: how sharp the predicted edges are. As JSON, CSV or LaTeX."""
    selection = Selection(experiment_id, dataset=dataset, protocol=protocol, train_size=train_size, encoder=encoder)
    return _table(request, "sharpness", sharpness.gather, selection, format)


def _table(
    request: Request,
    name: str,
    read: Callable[[Session, Selection], ResultsTable],
    selection: Selection,
    format: TableFormat,
) -> Response:
    def gather(session: Session) -> Make:
        table = read(session, selection)
        if format == "json":
            return lambda: Body(table.answer().model_dump_json().encode(), "application/json")
        write, mark = (results_text.to_csv, in_csv) if format == "csv" else (results_text.to_latex, in_latex)
        ending = "csv" if format == "csv" else "tex"
        imprint = _imprint(session, selection.experiment_id, request, table.title)
        headers = {
            "Content-Disposition": f'attachment; filename="experiment-{selection.experiment_id}-{name}.{ending}"'
        }
        return lambda: Body(mark(write(table), imprint).encode(), TABLES[format], headers)

    said = "" if format == "json" else _recipe(request)
    return answer(request, results_of(selection.experiment_id), (name, selection, format, said), gather)


@router.get("/qualitative", response_model=Qualitative)
def get_qualitative(
    experiment_id: Id,
    request: Request,
    turn: Gathering,  # noqa: ARG001
    mark: Mark,
    train_size: Number = None,
    encoder: Level = None,
    seed: Number = None,
    step: Number = None,
    value: Value = "last3",
    averaging: Averaging = "per_image",
    dataset: Level = None,
    protocol: Level = None,
) -> Response:
    """The grid of depth maps: sample frames, and each loss's predictions of them at one size, encoder and seed."""
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

    def gather(session: Session) -> Make:
        grid = _grid(session, selection)
        return lambda: Body(answers.marked(grid, mark).model_dump_json().encode(), "application/json")

    # Its runs tell how far they are: it follows every event, not those of results alone.
    return answer(request, version_of(experiment_id), ("qualitative", selection), gather)


def _grid(session: Session, selection: Selection) -> Qualitative:
    grid = qualitative.gather(session, selection)
    ids = [column.run.id for column in grid.columns]
    shown = listing.some(session, ids)
    chosen = select(Run.id).where(Run.id.in_(ids))
    metrics = evaluations.selected(session, chosen, grid.value, selection.averaging, grid.filed)
    return qualitative.answer(grid, [answers.run_summary(run, metrics.get(run.id)) for run in shown])


def results_of(experiment_id: int) -> Callable[[Session], int]:
    """What figures and tables depend on."""
    return lambda session: experiments.versions(session, experiment_id)[1]


def version_of(experiment_id: int) -> Callable[[Session], int]:
    return lambda session: experiments.versions(session, experiment_id)[0]
