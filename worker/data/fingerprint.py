"""Content hashes of files, remembered by size and time of change so that a large dataset is read for them only once."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path


class ContentHashes:
    """sha256 of files below one dataset's path; kept in `<cache>/hashes/` when a cache folder is given."""

    def __init__(self, cache: Path | None, dataset: str) -> None:
        name = hashlib.sha256(os.path.abspath(dataset).encode()).hexdigest()[:32]
        self._store = cache / "hashes" / f"{name}.json" if cache else None
        self._known = _load(self._store)
        self._fresh = False

    def of(self, path: Path) -> str:
        """`size hash` of a file, or `unreadable`: a dataset with a file missing still has a fingerprint, but a different one."""
        try:
            stat = path.stat()
            mark = f"{stat.st_size} {stat.st_mtime_ns}"
            known = self._known.get(str(path))
            if known is None or known[0] != mark:
                with path.open("rb") as file:
                    known = [mark, hashlib.file_digest(file, "sha256").hexdigest()]
                self._known[str(path)] = known
                self._fresh = True
        except OSError:
            return "unreadable"
        return f"{stat.st_size} {known[1]}"

    def save(self) -> None:
        """Write what was learned; two processes doing so at once leave one whole file."""
        if self._store is None or not self._fresh:
            return
        self._store.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=self._store.parent, suffix=".tmp", delete=False) as file:
            json.dump(self._known, file)
        os.replace(file.name, self._store)


def _load(store: Path | None) -> dict[str, list[str]]:
    if store is None:
        return {}
    try:
        known = json.loads(store.read_text())
    except (OSError, ValueError):
        return {}  # a lost or damaged memory only costs reading the files again
    return known if isinstance(known, dict) else {}
