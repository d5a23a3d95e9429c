"""What broke the API once, sent again."""

from __future__ import annotations

import base64
import csv
import io
import json
import zlib
from typing import Any

import httpx2
from starlette.testclient import TestClient

from backend.figures.results import ResultsTable
from backend.figures.results_text import to_csv
from backend.schemas import ResultRow
from depthboard.datasets import ROOMS
from tests.backend import acting
from tests.backend.acting import error_of

JSON = {"Content-Type": "application/json"}
PACKED = base64.b64decode(acting.depth_map(2.0))


def report(name: str, **changes: Any) -> dict[str, Any]:
    return {**ROOMS.model_dump(mode="json"), "name": name, "format": "folder", "path": "/data", **changes}


def test_a_depth_map_that_is_not_one_whole_stream_is_refused_when_it_is_sent_not_when_it_is_read(
    client: TestClient,
) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    attempt.frames()
    for packed in (PACKED[:-4], PACKED[:-1], PACKED + b"more", PACKED + PACKED):
        depth = base64.b64encode(packed).decode()
        for answer in (
            attempt.send("predictions", [{**acting.prediction(5, acting.FRAMES[0]), "depth": depth}]),
            attempt.send("frames", [{**acting.frame("new.png", 1), "depth": depth}], "PUT"),
        ):
            assert (answer.status_code, error_of(answer)["field"]) == (422, "0.depth")


def test_a_depth_map_that_unpacks_to_much_more_than_its_size_is_refused(client: TestClient) -> None:
    acting.submit(client)
    bomb = base64.b64encode(zlib.compress(bytes(64 << 20))).decode()
    answer = acting.claimed(client).send("frames", [{**acting.frame("new.png", 1), "depth": bomb}], "PUT")
    assert answer.status_code == 422
    assert "more than 64×96 values" in error_of(answer)["message"]


def test_a_picture_whose_end_is_missing_is_refused(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    whole = acting.frame("new.png", 1)
    cut = base64.b64encode(base64.b64decode(whole["rgb"])[:-30]).decode()
    answer = attempt.send("frames", [{**whole, "rgb": cut}], "PUT")
    assert (answer.status_code, error_of(answer)["field"]) == (422, "0.rgb")


def test_nothing_is_written_of_a_step_that_the_run_does_not_have(client: TestClient) -> None:
    acting.submit(client)  # 20 steps
    attempt = acting.claimed(client)
    attempt.frames()
    for answer in (
        attempt.send("points", acting.points(0, range(21, 22))),
        attempt.send("evaluations", acting.evaluation(21)),
        attempt.send("predictions", [acting.prediction(21, acting.FRAMES[0])]),
    ):
        assert (answer.status_code, error_of(answer)["field"]) == (422, "step")
    assert attempt.points(range(1, 21)) == 19


def test_a_checkpoint_beyond_the_last_step_is_refused_because_the_run_would_go_on_from_there(
    client: TestClient,
) -> None:
    experiment = acting.submit(client)
    attempt = acting.claimed(client)
    note = {"path": "/tmp/x.pt", "sha256": "0" * 64, "bytes": 1}
    assert error_of(attempt.send("checkpoints", {**note, "step": 2**53}))["field"] == "step"
    assert error_of(attempt.send("checkpoints", {**note, "step": 21}))["message"] == "run 1 ends at step 20, before 21."
    attempt.checkpoint(20)
    attempt.finish("queued")
    acting.claimed(client)
    assert client.get(f"/api/experiments/{experiment['id']}").json()["progress"] == 0.5


def test_a_worker_that_measured_no_finite_speed_does_not_take_the_list_of_workers_away(client: TestClient) -> None:
    body = '{"host": "h", "device": "cpu", "speeds": {"a": NaN, "b": 1e999, "c": 5.0}}'
    assert client.put("/api/workers/worker-0001", content=body, headers=JSON).status_code == 200
    assert [worker["speeds"] for worker in client.get("/api/workers").json()["items"]] == [{"c": 5.0}]


def test_an_event_id_of_five_thousand_digits_is_no_event_id(api: str) -> None:
    with httpx2.stream("GET", f"{api}/api/events", headers={"Last-Event-ID": "9" * 5000}) as answer:
        assert next(answer.iter_lines()) == "event: hello"


def test_a_dataset_whose_name_no_address_can_hold_is_refused(client: TestClient) -> None:
    for name in (".", "..", "a/b", "../x", "a\\b", "a\nb", "a\n", " a", "\u202e", "=1", "<b>"):
        answer = client.post("/api/datasets", json={"report": report(name)})
        assert (answer.status_code, error_of(answer)["field"]) == (422, "report.name"), name


def test_a_report_that_counts_problems_but_names_none_is_refused(client: TestClient) -> None:
    answer = client.post("/api/datasets", json={"report": report("odd", problem_count=3)})
    assert answer.status_code == 422
    assert "does not name" in error_of(answer)["message"]


def test_no_name_is_a_formula_in_the_exported_table() -> None:
    for name in ('=HYPERLINK("evil","x")', "+1", "-1", "@x", "\t=1"):
        facts = {"label": "L1", "loss": "l1", "encoder": None, "train_size": 16, "dataset": name, "note": name}
        row = ResultRow.model_validate({"kind": "run", "n": 1, "run_ids": [1], "values": {}, "spread": {}, **facts})
        table = ResultsTable("Results", rows=(row,), metrics=("rmse",), part="test", caption="")
        read = next(csv.DictReader(io.StringIO(to_csv(table), newline="")))
        assert (read["dataset"], read["note"], read["label"]) == ("'" + name, "'" + name, "L1")


def test_a_choice_of_states_is_named_in_plain_words(client: TestClient) -> None:
    acting.submit(client)
    message = error_of(acting.claimed(client).finish("lost"))["message"]
    assert message == "input should be 'finished', 'failed', 'cancelled' or 'queued'."


def test_a_number_of_five_thousand_digits_is_refused(client: TestClient) -> None:
    body = json.dumps({"name": "x", "base": {"seed": 0}}).replace("0", "9" * 5000)
    answer = client.post("/api/experiments", content=body, headers=JSON)
    assert answer.status_code in (400, 422)
    error_of(answer)
