"""The error tree. No HTTP here: `backend/errors.py` decides the status once.

DepthboardError
├── InvalidInput        the request can be mended by its sender; `field` names the place
│   ├── UnknownName     a loss, dataset, encoder or factor that does not exist
│   └── DataProblem     files that cannot be trained on: unpaired, truncated, wrong unit
├── NotFound            no such experiment, run, dataset, frame
├── Conflict            the record has moved on
│   ├── StaleAttempt    a write by an attempt that no longer owns its run
│   ├── SequenceGap     logged rows that do not follow those held; `expected` is the number that is due
│   └── IllegalMove     a status change that the run's life does not have
├── Diverged            a training whose loss is no longer finite
├── OutOfMemory         a training that the device cannot hold
├── Unavailable         a part is missing here: Chromium, weights file, broker
└── Misconfigured       settings, port, database: the process cannot start
"""

from __future__ import annotations


class DepthboardError(Exception):
    """Base of every error that carries a sentence for the researcher.

    `message` says what is wrong, `remedy` what to do, `field` where (a dotted path such as `loss.lam`).
    """

    code = "error"

    def __init__(self, message: str, *, field: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.field = field
        self.remedy = remedy

    def __str__(self) -> str:
        where = f"{self.field}: " if self.field else ""
        return f"{where}{self.message}" + (f" {self.remedy}" if self.remedy else "")


class InvalidInput(DepthboardError):
    """`others`: what else is wrong with the same request."""

    code = "invalid_input"
    others: tuple[InvalidInput, ...] = ()

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *map(str, self.others)])


MAX_FAULTS = 20


class Faults:
    """Gathers what is wrong with one request, each thing once, so that a person hears all of it."""

    def __init__(self) -> None:
        self._found: dict[tuple[str | None, str], InvalidInput] = {}

    def add(self, fault: InvalidInput) -> None:
        for each in (fault, *fault.others):
            self._found.setdefault((each.field, each.message), each)

    @property
    def full(self) -> bool:
        """More than anybody reads."""
        return len(self._found) >= MAX_FAULTS

    def check(self) -> None:
        """Raises the first with all others, if there is one."""
        if self._found:
            first, *others = self._found.values()
            first.others = tuple(others)
            raise first


class UnknownName(InvalidInput):
    code = "unknown_name"


class DataProblem(InvalidInput):
    code = "data_problem"


class NotFound(DepthboardError):
    code = "not_found"


class Conflict(DepthboardError):
    code = "conflict"


class StaleAttempt(Conflict):
    code = "stale_attempt"


class SequenceGap(Conflict):
    code = "sequence_gap"

    def __init__(
        self, message: str, *, field: str | None = None, remedy: str | None = None, expected: int | None = None
    ) -> None:
        super().__init__(message, field=field, remedy=remedy)
        self.expected = expected


class IllegalMove(Conflict):
    code = "illegal_move"


class Diverged(DepthboardError):
    code = "diverged"


class OutOfMemory(DepthboardError):
    code = "out_of_memory"


class Unavailable(DepthboardError):
    """`broken`: the API answers, but that something went wrong on its side; waiting for long would not help."""

    code = "unavailable"
    broken = False


class Misconfigured(DepthboardError):
    code = "misconfigured"
