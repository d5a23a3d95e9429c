"""Every command of the README is run, as it stands there, against the running product."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.e2e.conftest import ROOT, Product

README = (ROOT / "README.md").read_text(encoding="utf-8")
BIN = Path(sys.executable).parent
# Run by other tests, or by whoever runs this one: the demo and the tests, processes that do not end by themselves, a team's servers.
ELSEWHERE = ("make ", "export ", ".venv/bin/depthboard serve", ".venv/bin/depthboard work")

pytestmark = pytest.mark.timeout(900)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, flags=re.DOTALL)


def commands() -> list[str]:
    lines = [line.partition("  #")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the README's reader has it: the experiment, and some frames of their own."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "experiment.yaml").write_text(blocks("yaml")[0])
    (folder / "old-runs.csv").write_text("run,step,train/loss,val/rmse\nl1,0,1.5,\nl1,1,0.9,0.8\nl2,0,2.5,nan\n")
    generator = np.random.Generator(np.random.PCG64(0))
    for kind in ("rgb", "depth"):
        (folder / "my-frames" / kind).mkdir(parents=True)
    for i in range(12):
        Image.fromarray(generator.integers(0, 255, (64, 96, 3), np.uint8)).save(folder / f"my-frames/rgb/{i}.png")
        depth = generator.integers(800, 6000, (64, 96)).astype(np.uint16)
        Image.fromarray(depth).save(folder / f"my-frames/depth/{i}.png")
    return folder


def run(line: str, product: Product, folder: Path) -> subprocess.CompletedProcess[str]:
    arguments = shlex.split(line.replace(".venv/bin/", f"{BIN}/"))
    environment = {**product.environment, "COLUMNS": "200"}
    return subprocess.run(
        arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=800, check=False
    )


def test_every_command_of_the_readme_runs(product: Product, folder: Path) -> None:
    tried = []
    for line in commands():
        if line.startswith(ELSEWHERE):
            continue
        # The reader's first experiment is number 1; here others may have come before.
        known = product.client.experiments(q="Two losses, two sizes")
        line = re.sub(r"(runs|export|rescore) 1\b", rf"\1 {known[0]['id'] if known else 1}", line)
        done = run(line, product, folder)
        assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
        tried.append(line)
    assert len(tried) >= 7
    assert (folder / "convergence.pdf").read_bytes().startswith(b"%PDF")


def python(example: str, product: Product, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", example],
        cwd=folder,
        env=product.environment,
        capture_output=True,
        text=True,
        timeout=800,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_client_example_of_the_readme_runs(product: Product, folder: Path) -> None:
    example, _ = blocks("python")
    assert "rmse" in python(example, product, folder)


def test_the_script_example_of_the_readme_is_a_run_with_curves_and_a_depth_map(product: Product, folder: Path) -> None:
    _, example = blocks("python")
    theirs = (
        "import numpy\nloss = rmse = 0.5\nprediction = gt = numpy.ones((48, 64))\nimage = numpy.zeros((48, 64, 3))\n"
    )
    python(theirs + example, product, folder)
    (experiment,) = product.client.experiments(q="my study")
    (run,) = product.client.runs(experiment["id"])
    assert (run["status"], run["name"], run["step"]) == ("finished", "l1, my network", 999)
    (shown,) = product.client.api.json("GET", f"/api/runs/{run['id']}/predictions")
    assert shown["frame"] == "frame 12"


def test_every_make_command_of_the_readme_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    named = {word for line in re.findall(r"make ([a-z]+)", README) for word in [line]}
    assert {"demo", "test", "up"} <= named <= targets


def test_every_folder_of_the_readme_exists() -> None:
    for name in re.findall(r"^\| `([a-z]+)/`", README, flags=re.MULTILINE):
        assert (ROOT / name).is_dir(), name
    for name in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / name).is_file(), name


def test_continuous_integration_calls_the_readmes_test_command_and_nothing_else() -> None:
    lines = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line and not line.startswith("#")]
    assert lines == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "make test"]
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
