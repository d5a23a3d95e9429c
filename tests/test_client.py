"""The Python client's own part: reading specifications, and errors that come back as what they were."""

from __future__ import annotations

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from depthboard import errors, points, protocol
from depthboard.client import Api, Client, RunWriter, read_spec
from depthboard.points import Row


class Answers(http.server.BaseHTTPRequestHandler):
    """Gives the prepared (status, body) pairs in turn, the last one for ever."""

    prepared: list[tuple[int, Any]] = []
    seen: list[tuple[str, str, str | None]] = []
    bodies: list[bytes] = []

    def _answer(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.seen.append((self.command, self.path, self.headers.get("Authorization")))
        status, body = self.prepared.pop(0) if len(self.prepared) > 1 else self.prepared[0]
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, *_: Any) -> None:
        """Silent."""


@pytest.fixture
def server() -> Iterator[str]:
    Answers.prepared, Answers.seen, Answers.bodies = [], [], []
    listening = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=listening.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{listening.server_address[1]}"
    listening.shutdown()
    thread.join()
    listening.server_close()


def body(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "no.", "field": "loss.lam", "remedy": "Yes.", "request_id": "1"}}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (422, "invalid_input", errors.InvalidInput),
        (422, "unknown_name", errors.UnknownName),
        (404, "not_found", errors.NotFound),
        (409, "stale_attempt", errors.StaleAttempt),
        (409, "illegal_move", errors.IllegalMove),
        (500, "error", errors.Unavailable),
        (503, "unavailable", errors.Unavailable),
        (507, "unavailable", errors.Unavailable),
        (418, "teapot", errors.DepthboardError),
    ],
)
def test_an_error_of_the_api_is_raised_as_what_it_was(
    server: str, status: int, code: str, kind: type[Exception]
) -> None:
    Answers.prepared = [(status, body(code))]
    api = Api(server)
    with pytest.raises(errors.DepthboardError) as caught:
        api.json("GET", "/api/x")
    api.close()
    assert type(caught.value) is kind
    assert (caught.value.field, str(caught.value)) == ("loss.lam", "loss.lam: no. Yes.")


def test_an_answer_that_is_no_error_of_ours_is_still_a_sentence(server: str) -> None:
    Answers.prepared = [(500, ["odd"])]
    api = Api(server)
    with pytest.raises(errors.Unavailable, match="the API answered 500"):
        api.json("GET", "/api/x")
    api.close()


def test_a_page_that_is_no_json_is_no_answer(server: str) -> None:
    Answers.prepared = [(200, b"<html>sign in</html>")]
    api = Api(server)
    with pytest.raises(errors.Unavailable, match="no Depthboard API"):
        api.json("GET", "/api/x")
    api.close()


def test_an_api_that_is_down_is_unavailable_with_the_remedy() -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(errors.Unavailable, match="depthboard up"):
        client.experiments()


def test_a_write_is_sent_again_until_the_api_is_back(server: str) -> None:
    Answers.prepared = [(503, body("unavailable")), (502, {}), (200, {"last_seq": 0})]
    waits: list[float] = []
    writer = RunWriter(7, "token", server, sleep=waits.append)
    assert writer.points(points.batch(0, [Row(1, 0.0, {"a": float("nan")})])) == 0
    writer.api.close()
    assert Answers.seen == [("POST", "/api/runs/7/points", "Bearer token")] * 3
    assert waits == [0.2, 0.4]


def test_a_write_that_the_api_never_takes_is_given_up_after_some_minutes(server: str) -> None:
    Answers.prepared = [(500, body("internal"))]
    waits: list[float] = []
    writer = RunWriter(7, "token", server, sleep=waits.append)
    with pytest.raises(errors.Unavailable):
        writer.log(protocol.LogText(offset=0, text="x"))
    writer.api.close()
    assert 300 <= sum(waits) < 320


def test_a_stale_attempt_is_told_at_once(server: str) -> None:
    Answers.prepared = [(409, body("stale_attempt"))]
    writer = RunWriter(7, "token", server)
    with pytest.raises(errors.StaleAttempt):
        writer.log(protocol.LogText(offset=0, text="x"))
    writer.api.close()
    assert len(Answers.seen) == 1


def test_large_maps_go_in_several_requests_and_every_one_goes_once(server: str) -> None:
    Answers.prepared = [(200, {})]
    writer = RunWriter(7, "token", server)
    depth = bytes(3 * 2**20)
    maps = [protocol.Prediction(step=1, frame=f"{i}", height=1, width=1, depth=depth) for i in range(5)]
    writer.predictions(maps)
    writer.predictions(maps[:1])
    writer.predictions([])
    writer.api.close()
    sent = [[item["frame"] for item in json.loads(body)] for body in Answers.bodies]
    assert sent == [["0", "1"], ["2", "3"], ["4"], ["0"]]


def test_a_list_is_read_to_its_last_page(server: str) -> None:
    Answers.prepared = [
        (200, {"items": [{"id": 1}, {"id": 2}], "total": 3, "page": 1, "size": 2}),
        (200, {"items": [{"id": 3}], "total": 3, "page": 2, "size": 2}),
    ]
    with Client(server) as client:
        assert [e["id"] for e in client.experiments()] == [1, 2, 3]


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("name: [", "file", "cannot be read as YAML"),
        ("factors: {}", "name", "Field required"),
        ("name: x\nfactorz: {}", "factorz", "Extra inputs"),
        ("name: x\nfactors: {size: []}", "factors", "no levels"),
    ],
)
def test_a_bad_file_names_the_field(tmp_path: Path, text: str, field: str, words: str) -> None:
    file = tmp_path / "experiment.yaml"
    file.write_text(text)
    with pytest.raises(errors.InvalidInput, match=words) as caught:
        read_spec(file)
    assert caught.value.field == field


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidInput, match="there is no file"):
        read_spec(tmp_path / "none.yaml")


def test_depth_maps_survive_packing() -> None:
    import numpy as np

    depth = np.random.Generator(np.random.PCG64(1)).integers(0, 65536, (7, 5)).astype(np.uint16)
    packed = protocol.pack_depth(depth)
    assert np.array_equal(protocol.unpack_depth(packed, 7, 5), depth)
    with pytest.raises(ValueError, match="8×5 are due"):
        protocol.unpack_depth(packed, 8, 5)
    with pytest.raises(ValueError, match="6×5 are due"):
        protocol.unpack_depth(packed, 6, 5)
