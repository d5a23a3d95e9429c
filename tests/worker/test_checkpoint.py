"""Checkpoints: whole or absent, verified before use."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from depthboard.errors import StaleAttempt
from depthboard.protocol import CheckpointNote
from worker import checkpoint

STATE = {"step": 3, "weights": torch.arange(4.0), "nested": {"lr": 0.1, "moments": [torch.ones(2)]}}


def test_a_checkpoint_comes_back_equal(tmp_path: Path) -> None:
    note = checkpoint.write(tmp_path, STATE)
    state = checkpoint.load(note)
    assert state is not None
    assert state["step"] == 3
    assert torch.equal(state["weights"], STATE["weights"])  # type: ignore[arg-type]
    assert note.bytes == Path(note.path).stat().st_size


def test_a_damaged_or_missing_checkpoint_is_not_used(tmp_path: Path) -> None:
    note = checkpoint.write(tmp_path, STATE)
    data = bytearray(Path(note.path).read_bytes())
    data[len(data) // 2] ^= 1
    Path(note.path).write_bytes(data)
    assert checkpoint.load(note) is None
    Path(note.path).unlink()
    assert checkpoint.load(note) is None


def test_only_those_written_last_are_kept_and_no_temporary_file_is_left(tmp_path: Path) -> None:
    for step in (1, 2, 30, 4):
        checkpoint.write(tmp_path, {**STATE, "step": step})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-000000000004.pt", "step-000000000030.pt"]


def test_the_checkpoint_that_was_best_on_validation_is_kept_too(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4):
        checkpoint.write(tmp_path, {**STATE, "step": step, "best": {"per_image": [1, 0.5], "pooled": [2, 0.6]}})
    assert [int(p.stem[5:]) for p in sorted(tmp_path.iterdir())] == [1, 2, 3, 4]
    checkpoint.write(tmp_path, {**STATE, "step": 5, "best": {"per_image": [1, 0.5], "pooled": [5, 0.4]}})
    assert [int(p.stem[5:]) for p in sorted(tmp_path.iterdir())] == [1, 4, 5]


def test_a_checkpoint_holds_the_weights_of_when_it_was_asked_for_and_follows_the_record(tmp_path: Path) -> None:
    weights, order = torch.zeros(4), []
    notes: list[CheckpointNote] = []

    def flush() -> None:
        weights.add_(1)  # the training goes on before anything is written
        order.append("flushed")

    def note(done: CheckpointNote) -> None:
        assert Path(done.path).is_file()
        order.append("noted")
        notes.append(done)

    saver = checkpoint.Saver(tmp_path, flush, note)
    saver.save({"step": 7, "nested": [{"weights": weights}]})
    saver.wait()
    assert order == ["flushed", "noted"]
    state = checkpoint.load(notes[0])
    assert state is not None
    assert torch.equal(state["nested"][0]["weights"], torch.zeros(4))


def test_what_went_wrong_in_the_background_is_raised_in_the_training(tmp_path: Path) -> None:
    def refuse() -> None:
        raise StaleAttempt("this attempt no longer has run 1.")

    saver = checkpoint.Saver(tmp_path, refuse, lambda _: None)
    saver.save({"step": 1})
    with pytest.raises(StaleAttempt):
        saver.save({"step": 2})
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (str(tmp_path / "ran"),))

    import hashlib
    import pickle

    file = tmp_path / "evil.pt"
    torch.save({"step": 1, "evil": Evil()}, file, pickle_protocol=2)
    note = CheckpointNote(
        step=1, path=str(file), sha256=hashlib.sha256(file.read_bytes()).hexdigest(), bytes=file.stat().st_size
    )
    with pytest.raises(pickle.UnpicklingError):
        checkpoint.load(note)
    assert not (tmp_path / "ran").exists()
