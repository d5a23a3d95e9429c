"""Figure 3: a metric on the evaluated part against training, one line a loss, a panel a dataset size, a row a dataset."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from backend.figures import captions, published
from backend.figures.aggregate import Band
from backend.figures.along import Along, along
from backend.figures.convergence_drawing import draw, is_cut
from backend.figures.curve_means import Divergence, Line, before_divergence, line_of
from backend.figures.groups import (
    ALL,
    Cell,
    Scope,
    by_encoder,
    cells,
    data_title,
    factors,
    grouped,
    in_scope,
    is_nyuv2,
    pick,
)
from backend.figures.selector import AVERAGING_WORDS, IN_TIME, VALUE_WORDS, X_TITLES, Selection, XAxis
from backend.figures.tokens import ENCODER_TITLES
from backend.store.study import StudyRun
from depthboard.errors import UnknownName
from depthboard.metrics import METRICS

__all__ = ["Convergence", "Divergence", "Line", "Panel", "Quote", "draw", "gather"]

MOST_COLUMNS = 4


@dataclass(frozen=True, slots=True)
class Quote:
    """A published curve on this panel's axes."""

    loss: str
    x: tuple[float, ...]
    value: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Panel:
    """`train_size` is 0 where sizes are averaged over; `images` are those for each unit of x, 1 where the runs do not share it."""

    data: str
    train_size: int
    x_end: float
    images: float
    lines: tuple[Line, ...]
    constant: float | None
    quotes: tuple[Quote, ...]


@dataclass(frozen=True, slots=True)
class Convergence:
    """`base` is the line that differences are taken to; `target` is in stored units; `smoothing` is for the eye alone.
    `choices`: option -> what is shown, and what there is for these runs.
    """

    metric: str
    x: XAxis
    x_log: bool
    y_log: bool
    band: Band
    smoothing: float
    target: float | None
    base: str
    hidden: tuple[str, ...]
    part: str
    panels: tuple[Panel, ...]
    columns: int
    choices: dict[str, dict[str, object]]
    caption: str

    @property
    def lines(self) -> list[Line]:
        return [line for panel in self.panels for line in panel.lines]


def gather(session: Session, selection: Selection) -> Convergence:
    """The curves, of the encoder that most runs have unless the options say otherwise.

    Raises NotFound for the experiment, UnknownName for an encoder, protocol, factor or base line that it does not have.
    """
    scope = in_scope(session, selection, (selection.metric,))
    selection = scope.selection
    runs, encoder = _runs(scope, selection)
    axis = along(session, selection.x, runs)
    target = _stored(selection)
    by_panel: dict[tuple[str, int], list[Cell]] = {}
    for cell in _cells(runs, selection):
        by_panel.setdefault((_title(cell), cell.train_size), []).append(cell)
    panels = tuple(_panel(*key, group, scope, selection, axis, target) for key, group in sorted(by_panel.items()))
    widest = max((sum(p.data == row for p in panels) for row in {panel.data for panel in panels}), default=1)
    labels = list(dict.fromkeys(line.cell.label for panel in panels for line in panel.lines))
    return Convergence(
        metric=selection.metric,
        x=selection.x,
        x_log=selection.x_log,
        y_log=selection.y_log,
        band=selection.band,
        smoothing=selection.smoothing,
        target=target,
        base=_base(labels, selection),
        hidden=tuple(
            label for label in labels if label in selection.hidden or (selection.only and label not in selection.only)
        ),
        part=scope.part,
        panels=panels,
        columns=min(widest, MOST_COLUMNS),
        choices=_choices(scope, selection, encoder, axis),
        caption=_caption(panels, runs, encoder, scope, selection),
    )


def _runs(scope: Scope, selection: Selection) -> tuple[list[StudyRun], str]:
    """The runs drawn and their encoder, ALL for every one: that of most runs, or all where the reader groups them himself."""
    wanted = selection.encoder or (ALL if selection.group is not None else None)
    if wanted == ALL:
        return list(scope.runs), ALL
    encoder = pick("encoder", wanted, [run.encoder for run in scope.runs])
    return [run for run in scope.runs if run.encoder == encoder], encoder or ""


def _cells(runs: list[StudyRun], selection: Selection) -> list[Cell]:
    if selection.group is not None:
        return grouped(runs, selection.group)
    made = cells(runs)
    return by_encoder(made) if len({cell.encoder for cell in made}) > 1 else made


def _title(cell: Cell) -> str:
    return data_title(cell.dataset, cell.split) if cell.dataset else "all data"


def _base(labels: list[str], selection: Selection) -> str:
    if selection.base is not None and labels and selection.base not in labels:
        raise UnknownName(
            f"this figure has no line {selection.base}.", field="base", remedy=f"It has: {', '.join(labels)}."
        )
    return selection.base or next(iter(labels), "")


def _stored(selection: Selection) -> float | None:
    """The target in stored units: it is given as the axis shows it, shares in per cent."""
    if selection.target is None:
        return None
    return selection.target / captions.shown(selection.metric, 1.0)


