"""Which experiments a list shows, and in what order.

A filter is text, `#tag`, or what a filter of runs says (backend.store.filters): `#paper and loss = berhu and rmse < 0.65`.
Tests of runs that `and` joins must be true of one and the same run. A word is looked for in what the experiment is called.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, and_, case, exists, func, not_, or_, select
from sqlalchemy.orm import Session

from backend.store.experiments import Standing, standings
from backend.store.filters import Compare, Every, Node, Not, Some, Word, parse
from backend.store.matching import condition, contains, like
from backend.store.tables import Experiment, ExperimentRun, ExperimentTag, Run
from backend.store.types import check_text
from depthboard.errors import InvalidInput
from depthboard.status import RunStatus

Condition = ColumnElement[bool]
Order = Literal[
    "name", "-name", "created", "-created", "runs", "-runs", "best", "-best", "hours", "-hours", "left", "-left"
]
Shelf = Literal["active", "archived", "trash"]

TAG = re.compile(r'#(?:"([^"]+)"|(\S+))')
QUOTED_TAG = re.compile(r'(?<![^\s(])#("[^"]+")')
TESTS = re.compile(r"[=<>~]|\b(?:in|has)\s*\(", re.IGNORECASE)
"""What makes a filter more than words: a name with a comma or a bracket in it is looked for as it stands."""


@dataclass(frozen=True)
class Wanted:
    """A page of the experiments of one shelf. `sort`: a column, `-best` descending; unsorted, those with running runs come
    first, then those that wait, then the newest. Pinned ones are on top in any order.
    """

    page: int = 1
    size: int = 50
    q: str = ""
    tag: str = ""
    shelf: Shelf = "active"
    sort: Order | Literal[""] = ""


def page(session: Session, wanted: Wanted) -> tuple[list[Experiment], dict[int, Standing], int]:
    """The experiments, how each stands, and how many there are on all pages. Raises InvalidInput for the filter."""
    conditions = [_on_shelf(wanted.shelf), *_matching(session, wanted.q)]
    if wanted.tag:
        conditions.append(_tagged(session, wanted.tag))
    first, column = (wanted.page - 1) * wanted.size, wanted.sort.removeprefix("-")
    if column in COMPUTED:
        return _by_standing(session, conditions, column, wanted, first)
    query = select(Experiment).where(*conditions).order_by(Experiment.pinned.desc(), *_order(wanted.sort))
    total = session.scalar(select(func.count()).select_from(Experiment).where(*conditions)) or 0
    found = list(session.scalars(query.limit(wanted.size).offset(first)))
    return found, standings(session, [e.id for e in found]), total


def _on_shelf(shelf: Shelf) -> Condition:
    if shelf == "trash":
        return Experiment.deleted_at.is_not(None)
    archived = Experiment.archived_at.is_not(None)
    return and_(Experiment.deleted_at.is_(None), archived if shelf == "archived" else ~archived)


def _order(sort: str) -> tuple[Any, ...]:
    if sort in ("name", "-name"):
        name = func.lower(Experiment.name)
        return (name.desc() if sort[0] == "-" else name, Experiment.id)
    if sort in ("created", "-created"):
        return (
            (Experiment.created_at.desc(), Experiment.id.desc())
            if sort[0] == "-"
            else (Experiment.created_at, Experiment.id)
        )
    has = (_has_runs(RunStatus.running), 0), (_has_runs(RunStatus.queued), 1)
    return (case(*has, else_=2), Experiment.id.desc())


def _has_runs(status: RunStatus) -> Condition:
    links = (ExperimentRun.experiment_id == Experiment.id, ExperimentRun.run_id == Run.id, Run.status == status)
    return exists().where(*links).correlate(Experiment)


COMPUTED: dict[str, Callable[[Standing], float | None]] = {
    "runs": lambda s: float(sum(s.counts.values())),
    "best": lambda s: s.best["value"] if s.best else None,
    "hours": lambda s: s.hours,
    "left": lambda s: s.eta_seconds,
}


def _by_standing(
    session: Session, conditions: list[Condition], column: str, wanted: Wanted, first: int
) -> tuple[list[Experiment], dict[int, Standing], int]:
    """By what is summed over the runs of each: all that the filter finds are summed up, those without a value last."""
    rows = session.execute(select(Experiment.id, Experiment.pinned).where(*conditions)).all()
    standing = standings(session, [row.id for row in rows])
    sign = -1.0 if wanted.sort.startswith("-") else 1.0

    def key(row: Any) -> tuple[bool, bool, float, int]:
        value = COMPUTED[column](standing[row.id])
        return not row.pinned, value is None, sign * (value or 0.0), row.id

    ids = [row.id for row in sorted(rows, key=key)[first : first + wanted.size]]
    found = {e.id: e for e in session.scalars(select(Experiment).where(Experiment.id.in_(ids)))}
    return [found[id] for id in ids], standing, len(rows)


def _matching(session: Session, q: str) -> list[Condition]:
    text = check_text(q).strip()
    if not text:
        return []
    try:
        tree = parse(QUOTED_TAG.sub(r"tag = \1", text))
        return [] if tree is None else [_of(session, tree)]
    except InvalidInput as error:
        if TESTS.search(text):
            raise InvalidInput(error.message, field="q", remedy=error.remedy) from error
        return _plain(session, text)


def _plain(session: Session, text: str) -> list[Condition]:
    """Every word and every tag of a text that is no filter: `DenseNet-121, 12k #paper`."""
    tags = [_tagged(session, quoted or bare) for quoted, bare in TAG.findall(text)]
    return tags + [_called(session, word) for word in TAG.sub(" ", text).split()]


def _of(session: Session, node: Node) -> Condition:
    if not _names_experiment(node):
        runs = select(ExperimentRun.experiment_id).join(Run, Run.id == ExperimentRun.run_id)
        return Experiment.id.in_(runs.where(condition(session, node)))
    match node:
        case Every(parts):
            of_runs = tuple(part for part in parts if not _names_experiment(part))
            found = [_of(session, part) for part in parts if _names_experiment(part)]
            return and_(*found, *([_of(session, Every(of_runs))] if of_runs else []))
        case Some(parts):
            return or_(*(_of(session, part) for part in parts))
        case Not(part):
            return not_(_of(session, part))
        case Word(text):
            return _tagged(session, text[1:]) if text.startswith("#") and len(text) > 1 else _called(session, text)
        case Compare(_, operator, values):
            return or_(*(_tagged(session, value.text, whole=operator == "=") for value in values))
    raise AssertionError(node)


def _names_experiment(node: Node) -> bool:
    """Whether a part of the filter is about the experiment, not about one of its runs."""
    match node:
        case Every(parts) | Some(parts):
            return any(_names_experiment(part) for part in parts)
        case Not(part):
            return _names_experiment(part)
        case Compare(name, operator, _):
            return name.text == "tag" and operator in ("=", "~")
        case Word():
            return True
    return False


def _tagged(session: Session, tag: str, *, whole: bool = True) -> Condition:
    """Whatever the case; `*` in a whole tag stands for anything."""
    test = (like if whole else contains)(session, ExperimentTag.tag, tag)
    return exists().where(ExperimentTag.experiment_id == Experiment.id, test).correlate(Experiment)


def _called(session: Session, word: str) -> Condition:
    named = (contains(session, column, word) for column in (Experiment.name, Experiment.description))
    return or_(*named, _tagged(session, word, whole=False))
