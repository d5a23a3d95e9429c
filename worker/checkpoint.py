"""Checkpoints: written whole or not at all, beside the training, verified before use."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from depthboard.protocol import CheckpointNote

KEEP = 2


class Saver:
    """Writes one checkpoint at a time in a thread of its own, so that the training goes on meanwhile.

    `flush` returns when the record holds all that came before: a checkpoint never runs ahead of it. `note` tells the record of a
    checkpoint that is complete. What goes wrong is raised at the next call.
    """

    def __init__(self, folder: Path, flush: Callable[[], None], note: Callable[[CheckpointNote], None]) -> None:
        self._folder, self._flush, self._note = folder, flush, note
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None

    def save(self, state: dict[str, Any]) -> None:
        """Copy the state and write it, after the one before is written."""
        self.wait()
        self._thread = threading.Thread(target=self._write, args=(on_host(state),), name="checkpoint")
        self._thread.start()

    def wait(self) -> None:
        """Return when everything given so far is on disk and in the record."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _write(self, state: dict[str, Any]) -> None:
        try:
            self._flush()
            self._note(write(self._folder, state))
        except Exception as error:  # raised again in the training, by whoever saves or waits next
            self._error = error


def on_host(state: Any) -> Any:
    """A copy of nested dictionaries and lists whose tensors lie in this process's memory and stay as they are now."""
    if isinstance(state, Tensor):
        return state.detach().to("cpu", copy=True)
    if isinstance(state, dict):
        return {key: on_host(value) for key, value in state.items()}
    if isinstance(state, list):
        return [on_host(value) for value in state]
    return state


def write(folder: Path, state: dict[str, Any]) -> CheckpointNote:
    """Write `state` to a temporary name, sync, rename. Removed are all but the KEEP written last and those of the steps in `state["best"]`."""
    folder.mkdir(parents=True, exist_ok=True)
    final = _file(folder, state["step"])
    temporary = final.with_suffix(f".tmp-{os.getpid()}")
    with temporary.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    note = CheckpointNote(
        step=state["step"], path=str(final), sha256=file_hash(temporary), bytes=temporary.stat().st_size
    )
    temporary.rename(final)
    best = {_file(folder, step) for step, _ in state.get("best", {}).values()}
    # By age, not by step: a run that began anew may stand beside later steps of before.
    for old in sorted(folder.glob("step-*.pt"), key=lambda file: file.stat().st_mtime_ns)[:-KEEP]:
        if old not in best:
            old.unlink(missing_ok=True)
    return note


def load(note: CheckpointNote) -> dict[str, Any] | None:
    """The state, or None when the file is gone or its hash differs: the run then begins anew."""
    path = Path(note.path)
    if not path.is_file() or file_hash(path) != note.sha256:
        return None
    return dict(torch.load(path, map_location="cpu", weights_only=True))


def _file(folder: Path, step: int) -> Path:
    return folder / f"step-{step:012d}.pt"


def file_hash(path: Path) -> str:
    """sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
