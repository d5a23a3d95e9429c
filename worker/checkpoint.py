"""Checkpoints: written whole or not at all, verified before use."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import torch

from depthboard.protocol import CheckpointNote

KEEP = 2


def save(folder: Path, step: int, state: dict[str, Any]) -> CheckpointNote:
    """Write `state` to a temporary name, sync, rename; all but the KEEP written last are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / f"step-{step:012d}.pt"
    temporary = final.with_suffix(f".tmp-{os.getpid()}")
    with temporary.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    note = CheckpointNote(step=step, path=str(final), sha256=_sha256(temporary), bytes=temporary.stat().st_size)
    temporary.rename(final)
    # By age, not by step: a run that began anew may stand beside later steps of before.
    for old in sorted(folder.glob("step-*.pt"), key=lambda file: file.stat().st_mtime_ns)[:-KEEP]:
        old.unlink(missing_ok=True)
    return note


def load(note: CheckpointNote) -> dict[str, Any] | None:
    """The state, or None when the file is gone or its hash differs: the run then begins anew."""
    path = Path(note.path)
    if not path.is_file() or _sha256(path) != note.sha256:
        return None
    return dict(torch.load(path, map_location="cpu", weights_only=True))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
