"""What determined a result besides its configuration: code, libraries, machine."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import depthboard
from depthboard.protocol import Provenance

if TYPE_CHECKING:
    import torch

LIBRARIES = ("torch", "numpy", "pillow", "h5py", "scipy", "pydantic", "celery")
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


def library_versions() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in LIBRARIES}


def describe(
    network: torch.nn.Module,
    device: str,
    threads: int,
    images: tuple[int, int],
    initialisation: dict[str, str | int | list[str]],
    first_batch: list[str],
) -> Provenance:
    """The provenance of an attempt about to begin; `images` = (training, evaluation)."""
    return Provenance(
        code_version=code_version(),
        code_sha256=source_hash(),
        libraries=library_versions(),
        python=platform.python_version(),
        host=platform.node(),
        device=device,
        threads=threads,
        parameters=sum(p.numel() for p in network.parameters()),
        train_images=images[0],
        evaluation_images=images[1],
        initialisation=initialisation,
        first_batch=first_batch,
    )
