"""What an attempt records, over REST on both databases: kept once, as it was sent, whatever the numbers are."""

from __future__ import annotations

import json

import numpy as np
import pytest
from starlette.testclient import TestClient

from depthboard.metrics import FIRST_SUMS, SHARPNESS
from depthboard.protocol import unpack_depth
from tests.backend import acting


def test_points_sent_again_add_nothing_and_a_gap_is_not_kept(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    assert attempt.points(range(1, 6)) == 4
    attempt.seq = 0
    assert attempt.points(range(1, 6)) == 4
    attempt.seq = 3
    assert attempt.points(range(4, 9)) == 7, "the part that is new is kept"
    refused = attempt.send("points", acting.points(20, range(21, 23)))
    assert refused.status_code == 409
    error = refused.json()["error"]
    assert (error["code"], error["expected"]) == ("sequence_gap", 8)
    series = client.get(f"{attempt.path}/metrics").json()["series"]["train/loss/l1"]
    assert series["step"] == list(range(1, 9))


def test_evaluations_predictions_frames_and_log_sent_again_add_nothing(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    for _ in range(2):
        attempt.frames()
        attempt.evaluate(5)
        attempt.predict(5)
        attempt.checkpoint(5)
        attempt.ok("log", {"offset": 0, "text": "one\n"})
    assert len(client.get(f"{attempt.path}/evaluations").json()) == 1
    assert len(client.get(f"{attempt.path}/predictions").json()) == 2
    assert client.get(f"{attempt.path}/log").json()["text"].count("one") == 1


def test_values_that_are_not_finite_are_kept_and_named(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    attempt.points(range(1, 2), value=0.5)
    for step, value in ((2, "NaN"), (3, "Infinity"), (4, "-Infinity"), (5, None)):
        block = {"keys": ["train/loss/l1"], "steps": [step], "walls": [0], "values": [value]}
        attempt.ok("points", {"first_seq": step - 1, "blocks": [block]})
    answer = client.get(f"{attempt.path}/metrics")
    series = answer.json()["series"]["train/loss/l1"]
    assert series["value"] == [0.5, None, None, None, None]
    assert series["nonfinite"] == [[1, "nan"], [2, "inf"], [3, "-inf"], [4, "nan"]]
    assert client.get(attempt.path).json()["diverged_at"] == 2


def test_an_evaluation_of_a_diverged_network_is_kept_with_empty_metrics(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    attempt.evaluate(5, float("nan"))
    entry = client.get(f"{attempt.path}/evaluations").json()[0]
    assert entry["per_image"]["rmse"] is None
    assert client.get(attempt.path).json()["metrics"]["rmse"] is None


def test_depth_maps_and_pictures_come_back_as_they_were_sent(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    attempt.frames()
    attempt.evaluate(5, 0.25)
    attempt.predict(5, 2.5)
    entries = client.get(f"{attempt.path}/predictions", params={"step": 5}).json()
    assert [entry["frame"] for entry in entries] == list(acting.FRAMES)
    assert entries[1]["metrics"]["mae"] == pytest.approx(0.25)
    for headers in ({"Accept-Encoding": "gzip"}, {"Accept-Encoding": "identity"}):
        answer = client.get(entries[0]["url"], headers=headers)
        assert answer.headers["content-type"] == "application/octet-stream"
        assert "immutable" in answer.headers["cache-control"]
        assert answer.headers.get("content-encoding") == ("gzip" if headers["Accept-Encoding"] == "gzip" else None)
        assert (np.frombuffer(answer.content, "<u2") == 2500).all()
        assert len(answer.content) == 2 * acting.HEIGHT * acting.WIDTH
    together = client.get("/api/predictions", params={"id": [entry["id"] for entry in reversed(entries)]})
    start = 4 + int.from_bytes(together.content[:4], "little")
    header = json.loads(together.content[4:start])
    assert [part["id"] for part in header] == [entry["id"] for entry in reversed(entries)]
    for part in header:
        depth = unpack_depth(together.content[start : start + part["bytes"]], part["height"], part["width"])
        assert (depth == 2500).all()
        start += part["bytes"]
    assert start == len(together.content)
    assert client.get("/api/predictions", params={"id": [entries[0]["id"], 10**9]}).status_code == 404
    frame = entries[0]["frame_id"]
    assert client.get(f"/api/frames/{frame}/rgb").content.startswith(b"\x89PNG")
    assert (np.frombuffer(client.get(f"/api/frames/{frame}/depth").content, "<u2") == 3000).all()


def test_the_sample_frames_are_known_to_the_next_run_of_the_same_data(client: TestClient) -> None:
    acting.submit(client, base={**acting.SPEC["base"], "evaluation": {"samples": 2}})
    first = acting.claimed(client)
    assert first.claim["frames_known"] is False
    first.frames()
    assert acting.claimed(client).claim["frames_known"] is True


def test_a_prediction_of_an_unknown_frame_or_of_another_size_is_refused(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    answer = attempt.send("predictions", [acting.prediction(5, "nobody.png")])
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "0.frame"
    attempt.frames()
    short = {**acting.prediction(5, acting.FRAMES[0]), "depth": "eJxjYAAAAAIAAQ=="}
    assert attempt.send("predictions", [short]).json()["error"]["field"] == "0.depth"


def test_sums_of_another_size_are_refused_in_a_sentence(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    answer = attempt.send("evaluations", acting.evaluation(5, images=64) | {"images": 63})
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "sums"


def test_sums_of_the_first_evaluator_are_taken_too(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    attempt.evaluate(5, 0.25, columns=FIRST_SUMS)
    attempt.evaluate(10, 0.25)
    first, second = (entry["per_image"] for entry in client.get(f"{attempt.path}/evaluations").json())
    assert first["rmse"] == second["rmse"] == pytest.approx(0.25)
    assert (first["clipped"], second["clipped"]) == (None, 0)


def test_measures_of_edges_are_kept_as_means_over_the_images_where_they_are_defined(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    array = np.full((64, len(SHARPNESS)), np.nan)
    array[:, 0], array[:10, 1] = 0.5, np.arange(10)
    attempt.evaluate(5, sharpness=acting.packed(array))
    attempt.evaluate(10)
    first, second = (entry["sharpness"] for entry in client.get(f"{attempt.path}/evaluations").json())
    assert first[SHARPNESS[0]] == {"value": 0.5, "images": 64}
    assert first[SHARPNESS[1]] == {"value": 4.5, "images": 10}
    assert first[SHARPNESS[2]] == {"value": None, "images": 0}
    assert second is None


def test_measures_of_another_size_are_refused_in_a_sentence(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    answer = attempt.send("evaluations", acting.evaluation(5, sharpness=acting.packed(np.zeros((64, 3)))))
    assert (answer.status_code, answer.json()["error"]["field"]) == (422, "sharpness")
    assert f"64 images × {len(SHARPNESS)} float64" in answer.json()["error"]["message"]


def test_a_long_log_keeps_its_end(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    for i in range(4):
        attempt.ok("log", {"offset": i * 900_000, "text": f"{i}" * 900_000})
    log = client.get(f"{attempt.path}/log").json()
    assert log["truncated"] is True
    assert log["text"].endswith("3")
    assert len(log["text"]) < 2_000_100
