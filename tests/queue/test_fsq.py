"""The embedded queue, driven through kombu as Celery drives it."""

from __future__ import annotations

import os
import pickle
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from kombu import Connection
from kombu.simple import SimpleQueue

import depthboard.queue
from depthboard.settings import Settings

MESSAGES = "queue/messages"


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[Connection]:
    app = depthboard.queue.make_app(Settings(home=tmp_path))
    with app.connection_for_write() as opened:
        yield opened


def take(connection: Connection) -> list[object]:
    found = []
    with SimpleQueue(connection, "runs") as queue:
        while True:
            try:
                message = queue.get(block=True, timeout=0.3)
            except queue.Empty:
                return found
            found.append(message.payload)
            message.ack()


def put(connection: Connection, *payloads: object) -> None:
    with SimpleQueue(connection, "runs") as queue:
        for payload in payloads:
            queue.put(payload)


def test_messages_come_out_once_and_in_order(connection: Connection) -> None:
    put(connection, *range(20))
    assert take(connection) == list(range(20))
    assert take(connection) == []


JUNK = {
    "empty": b"",
    "half JSON": b'{"body": "x", "head',
    "object": b"{}",
    "list": b"[]",
    "number": b"3",
    "pickle": pickle.dumps({"body": 1}),
    "not text": b"\xff\xfe\x00",
    "no delivery": b'{"body": "eA==", "headers": {}, "properties": {}}',
    "wrong properties": b'{"body": "eA==", "headers": {}, "properties": []}',
}


@pytest.mark.parametrize("kind", JUNK)
def test_junk_is_put_aside_and_the_next_message_still_comes(connection: Connection, tmp_path: Path, kind: str) -> None:
    put(connection, "before")
    (tmp_path / MESSAGES / "00000000000000000000_junk.runs.msg").write_bytes(JUNK[kind])
    put(connection, "after")
    assert take(connection) == ["before", "after"]
    (bad,) = [name for name in os.listdir(tmp_path / MESSAGES) if name.startswith(".bad-")]
    assert (tmp_path / MESSAGES / bad).read_bytes() == JUNK[kind]


def test_a_half_written_message_is_not_seen(connection: Connection, tmp_path: Path) -> None:
    put(connection, "whole")
    (tmp_path / MESSAGES / ".tmp-00000000000000000000_x.runs.msg").write_bytes(b'{"body"')
    assert take(connection) == ["whole"]


def test_an_empty_exchange_file_left_by_a_crash_is_mended(connection: Connection, tmp_path: Path) -> None:
    control = tmp_path / "queue" / "control"
    control.mkdir(parents=True)
    (control / "runs.exchange").write_bytes(b"")
    put(connection, "message")
    assert take(connection) == ["message"]


def test_only_the_owner_can_read_the_queue(connection: Connection, tmp_path: Path) -> None:
    put(connection, "secret")
    folder = tmp_path / MESSAGES
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE((folder / name).stat().st_mode) for name in os.listdir(folder)} == {0o600}


def test_a_folder_that_takes_no_message_is_an_error_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "queue" / "messages"
    app = depthboard.queue.make_app(Settings(home=tmp_path))
    with app.connection_for_write() as connection, SimpleQueue(connection, "runs") as queue:
        folder.rmdir()
        folder.write_text("a file where the folder should be")
        with pytest.raises(Exception, match=r"takes no message|exists"):
            queue.put("lost")
        folder.unlink()
        queue.put("kept")
    with app.connection_for_write() as connection:
        assert take(connection) == ["kept"]


def test_waking_without_a_broker_costs_a_log_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    app = depthboard.queue.make_app(Settings(broker_url="redis://127.0.0.1:1/0"))  # type: ignore[arg-type]
    monkeypatch.setattr(depthboard.queue, "_app", lambda: app)
    depthboard.queue.wake(7)
    assert "wake-up for run 7 not sent" in caplog.text
