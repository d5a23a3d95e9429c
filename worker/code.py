"""Which training code this is. Loads no torch: the worker's own process asks too."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import depthboard

ROOT = Path(__file__).resolve().parent


def code_version() -> str:
    """The git commit of the training code, `+changes` when it was edited, else the package's version."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = "+changes" if _git("status", "--porcelain", "--untracked-files=no", ".") else ""
    except (OSError, subprocess.SubprocessError):
        return f"depthboard {depthboard.__version__}"
    return commit + changed


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, timeout=10, check=True)
    return done.stdout.strip()


def source_hash() -> str:
    """sha256 over the names and contents of every training source file."""
    digest = hashlib.sha256()
    for file in sorted(ROOT.rglob("*.py")):
        digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
