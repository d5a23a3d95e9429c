"""What is tracked is the same for every side, in every process."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from bench.tracking import workload
from depthboard.protocol import pack_depth, unpack_depth

DIGEST = """
import hashlib
from bench.tracking import workload as w
parts = [w.curve(3, "rmse", 50).tobytes(), repr(w.parameters(7)).encode(), repr(w.finals(7)).encode()]
print(hashlib.sha256(b"".join([*parts, w.picture(1, 2).tobytes(), w.depth(1, 2).tobytes()])).hexdigest())
"""


def test_two_processes_see_the_same_numbers() -> None:
    digests = {
        subprocess.run([sys.executable, "-c", DIGEST], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    }
    assert len(digests) == 1


def test_every_run_and_key_has_a_curve_of_its_own() -> None:
    seen = {hashlib.sha256(c.tobytes()).digest() for run in range(5) for c in workload.curves(run, 100).values()}
    assert len(seen) == 5 * len(workload.KEYS)
    assert all(np.isfinite(c).all() and c.shape == (100,) for c in workload.curves(0, 100).values())


def test_wall_times_rise() -> None:
    assert (np.diff(workload.walls(1000)) > 0).all()


def test_the_page_holds_the_best_runs_of_those_with_the_parameter() -> None:
    name, word = workload.FILTER
    page = workload.listed(400)
    matching = [run for run in range(400) if workload.parameters(run)[name] == word]
    assert len(page) == workload.PAGE
    assert 400 / 8 < len(matching) < 400 / 2
    worst = min(workload.finals(run)[workload.SORT] for run in page)
    assert all(workload.finals(run)[workload.SORT] < worst for run in set(matching) - set(page))


def test_a_picture_and_a_depth_map_weigh_about_the_same() -> None:
    """Or the peers, which keep pictures, and we, who keep depth, would not be asked for the same."""
    picture, depth = workload.picture(0, 1), workload.depth(0, 1)
    png, packed = workload.png(picture), pack_depth(depth)
    assert len(packed) == pytest.approx(len(png), rel=0.25)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(png))), picture)
    assert np.array_equal(unpack_depth(packed, *depth.shape), depth)
