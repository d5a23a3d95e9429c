"""Where checkpoints are kept: a folder of this host, a folder that all workers reach, or an S3-compatible store (DEPTHBOARD_ARTIFACTS_URL).

A file is written to a scratch name first and kept as a whole: in a folder it is synced and renamed, and an S3 put shows all of an object or nothing.
Endpoint, region and credentials of S3 are read from the usual AWS_ variables.
"""

from __future__ import annotations

import contextlib
import os
import platform
import re
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from urllib.parse import unquote, urlsplit

from depthboard.errors import Misconfigured, Unavailable
from depthboard.settings import Settings

if TYPE_CHECKING:
    from obstore.store import S3Store

KEPT = re.compile(r"step-(\d+)(?:-(\d+))?\.pt")
MARKER = ".depthboard-store"
"""In the root of a folder that all workers reach: an empty folder without it is a mount point whose disk is away."""
PATIENCE = timedelta(seconds=60)
"""How long a request to S3 is tried again."""


class OutOfReach(Unavailable):
    """A store that does not answer now, or has no room: what fails for it is tried again."""


class Store(Protocol):
    """`host` names whose disk it is; empty where every worker reaches it."""

    host: str

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        """A file to be written, which is gone afterwards unless it was kept."""

    def keep(self, written: Path, name: str) -> str:
        """Keep a written file as `name`; its path in the record."""

    def paths(self, folder: str) -> list[str]:
        """Of the checkpoints in a folder, the oldest first: by attempt and step, since a clock may jump."""

    def free(self, path: str) -> bool:
        """Delete a file of this store; False for one that is not of it, or out of reach."""


