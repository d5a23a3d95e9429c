"""The walls of the house: who may import whom, and what a process really loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("torch", "fastapi", "sqlalchemy", "plotly")


def loaded(module: str) -> set[str]:
    """Which of the heavy libraries, and of our own packages, importing `module` loads."""
    code = f"import sys, {module}; print(*{{m.partition('.')[0] for m in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split()) & {*HEAVY, "backend", "worker"}


def test_the_import_contracts_hold() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports")], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("module", ["depthboard.cli", "depthboard.client", "depthboard.queue", "depthboard.experiment"])
def test_the_core_loads_none_of_the_heavy_libraries(module: str) -> None:
    assert loaded(module) == set()


def test_the_api_loads_no_torch_and_no_worker() -> None:
    assert loaded("backend.app") <= {"fastapi", "sqlalchemy", "plotly", "backend"}


def test_the_training_loads_no_web_server_no_database_and_no_plotly() -> None:
    assert loaded("worker.attempt") == {"worker", "torch"}


def test_the_supervising_worker_loads_no_torch() -> None:
    assert loaded("worker.slots") == {"worker"}
