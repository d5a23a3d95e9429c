"""What the page of one run reads: its figure, closer looks at its curves, its checkpoints, how long it was trained."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from backend.store import compaction
from backend.store.columns import Columns, may_be_thinned, thin
from backend.store.session import Database
from backend.sweeper import sweep
from depthboard.settings import Settings
from tests.backend import acting
from tests.backend.test_kept import questions

KEY = "train/loss/l1"
WORKED = ("host", "device", "trained_seconds")


@pytest.fixture
def attempt(client: TestClient) -> acting.Attempt:
    budget = {"images_seen": 8 * 4000, "batch_size": 8}
    acting.submit(
        client, base={"data": {"dataset": "rooms", "train_size": 16}, "budget": budget}, factors={"loss": ["l1"]}
    )
    return acting.claimed(client)


def lost_and_claimed(client: TestClient, app: FastAPI, attempt: acting.Attempt) -> acting.Attempt:
    acting.expire(app, attempt.run_id)
    sweep(app.state.database, app.state.settings)
    acting.make_due(app, attempt.run_id)
    return acting.claimed(client, worker="worker-0002")


def series(client: TestClient, attempt: acting.Attempt, **query: Any) -> dict[str, Any]:
    answer = client.get(f"{attempt.path}/metrics", params=query)
    assert answer.status_code == 200, answer.text
    return cast(dict[str, Any], answer.json()["series"][KEY])


def test_a_thinned_curve_says_how_many_points_it_stands_for(client: TestClient, attempt: acting.Attempt) -> None:
    attempt.points(range(1, 1001))
    thinned = series(client, attempt, max_points=50)
    assert len(thinned["step"]) <= 52
    assert thinned["points"] == 1000
    assert series(client, attempt, after_step=900)["points"] == 100


def test_new_points_of_a_curve_are_read_once(client: TestClient, app: FastAPI, attempt: acting.Attempt) -> None:
    attempt.points(range(1, 1001))
    with questions(app) as asked:
        assert series(client, attempt, after_step=900)["points"] == 100
    assert sum("chunk.body" in statement for statement in asked) == 1


@pytest.mark.parametrize("most", [10, 11, 50, 1500, 4000])
@pytest.mark.parametrize("value", [1.0, float("nan")], ids=["flat", "nan"])
def test_a_thinned_curve_is_never_taken_for_a_whole_one(most: int, value: float) -> None:
    n = most + 1
    columns = Columns(np.arange(n), np.zeros(n), np.full(n, value))
    assert may_be_thinned(thin(columns, most), most)


def test_points_are_counted_the_same_after_compaction_and_without_what_was_cut(
    client: TestClient, app: FastAPI, attempt: acting.Attempt
) -> None:
    attempt.points(range(1, 801))
    second = lost_and_claimed(client, app, attempt)
    second.ok("begin", {"resumed_from": 501})
    second.points(range(501, 601))
    assert series(client, second)["points"] == 600
    assert compaction.compact(cast(Database, app.state.database), second.run_id)
    assert series(client, second)["points"] == 600
    assert series(client, second, after_step=550)["points"] == 50


def test_a_stretch_of_a_curve_has_all_its_points(client: TestClient, attempt: acting.Attempt) -> None:
    attempt.points(range(1, 1001))
    stretch = series(client, attempt, key=KEY, after_step=499, until_step=520, max_points=50)
    assert stretch["step"] == list(range(500, 521))


def test_hours_are_given_where_they_are_asked_for(client: TestClient, attempt: acting.Attempt) -> None:
    attempt.points(range(1, 3602))  # a step a second
    assert series(client, attempt)["hours"] is None
    hours = series(client, attempt, with_hours=True)["hours"]
    assert (hours[0], hours[-1]) == (0, pytest.approx(1.0))


def test_a_run_says_how_long_it_was_trained_and_how_far_each_attempt_came(
    client: TestClient, app: FastAPI, attempt: acting.Attempt
) -> None:
    assert client.get(attempt.path).json()["kept_seconds"] is None
    attempt.points(range(1, 81))
    second = lost_and_claimed(client, app, attempt)
    second.ok("begin", {"resumed_from": 51})
    # Its clock goes on after a night, at step 51: 49 s of the first attempt count, and 20 s of this one.
    block = {"keys": [KEY], "steps": [51, 71], "walls": [2e9, 2e9 + 20], "values": [1, 1]}
    second.ok("points", {"first_seq": 0, "blocks": [block]})
    run = client.get(attempt.path).json()
    assert run["kept_seconds"] == pytest.approx(69)
    listed = client.get("/api/runs", params={"filter": f"id = {attempt.run_id}"}).json()["items"][0]
    assert run["trained_seconds"] is not None
    assert [run[name] for name in WORKED] == [listed[name] for name in WORKED], "as the list says"
    assert [(a["attempt"], a["last_step"], a["resumed_from"]) for a in run["attempts"]] == [(1, 80, None), (2, 71, 51)]


def test_a_checkpoint_on_this_machine_can_be_had_and_one_elsewhere_says_where(
    client: TestClient, app: FastAPI, attempt: acting.Attempt
) -> None:
    artifacts = cast(Settings, app.state.settings).artifacts
    own = artifacts / "runs" / f"{app.state.mark}-{attempt.run_id}"
    own.mkdir(parents=True)
    (own / "step-5-1.pt").write_bytes(b"weights")
    for step, path in ((5, own / "step-5-1.pt"), (3, own / "step-3-1.pt"), (4, Path("/data/elsewhere.pt"))):
        note = {
            "step": step,
            "path": str(path),
            "sha256": f"{step:064x}",
            "bytes": 7,
            "host": "" if step == 5 else "gpu-7",
        }
        attempt.ok("checkpoints", note)
    listed = client.get(f"{attempt.path}/checkpoints").json()
    assert [(c["step"], c["url"]) for c in listed] == [(5, f"{attempt.path}/checkpoints/5"), (4, None)]
    assert (listed[1]["host"], listed[1]["path"]) == ("gpu-7", "/data/elsewhere.pt")
    answer = client.get(listed[0]["url"])
    assert (answer.content, answer.headers["content-disposition"]) == (
        b"weights",
        f'attachment; filename="run-{attempt.run_id}-step-5-1.pt"',
    )
    refused = client.get(f"{attempt.path}/checkpoints/4")
    assert refused.status_code == 404
    assert acting.error_of(refused)["field"] == "step"


@pytest.mark.parametrize("kind", ["outside", "other-run", "link", "dots"])
def test_no_file_but_the_runs_own_checkpoints_is_ever_served(
    client: TestClient, app: FastAPI, attempt: acting.Attempt, tmp_path: Path, kind: str
) -> None:
    runs = cast(Settings, app.state.settings).artifacts / "runs"
    own, other = runs / f"{app.state.mark}-{attempt.run_id}", runs / f"{app.state.mark}-{attempt.run_id + 1}"
    secret = tmp_path / "secret.pt"
    for folder in (own, other):
        folder.mkdir(parents=True)
    for file in (secret, other / "theirs.pt"):
        file.write_bytes(b"secret")
    (own / "link.pt").symlink_to(secret)
    path = {
        "outside": secret,
        "other-run": other / "theirs.pt",
        "link": own / "link.pt",
        "dots": f"{own}/../{other.name}/theirs.pt",
    }[kind]
    attempt.ok("checkpoints", {"step": 5, "path": str(path), "sha256": f"{5:064x}", "bytes": 6})
    assert client.get(f"{attempt.path}/checkpoints/5").status_code == 404


def test_the_figure_of_a_run_is_drawn_anew_when_an_evaluation_comes(
    client: TestClient, attempt: acting.Attempt
) -> None:
    def figure(**query: Any) -> Any:
        answer = client.get(f"{attempt.path}/figure", params=query)
        assert answer.status_code == 200, answer.text
        return answer

    before = figure()
    held = client.get(f"{attempt.path}/figure", headers={"If-None-Match": before.headers["etag"]})
    assert held.status_code == 304
    attempt.evaluate(50)
    after = figure()
    assert after.headers["etag"] != before.headers["etag"]
    (drawn,) = [trace for trace in after.json()["data"] if trace["meta"]["role"] == "run"]
    assert len(drawn["x"]) == 1
    assert 'filename="run-' in figure(format="html").headers["content-disposition"]
    written = figure(format="csv").text
    assert f"# drawn again by: {attempt.path}/figure?format=csv" in written
    assert f"\nkind,run_id,epoch,mae,low,high,n\nrun,{attempt.run_id},{drawn['x'][0]}," in written


def test_a_figure_that_cannot_be_says_which_field_and_what_else_there_is(
    client: TestClient, attempt: acting.Attempt
) -> None:
    refused = client.get(f"{attempt.path}/figure", params={"metric": "rmsee"})
    assert (refused.status_code, acting.error_of(refused)["field"]) == (422, "metric")
    assert client.get("/api/runs/999/figure").status_code == 404
