"""Logged rows of several attempts at once, kept as chunks: some ten statements, however many batches there are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.orm import Session

from backend.store import facts, outbox
from backend.store.columns import Block, pack_blocks
from backend.store.lease import beyond, hear, of_token, stale
from backend.store.session import clock
from backend.store.standing import announce
from backend.store.tables import NOT_BEGUN, SCRIPT, TRAINED, Attempt, Chunk, Run
from backend.store.tables import Sequence as Numbered
from backend.store.upsert import put
from depthboard.errors import DepthboardError, InvalidInput, SequenceGap
from depthboard.protocol import Points
from depthboard.status import RunStatus

LOSS_PREFIX = "train/loss"


@dataclass(frozen=True)
class Sent:
    """A batch of an attempt, with the token that shows whose it is."""

    run_id: int
    token: str
    points: Points


@dataclass
class _State:
    """A run as it stands before this transaction, and what the batches change of it."""

    run: Any
    resumed_from: int | None
    held: dict[str, int]
    step: int
    diverged_at: int | None
    chunks: list[dict[str, object]] = field(default_factory=list)
    newest: dict[str, tuple[float, int]] = field(default_factory=dict)


def append(session: Session, batches: Sequence[Sent]) -> list[int | DepthboardError]:
    """Keep the rows that are new; of each batch the highest sequence number held, or why it was refused.

    A batch sent again adds nothing. Refusals: StaleAttempt, SequenceGap, InvalidInput for a step that the attempt does not
    log.
    """
    states = _states(session, sorted({sent.run_id for sent in batches}))
    _revive(session, states, batches)
    answers = [_take(states.get(sent.run_id), sent) for sent in batches]
    _write(session, [state for state in states.values() if state.chunks])
    return answers


def append_last(session: Session, sent: Sent) -> int:
    """The rows that come with the end of a script's run. Raises why they were refused."""
    if session.scalar(select(Run.kind).where(Run.id == sent.run_id)) == TRAINED:
        raise InvalidInput(
            "only a script's last rows come with its end.", field="points", remedy="Send them with POST …/points first."
        )
    (answer,) = append(session, [sent])
    if isinstance(answer, DepthboardError):
        raise answer
    return answer


COLUMNS = (
    *(Run.id, Run.status, Run.kind, Run.token, Run.attempt, Run.steps, Run.step, Run.diverged_at, Run.stalled),
    *(Run.images_per_second, Run.images, Run.batch_size),
)


def _states(session: Session, run_ids: list[int]) -> dict[int, _State]:
    """The runs, locked in the order of ids until commit."""
    rows = session.execute(select(*COLUMNS).where(Run.id.in_(run_ids)).order_by(Run.id).with_for_update()).all()
    attempt_of = {row.id: row.attempt for row in rows}
    query = (
        select(Attempt.run_id, Attempt.resumed_from)
        .join(Run, (Run.id == Attempt.run_id) & (Run.attempt == Attempt.attempt))
        .where(Attempt.run_id.in_(run_ids))
    )
    begins = {row.run_id: row.resumed_from for row in session.execute(query)}
    states = {row.id: _State(row, begins.get(row.id), {}, row.step, row.diverged_at) for row in rows}
    numbered = select(Numbered.run_id, Numbered.attempt, Numbered.writer, Numbered.last_seq)
    for run_id, attempt, writer, last_seq in session.execute(numbered.where(Numbered.run_id.in_(run_ids))):
        if attempt == attempt_of.get(run_id):
            states[run_id].held[writer] = last_seq
    return states


def _revive(session: Session, states: dict[int, _State], batches: Sequence[Sent]) -> None:
    """A script that counted as lost writes again: its run goes on."""
    for sent in batches:
        run = states[sent.run_id].run if sent.run_id in states else None
        if run and run.kind == SCRIPT and run.status == RunStatus.failed and of_token(run.token, sent.token):
            hear(session, session.get_one(Run, run.id, populate_existing=True))


def _take(state: _State | None, sent: Sent) -> int | DepthboardError:
    if state is None or not of_token(state.run.token, sent.token):
        return stale(sent.run_id)
    if state.run.status != RunStatus.running and state.run.kind != SCRIPT:
        return stale(sent.run_id)
    batch = sent.points
    held = state.held.get(batch.writer, -1)
    last = batch.first_seq + batch.size - 1
    if batch.first_seq > held + 1:
        return _gap(batch, held)
    if last <= held:
        return held
    blocks = _new_blocks(batch, held + 1 - batch.first_seq)
    if (fault := _fault(state, blocks)) is not None:
        return fault
    arrival = sum(state.held.values()) + len(state.held)
    state.held[batch.writer] = last
    _note(state, blocks)
    place = {"run_id": state.run.id, "attempt": state.run.attempt, "writer": batch.writer, "first_seq": held + 1}
    state.chunks.append({**place, "arrival": arrival, **_content(blocks)})
    return last


