"""Checkpoints: written whole or not at all, beside the training, verified before use; a damaged one gives way to the one before."""

from __future__ import annotations

import errno
import hashlib
import platform
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from depthboard.protocol import CheckpointNote
from worker.artifacts import OutOfReach, Store, at_hand


class Unwritten(OutOfReach):
    """A checkpoint for which there was no room, or whose store did not answer."""


@dataclass(frozen=True)
class Shelf:
    """The place of one run's checkpoints: a folder of a store. Each attempt's have their own names, so that none overwrites another's."""

    store: Store
    folder: str
    attempt: int = 1
    keep: int = 2

    def name(self, step: int) -> str:
        return f"{self.folder}/step-{step:012d}-{self.attempt}.pt"


class Saver:
    """Writes one checkpoint at a time in a thread of its own, so that the training goes on meanwhile.

    `flush` returns when the record holds all that came before: a checkpoint never runs ahead of it. `note` tells the record of a
    checkpoint that is complete; only then are older ones removed. One that cannot be written, of a full disk say, is left out, and the training goes on. What else
    goes wrong is raised at the next call.
    """

    def __init__(self, shelf: Shelf, flush: Callable[[], None], note: Callable[[CheckpointNote], None]) -> None:
        self._shelf, self._flush, self._note = shelf, flush, note
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None
        self._missed: Unwritten | None = None

    def save(self, state: dict[str, Any]) -> None:
        """Copy the state and write it, after the one before is written."""
        self.wait()
        self._thread = threading.Thread(target=self._write, args=(on_host(state),), name="checkpoint")
        self._thread.start()

    def wait(self) -> None:
        """Return when everything given so far is on disk and in the record, or was left out."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def close(self) -> None:
        """As `wait`, for the last one, which must not be missing. Raises Unwritten if it is."""
        self.wait()
        if self._missed is not None:
            raise self._missed

    def _write(self, state: dict[str, Any]) -> None:
        try:
            self._flush()
            self._missed = None
            self._note(write(self._shelf, state))
            self._flush()
            prune(self._shelf, {step for step, _ in state.get("best", {}).values()})
        except Unwritten as error:
            self._missed = error
            print(f"{error} The training goes on without it.", flush=True)
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


def write(shelf: Shelf, state: dict[str, Any]) -> CheckpointNote:
    """Write `state` to a scratch name and keep it as a whole. Raises Unwritten."""
    name = shelf.name(state["step"])
    try:
        with shelf.store.scratch(name) as file:
            with file.open("wb") as out:
                torch.save(state, out)
            sha256, size = file_hash(file), file.stat().st_size
            path = shelf.store.keep(file, name)
    except (OSError, RuntimeError, OutOfReach) as error:
        raise Unwritten(
            f"the checkpoint of step {state['step']} could not be written: {_root(error)}.", remedy="Make room for it."
        ) from error
    return CheckpointNote(step=state["step"], path=path, sha256=sha256, bytes=size, host=shelf.store.host)


def _root(error: BaseException) -> str:
    """What began it: torch's writer speaks of its own state when its file fails."""
    while (before := error.__cause__ or error.__context__) is not None:
        error = before
    return str(error).rstrip(".")


def prune(shelf: Shelf, best: set[int]) -> None:
    """Remove all but the last that were written and those of the steps in `best`. Attempt before step: a run that began anew may stand beside later steps of before.

    Those of later attempts are left alone: of one that has the run by now, or of a record that a restored backup does not know.
    """
    try:
        paths = shelf.store.paths(shelf.folder)
    except OutOfReach:
        return  # what is too much is removed the next time
    ours = [path for path in paths if int(Path(path).stem.split("-")[2]) <= shelf.attempt]
    for path in ours[: -shelf.keep]:
        if int(Path(path).stem.split("-")[1]) not in best:
            shelf.store.free(path)


def load(note: CheckpointNote) -> dict[str, Any] | None:
    """The state, or None when the file is gone or its hash differs: an older one is tried then. Raises OutOfReach."""
    try:
        with at_hand(note.path) as file:
            if file is None or file_hash(file) != note.sha256:
                return None
            return dict(torch.load(file, map_location="cpu", weights_only=True))
    except FileNotFoundError:
        return None  # removed while we looked
    except OSError as error:
        if note.host and (note.host != platform.node() or error.errno == errno.EIO):
            return None  # of another host's disk, or a damaged place of ours; of a shared one it may be the network
        raise OutOfReach(
            f"the checkpoint {note.path} cannot be read ({error.strerror or error}).",
            remedy="Look at its disk, and at who may read it.",
        ) from error


def first_whole(notes: list[CheckpointNote]) -> dict[str, Any] | None:
    """The state of the first checkpoint that is there and whole; None where none is."""
    for note in notes:
        if (state := load(note)) is not None:
            return state
        print(f"the checkpoint of step {note.step} is missing or damaged", flush=True)
    return None


def file_hash(path: Path) -> str:
    """sha256 of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
