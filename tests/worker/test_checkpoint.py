"""Checkpoints: whole or absent, verified before use."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from depthboard.errors import StaleAttempt
from depthboard.protocol import CheckpointNote
from worker import checkpoint
from worker.artifacts import Folder
from worker.checkpoint import Saver, Shelf, Unwritten

STATE = {"step": 3, "weights": torch.arange(4.0), "nested": {"lr": 0.1, "moments": [torch.ones(2)]}}


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(Folder(tmp_path, "here"), "runs/7", attempt=1, keep=2)


def steps(shelf: Shelf) -> list[int]:
    """Of the checkpoints that are there, the oldest first."""
    return [int(Path(path).name.split("-")[1]) for path in shelf.store.paths(shelf.folder)]


def kept(shelf: Shelf, *states: dict[str, object]) -> list[CheckpointNote]:
    """What is noted when these states are saved one after another."""
    notes: list[CheckpointNote] = []
    saver = Saver(shelf, lambda: None, notes.append)
    for state in states:
        saver.save({**STATE, **state})
    saver.close()
    return notes


def test_a_checkpoint_comes_back_equal(shelf: Shelf) -> None:
    note = checkpoint.write(shelf, STATE)
    state = checkpoint.load(note)
    assert state is not None
    assert state["step"] == 3
    assert torch.equal(state["weights"], STATE["weights"])  # type: ignore[arg-type]
    assert (note.bytes, note.host) == (Path(note.path).stat().st_size, "here")


def flip(file: Path) -> None:
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


DAMAGE = [flip, lambda file: os.truncate(file, 100), lambda file: os.truncate(file, 0), Path.unlink]


@pytest.mark.parametrize("damage", DAMAGE, ids=["a bit", "cut", "empty", "gone"])
def test_a_damaged_or_missing_checkpoint_gives_way_to_the_one_before(
    shelf: Shelf, damage: Callable[[Path], None]
) -> None:
    notes = kept(shelf, {"step": 1}, {"step": 2})[::-1]
    damage(Path(notes[0].path))
    assert checkpoint.load(notes[0]) is None
    state = checkpoint.first_whole(notes)
    assert state is not None
    assert state["step"] == 1
    damage(Path(notes[1].path))
    assert checkpoint.first_whole(notes) is None


def test_as_many_as_asked_for_are_kept_those_written_last(shelf: Shelf, tmp_path: Path) -> None:
    kept(shelf, *({"step": step} for step in (1, 2, 4, 30)))
    assert steps(shelf) == [4, 30]
    more = Shelf(shelf.store, shelf.folder, attempt=2, keep=3)
    kept(more, *({"step": step} for step in (4, 5)))
    assert steps(more) == [30, 4, 5], "an attempt that began anew stands after those before, and overwrites nothing"
    assert all(file.suffix == ".pt" for file in (tmp_path / "runs" / "7").iterdir())


def test_files_of_later_attempts_cost_no_new_checkpoint(tmp_path: Path) -> None:
    """As after a restored backup: the record counts on with an attempt whose successors have left their files."""
    store = Folder(tmp_path, "here")
    for step in (50, 60):
        checkpoint.write(Shelf(store, "runs/7", attempt=3), {"step": step})
    mine = Shelf(store, "runs/7", attempt=2)
    for step in (10, 20, 30):
        checkpoint.write(mine, {"step": step})
        checkpoint.prune(mine, set())
    assert [Path(path).stem for path in store.paths("runs/7")] == [
        f"step-{step:012d}-{attempt}" for attempt, step in ((2, 20), (2, 30), (3, 50), (3, 60))
    ]


def test_a_clock_that_jumps_back_costs_no_new_checkpoint(shelf: Shelf) -> None:
    for note in kept(shelf, {"step": 1}, {"step": 2}):
        os.utime(note.path, (4e9, 4e9))
    kept(shelf, {"step": 3})
    assert steps(shelf) == [2, 3]


def test_the_checkpoint_that_was_best_on_validation_is_kept_too(shelf: Shelf) -> None:
    best = {"per_image": [1, 0.5], "pooled": [2, 0.6]}
    kept(shelf, *({"step": step, "best": best} for step in (1, 2, 3, 4)))
    assert steps(shelf) == [1, 2, 3, 4]
    kept(shelf, {"step": 5, "best": {"per_image": [1, 0.5], "pooled": [5, 0.4]}})
    assert steps(shelf) == [1, 4, 5]


def test_an_older_checkpoint_goes_only_when_the_record_knows_the_newer(tmp_path: Path) -> None:
    shelf = Shelf(Folder(tmp_path, "here"), "runs/7", keep=1)
    kept(shelf, {"step": 1})

    def refuse(_: CheckpointNote) -> None:
        raise StaleAttempt("this attempt no longer has run 7.")

    saver = Saver(shelf, lambda: None, refuse)
    saver.save({**STATE, "step": 2})
    with pytest.raises(StaleAttempt):
        saver.close()
    assert 1 in steps(shelf)


def test_a_checkpoint_holds_the_weights_of_when_it_was_asked_for_and_follows_the_record(shelf: Shelf) -> None:
    weights, order = torch.zeros(4), []
    notes: list[CheckpointNote] = []

    def flush() -> None:
        weights.add_(1)  # the training goes on before anything is written
        order.append("flushed")

    def note(done: CheckpointNote) -> None:
        assert Path(done.path).is_file()
        order.append("noted")
        notes.append(done)

    saver = Saver(shelf, flush, note)
    saver.save({"step": 7, "nested": [{"weights": weights}]})
    saver.wait()
    assert order[:2] == ["flushed", "noted"]
    state = checkpoint.load(notes[0])
    assert state is not None
    assert torch.equal(state["nested"][0]["weights"], torch.zeros(4))


def test_what_went_wrong_in_the_background_is_raised_in_the_training(shelf: Shelf, tmp_path: Path) -> None:
    def refuse() -> None:
        raise StaleAttempt("this attempt no longer has run 1.")

    saver = Saver(shelf, refuse, lambda _: None)
    saver.save({"step": 1})
    with pytest.raises(StaleAttempt):
        saver.save({"step": 2})
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def small_disk() -> Iterator[Callable[[int], None]]:
    """Lets this process write no file longer than so many bytes, as a full disk would."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size if size else soft, hard))
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    signal.signal(signal.SIGXFSZ, before)


def test_a_full_disk_costs_a_checkpoint_and_no_half_one_is_left(
    shelf: Shelf, tmp_path: Path, small_disk: Callable[[int], None], capsys: pytest.CaptureFixture[str]
) -> None:
    notes: list[CheckpointNote] = []
    saver = Saver(shelf, lambda: None, notes.append)
    large = {**STATE, "moments": torch.ones(100_000)}
    saver.save({**large, "step": 1})
    saver.wait()
    small_disk(100_000)
    saver.save({**large, "step": 2})
    saver.wait()
    assert "the checkpoint of step 2 could not be written: [Errno 27] File too large" in capsys.readouterr().out
    assert [file.name for file in (tmp_path / "runs" / "7").iterdir()] == [Path(notes[0].path).name]
    saver.save({**large, "step": 3})
    with pytest.raises(Unwritten, match="the checkpoint of step 3 could not be written"):
        saver.close()
    small_disk(0)
    saver.save({**large, "step": 4})
    saver.close()
    assert [note.step for note in notes] == [1, 4]
    assert checkpoint.load(notes[-1]) is not None


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
