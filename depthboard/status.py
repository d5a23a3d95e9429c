"""The states of a run and its legal moves: the only place that lists them."""

from __future__ import annotations

from enum import StrEnum

from depthboard.errors import IllegalMove


class RunStatus(StrEnum):
    queued = "queued"
    running = "running"
    finished = "finished"
    failed = "failed"
    cancelled = "cancelled"

    @property
    def final(self) -> bool:
        return self in FINAL


FINAL = frozenset({RunStatus.finished, RunStatus.failed, RunStatus.cancelled})

# running -> queued is a lost worker (its lease ran out); failed/cancelled -> queued is a retry.
MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.queued: frozenset({RunStatus.running, RunStatus.cancelled}),
    RunStatus.running: frozenset({RunStatus.finished, RunStatus.failed, RunStatus.cancelled, RunStatus.queued}),
    RunStatus.finished: frozenset(),
    RunStatus.failed: frozenset({RunStatus.queued}),
    RunStatus.cancelled: frozenset({RunStatus.queued}),
}

# A person's own script is never queued. failed -> running is one that was silent and is heard of again; from every end it
# goes on when its person resumes it.
SCRIPT_MOVES: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.queued: frozenset(),
    RunStatus.running: FINAL,
    RunStatus.finished: frozenset({RunStatus.running}),
    RunStatus.failed: frozenset({RunStatus.running}),
    RunStatus.cancelled: frozenset({RunStatus.running}),
}


def check_move(old: RunStatus, new: RunStatus, *, script: bool = False) -> None:
    """Raise IllegalMove unless a run (of a worker, or of a person's own script) may go from `old` to `new`."""
    moves = (SCRIPT_MOVES if script else MOVES)[old]
    if new not in moves:
        raise IllegalMove(
            f"a {old} run{' of a script' if script else ''} cannot become {new}.",
            field="status",
            remedy=f"From {old} it can become: {', '.join(sorted(moves)) or 'nothing, it is final'}.",
        )