class Folder:
    """Files under `root`. One that all workers reach has no host, and its files are called file:///…, so that none takes
    them for its own disk's. `known`: it has been written to before, by whomever, and so is there when it is mounted.
    """

    def __init__(self, root: Path, host: str, *, known: bool = False) -> None:
        self._root, self.host = Path(os.path.abspath(root)), host
        self._name = str if host else Path.as_uri
        self._known = known or _mounted(self._root)

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        self._begin()
        file = self._root / f"{name}.tmp-{os.getpid()}"
        file.parent.mkdir(parents=True, exist_ok=True)
        for left in file.parent.glob("*.tmp-*"):  # of an attempt that was killed: a run has one that writes
            left.unlink(missing_ok=True)
        try:
            yield file
        finally:
            file.unlink(missing_ok=True)

    def _begin(self) -> None:
        """Mark a new shared folder as a store. Raises OutOfReach for a known one: a mount point takes files while its disk is away."""
        if self.host or _mounted(self._root):
            return
        if self._known:
            raise _not_mounted(self._root)
        self._root.mkdir(parents=True, exist_ok=True)
        (self._root / MARKER).touch()
        self._known = True

    def keep(self, written: Path, name: str) -> str:
        final = self._root / name
        with written.open("rb") as file:
            os.fsync(file.fileno())
        written.rename(final)
        folder = os.open(final.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
        return self._name(final)

    def paths(self, folder: str) -> list[str]:
        files = (self._root / folder).glob("step-*.pt")
        return [self._name(file) for file in sorted(files, key=lambda file: _place(file.name))]

    def free(self, path: str) -> bool:
        """Only what checkpoints are called, in this folder, however a path is spelt."""
        file = local(path)
        if path.startswith("file://") is bool(self.host):
            return False
        within = Path(os.path.realpath(file.parent)).is_relative_to(os.path.realpath(self._root))
        there = self._root.is_dir() if self.host else _mounted(self._root)
        if not (there and within and KEPT.fullmatch(file.name)):
            return False
        try:
            file.unlink(missing_ok=True)
        except OSError:
            return False
        with contextlib.suppress(OSError):
            file.parent.rmdir()  # where it was the last of its run
        return True


class Bucket:
    """Objects under s3://bucket/prefix."""

    host = ""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._url, self._bucket, self._prefix = url.rstrip("/"), parts.netloc, parts.path.strip("/")
        self._store = _connect(self._bucket)

    @contextmanager
    def scratch(self, name: str) -> Iterator[Path]:
        with tempfile.TemporaryDirectory(prefix="depthboard-") as folder:
            yield Path(folder) / Path(name).name

    def keep(self, written: Path, name: str) -> str:
        from obstore.exceptions import BaseError

        try:
            self._store.put(self._key(name), written)
        except (BaseError, OSError) as error:
            raise _unreachable(self._url, error) from error
        return f"{self._url}/{name}"

    def paths(self, folder: str) -> list[str]:
        from obstore.exceptions import BaseError

        try:
            found = [entry for some in self._store.list(self._key(folder) + "/") for entry in some]
        except (BaseError, OSError) as error:
            raise _unreachable(self._url, error) from error
        kept = [entry["path"] for entry in found if KEPT.fullmatch(Path(entry["path"]).name)]
        return [f"s3://{self._bucket}/{path}" for path in sorted(kept, key=lambda path: _place(Path(path).name))]

    def free(self, path: str) -> bool:
        if not path.startswith(f"{self._url}/") or not KEPT.fullmatch(Path(path).name):
            return False
        from obstore.exceptions import BaseError

        try:
            self._store.delete(_key_of(path))
        except FileNotFoundError:
            return True
        except (BaseError, OSError):
            return False
        return True

    def _key(self, name: str) -> str:
        return f"{self._prefix}/{name}" if self._prefix else name


def open_store(settings: Settings, *, known: bool = False) -> Store:
    """The store that new checkpoints go to; `known`: a shared folder is one already. Raises Misconfigured for a URL that
    names none.
    """
    url = settings.artifacts_url
    if not url:
        return Folder(settings.artifacts, platform.node())
    parts = urlsplit(url)
    if parts.scheme == "file" and not parts.netloc and parts.path.startswith("/"):
        return Folder(Path(unquote(parts.path)), "", known=known)
    if parts.scheme == "s3" and parts.netloc:
        return Bucket(url)
    raise Misconfigured(
        f"{url} is no place for checkpoints.",
        field="DEPTHBOARD_ARTIFACTS_URL",
        remedy="Give file:///folder or s3://bucket/prefix, or nothing for the folder artifacts in DEPTHBOARD_HOME.",
    )


def free(settings: Settings, path: str) -> bool:
    """Delete a file that the record no longer needs, wherever this worker can reach it; False where it cannot."""
    stores = [open_store(settings), Folder(settings.artifacts, platform.node())]
    return any(store.free(path) for store in stores)


def local(path: str) -> Path:
    """Of a file in a folder, which the record calls by its path or as file:///…"""
    return Path(unquote(urlsplit(path).path)) if path.startswith("file://") else Path(path)


@contextmanager
def at_hand(path: str) -> Iterator[Path | None]:
    """A kept file as a file of this host, None where it is gone.

    Raises OutOfReach for a store that does not answer or is not mounted, and OSError for a folder that cannot be looked into.
    """
    if not path.startswith("s3://"):
        yield _in_folder(path)
        return
    with tempfile.TemporaryDirectory(prefix="depthboard-") as folder:
        file = Path(folder) / "checkpoint.pt"
        yield file if _download(path, file) else None


def _in_folder(path: str) -> Path | None:
    file = local(path)
    try:
        return file if stat.S_ISREG(file.stat().st_mode) else None
    except (FileNotFoundError, NotADirectoryError):
        root = file.parent.parent.parent  # of ROOT/runs/RUN/step-….pt
        if path.startswith("file://") and not _mounted(root):
            raise _not_mounted(root) from None
        return None


def _mounted(root: Path) -> bool:
    """Whether a shared store is there: its mark, or the folder `runs` of releases that made none."""
    return os.path.exists(root / MARKER) or os.path.isdir(root / "runs")


def _not_mounted(root: Path) -> OutOfReach:
    return OutOfReach(
        f"the store of checkpoints {root} is not there.",
        field="DEPTHBOARD_ARTIFACTS_URL",
        remedy=f"Mount it on {platform.node()}; if it was emptied on purpose, make an empty file {MARKER} in it.",
    )


def _download(path: str, file: Path) -> bool:
    from obstore.exceptions import BaseError

    try:
        with file.open("wb") as out:
            for piece in _connect(urlsplit(path).netloc).get(_key_of(path)):
                out.write(piece)
    except FileNotFoundError:
        return False
    except (BaseError, OSError) as error:
        raise _unreachable(path, error) from error
    return True


def _place(name: str) -> tuple[int, int]:
    """(attempt, step) of a checkpoint's name; attempt 0 for names of releases that had none."""
    named = KEPT.fullmatch(name)
    return (int(named[2] or 0), int(named[1])) if named else (0, 0)


def _key_of(path: str) -> str:
    return urlsplit(path).path.lstrip("/")


def _connect(bucket: str) -> S3Store:
    try:
        from obstore.store import S3Store
    except ImportError as error:
        raise Misconfigured(
            "checkpoints in S3 need obstore.", field="DEPTHBOARD_ARTIFACTS_URL", remedy="pip install obstore"
        ) from error
    # An endpoint without TLS is one that a person named, on this host or in this cluster.
    return S3Store(bucket, client_options={"allow_http": True}, retry_config={"retry_timeout": PATIENCE})


def _unreachable(where: str, error: Exception) -> OutOfReach:
    first = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return OutOfReach(
        f"{where} does not answer ({first}).",
        field="DEPTHBOARD_ARTIFACTS_URL",
        remedy="Look at the bucket, and at AWS_ENDPOINT_URL and the credentials in the worker's environment.",
    )
