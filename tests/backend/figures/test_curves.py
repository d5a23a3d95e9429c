"""The figure of logged curves, over REST on both databases."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from backend import curve_sets
from backend.figures import curves
from backend.figures.tokens import LOSS_TOKENS
from tests.backend import acting
from tests.backend.test_scripts import begin


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
    assert column(first["y"]) == pytest.approx([1 / step for step in range(1, 11)], rel=1e-6)
    assert first["name"] == "L1, 16 images, seed 0"
    assert first["line"]["color"] != second["line"]["color"]
    shown = np.array(column(second["y"]), dtype=float)
    assert (shown[:5] == 2.0).all()
    assert np.isnan(shown[5:]).all(), "what is not finite is a gap"


@pytest.mark.parametrize(
    "x, due", [("step", [1.0, 2.0]), ("images", [8.0, 16.0]), ("epoch", [0.5, 1.0]), ("hours", [0.0, 1 / 3600])]
)
def test_steps_images_epochs_and_hours_are_x_axes(
    client: TestClient, experiment: dict[str, Any], x: str, due: list[float]
) -> None:
    (only,) = figure(client, experiment, x=x, key="val/other")["data"]
    assert column(only["x"]) == pytest.approx(due)


def test_hours_leave_out_what_lies_between_two_attempts_and_what_was_lost(client: TestClient) -> None:
    experiment = acting.submit(client, factors={"loss": ["l1"]})
    first = acting.claimed(client)
    first.points(range(1, 9))
    first.finish("queued")
    second = acting.claimed(client)
    second.ok("begin", {"resumed_from": 6})
    body = acting.points(0, range(6, 9))
    body["blocks"][0]["walls"] = [2e9 + step for step in (6, 7, 8)]
    second.ok("points", body)
    shown = figure(client, experiment, x="hours")
    (line,) = shown["data"]
    # Steps 1 to 5 a second each; 32 years later the second attempt goes on with its first record.
    np.testing.assert_allclose(np.array(column(line["x"])) * 3600, [0, 1, 2, 3, 4, 4, 5, 6], atol=1e-6)
    assert "without waits between attempts" in shown["layout"]["meta"]["caption"]


def test_the_figure_names_the_keys_and_axes_that_there_are(client: TestClient, experiment: dict[str, Any]) -> None:
    choices = figure(client, experiment, key="val/other")["layout"]["meta"]["choices"]
    assert choices["key"] == {"shown": "val/other", "levels": ["train/loss/l1", "val/other"]}
    assert choices["x"] == {"shown": "step", "levels": ["step", "epoch", "images", "hours", "wall"]}


def script(client: TestClient, number: int, key: str = "loss", **params: Any) -> Any:
    """A person's own script that has logged two values."""
    token = f"token-of-the-script-{number}"
    begun = begin(client, token, identity=f"{number:064x}", name=f"mine {number}", params=params)
    assert begun.status_code == 200, begun.text
    written = acting.Attempt(client, {**begun.json(), "token": token})
    written.points(range(1, 3), key=key)
    return written.claim["experiment_id"]


def test_a_scripts_line_has_the_look_of_its_loss_and_the_others_that_of_none_that_is_trained(
    client: TestClient,
) -> None:
    for number, params in enumerate([{}, {"loss": "l1"}, {"loss": "mine"}, {"loss": {"name": "berhu"}}], 1):
        experiment = {"id": script(client, number, **params)}
    shown = figure(client, experiment)
    assert shown["layout"]["meta"]["choices"]["key"]["levels"] == ["loss"], "a key without a slash too"
    colours = [line["line"]["color"] for line in shown["data"]]
    tokens = {name: token.light for name, token in LOSS_TOKENS.items()}
    assert colours == [tokens["l2"], tokens["l1"], tokens["huber"], tokens["berhu"]]
    assert [line["meta"]["loss"] for line in shown["data"]] == ["", "l1", "", "berhu"]
    other = figure(client, experiment, key="none")
    assert other["layout"]["annotations"][0]["text"] == "No run has logged none."


def test_scripts_that_do_not_say_their_batch_size_are_not_drawn_against_images(client: TestClient) -> None:
    experiment = {"id": script(client, 1)}
    assert figure(client, experiment)["layout"]["meta"]["choices"]["x"]["levels"] == ["step", "hours", "wall"]
    script(client, 2, batch_size=4)
    shown = figure(client, experiment, x="images")
    assert [column(line["x"]) for line in shown["data"]] == [[4.0, 8.0]]
    assert "1 run left out" in shown["layout"]["meta"]["caption"]
    assert shown["layout"]["meta"]["choices"]["x"]["levels"] == ["step", "images", "hours", "wall"]
    (notice,) = figure(client, experiment, x="epoch")["layout"]["annotations"]
    assert notice["text"] == "Of no run with loss the epoch is known."


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


