"""Checkpoints: whole or absent, verified before use."""

from __future__ import annotations

from pathlib import Path

import torch

from worker import checkpoint

STATE = {"step": 3, "weights": torch.arange(4.0), "nested": {"lr": 0.1, "moments": [torch.ones(2)]}}


def test_a_checkpoint_comes_back_equal(tmp_path: Path) -> None:
    note = checkpoint.save(tmp_path, 3, STATE)
    state = checkpoint.load(note)
    assert state is not None
    assert state["step"] == 3
    assert torch.equal(state["weights"], STATE["weights"])  # type: ignore[arg-type]
    assert note.bytes == Path(note.path).stat().st_size


def test_a_damaged_or_missing_checkpoint_is_not_used(tmp_path: Path) -> None:
    note = checkpoint.save(tmp_path, 3, STATE)
    data = bytearray(Path(note.path).read_bytes())
    data[len(data) // 2] ^= 1
    Path(note.path).write_bytes(data)
    assert checkpoint.load(note) is None
    Path(note.path).unlink()
    assert checkpoint.load(note) is None


def test_only_those_written_last_are_kept_and_no_temporary_file_is_left(tmp_path: Path) -> None:
    for step in (1, 2, 30, 4):
        checkpoint.save(tmp_path, step, STATE)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["step-000000000004.pt", "step-000000000030.pt"]


def test_a_file_that_would_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return (Path.touch, (str(tmp_path / "ran"),))

    import hashlib
    import pickle

    import pytest

    file = tmp_path / "evil.pt"
    torch.save({"step": 1, "evil": Evil()}, file, pickle_protocol=2)
    note = checkpoint.CheckpointNote(
        step=1, path=str(file), sha256=hashlib.sha256(file.read_bytes()).hexdigest(), bytes=file.stat().st_size
    )
    with pytest.raises(pickle.UnpicklingError):
        checkpoint.load(note)
    assert not (tmp_path / "ran").exists()
