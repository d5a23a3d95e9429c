"""Input that is meant to break things: on both databases it is kept or refused, and never ends in a 500."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.backend import acting
from tests.backend.acting import error_of

HUGE = [2**63, 2**70, -(2**63) - 1, 10**400]
TEXTS = ["a\x00b", "\ud800", "x" * 100_000, "\u202e", "\u200b", "__proto__", "../../etc/passwd", "a\r\nb: c", "=cmd()"]


WORST = TEXTS[:3]


def nasty_requests() -> list[tuple[str, str, Any]]:
    spec, note = acting.SPEC, {"host": "h", "device": "cpu"}
    claim = {"worker_id": "worker-0001", "host": "h", "training_version": "1"}
    found: list[tuple[str, str, Any]] = []
    for text in TEXTS:
        found += [
            ("POST", "/api/experiments", {**spec, "name": text, "description": text}),
            ("POST", "/api/experiments", {**spec, "tags": [text]}),
            ("POST", "/api/experiments", {**spec, "base": {text: 1}}),
        ]
    for text in WORST:
        found += [
            ("POST", "/api/experiments", {**spec, "description": text}),
            ("POST", "/api/experiments", {**spec, "base": {"labels": {text: text}}}),
            ("POST", "/api/experiments", {**spec, "base": {"network": {"weights": text}}}),
            ("POST", "/api/experiments", {**spec, "factors": {text: [text]}}),
            ("POST", "/api/experiments", {**spec, "factors": {"dataset": [text]}}),
            ("POST", "/api/experiments/dry-run", {**spec, "base": {"data": {"dataset": text}}}),
            ("PUT", "/api/workers/worker-0001", {**note, "host": text}),
            ("PUT", "/api/workers/worker-0001", {**note, "speeds": {text: 1.0}}),
            ("POST", "/api/claims", {**claim, "host": text}),
            ("POST", "/api/claims", {**claim, "worker_id": text + "-worker"}),
            ("POST", "/api/claims", {**claim, "training_version": text}),
            ("PATCH", "/api/experiments/1", {"name": text}),
        ]
    for number in HUGE:
        found += [
            ("POST", "/api/experiments", {**spec, "factors": {"seed": [number]}}),
            ("POST", "/api/experiments", {**spec, "base": {"budget": {"images_seen": number}}}),
            ("PUT", "/api/workers/worker-0001", {**note, "threads": number}),
            ("PUT", "/api/workers/worker-0001", {**note, "pid": number}),
            ("PUT", "/api/workers/worker-0001", {**note, "startup_seconds": number}),
            ("PUT", "/api/workers/worker-0001", {**note, "speeds": {"a": number}}),
            ("POST", "/api/claims", {**claim, "run_id": number}),
        ]
    values: list[Any] = ["NaN", "Infinity", "1e999", None, True, [], {}, -0.0, 1e308]
    for value in values:
        found += [
            ("PUT", "/api/workers/worker-0001", {**note, "speeds": {"a": value}}),
            ("PUT", "/api/workers/worker-0001", {**note, "startup_seconds": value}),
            ("POST", "/api/experiments", {**spec, "factors": {"optimiser.lr": [value]}}),
            ("POST", "/api/experiments", {**spec, "base": {"data": value}}),
        ]
    return found


def test_nothing_that_is_sent_ends_in_a_500(client: TestClient) -> None:
    acting.submit(client)
    for method, path, body in nasty_requests():
        content = json.dumps(body).replace('"1e999"', "1e999")
        answer = client.request(method, path, content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code < 500, (method, path, content[:200], answer.text)
        if answer.status_code >= 400:
            error_of(answer)
    for path in ("/api/experiments", "/api/workers", "/api/runs", "/api/datasets"):
        assert client.get(path).status_code == 200, "what was accepted can be read"


def test_nothing_that_a_worker_writes_ends_in_a_500(client: TestClient) -> None:
    acting.submit(client)
    attempt = acting.claimed(client)
    attempt.frames()
    block = {"keys": ["a"], "steps": [1], "walls": [0.0], "values": [1.0]}
    bodies: list[tuple[str, str, Any]] = []
    for text in WORST:
        bodies += [
            ("POST", "points", {"first_seq": 0, "writer": text, "blocks": [block]}),
            ("POST", "points", {"first_seq": 0, "blocks": [{**block, "keys": [text]}]}),
            ("POST", "points", {"first_seq": 0, "blocks": [{**block, "values": text}]}),
            ("POST", "log", {"offset": 0, "text": text}),
            ("POST", "provenance", {"code_version": text, "libraries": {text: text}}),
            ("POST", "checkpoints", {"step": 1, "path": text, "sha256": "0" * 64, "bytes": 1}),
            ("POST", "evaluations", acting.evaluation(1, split=text)),
            ("POST", "evaluations", acting.evaluation(1, protocol=text, sums=text)),
            ("POST", "predictions", [{**acting.prediction(1, text), "depth": text}]),
            ("PUT", "frames", [{**acting.frame(text, 0), "split": text}]),
            ("PUT", "frames", [{**acting.frame("a", 0), "rgb": text}]),
        ]
    for number in HUGE:
        bodies += [
            ("POST", "points", {"first_seq": number, "blocks": [block]}),
            ("POST", "points", {"first_seq": 0, "blocks": [{**block, "steps": [number]}]}),
            ("POST", "points", {"first_seq": 0, "blocks": [{**block, "rows": [number]}]}),
            ("POST", "points", {"first_seq": 0, "blocks": [{**block, "walls": [number], "values": [number]}]}),
            ("POST", "begin", {"resumed_from": number}),
            ("POST", "log", {"offset": number, "text": "x"}),
            ("POST", "checkpoints", {"step": 1, "path": "/a", "sha256": "1" * 64, "bytes": number}),
            ("POST", "evaluations", acting.evaluation(2, constant=number)),
            ("POST", "evaluations", {**acting.evaluation(2), "images": number}),
            ("PUT", "frames", [{**acting.frame("b", 0), "position": number}]),
            ("POST", "predictions", [{**acting.prediction(1, acting.FRAMES[0]), "nonfinite": number}]),
            ("POST", "provenance", {"code_version": "x", "parameters": number}),
            ("POST", "renewals", {"progress": {"step": number}}),
        ]
    for value in ("NaN", "Infinity", "-Infinity", None, 1e308):
        bodies += [
            ("POST", "points", {"first_seq": 0, "blocks": [{**block, "walls": [value]}]}),
            ("POST", "evaluations", acting.evaluation(3, wall=value, constant=value, seconds=value)),
            ("POST", "renewals", {"progress": {"step": 1, "images_per_second": value}}),
        ]
    for method, what, body in bodies:
        answer = attempt.send(what, body, method)
        assert answer.status_code < 500, (what, str(body)[:200], answer.text)
    for what in ("", "/metrics", "/evaluations", "/predictions", "/log"):
        assert client.get(attempt.path + what).status_code == 200
    for number in (2**63, 2**64):
        assert attempt.send("finish", {"status": "failed", "exit_code": number}).status_code == 422


def test_query_and_path_parameters_that_no_database_takes_are_refused(client: TestClient) -> None:
    for path in (
        f"/api/runs/{2**63}",
        f"/api/runs/{10**30}",
        f"/api/runs?page={10**30}",
        f"/api/runs/1/metrics?after_step={2**63}",
        f"/api/predictions/{2**63}",
        f"/api/events?run={2**63}",
        "/api/experiments?q=a%00b",
        "/api/experiments?tag=%00",
        "/api/datasets/a%00b",
        "/api/datasets/a%00b/sheet",
        "/api/runs/%F0%28%8C%BC",
    ):
        answer = client.get(path)
        assert answer.status_code in (404, 422), path
        error_of(answer)


def test_a_body_nested_ten_thousand_deep_is_refused(client: TestClient) -> None:
    for depth in (500, 900, 10_000):
        body = '{"name": "x", "base": ' + '{"a":' * depth + "1" + "}" * depth + "}"
        answer = client.post("/api/experiments", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 422
        error_of(answer)


@pytest.mark.parametrize(
    "body",
    [b'{"a":' * 10_000, gzip.compress(b'{"name": "x"}'), b'{"name": "\xff\xfe"}'],
    ids=["too deep", "packed", "not UTF-8"],
)
def test_a_body_that_is_no_text_is_refused_with_what_to_do(client: TestClient, body: bytes) -> None:
    error = error_of(client.post("/api/experiments", content=body, headers={"Content-Type": "application/json"}))
    assert error["code"] == "invalid_input"
    assert "cannot be read" in error["message"]
    assert "UTF-8" in error["remedy"]
