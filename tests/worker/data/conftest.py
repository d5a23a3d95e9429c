"""Small datasets written as their makers would, and the real ones where this machine has them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.worker.data.writers import save_depth, save_rgb

REPOSITORY = Path(__file__).parents[3]


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of third-party research data, which is not part of the repository."""
    folder = Path(os.environ.get("DEPTHBOARD_TEST_DATA", REPOSITORY.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real data: {folder} does not exist; set DEPTHBOARD_TEST_DATA to a folder that holds it")
    return folder


MakeFolder = Callable[..., Path]


@pytest.fixture
def folder_pair(tmp_path: Path) -> MakeFolder:
    """Writes rgb/ and depth/ with `count` frames below a new folder."""

    def make(count: int = 10, name: str = "set", size: tuple[int, int] = (24, 32), below: str = "") -> Path:
        root = tmp_path / name
        for i in range(count):
            save_rgb(root / below / "rgb" / f"frame {i + 1}.png", i, size)
            save_depth(root / below / "depth" / f"frame {i + 1}.png", i, size)
        return root

    return make
