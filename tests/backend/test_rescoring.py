"""Finished runs scored again, over REST on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update
from starlette.testclient import TestClient

from backend.store.tables import Run
from tests.backend import acting

BTS = "bts-0.001-10m-native-v2"


@pytest.fixture
def attempt(client: TestClient) -> acting.Attempt:
    """A run whose training is at its end, but not finished yet."""
    acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    attempt.evaluate(0, 1.0, predictor="constant", constant=3.0)
    for step in (5, 10, 20):
        attempt.evaluate(step, 4 / step)
        attempt.checkpoint(step)
    return attempt


def rescored(attempt: acting.Attempt, error: float = 0.7, step: int = 20, **changes: Any) -> dict[str, Any]:
    evaluation = acting.evaluation(step, error, protocol=BTS, **changes)
    source = {"checkpoint_sha256": f"{20:064x}", "data_fingerprint": attempt.claim["dataset"]["fingerprint"]}
    return {"evaluation": evaluation, **source}


def send(client: TestClient, attempt: acting.Attempt, body: dict[str, Any]) -> Any:
    return client.post(f"{attempt.path}/rescored", json=body)


def refused(client: TestClient, attempt: acting.Attempt, body: dict[str, Any]) -> tuple[int, str]:
    answer = send(client, attempt, body)
    return answer.status_code, acting.error_of(answer)["field"]


def test_a_finished_run_says_what_scoring_it_again_takes(client: TestClient, attempt: acting.Attempt) -> None:
    early = client.get(f"{attempt.path}/trained")
    assert (early.status_code, acting.error_of(early)["field"]) == (409, "status")
    attempt.finish()
    trained = client.get(f"{attempt.path}/trained").json()
    assert trained["checkpoints"] == [
        {"step": 20, "path": "/tmp/20.pt", "sha256": f"{20:064x}", "bytes": 10, "host": ""}
    ]
    assert trained["config"] == attempt.claim["config"]
    assert trained["dataset"] == attempt.claim["dataset"]
    assert client.get("/api/runs/999/trained").status_code == 404


def test_an_evaluation_of_the_checkpoint_stands_beside_the_runs_own_and_sent_again_adds_nothing(
    client: TestClient, attempt: acting.Attempt
) -> None:
    attempt.finish()
    before, listed = client.get(attempt.path).json(), client.get(f"{attempt.path}/evaluations").json()
    for _ in range(2):
        assert send(client, attempt, rescored(attempt)).status_code == 204
        constant = rescored(attempt, 0.9, step=0, predictor="constant", constant=3.0)
        assert send(client, attempt, constant).status_code == 204
    assert client.get(attempt.path).json() == before, "the run's own value stays"
    after = client.get(f"{attempt.path}/evaluations").json()
    assert [entry for entry in after if not entry["rescored"]] == listed
    again = [(e["step"], e["protocol"], e["predictor"], e["constant"]) for e in after if e["rescored"]]
    assert again == [(0, BTS, "constant", 3.0), (20, BTS, "network", None)]


def test_the_results_take_the_protocol_and_show_what_was_scored_again(
    client: TestClient, attempt: acting.Attempt
) -> None:
    experiment = client.get(attempt.path).json()["experiments"][0]["id"]
    path = f"/api/experiments/{experiment}"
    assert client.get(f"{path}/results", params={"protocol": BTS}).status_code == 422
    attempt.finish()
    send(client, attempt, rescored(attempt))
    send(client, attempt, rescored(attempt, 0.9, step=0, predictor="constant", constant=3.0))
    for wanted in (BTS, f"test/{BTS}"):
        table = client.get(f"{path}/results", params={"protocol": wanted}).json()
        values = {row["kind"]: row["values"]["rmse"] for row in table["rows"]}
        assert (values["run"], values["constant"]) == pytest.approx((0.7, 0.9))
        assert "1 run re-scored from kept checkpoints" in table["caption"]
    own = client.get(f"{path}/results").json()
    assert (table["value"], own["value"]) == ("last", "last3"), "the checkpoint that is kept has one evaluation"
    assert own["rows"][0]["values"]["rmse"] == pytest.approx((0.8 + 0.4 + 0.2) / 3)
    grid = client.get(f"{path}/qualitative", params={"protocol": BTS}).json()
    assert grid["runs"][0]["metrics"]["rmse"] == pytest.approx(0.7)


def test_the_checkpoint_that_was_best_on_validation_is_scored_again_and_is_no_last_value(
    client: TestClient, attempt: acting.Attempt
) -> None:
    for step, error in ((5, 0.5), (10, 0.3), (20, 0.4)):
        attempt.evaluate(step, error, split="validation")
    attempt.finish()
    trained = client.get(f"{attempt.path}/trained").json()
    assert [note["step"] for note in trained["checkpoints"]] == [20, 10]
    best = {**rescored(attempt, 0.6, step=10), "checkpoint_sha256": f"{10:064x}"}
    early = {**rescored(attempt, 0.6, step=5), "checkpoint_sha256": f"{5:064x}"}
    assert refused(client, attempt, early) == (409, "checkpoint_sha256")
    assert refused(client, attempt, {**best, "checkpoint_sha256": f"{20:064x}"}) == (422, "evaluation.step")
    assert send(client, attempt, best).status_code == 204
    path = f"/api/experiments/{client.get(attempt.path).json()['experiments'][0]['id']}/results"

    def value(selector: str) -> float | None:
        table = client.get(path, params={"protocol": BTS, "value": selector}).json()
        return next((row["values"]["rmse"] for row in table["rows"] if row["kind"] == "run"), None)

    assert (value("last"), value("best_validation")) == (None, pytest.approx(0.6)), "the end was not scored again yet"
    assert send(client, attempt, rescored(attempt, 0.7)).status_code == 204
    assert (value("last"), value("last3"), value("best_validation")) == pytest.approx((0.7, 0.7, 0.6))


def test_a_run_that_its_budgets_clock_ended_is_scored_again_at_its_end(client: TestClient) -> None:
    acting.submit(client, factors={"loss": ["l1"]})
    attempt = acting.claimed(client)
    attempt.evaluate(0, 1.0, predictor="constant", constant=3.0)
    attempt.evaluate(10, 0.4)
    attempt.checkpoint(10)
    attempt.finish(step=10)
    run = client.get(attempt.path).json()
    assert (run["step"], run["steps"], run["images_seen"]) == (10, 10, 80)
    assert (
        send(client, attempt, {**rescored(attempt, 0.7, step=10), "checkpoint_sha256": f"{10:064x}"}).status_code == 204
    )
    path = f"/api/experiments/{run['experiments'][0]['id']}/results"
    rows = client.get(path, params={"protocol": BTS, "value": "last"}).json()["rows"]
    assert [row["values"]["rmse"] for row in rows if row["kind"] == "run"] == [pytest.approx(0.7)]


def test_only_finished_runs_are_scored_again(client: TestClient, attempt: acting.Attempt) -> None:
    assert refused(client, attempt, rescored(attempt)) == (409, "status")
    attempt.finish("failed", "no memory")
    assert refused(client, attempt, rescored(attempt)) == (409, "status")
    body = rescored(attempt)
    assert client.post("/api/runs/999/rescored", json=body).status_code == 404


def test_what_is_not_of_this_run_is_refused_naming_the_field(client: TestClient, attempt: acting.Attempt) -> None:
    attempt.finish()
    body = rescored(attempt)
    for wrong, expected in (
        ({**body, "checkpoint_sha256": f"{10:064x}"}, (409, "checkpoint_sha256")),
        ({**body, "data_fingerprint": "moved"}, (409, "data_fingerprint")),
        (rescored(attempt, step=10), (422, "evaluation.step")),
        (rescored(attempt, images=63), (422, "evaluation.images")),
        (rescored(attempt, split="validation"), (422, "evaluation.split")),
        (rescored(attempt, step=0, predictor="constant", constant=2.5), (422, "evaluation.constant")),
        (
            {**body, "evaluation": {**body["evaluation"], "protocol": "bts-0.001-10m-native-v1"}},
            (422, "evaluation.protocol"),
        ),
        ({**body, "evaluation": {**body["evaluation"], "images": 60}}, (422, "sums")),
    ):
        assert refused(client, attempt, wrong) == expected
    assert not any(entry["rescored"] for entry in client.get(f"{attempt.path}/evaluations").json())


def test_a_run_claimed_by_a_newer_evaluator_is_filed_under_its_protocol(client: TestClient) -> None:
    acting.submit(client, factors={"loss": ["l1"]})
    with client.app.state.database.write() as session:  # type: ignore[attr-defined]
        session.execute(update(Run).values(protocol="none-0.001-10m-64x96"))
    attempt = acting.claimed(client)
    attempt.evaluate(5, 0.25)
    run = client.get(attempt.path).json()
    assert (run["protocol"], run["metrics"]["rmse"]) == (acting.PROTOCOL, pytest.approx(0.25))
