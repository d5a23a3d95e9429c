from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from backend.app import open_database
from backend.figures import FIGURES
from bench.filling import Grid, add_depth_maps, add_experiment, make_pool
from depthboard.settings import Settings
from tests.backend.figures.drawing import wanted
from tests.backend.figures.test_export import needs_chromium

ROOT = Path(__file__).resolve().parents[3]


@needs_chromium
@pytest.mark.timeout(180)
def test_every_figure_is_the_same_file_in_another_process(tmp_path: Path) -> None:
    database = open_database(Settings(_env_file=None, home=tmp_path, database_url=SecretStr("")))
    experiment = add_experiment(database, 0, make_pool(50), Grid(("l1", "gan"), sizes=(16, 64), seeds=2))
    add_depth_maps(database, experiment, 1)
    database.close()
    # A database is open in one process at a time.
    homes = [shutil.copytree(tmp_path, tmp_path / name, ignore=shutil.ignore_patterns("a", "b")) for name in "ab"]
    drawn = [_draw(home, seed) for home, seed in zip(homes, "12", strict=True)]
    first, second = (json.loads(process.communicate(timeout=150)[0]) for process in drawn)
    assert len(first) == sum(len(wanted(name)) for name in FIGURES)
    assert first == second
    assert len(set(first.values())) == len(first)


def _draw(home: Path, seed: str) -> subprocess.Popen[str]:
    """With another order of sets, as two processes have."""
    command = [sys.executable, "-m", "tests.backend.figures.drawing", str(home)]
    environment = {**os.environ, "PYTHONHASHSEED": seed}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
