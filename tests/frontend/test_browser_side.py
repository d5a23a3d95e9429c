"""The dashboard's own checks: its pure functions (vitest), and that its client is generated from the API as it is; its types are checked when it is built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"


def npm(*arguments: str) -> None:
    if shutil.which("npm") is None or not (FRONTEND / "node_modules").is_dir():
        pytest.skip("no Node with the dashboard's packages: `npm ci` in frontend/ brings them")
    environment = {**os.environ, "PYTHON": sys.executable}
    done = subprocess.run(
        ["npm", *arguments], cwd=FRONTEND, env=environment, capture_output=True, text=True, timeout=280, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_pure_functions_pass_their_tests() -> None:
    npm("test")


def test_the_client_is_generated_from_the_api_as_it_is() -> None:
    npm("run", "api", "--", "--check")
