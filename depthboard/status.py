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


def check_move(old: RunStatus, new: RunStatus) -> None:
    """Raise IllegalMove unless a run may go from `old` to `new`."""
    if new not in MOVES[old]:
        raise IllegalMove(
            f"a {old} run cannot become {new}.",
            field="status",
            remedy=f"From {old} it can become: {', '.join(sorted(MOVES[old])) or 'nothing, it is final'}.",
        )
