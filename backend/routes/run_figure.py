"""The figure of one run: its metric over training beside the other seeds of its cell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from backend.deps import Among, Drawing, Id
from backend.figures.run import Choice, Spread, X, gather, to_csv
from backend.figures.run_drawing import draw
from backend.kept import Make, answer
from backend.routes.figures import FORMS, AsForm, imprint_of
from backend.store import curves, experiments, runs
from backend.store.origin import origin_of_runs
from depthboard.metrics import Averaging

router = APIRouter(prefix="/runs/{id}", tags=["runs"])


@dataclass(frozen=True, slots=True)
class RunView:
    title = "A run beside the other seeds of its cell"
    draw = staticmethod(draw)
    to_csv = staticmethod(to_csv)


VIEW = RunView()


@router.get("/figure", response_class=Response, responses=FORMS)  # type: ignore[arg-type]
def get_run_figure(
    run_id: Id,
    request: Request,
    turn: Drawing,  # noqa: ARG001
    form: AsForm,
    experiment: Among = None,
    metric: Annotated[str, Query(max_length=40)] = "mae",
    averaging: Averaging = "per_image",
    x: X = "epoch",
    y_log: bool = False,
    band: Annotated[Spread, Query(description="of the other seeds: all of them, or the mean's interval")] = "minmax",
    published: bool = True,
) -> Response:
    """A metric of the run's evaluations, over the band of the other seeds of its cell: those of `experiment`, by default of
    the first that links the run.
    """
    headers = form.headers(f"run-{run_id}-{metric}")

    def beside(session: Session) -> int | None:
        linked = [link["id"] for link in runs.experiments_of(session, run_id)]
        return experiment if experiment in linked else next(iter(linked), None)

    def version(session: Session) -> object:
        found = beside(session)
        return curves.state(session, [run_id]), found and (found, experiments.versions(session, found)[0])

    def make(session: Session) -> Make:
        choice = Choice(run_id, beside(session), metric, averaging, x, y_log, band, published)
        numbers = gather(session, choice)
        imprint = imprint_of(origin_of_runs(session, [run_id]), VIEW.title, form.recipe) if form.recipe else None
        return lambda: form.body(VIEW, numbers, imprint, headers)

    what = ("run figure", run_id, experiment, metric, averaging, x, y_log, band, published, form)
    return answer(request, version, what, make)
