"""Sharpness as a table, so that "L2 smooths, the GAN is finer" becomes numbers: error and gradients at edges, edge F1, boundary errors, spectrum."""

from __future__ import annotations

from sqlalchemy.orm import Session

from backend.figures import captions
from backend.figures.aggregate import Summary, over_seeds
from backend.figures.groups import Cell, Scope, cells, in_scope
from backend.figures.selector import Selection
from backend.figures.table import ResultsTable, cell_row, join, lost
from backend.schemas import ResultRow
from backend.store import evaluations
from backend.store.evaluations import Metrics
from backend.store.study import linked
from depthboard.metrics import resolution_limited
from depthboard.status import RunStatus

COLUMNS = (
    "mae_edge",
    "mae_flat",
    "gradient_ratio_edge",
    "gradient_ratio_all",
    "edge_f1_25cm",
    "edge_f1_50cm",
    "edge_f1_100cm",
    "dbe_acc",
    "dbe_comp",
    "spectrum_ratio",
)


def gather(session: Session, selection: Selection) -> ResultsTable:
    """Every cell that has measures of edges or lost a run. Raises NotFound for the experiment, UnknownName for what it does not have."""
    scope = in_scope(session, selection)
    found = evaluations.sharpness(session, linked(selection.experiment_id), scope.filed)
    measured = {
        run.id: found[run.id]
        for run in scope.runs
        if run.id in found and run.status is RunStatus.finished and run.diverged_at is None
    }
    group = sorted(cells(scope.runs), key=lambda c: (c.data, c.train_size, c.encoder, c.order))
    rows = tuple(row for cell in group if (row := _row(cell, measured)) is not None)
    table = ResultsTable("Sharpness", rows, COLUMNS, scope.part, _caption(scope, rows, measured))
    return table.only(selection.train_size, selection.encoder)


def _row(cell: Cell, measured: dict[int, Metrics]) -> ResultRow | None:
    counted = [run.id for run in cell.runs if run.id in measured]
    gone = lost(cell.runs, set(counted))
    summaries = {m: over_seeds(v for i in counted if (v := measured[i].get(m)) is not None) for m in COLUMNS}
    limited = _limited(cell) if counted or gone else ""  # no reason for a row by itself
    return cell_row(cell, counted, summaries, join(limited, gone, _undefined(summaries, len(counted))))


def _limited(cell: Cell) -> str:
    run = cell.runs[0]
    return f"resolution-limited: {run.height}×{run.width}" if resolution_limited(run.height, run.width) else ""


def _undefined(summaries: dict[str, Summary | None], n: int) -> str:
    """The measures whose mean is over fewer seeds than the row's n."""
    fewer = {m: summary.n if summary else 0 for m, summary in summaries.items() if summary is None or summary.n < n}
    return ", ".join(f"{captions.metric_name(m)} undefined in {n - k} of {n}" for m, k in fewer.items()) if n else ""


def _caption(scope: Scope, rows: tuple[ResultRow, ...], measured: dict[int, Metrics]) -> str:
    limited = any(resolution_limited(run.height, run.width) for run in scope.runs)
    return captions.join(
        "Edges of the predicted depth against those of the ground truth, at the network's size. At edges: within 3 px; ∇ and spectrum "
        "are ratios of prediction to ground truth: below 1 is smoother, above 1 rougher.",
        "Resolution-limited rows are below 256×320: not to be set beside the paper's or others' sharpness, nor beside another size."
        if limited
        else "",
        captions.evaluation_words(scope),
        "A run's value: its last evaluation with edges measured, the mean over the images where the measure is defined.",
        captions.seeds_words(row.n for row in rows if row.n),
        captions.subset_words(scope.runs),
        captions.account(scope.runs, set(measured)),
    )
