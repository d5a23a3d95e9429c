"""The numbers behind a comparison's figures as CSV: a row a run, a point or an image, with all digits."""

from __future__ import annotations

from backend.figures.compare.bars import Bars
from backend.figures.compare.chosen import Member
from backend.figures.compare.lines import Lines
from backend.figures.compare.paired import Paired
from backend.figures.compare.parallel import Parallel
from backend.figures.compare.scatter import Scatter
from backend.figures.rows import table

WHO = ("letter", "run_id", "label")


def bars(numbers: Bars) -> str:
    found = [(*_who(member), numbers.values.get(member.id)) for member in numbers.members]
    return table((*WHO, numbers.measure), found)


def lines(numbers: Lines) -> str:
    found = [
        (*_who(line.member), x, value)
        for line in numbers.lines
        for x, value in zip(line.x.tolist(), line.value.tolist(), strict=True)
    ]
    return table((*WHO, numbers.x, numbers.measure), found)


def scatter(numbers: Scatter) -> str:
    found = [(*_who(member), horizontal, vertical) for member, horizontal, vertical in numbers.points]
    return table((*WHO, numbers.horizontal, numbers.vertical), found)


def parallel(numbers: Parallel) -> str:
    """Values as the figure writes them: they may be words."""
    found = [(*_who(member), *(axis.words[i] for axis in numbers.axes)) for i, member in enumerate(numbers.members)]
    return table((*WHO, *(axis.title for axis in numbers.axes)), found)


def paired(numbers: Paired) -> str:
    names = [f"{numbers.metric} of run {member.id}" if member else numbers.metric for member in (numbers.a, numbers.b)]
    return table(
        ("position", "image", *names), [(image.position, image.name, image.a, image.b) for image in numbers.images]
    )


def _who(member: Member) -> tuple[str, int, str]:
    return member.letter, member.id, member.label