def two_runs(client: TestClient, steps: int, value: Any = None) -> dict[str, Any]:
    """Two seeds of one loss."""
    base = {"data": {"train_size": 16}, "budget": {"images_seen": 8 * steps, "batch_size": 8}}
    experiment = acting.submit(client, base=base, factors={"loss": ["l1"], "seed": [0, 1]})
    for _ in range(2):
        acting.claimed(client).points(range(1, steps + 1), value=value)
    return experiment


def test_runs_of_one_loss_differ_in_shade_and_mark_and_are_named_at_their_ends(client: TestClient) -> None:
    shown = figure(client, two_runs(client, 5))
    first, second = shown["data"]
    assert first["line"]["color"] == LOSS_TOKENS["l1"].light
    assert second["line"]["color"] != first["line"]["color"]
    assert second["marker"]["symbol"] != first["marker"]["symbol"]
    ends = [note["text"] for note in shown["layout"]["annotations"] if note["name"] == "end"]
    assert sorted(ends) == ["seed 0", "seed 1"]


def test_a_value_that_never_changes_has_one_tick_and_no_axis_from_minus_one_to_one(client: TestClient) -> None:
    axis = figure(client, two_runs(client, 5, value=0.0001))["layout"]["yaxis"]
    assert (axis["tickvals"], axis["ticktext"]) == ([0.0001], ["0.0001"])
    assert 0 < axis["range"][0] < 0.0001 < axis["range"][1] < 0.0002


def test_how_many_points_are_drawn_is_said_and_a_closer_look_has_more(client: TestClient) -> None:
    experiment = two_runs(client, 3000)
    far = figure(client, experiment)
    drawn = len(far["data"][0]["x"])
    assert drawn <= 1002
    assert f"{drawn} of 3000 points of a curve drawn" in far["layout"]["meta"]["caption"]
    assert far["data"][0]["meta"]["of"] == 3000
    near = figure(client, experiment, x_from=1000, x_to=1400)
    within = [x for x in column(near["data"][0]["x"]) if x is not None and 1000 <= x <= 1400]
    assert within == [float(step) for step in range(1000, 1401)]
    assert len(near["data"][0]["x"]) < 3000, "what lies beside it is thinned"


@pytest.mark.parametrize("x, stretch", [("step", (1000, 1400)), ("epoch", (500, 700)), ("hours", (0.25, 0.35))])
def test_a_closer_look_never_holds_more_than_a_few_runs_at_full_length(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, x: str, stretch: tuple[float, float]
) -> None:
    experiment = two_runs(client, 3000)
    together = figure(client, experiment, x=x, x_from=stretch[0], x_to=stretch[1])
    held: list[int] = []
    gather = curve_sets.gather

    def counted(session: Any, runs: list[int], wanted: curve_sets.Wanted) -> list[curve_sets.Drawn]:
        held.append(len(runs))
        return gather(session, runs, wanted)

    monkeypatch.setattr(curves, "HELD", 1)
    monkeypatch.setattr(curve_sets, "gather", counted)
    apart = figure(client, experiment, x=x, x_from=stretch[0], x_to=stretch[1] + 1e-9)  # not the answer that is kept
    assert held == [1, 1]
    assert [line["x"] for line in apart["data"]] == [line["x"] for line in together["data"]]
    assert max(len(column(line["x"])) for line in apart["data"]) <= curves.MOST_POINTS * (1 + 2 / curves.OUTSIDE) + 6


def test_a_smoothed_curve_has_the_raw_one_behind_and_hidden_runs_are_left_out(client: TestClient) -> None:
    experiment = two_runs(client, 5)
    roles = [line["meta"]["role"] for line in figure(client, experiment, smoothing=0.5)["data"]]
    assert roles == ["raw", "run", "raw", "run"]
    run = figure(client, experiment)["data"][0]["meta"]["run_id"]
    assert [line["meta"]["run_id"] for line in figure(client, experiment, only=run)["data"]] == [run]
    assert run not in [line["meta"]["run_id"] for line in figure(client, experiment, hidden=run)["data"]]
