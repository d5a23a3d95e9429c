"""The artifact folder: where workers on this machine keep the checkpoints of a run, and what is removed with it.

A path in the record is a worker's claim: only what lies inside the folder, links resolved, is ever deleted here.
"""

from __future__ import annotations

import logging
import platform
import shutil
from collections.abc import Iterable
from pathlib import Path

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from backend.store import datasets
from backend.store.tables import Checkpoint, Doomed, Run

log = logging.getLogger(__name__)

NEWEST = 100
MOST = 1000
"""Doomed files looked at in one round."""


def folder(artifacts: Path, mark: str, run_id: int) -> Path:
    """The folder of one run of the database `mark`. No path that a client sent is ever joined or opened."""
    return artifacts / "runs" / f"{mark}-{int(run_id)}"


def is_ours(artifacts: Path, note: Checkpoint) -> bool:
    """Whether the note names a place in the artifact folder of this machine, whatever lies there."""
    return _inside(artifacts, note.path) is not None and note.host in (platform.node(), "")


def in_folder(artifacts: Path, mark: str, note: Checkpoint) -> Path | None:
    """The file of a checkpoint where it lies in its run's folder on this machine, and is no link; None elsewhere."""
    place = _inside(artifacts, note.path)
    own = folder(artifacts, mark, note.run_id)
    here = place is not None and place.parent == own.resolve() and place.is_file() and not place.is_symlink()
    return place if here else None


def remove(artifacts: Path, mark: str, run_ids: Iterable[int]) -> int:
    """Delete the folders of deleted runs; called after commit. Returns the bytes that their files held.

    What cannot be deleted is named in the log and stays.
    """
    freed = 0
    for run_id in run_ids:
        place = folder(artifacts, mark, run_id)
        if place.is_dir() and not place.is_symlink():
            before = _bytes_under(place)
            shutil.rmtree(place, onerror=lambda _, path, info: log.warning("%s was not deleted: %s", path, info[1]))
            freed += before - _bytes_under(place)
    return freed


def shared(session: Session) -> bool:
    """Whether checkpoints are kept in a folder that all workers reach, by the newest runs that have any."""
    newest = select(Checkpoint.path).order_by(Checkpoint.run_id.desc()).limit(NEWEST)
    return any(path.startswith("file://") for path in session.scalars(newest))


def _bytes_under(place: Path) -> int:
    return sum(path.lstat().st_size for path in place.rglob("*") if path.is_file() and not path.is_symlink())


def candidates(session: Session, artifacts: Path) -> list[Doomed]:
    """Doomed files that may lie in the artifact folder of this machine, any of them in turn."""
    here = or_(Doomed.host.in_((platform.node(), "")), Doomed.path.startswith(f"{artifacts}/", autoescape=True))
    files = select(Doomed).where(here, Doomed.path.startswith("/")).order_by(func.random())
    return list(session.scalars(files.limit(MOST)))


def free(session: Session, artifacts: Path, doomed: Iterable[Doomed]) -> tuple[int, list[int]]:
    """Delete those of the files that lie in the artifact folder and in no living run's part of it.

    Returns the bytes freed and the ids of the notes that are settled. One that names another host is settled only by a
    file that is here and that no note of this host explains: then both see the same disk.
    """
    files = list(doomed)
    places = {file.id: _inside(artifacts, file.path) for file in files}
    living = _living(session, artifacts, [place for place in places.values() if place])
    own = {places[file.id] for file in files if file.host in (platform.node(), "")}
    freed, settled = 0, []
    for file in files:
        place = places[file.id]
        if place is None:
            continue
        ours = file.host in (platform.node(), "")
        if not ours and (place in own or not place.is_file()):
            continue
        if place not in living:
            freed += _unlink(place)
        if place in living or not place.exists():
            settled.append(file.id)
    return freed, settled


def _inside(artifacts: Path, path: str) -> Path | None:
    """The place that the path names if it is a checkpoint's once every link on the way is followed: in a run's folder."""
    try:
        named, root = Path(path), artifacts.resolve()
        if not named.is_absolute() or named.name in ("", ".."):
            return None
        place = named.parent.resolve() / named.name
    except (OSError, RuntimeError, ValueError):
        return None
    of_a_run = place.is_relative_to(root / "runs") and len(place.relative_to(root / "runs").parts) > 1
    return place if of_a_run and place.suffix == ".pt" else None


def _living(session: Session, artifacts: Path, places: Iterable[Path]) -> set[Path]:
    """Those of the places that lie in the folder of a run of this database which still is."""
    runs, ours = (artifacts / "runs").resolve(), f"{datasets.mark(session)}-"
    numbers = {
        place: int(number)
        for place in places
        if place.is_relative_to(runs)
        and (parts := place.relative_to(runs).parts)
        and (number := parts[0].removeprefix(ours)).isdecimal()
    }
    there = set(session.scalars(select(Run.id).where(Run.id.in_(set(numbers.values())))))
    return {place for place, number in numbers.items() if number in there}


def _unlink(place: Path) -> int:
    """Bytes freed; a folder, a missing file and one that cannot be deleted free none."""
    try:
        size = 0 if place.is_symlink() else place.stat().st_size
        place.unlink()
    except FileNotFoundError:
        return 0
    except OSError as error:
        log.warning("%s was not deleted: %s", place, error)
        return 0
    return size
