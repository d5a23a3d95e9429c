"""What every request meets: one error shape, Host and Origin, headers, limits, input that is meant to break things."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient

from backend.app import make_app
from backend.middleware import Envelope, Refused, check_request
from depthboard.settings import Settings
from tests.backend.acting import ERROR_KEYS, error_of


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(_env_file=None, home=tmp_path_factory.mktemp("http"))


@pytest.fixture(scope="module")
def client(settings: Settings) -> Iterator[TestClient]:
    """One application for the whole module: what is tested here leaves nothing behind."""
    with TestClient(make_app(settings), base_url="http://127.0.0.1:8765") as client:
        yield client


def test_an_unknown_path_of_the_api_is_an_error_in_the_one_shape_and_never_a_page(client: TestClient) -> None:
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
        answer = client.request(method, "/api/nothing/here", headers={"Accept": "text/html"})
        assert answer.status_code == 404
        assert error_of(answer)["code"] == "not_found"


def test_the_root_says_how_to_build_the_dashboard_or_shows_it(client: TestClient) -> None:
    answer = client.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("GET", "/api/runs/7", None, 404, "id"),
        ("GET", "/api/experiments/7", None, 404, "id"),
        ("GET", "/api/datasets/none", None, 404, "name"),
        ("GET", "/api/predictions/7", None, 404, "id"),
        ("GET", "/api/frames/7/rgb", None, 404, "id"),
        ("GET", "/api/runs/0", None, 422, "id"),
        ("GET", "/api/runs/x", None, 422, "id"),
        ("GET", "/api/runs?size=1001", None, 422, "size"),
        ("GET", "/api/runs?status=odd", None, 422, "status"),
        ("POST", "/api/experiments", {"name": ""}, 422, "name"),
        ("POST", "/api/experiments", {"name": "x", "colour": 1}, 422, "colour"),
        ("POST", "/api/experiments", {"name": "x", "factors": {"loss": []}}, 422, "factors"),
        ("POST", "/api/experiments", [], 422, None),
        ("PUT", "/api/workers/short", {}, 422, "worker_id"),
    ],
)
def test_errors_name_the_place(
    client: TestClient, method: str, path: str, body: Any, status: int, field: str | None
) -> None:
    answer = client.request(method, path, json=body)
    assert answer.status_code == status
    error = error_of(answer)
    assert error["field"] == field
    assert error["message"].endswith(".") or status == 404
    assert "Value error" not in error["message"]


def test_a_body_that_is_no_json_is_refused(client: TestClient) -> None:
    for body in (b"{", b"", b"\xff\xfe", b'{"name": "a"} x'):
        answer = client.post("/api/experiments", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)
        error_of(answer)


def test_what_no_route_foresaw_is_a_500_in_the_same_shape_with_the_id_that_the_log_has(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(*_: Any) -> None:
        raise ZeroDivisionError("secret")

    answer = TestClient(Envelope(broken), base_url="http://localhost").get("/", headers={"X-Request-ID": "my-id-7"})
    assert answer.status_code == 500
    assert error_of(answer)["request_id"] == "my-id-7"
    assert "secret" not in answer.text
    assert "my-id-7" in caplog.text
    assert "ZeroDivisionError" in caplog.text


HOSTS = {
    "127.0.0.1": 200,
    "127.0.0.1:8765": 200,
    "127.8.9.1:80": 200,
    "localhost:3000": 200,
    "LOCALHOST": 200,
    "[::1]:8765": 200,
    "board.example:8765": 200,
    "evil.example": 400,
    "evil.example:8765": 400,
    "127.0.0.1.evil.example": 400,
    "localhost.evil.example": 400,
    "notboard.example": 400,
    "10.0.0.1": 400,
    "0.0.0.0": 400,
    "": 400,
    "localhost:8765:80": 400,
    "localhost@evil.example": 400,
    "evil.example#localhost": 400,
}


@pytest.mark.parametrize("host", HOSTS)
def test_only_loopback_names_and_listed_hosts_are_answered(host: str) -> None:
    async def everything(scope: Any, receive: Any, send: Any) -> None:
        await PlainTextResponse("ok")(scope, receive, send)

    guarded = TestClient(Envelope(everything, ["board.example"]), base_url="http://127.0.0.1")
    answer = guarded.get("/", headers={"Host": host, "X-Forwarded-Host": "localhost"})
    assert answer.status_code == HOSTS[host]
    if answer.status_code == 400:
        assert error_of(answer)["code"] == "host_refused"


def test_a_request_with_two_hosts_or_none_is_refused() -> None:
    for headers in ([], [(b"host", b"localhost"), (b"host", b"evil.example")]):
        with pytest.raises(Refused):
            check_request("GET", headers, frozenset())


def test_the_hosts_of_the_settings_are_answered(settings: Settings) -> None:
    listed = settings.model_copy(update={"allowed_hosts": ["board.example"]})
    client = TestClient(make_app(listed))  # not started: an unknown path needs no database
    assert client.get("/api/no", headers={"Host": "Board.Example:80"}).status_code == 404
    assert client.get("/api/no", headers={"Host": "evil.example"}).status_code == 400


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [
        ({}, True),
        ({"Origin": "http://127.0.0.1:8765"}, True),
        ({"Origin": "http://evil.example"}, False),
        ({"Origin": "http://127.0.0.1:9999"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": ""}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
    ],
)
def test_unsafe_requests_come_from_our_own_pages_or_from_scripts(
    client: TestClient, headers: dict[str, str], allowed: bool
) -> None:
    for method, path in (
        ("POST", "/api/claims"),
        ("DELETE", "/api/experiments/1"),
        ("PUT", "/api/workers/worker-0001"),
    ):
        answer = client.request(method, path, json={}, headers=headers)
        assert (answer.status_code != 403) is allowed
    assert client.get("/api/health", headers=headers).status_code == 200


def test_every_answer_carries_the_headers_that_bind_a_browser(client: TestClient) -> None:
    for path in ("/api/health", "/", "/api/nothing"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-request-id"]


def test_a_body_over_the_limit_is_refused_in_the_one_shape(client: TestClient) -> None:
    for body in (b"x" * (33 << 20), (b"x" * (1 << 20) for _ in range(33))):
        answer = client.post("/api/claims", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
        error = answer.json()["error"]
        assert set(error) == ERROR_KEYS


def test_large_answers_are_compressed(client: TestClient) -> None:
    assert client.get("/api/catalogue", headers={"Accept-Encoding": "gzip"}).headers["content-encoding"] == "gzip"


def test_operation_ids_are_the_functions_names_and_unique(client: TestClient) -> None:
    paths = client.get("/api/openapi.json").json()["paths"]
    ids = [operation["operationId"] for path in paths.values() for operation in path.values()]
    assert len(ids) == len(set(ids))
    assert {"submit_experiment", "list_runs", "claim_run", "add_points"} <= set(ids)