def _gap(batch: Points, held: int) -> SequenceGap:
    return SequenceGap(
        f"row {batch.first_seq} does not follow row {held} of writer {batch.writer}.",
        field="first_seq",
        remedy=f"Send the rows from {held + 1} on.",
        expected=held + 1,
    )


def _new_blocks(batch: Points, known: int) -> list[Block]:
    """Without the first `known` rows of the batch."""
    blocks = []
    for sent in batch.blocks:
        places, values = sent.places, sent.values.reshape(len(sent.steps), len(sent.keys))
        new = np.flatnonzero(places >= known) if known else slice(None)
        rows = (places - known)[new]
        if len(rows):
            blocks.append(Block(tuple(sent.keys), rows, sent.steps[new], sent.walls[new], values[new]))
    return blocks


def _fault(state: _State, blocks: list[Block]) -> InvalidInput | None:
    if state.run.kind != TRAINED:
        return None
    highest, lowest = _highest(blocks), min(int(block.steps.min()) for block in blocks)
    if highest > state.run.steps:
        return beyond(state.run.id, state.run.steps, highest)
    if state.resumed_from not in (None, NOT_BEGUN) and lowest < state.resumed_from:
        return InvalidInput(
            f"step {lowest} lies before step {state.resumed_from}, from which this attempt goes on.",
            field="blocks.steps",
            remedy="Say with POST …/begin from which step on it logs, before the first write.",
        )
    return None


def _highest(blocks: list[Block]) -> int:
    return max(int(block.steps.max()) for block in blocks)


def _content(blocks: list[Block]) -> dict[str, object]:
    return {
        "n": sum(len(block.rows) for block in blocks),
        "first_step": min(int(block.steps.min()) for block in blocks),
        "last_step": _highest(blocks),
        "body": pack_blocks(blocks),
    }


def _note(state: _State, blocks: list[Block]) -> None:
    """How far the run is, and the value of every key at its highest step, for lists."""
    state.step = max(state.step, _highest(blocks))
    if state.diverged_at is None:
        state.diverged_at = _first_not_finite(blocks)
    for block in blocks:
        at = len(block.steps) - 1 - int(np.argmax(block.steps[::-1]))
        for key, value in zip(block.keys, block.values[at].tolist(), strict=True):
            step = int(block.steps[at])
            if step >= state.newest.get(key, (0.0, -1))[1]:
                state.newest[key] = (value, step)


def _first_not_finite(blocks: list[Block]) -> int | None:
    found: list[int] = []
    for block in blocks:
        losses = [i for i, key in enumerate(block.keys) if key.startswith(LOSS_PREFIX)]
        if losses:
            odd = ~np.isfinite(block.values[:, losses]).all(axis=1)
            found += block.steps[odd].tolist()
    return min(found, default=None)


PROGRESS = (
    update(Run.__table__)  # type: ignore[arg-type]
    .where(Run.id == bindparam("run"))
    .values(
        step=bindparam("at"),
        steps=bindparam("length"),
        images=bindparam("seen"),
        diverged_at=bindparam("diverged"),
        progressed_at=bindparam("now"),
        stalled=False,
    )
)


def _write(session: Session, states: list[_State]) -> None:
    if not states:
        return
    now = clock(session)
    connection = session.connection()
    connection.execute(insert(Chunk.__table__), [chunk for state in states for chunk in state.chunks])  # type: ignore[arg-type]
    put(session, Numbered, [row for state in states for row in _numbers(state)], ("run_id", "attempt", "writer"))
    facts.put_newer_metrics(session, {state.run.id: state.newest for state in states})
    connection.execute(PROGRESS, [_progress(state, now) for state in states])
    for state in states:
        speed = state.run.images_per_second
        outbox.add(session, "points", run_id=state.run.id, step=state.step, images_per_second=speed)
        if state.run.stalled or state.diverged_at != state.run.diverged_at:  # figures leave out what follows
            announce(session, session.get_one(Run, state.run.id, populate_existing=True))


def _numbers(state: _State) -> list[dict[str, object]]:
    changed = {str(chunk["writer"]) for chunk in state.chunks}
    place = {"run_id": state.run.id, "attempt": state.run.attempt}
    return [{**place, "writer": writer, "last_seq": state.held[writer]} for writer in sorted(changed)]


def _progress(state: _State, now: datetime) -> dict[str, object]:
    run = state.run
    length, seen = run.steps, run.images
    if run.status == RunStatus.finished:  # a script whose last rows come behind its end
        length, seen = max(length, state.step), state.step * run.batch_size
    marks = {"length": length, "seen": seen, "diverged": state.diverged_at}
    return {"run": run.id, "at": state.step, "now": now, **marks}
