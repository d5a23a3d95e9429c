"""A virtual environment for each peer, since their dependencies exclude one another's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

PEERS = {"trackio": "trackio==0.43.0", "mlflow": "mlflow==3.17.2"}
MARK = "installed"


def folder() -> Path:
    """Where the environments are kept: $XDG_CACHE_HOME/depthboard-bench."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "depthboard-bench"


def python_of(peer: str) -> Path | None:
    """The interpreter of the peer's environment; None where it is not installed in the version that is compared."""
    mark = folder() / peer / MARK
    if mark.is_file() and mark.read_text() == PEERS[peer]:
        return folder() / peer / "bin" / "python"
    return None


def install(peer: str) -> Path:
    """Make the peer's environment unless it is there. Raises CalledProcessError where pip fails."""
    known = python_of(peer)
    if known is not None:
        return known
    print(f"installing {PEERS[peer]} into {folder() / peer} …", file=sys.stderr)
    shutil.rmtree(folder() / peer, ignore_errors=True)
    venv.create(folder() / peer, with_pip=True)
    python = folder() / peer / "bin" / "python"
    command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", PEERS[peer], "numpy"]
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    (folder() / peer / MARK).write_text(PEERS[peer])
    return python
