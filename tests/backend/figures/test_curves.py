"""The figure of logged curves, over REST on both databases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from tests.backend import acting


@pytest.fixture
def experiment(client: TestClient) -> dict[str, Any]:
    """Two runs, of which the second logs something that is not finite."""
    found = acting.submit(client)
    first, second = acting.claimed(client), acting.claimed(client)
    first.points(range(1, 11))
    second.points(range(1, 6), key="train/loss/l1", value=2.0)
    second.points(range(6, 8), key="train/loss/l1", value="NaN")
    second.points(range(1, 3), key="val/other", value=1.0)
    return found


def figure(client: TestClient, experiment: dict[str, Any], **query: Any) -> Any:
    answer = client.get(f"/api/experiments/{experiment['id']}/figures/curves", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def column(value: Any) -> list[float | None]:
    """A column of a trace, which Plotly may write as base64."""
    if isinstance(value, dict):
        import base64

        return [float(v) for v in np.frombuffer(base64.b64decode(value["bdata"]), value["dtype"])]
    return list(value)


def test_every_run_is_a_line_of_what_it_logged(client: TestClient, experiment: dict[str, Any]) -> None:
    first, second = figure(client, experiment, x="step")["data"]
    assert column(first["x"]) == [float(step) for step in range(1, 11)]
    assert column(first["y"]) == [1 / step for step in range(1, 11)]
    assert first["name"] == "L1, 16 images, seed 0"
    assert first["line"]["color"] != second["line"]["color"]
    shown = np.array(column(second["y"]), dtype=float)
    assert (shown[:5] == 2.0).all()
    assert np.isnan(shown[5:]).all(), "what is not finite is a gap"


@pytest.mark.parametrize(
    "x, due", [("step", [1.0, 2.0]), ("images", [8.0, 16.0]), ("epoch", [0.5, 1.0]), ("wall", [0.0, 1 / 3600])]
)
def test_steps_images_epochs_and_hours_are_x_axes(
    client: TestClient, experiment: dict[str, Any], x: str, due: list[float]
) -> None:
    (only,) = figure(client, experiment, x=x, key="val/other")["data"]
    assert column(only["x"]) == pytest.approx(due)


def test_the_keys_are_named_and_a_new_row_changes_the_figure(client: TestClient, experiment: dict[str, Any]) -> None:
    path = f"/api/experiments/{experiment['id']}/figures"
    (entry,) = [entry for entry in client.get(path).json() if entry["name"] == "curves"]
    assert entry["options"]["key"] == ["train/loss/l1", "val/other"]
    before = client.get(f"{path}/curves", params={"y_log": "yes"})
    same = client.get(f"{path}/curves", params={"y_log": "yes"}, headers={"If-None-Match": before.headers["etag"]})
    assert same.status_code == 304
    third = acting.submit(client, name="more", factors={"seed": [7]})
    (notice,) = figure(client, third)["layout"]["annotations"]
    assert notice["text"] == "No run has logged anything yet."


def test_points_alone_make_it_another_figure(client: TestClient) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    attempt.points(range(1, 3))
    path = f"/api/experiments/{experiment['id']}/figures/curves"
    mark = client.get(path).headers["etag"]
    attempt.points(range(3, 5))
    again = client.get(path, headers={"If-None-Match": mark})
    assert again.status_code == 200
    assert len(column(again.json()["data"][0]["x"])) == 4
