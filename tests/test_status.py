"""The states of a run and its legal moves."""

from __future__ import annotations

import pytest

from depthboard.errors import IllegalMove
from depthboard.status import FINAL, MOVES, SCRIPT_MOVES, RunStatus, check_move


def test_every_state_has_its_moves_listed() -> None:
    assert set(MOVES) == set(RunStatus)


def test_a_finished_run_stays_finished() -> None:
    for new in RunStatus:
        with pytest.raises(IllegalMove, match="it is final"):
            check_move(RunStatus.finished, new)


def test_failed_and_cancelled_runs_can_only_be_queued_again() -> None:
    for old in FINAL - {RunStatus.finished}:
        check_move(old, RunStatus.queued)
        with pytest.raises(IllegalMove, match=f"a {old} run cannot become running"):
            check_move(old, RunStatus.running)


def test_a_lost_run_goes_back_to_the_queue() -> None:
    check_move(RunStatus.running, RunStatus.queued)


def test_a_script_is_never_queued_and_goes_on_from_every_end() -> None:
    assert set(SCRIPT_MOVES) == set(RunStatus)
    for old in FINAL:
        check_move(old, RunStatus.running, script=True)
    for old in RunStatus:
        with pytest.raises(IllegalMove, match="of a script cannot become queued"):
            check_move(old, RunStatus.queued, script=True)
