"""Runs from a CSV file: a header, then a row a step.

A column `step` (or `iteration`, or `epoch`) and one `wall` (`wall_time`, `timestamp`: seconds since the epoch, or ISO dates)
place a row, `run` says of which run it is; every other column is a curve. Without a step the rows of a run are counted.
An empty cell is no value; nan and inf are values.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from depthboard.errors import InvalidInput
from depthboard.imports import LONGEST_NAME, Imported, check_name

STEPS = ("step", "iteration", "epoch")
WALLS = ("wall", "wall_time", "timestamp")
RUN = "run"


def read(path: Path) -> list[Imported]:
    """The runs of the file, in the order in which they are first met. Raises InvalidInput naming line and column."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{path} cannot be read ({error}).", field="file") from error
    content = hashlib.sha256(text.encode()).hexdigest()
    runs: dict[str, Imported] = {}
    counted: Counter[str] = Counter()
    for place, row in _rows(path, text):
        name = row.get(RUN) or path.stem
        if name not in runs:
            _check_run(name, place)
            runs[name] = Imported(name, content, timed=_first(row, WALLS) is not None)
        run = runs[name]
        _add(run, row, place, counted[name])
        counted[name] += 1
    return list(runs.values())


def _check_run(name: str, place: str) -> None:
    check_name(f"a run ({place})", name, "Use visible characters on one line.")
    if len(name) > LONGEST_NAME:
        raise InvalidInput(
            f"{place}: the name of the run has {len(name)} characters, and the record holds {LONGEST_NAME}.",
            field="file",
            remedy="Shorten it.",
        )


def _lines(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """(number of its last line, cells) of each row. Raises InvalidInput for what is no CSV."""
    lines = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True)
    try:
        for cells in lines:
            yield lines.line_num, cells
    except csv.Error as error:
        raise InvalidInput(
            f"line {lines.line_num} of {path} is no CSV ({error}).",
            field="file",
            remedy="Close every quote, and leave long texts out.",
        ) from error


def _rows(path: Path, text: str) -> Iterator[tuple[str, dict[str, str]]]:
    """(where it stands, column -> cell) of each line that is not empty."""
    lines = _lines(path, text)
    _, first = next(lines, (0, []))
    header = [name.strip() for name in first]
    doubled = [name for name, times in Counter(header).items() if times > 1 or not name]
    if doubled or not header:
        what = f"names {doubled[0]!r} twice or not at all" if doubled else "is empty"
        raise InvalidInput(f"the header of {path} {what}.", field="file", remedy="Name every column once.")
    for number, cells in lines:
        place = f"line {number} of {path}"
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(header):
            raise InvalidInput(f"{place} has {len(cells)} cells and the header {len(header)}.", field="file")
        yield place, dict(zip(header, (cell.strip() for cell in cells), strict=True))


def _add(run: Imported, row: Mapping[str, str], place: str, count: int) -> None:
    step_column, wall_column = _first(row, STEPS), _first(row, WALLS)
    step = count if step_column is None else _step(row[step_column], place, step_column)
    wall = 0.0 if wall_column is None else _wall(row[wall_column], place, wall_column)
    for column, cell in row.items():
        if column not in (step_column, wall_column, RUN) and cell:
            run.add(column, step, wall, _number(cell, place, column))


def _first(row: Mapping[str, str], names: Sequence[str]) -> str | None:
    return next((name for name in names if name in row), None)


def _number(cell: str, place: str, column: str) -> float:
    try:
        return float(cell)
    except ValueError as error:
        raise InvalidInput(
            f"{place}, column {column}: {cell!r:.80} is no number.",
            field="file",
            remedy="Leave cells without a value empty, and columns of words out.",
        ) from error


def _step(cell: str, place: str, column: str) -> int:
    value = _number(cell, place, column)
    if not value.is_integer() or value < 0:
        raise InvalidInput(f"{place}, column {column}: {cell!r:.80} is no whole number from 0 on.", field="file")
    return int(value)


def _wall(cell: str, place: str, column: str) -> float:
    try:
        return float(cell)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(cell)
    except ValueError as error:
        raise InvalidInput(
            f"{place}, column {column}: {cell!r:.80} is no time.",
            field="file",
            remedy="Give seconds since 1970, or ISO dates.",
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
