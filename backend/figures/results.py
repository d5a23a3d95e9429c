"""Table 2: one row a cell of the experiment, the constant prediction, and the published rows, quoted and never averaged with ours."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import plotly.graph_objects as go
from sqlalchemy.orm import Session

from backend.figures import captions, published
from backend.figures.aggregate import Summary, over_seeds
from backend.figures.groups import Cell, Scope, cells, data_title, in_scope
from backend.figures.panels import describe
from backend.figures.selector import Selection
from backend.figures.tokens import ENCODER_TITLES, PALETTES, Theme, template
from backend.schemas import ResultRow, Results
from backend.store.study import StudyRun
from depthboard.metrics import METRICS
from depthboard.status import RunStatus

TABLE_METRICS = ("abs_rel", "log10", "rmse", "rmse_log", "delta1", "delta2", "delta3")
CONSTANT_LABEL = "Constant prediction"
DASH = "–"
ROW_HEIGHT = 28
LINE = 16
LETTER_WIDTH = 7
MOST_WIDTH = 280
NBSP = "\u00a0"


@dataclass(frozen=True, slots=True)
class ResultsTable:
    """Rows in stored units (shares 0..1): ours by data, size, encoder and loss; then the constant prediction; then the published ones."""

    rows: tuple[ResultRow, ...]
    metrics: tuple[str, ...]
    part: str
    caption: str

    def answer(self) -> Results:
        return Results(rows=list(self.rows), metrics=list(self.metrics), caption=self.caption)


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
    return ResultsTable(rows, TABLE_METRICS, scope.part, caption)


def _cell_row(cell: Cell, scope: Scope) -> ResultRow | None:
    values = {metric: scope.values(cell.runs, metric) for metric in TABLE_METRICS}
    counted = list(values["rmse"])
    note = _note(cell.runs, set(counted))
    if not counted and note is None:
        return None
    summaries = {metric: over_seeds(found.values()) for metric, found in values.items()}
    return ResultRow(
        kind="run",
        label=cell.label,
        loss=cell.loss,
        encoder=cell.encoder,
        train_size=cell.train_size,
        dataset=data_title(cell.dataset, cell.split),
        n=len(counted),
        run_ids=counted or [run.id for run in cell.runs],
        values=_means(summaries),
        spread=_spreads(summaries),
        note=note,
    )


def _note(runs: Iterable[StudyRun], counted: set[int]) -> str | None:
    """Which runs of the cell are lost to the mean, None when none is."""
    parts = []
    for run in runs:
        if run.diverged_at is not None:
            parts.append(f"seed {run.seed} diverged at step {run.diverged_at}")
        elif run.status in (RunStatus.failed, RunStatus.cancelled) and run.id not in counted:
            parts.append(f"seed {run.seed} {run.status}")
    return "; ".join(parts) or None


def _means(summaries: dict[str, Summary | None]) -> dict[str, float | None]:
    return {metric: summary.mean if summary else None for metric, summary in summaries.items()}


def _spreads(summaries: dict[str, Summary | None]) -> dict[str, float | None]:
    return {metric: summary.std if summary else None for metric, summary in summaries.items()}


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
            values=_means(summaries),
            spread=_spreads(summaries),
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


@dataclass(frozen=True, slots=True)
class Column:
    title: str
    cells: list[str]
    left: bool = False

    @property
    def width(self) -> int:
        """Pixels for the longest text."""
        return min(MOST_WIDTH, 20 + LETTER_WIDTH * max(map(len, [self.title, *self.cells])))


def draw(numbers: ResultsTable, theme: Theme) -> go.Figure:
    """At the width its texts need, so that only long notes break."""
    palette, columns = PALETTES[theme], _columns(numbers)
    align = ["left" if column.left else "right" for column in columns]
    rows = numbers.rows
    figure = go.Figure(
        go.Table(
            columnwidth=[column.width for column in columns],
            header={
                "values": [column.title for column in columns],
                "align": align,
                "fill": {"color": palette.page},
                "line": {"color": palette.line, "width": 1},
                "font": {"color": palette.text2, "size": 12},
                "height": ROW_HEIGHT,
            },
            cells={
                "values": [column.cells for column in columns],
                "align": align,
                "fill": {"color": [[palette.raised if row.kind == "constant" else palette.page for row in rows]]},
                "line": {"color": palette.faint, "width": 1},
                "font": {
                    "color": [[palette.text2 if row.kind == "published" else palette.text for row in rows]],
                    "size": 12,
                },
                "height": ROW_HEIGHT,
            },
        )
    )
    extra = sum(LINE * (len(_remark(row)) * LETTER_WIDTH // MOST_WIDTH) for row in rows)
    figure.update_layout(
        template=template(theme),
        width=sum(column.width for column in columns) + 32,
        height=ROW_HEIGHT * (len(rows) + 1) + extra + 28,
        margin={"l": 16, "r": 16, "t": 12, "b": 12},
    )
    return describe(figure, "Results", numbers.caption)


def _columns(numbers: ResultsTable) -> list[Column]:
    rows = numbers.rows
    several = len({row.dataset for row in rows if row.kind == "run"}) > 1
    return [
        Column("loss", [_whole(row.label) for row in rows], left=True),
        *([Column("data", [_whole(row.dataset or "") for row in rows], left=True)] if several else []),
        Column("images", ["" if row.train_size is None else captions.count(row.train_size) for row in rows]),
        Column("encoder", [_whole(ENCODER_TITLES.get(row.encoder or "", "")) for row in rows], left=True),
        Column("n", [str(row.n) if row.kind == "run" else "" for row in rows]),
        *[Column(column_title(m), [_value(row, m) for row in rows]) for m in numbers.metrics],
        Column("note", [_remark(row) for row in rows], left=True),
    ]


def _whole(text: str) -> str:
    """The table breaks a cell at every space it meets."""
    return text.replace(" ", NBSP)


def column_title(metric: str) -> str:
    """The label with its unit and which way is better, e.g. `rms (m) ↓`."""
    known = METRICS[metric]
    unit = f"{NBSP}({known.unit})" if known.unit else ""
    return f"{known.label}{unit}{NBSP}{'↓' if known.lower_is_better else '↑'}"


def _value(row: ResultRow, metric: str) -> str:
    value, spread = row.values.get(metric), row.spread.get(metric)
    if value is None:
        return DASH
    text = f"{captions.shown(metric, value):.{captions.decimals(metric)}f}"
    if spread is None:
        return text
    small = f"{captions.shown(metric, spread):.{captions.decimals(metric)}f}"
    return f"{text}{NBSP}±{NBSP}{small.removeprefix('0')}"


def _remark(row: ResultRow) -> str:
    return f"quoted; {row.note}" if row.kind == "published" else row.note or ""