def _choices(scope: Scope, selection: Selection, encoder: str, axis: Along) -> dict[str, dict[str, object]]:
    """What the page's controls show of the options that the figure decides, or whose levels depend on its runs."""
    encoders = list(dict.fromkeys(run.encoder for run in scope.runs))
    known = factors(scope.runs)
    group = selection.group if selection.group is not None else [name for name in known if name != "seed"]
    return {
        "x": {"shown": selection.x, "levels": list(axis.axes)},
        "encoder": {"shown": encoder, "levels": [*encoders, ALL] if len(encoders) > 1 else encoders},
        "group": {"shown": ",".join(group), "levels": known},
    }


def _panel(
    data: str,
    train_size: int,
    group: list[Cell],
    scope: Scope,
    selection: Selection,
    axis: Along,
    target: float | None,
) -> Panel:
    lines = tuple(line_of(cell, scope, selection, axis, target) for cell in group)
    runs = [run for cell in group for run in cell.runs]
    each = {axis.images(run) for run in runs}
    return Panel(
        data=data,
        train_size=train_size,
        x_end=_end(runs, lines, axis),
        images=each.pop() if len(each) == 1 else 1,
        lines=lines,
        constant=scope.constant(runs, selection.metric),
        quotes=quotes(runs[0], selection.metric, selection.x) if selection.published and train_size else (),
    )


def _end(runs: list[StudyRun], lines: Iterable[Line], axis: Along) -> float:
    """Where the training ends; in time, which nobody knows before, the last point that there is."""
    if not axis.in_time:
        return max(axis.position(run, run.steps) for run in runs)
    drawn = [
        x for line in lines for x in (*line.x[-1:], *(d.x for d in line.diverged), *_ends(line)) if math.isfinite(x)
    ]
    return max(drawn, default=0.0) or 1.0


def _ends(line: Line) -> Iterable[float]:
    return (single.x[-1] for single in line.singles)


def quotes(run: StudyRun, metric: str, x: XAxis) -> tuple[Quote, ...]:
    """Figure 3's curves of this size; they are in epochs, so nothing can be drawn against steps or hours."""
    if metric != "mae" or x not in ("epoch", "images") or not is_nyuv2(run.dataset, run.format):
        return ()
    factor = run.train_size if x == "images" else 1
    curves = published.figure3(run.train_size)
    return tuple(Quote(loss, tuple(e * factor for e in curve.epoch), curve.mae) for loss, curve in curves.items())


def _caption(panels: tuple[Panel, ...], runs: list[StudyRun], encoder: str, scope: Scope, selection: Selection) -> str:
    lines = [line for panel in panels for line in panel.lines]
    drawn = {run.id for run in runs if before_divergence(run, scope.study.scores.get(run.id, ()))}
    encoders = "all encoders" if encoder == ALL else ENCODER_TITLES.get(encoder, encoder or "no encoder")
    title = captions.metric_title(selection.metric, scope.part.capitalize())
    cut = any(is_cut(panel, selection.metric, y_log=selection.y_log) for panel in panels)
    return captions.join(
        f"{title} against {X_TITLES[selection.x]}, {encoders}, {AVERAGING_WORDS[selection.averaging]}.",
        captions.evaluation_words(scope),
        captions.mean_words(
            (name for line in lines for name in line.cell.over), (n for ln in lines for n in ln.n), selection.band
        ),
        _lengths_words(lines),
        _time_words(lines, selection.x),
        f"End mark: {VALUE_WORDS[selection.value]}." if any(line.end for line in lines) else "",
        _target_words(selection),
        captions.subset_words(runs),
        "Dashed: constant prediction, the training median." if any(p.constant is not None for p in panels) else "",
        "Early values beyond the axis are cut off." if cut else "",
        _quoted_words(panels) if selection.published else "",
        _others_words(scope, runs),
        captions.account(runs, drawn, partial=True),
        _points_words(lines),
    )


def _points_words(lines: list[Line]) -> str:
    most = max((len(line.x) for line in lines), default=0)
    return f"All {captions.plural(most, 'point')} of each curve drawn." if most > 1 else ""


def _lengths_words(lines: list[Line]) -> str:
    mixed = any(len({run.steps for run in line.cell.runs}) > 1 for line in lines)
    return "Runs of different length are averaged at equal shares of their training." if mixed else ""


def _time_words(lines: list[Line], x: XAxis) -> str:
    if x not in IN_TIME:
        return ""
    several = any(n > 1 for line in lines for n in line.n)
    what = "seeds" if {name for line in lines for name in line.cell.over} <= {"seed"} else "runs"
    mean = f" A point lies at the mean of its {what}' hours at that step." if several else ""
    return f"{captions.TIME_WORDS[x]}{mean}"


def _target_words(selection: Selection) -> str:
    if selection.target is None:
        return ""
    unit = METRICS[selection.metric].unit
    value = f"{selection.target:g} {unit}".strip()
    return f"Rings: where a mean first reaches the target of {value}."


def _others_words(scope: Scope, runs: list[StudyRun]) -> str:
    others = len(scope.runs) - len(runs)
    return f"{captions.plural(others, 'run')} of other encoders are not in this figure." if others else ""


def _quoted_words(panels: tuple[Panel, ...]) -> str:
    if not any(panel.quotes for panel in panels):
        return "The paper's curves are test MAE against epoch on NYUv2 at 795, 12 000 and 230 000 images, and are not drawn here."
    return f"Thin dashes: quoted from {published.source('figure3')}; never averaged with runs."
