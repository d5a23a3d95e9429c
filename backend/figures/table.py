"""A table of the experiment's cells, as the results and the sharpness table are: its rows, its drawing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import plotly.graph_objects as go

from backend.figures import captions
from backend.figures.aggregate import Summary
from backend.figures.groups import Cell, data_title
from backend.figures.panels import describe
from backend.figures.tokens import ENCODER_TITLES, PALETTES, Theme, plain, template
from backend.schemas import ResultRow, Results
from backend.store.evaluations import Value
from backend.store.study import StudyRun
from depthboard.status import RunStatus

DASH = "–"
ROW_HEIGHT = 28
LINE = 16
LETTER_WIDTH = 7
MOST_WIDTH = 280
NBSP = "\u00a0"


@dataclass(frozen=True, slots=True)
class ResultsTable:
    """Rows in stored units (shares 0..1): ours by data, size, encoder and loss; then the constant prediction; then the published ones."""

    title: str
    rows: tuple[ResultRow, ...]
    metrics: tuple[str, ...]
    part: str
    caption: str
    value: Value | None = None

    def only(self, train_size: int | None, encoder: str | None) -> ResultsTable:
        """Ours of one size and encoder, with the constant prediction there; the published rows stay."""
        chosen = (
            row
            for row in self.rows
            if row.kind == "published"
            or (train_size in (None, row.train_size) and (row.kind == "constant" or encoder in (None, row.encoder)))
        )
        return replace(self, rows=tuple(chosen))

    def answer(self) -> Results:
        return Results(rows=list(self.rows), metrics=list(self.metrics), caption=self.caption, value=self.value)


def lost(runs: Iterable[StudyRun], counted: set[int]) -> str:
    """Which runs of the cell are lost to the mean, empty when none is."""
    parts = []
    for run in runs:
        if run.diverged_at is not None:
            parts.append(f"seed {run.seed} diverged at step {run.diverged_at}")
        elif run.status in (RunStatus.failed, RunStatus.cancelled) and run.id not in counted:
            parts.append(f"seed {run.seed} {run.status}")
    return "; ".join(parts)


def join(*notes: str) -> str | None:
    """The notes that say something, None when none does."""
    return "; ".join(note for note in notes if note) or None


def cell_row(
    cell: Cell, counted: list[int], summaries: Mapping[str, Summary | None], note: str | None
) -> ResultRow | None:
    """The row of a cell, of whose runs `counted` have a value; None where there is nothing to say of it."""
    if not counted and note is None:
        return None
    return ResultRow(
        kind="run",
        label=cell.label,
        loss=cell.loss,
        encoder=cell.encoder,
        train_size=cell.train_size,
        dataset=data_title(cell.dataset, cell.split),
        n=len(counted),
        run_ids=counted or [run.id for run in cell.runs],
        values=means(summaries),
        spread=spreads(summaries),
        note=note,
    )


def means(summaries: Mapping[str, Summary | None]) -> dict[str, float | None]:
    return {metric: summary.mean if summary else None for metric, summary in summaries.items()}


def spreads(summaries: Mapping[str, Summary | None]) -> dict[str, float | None]:
    return {metric: summary.std if summary else None for metric, summary in summaries.items()}


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
    return describe(figure, numbers.title, numbers.caption)


def _columns(numbers: ResultsTable) -> list[Column]:
    rows = numbers.rows
    several = len({row.dataset for row in rows if row.kind == "run"}) > 1
    return [
        Column("loss", [_whole(plain(row.label)) for row in rows], left=True),
        *([Column("data", [_whole(plain(row.dataset or "")) for row in rows], left=True)] if several else []),
        Column("images", ["" if row.train_size is None else captions.count(row.train_size) for row in rows]),
        Column("encoder", [_whole(ENCODER_TITLES.get(row.encoder or "", "")) for row in rows], left=True),
        Column("n", [str(row.n) if row.kind == "run" else "" for row in rows]),
        *[Column(column_title(m), [_value(row, m) for row in rows]) for m in numbers.metrics],
        Column("note", [plain(_remark(row)) for row in rows], left=True),
    ]


def _whole(text: str) -> str:
    """The table breaks a cell at every space it meets."""
    return text.replace(" ", NBSP)


def column_title(metric: str) -> str:
    """The label with its unit and which way is better, e.g. `rms (m) ↓`; of a ratio what is best: `∇ edge → 1`."""
    known = captions.KNOWN[metric]
    unit = f" ({known.unit})" if known.unit else ""
    better = f"→ {known.ideal:g}" if known.ideal is not None else "↓" if known.lower_is_better else "↑"
    return _whole(f"{known.label}{unit} {better}")


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
