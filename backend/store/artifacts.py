"""The artifact folder: where workers on this machine keep the checkpoints of a run, and what is removed with it."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

log = logging.getLogger(__name__)


def folder(artifacts: Path, run_id: int) -> Path:
    """The folder of one run. Built from its number alone: no path that a client sent is ever joined or opened."""
    return artifacts / "runs" / str(int(run_id))


def remove(artifacts: Path, run_ids: Iterable[int]) -> None:
    """Delete the folders of deleted runs; called after commit. What cannot be deleted is named in the log and stays."""
    for run_id in run_ids:
        place = folder(artifacts, run_id)
        if place.is_dir() and not place.is_symlink():
            shutil.rmtree(place, onerror=lambda _, path, info: log.warning("%s was not deleted: %s", path, info[1]))
