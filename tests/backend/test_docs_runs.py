"""docs/runs.md says what is: its filters are read, its Python reads what the API sends."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.backend import acting

TEXT = (Path(__file__).parents[2] / "docs" / "runs.md").read_text()


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_filter_of_the_page_is_read_and_finds_what_it_says(client: TestClient) -> None:
    acting.submit(client, factors={"loss": ["l1", "eigen"], "seed": [0, 3]})
    attempt = acting.claimed(client)
    attempt.points(range(1, 3), key="val/rmse", value=0.1)
    attempt.evaluate(20, 0.3)
    attempt.finish()
    lines = block("filter").splitlines()
    assert len(lines) == 10
    found = {}
    for line in lines:
        answer = client.get("/api/runs", params={"filter": line})
        assert answer.status_code == 200, answer.text
        found[line] = answer.json()["total"]
    assert found["status = finished and rmse < 0.5"] == 1
    assert found["loss in (l1, berhu) and not seed = 3"] == 1
    assert found["has(val/rmse) and val/rmse <= 0.2"] == 1
    assert found["param.loss.name != eigen"] == 2
    assert found["created_at >= 2026-11-01"] == 4


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_python_of_the_page_reads_the_binary_form(client: TestClient) -> None:
    experiment = acting.submit(client)
    attempt = acting.claimed(client)
    attempt.points(range(1, 5))
    body = client.get(f"/api/experiments/{experiment['id']}/curves", params={"format": "binary"}).content
    names: dict[str, Any] = {}
    exec(block("python"), names)
    read: Callable[[bytes], dict[tuple[int, str, str], Any]] = names["read_curves"]
    curves = read(body)
    assert curves[attempt.run_id, "train/loss/l1", "value"].tolist() == [1.0, 1 / 2, 1 / 3, 1 / 4]
    assert curves[attempt.run_id, "train/loss/l1", "step"].tolist() == [1, 2, 3, 4]


def test_the_commands_of_the_page_are_those_of_the_command_line() -> None:
    from typer.testing import CliRunner

    from depthboard.cli import app

    shown = CliRunner().invoke(app, ["export", "--help"], env={"COLUMNS": "200", "NO_COLOR": "1"}).output
    options = set(re.findall(r"(?<!\S)--[a-z]+", block("sh")))
    assert options == {"--filter", "--key"}
    assert all(option in shown for option in options)
