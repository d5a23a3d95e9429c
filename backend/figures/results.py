"""Table 2: one row a cell of the experiment, the constant prediction, and the published rows, quoted and never averaged with ours."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from backend.figures import captions, published
from backend.figures.aggregate import over_seeds
from backend.figures.groups import Cell, Scope, cells, data_title, in_scope
from backend.figures.selector import Selection
from backend.figures.table import ResultsTable, cell_row, join, lost, means, spreads
from backend.schemas import ResultRow
from backend.store.study import StudyRun

TABLE_METRICS = ("abs_rel", "log10", "rmse", "rmse_log", "delta1", "delta2", "delta3")
CONSTANT_LABEL = "Constant prediction"
NOTED_SHARE = 0.01
"""From this share of clipped or non-finite predictions on, a run's row says so."""


def gather(session: Session, selection: Selection) -> ResultsTable:
    """Every cell that has a value or lost one. Raises NotFound for the experiment, UnknownName for what it does not have."""
    scope = in_scope(session, selection)
    selection = scope.selection
    group = sorted(cells(scope.runs), key=lambda c: (c.data, c.train_size, c.encoder, c.order))
    ours = [row for cell in group if (row := _cell_row(cell, scope)) is not None]
    rows = (*ours, *_constant_rows(group, scope), *map(_published_row, published.table2()))
    caption = captions.join(
        captions.evaluation_words(scope),
        captions.value_words(selection),
        captions.seeds_words(row.n for row in ours if row.n),
        captions.subset_words(scope.runs),
        "Constant prediction: the training median everywhere.",
        f"Published rows: {published.source('table2')}.",
        captions.account(scope.runs, set(scope.values(scope.runs, "rmse"))),
    )
    table = ResultsTable("Results", rows, TABLE_METRICS, scope.part, caption, selection.value)
    return table.only(selection.train_size, selection.encoder)


def _cell_row(cell: Cell, scope: Scope) -> ResultRow | None:
    values = {metric: scope.values(cell.runs, metric) for metric in TABLE_METRICS}
    counted = list(values["rmse"])
    note = join(lost(cell.runs, set(counted)), _unhealthy(cell.runs, counted, scope))
    summaries = {metric: over_seeds(found.values()) for metric, found in values.items()}
    return cell_row(cell, counted, summaries, note)


def _unhealthy(runs: Iterable[StudyRun], counted: list[int], scope: Scope) -> str:
    """Which of the counted runs predict more than a hundredth of the pixels outside the scored range, or NaN or infinite."""
    seeds = {run.id: run.seed for run in runs}
    shares = [
        (seeds[run_id], scope.study.values[run_id].get(metric) or 0.0, words)
        for run_id in counted
        for metric, words in (("clipped", "clipped to the scored range"), ("nonfinite", "not finite"))
    ]
    return "; ".join(
        f"seed {seed}: {100 * share:.1f} % {words}" for seed, share, words in shares if share > NOTED_SHARE
    )


def _constant_rows(group: list[Cell], scope: Scope) -> Iterable[ResultRow]:
    """One row a data set and size. The median depends on the training images alone, so equal values are one value, not n of them."""
    runs: dict[tuple[str, int], list[StudyRun]] = {}
    for cell in group:
        runs.setdefault((data_title(cell.dataset, cell.split), cell.train_size), []).extend(cell.runs)
    for (data, train_size), members in runs.items():
        known = [scope.study.constant[run.id] for run in members if run.id in scope.study.constant]
        distinct = list({tuple(values.get(m) for m in TABLE_METRICS): values for values in known}.values())
        if not distinct:
            continue
        summaries = {m: over_seeds(v for values in distinct if (v := values.get(m)) is not None) for m in TABLE_METRICS}
        yield ResultRow(
            kind="constant",
            label=CONSTANT_LABEL,
            loss=None,
            encoder=None,
            train_size=train_size,
            dataset=data,
            n=len(distinct),
            run_ids=[],
            values=means(summaries),
            spread=spreads(summaries),
            note="training median everywhere",
        )


def _published_row(row: published.QuotedRow) -> ResultRow:
    """n is 0: none of our seeds is in it."""
    return ResultRow(
        kind="published",
        label=f"{row.label} {row.year}",
        loss=None,
        encoder=None,
        train_size=None,
        dataset="NYUv2",
        n=0,
        run_ids=[],
        values=row.values,
        spread=dict.fromkeys(row.values),
        note=row.note,
    )
