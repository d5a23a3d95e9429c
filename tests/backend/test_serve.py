"""The API as a process: what it says when it cannot start, and how it stops."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path

import httpx2
import pytest
from pydantic import SecretStr
from sqlalchemy import text
from starlette.testclient import TestClient

from backend import app as app_module
from backend.serve import bind, check_address, serve
from backend.store.migrations import migrate
from backend.store.session import Database
from depthboard.errors import Misconfigured
from depthboard.settings import Settings


def start(home: Path, **changes: str) -> subprocess.Popen[str]:
    environment = {**os.environ, "DEPTHBOARD_HOME": str(home), **changes}
    command = [sys.executable, "-m", "backend.serve"]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def test_it_serves_until_asked_to_stop_although_somebody_listens_to_events(tmp_path: Path) -> None:
    port = free_port()
    process = start(tmp_path, DEPTHBOARD_PORT=str(port))
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            try:
                assert httpx2.get(f"http://127.0.0.1:{port}/api/health").json()["broker"] == "embedded"
                break
            except httpx2.TransportError:
                time.sleep(0.1)
        listener = HTTPConnection("127.0.0.1", port, timeout=30)
        listener.request("GET", "/api/events")
        answer = listener.getresponse()
        assert answer.readline() == b"event: hello\n"
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=8)
        listener.close()
    finally:
        process.kill()
    assert process.returncode == 0
    assert "Traceback" not in errors


def test_a_port_that_is_taken_ends_it_with_one_sentence_that_names_the_port_and_the_remedy(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = start(tmp_path, DEPTHBOARD_PORT=str(port))
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 2
    assert errors.count("\n") == 1
    assert f"port {port} on 127.0.0.1 is taken" in errors
    assert f"DEPTHBOARD_PORT={port + 1}" in errors


def test_a_database_that_does_not_answer_is_named_in_one_sentence_without_the_password(tmp_path: Path) -> None:
    url = SecretStr(f"postgresql+psycopg://me:secret@127.0.0.1:{free_port()}/x")
    with pytest.raises(Misconfigured, match="the database does not answer") as caught:
        serve(Settings(_env_file=None, home=tmp_path, port=0, database_url=url))
    assert "secret" not in str(caught.value)


def test_a_database_of_a_newer_version_is_named_in_one_sentence(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, port=0)
    database = Database(settings.database)
    migrate(database)
    with database.writer.begin() as connection:
        connection.execute(text("update alembic_version set version_num = '9999'"))
    database.close()
    for _ in range(2):  # the second time too: the file is let go after the refusal
        with pytest.raises(Misconfigured, match="newer version"):
            serve(settings)


def test_an_address_that_others_reach_needs_the_names_it_is_called_by(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, host="0.0.0.0")
    with pytest.raises(Misconfigured, match="DEPTHBOARD_ALLOWED_HOSTS"):
        check_address(settings)
    check_address(settings.model_copy(update={"allowed_hosts": ["board"]}))
    check_address(settings.model_copy(update={"host": "::1"}))


def test_an_address_of_another_machine_is_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"203\.0\.113\.1:8765 cannot be listened on"):
        bind(Settings(_env_file=None, home=tmp_path, host="203.0.113.1"))


def test_without_a_built_dashboard_the_root_says_how_to_build_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "WEB", tmp_path / "none")
    client = TestClient(app_module.make_app(Settings(_env_file=None, home=tmp_path)), base_url="http://localhost")
    answer = client.get("/experiments/3", headers={"Accept": "text/html"})
    assert answer.status_code == 200
    assert "npm run build" in answer.text
    assert client.get("/api/nothing").status_code == 404


def test_a_built_dashboard_is_served_with_its_pages_and_its_files_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>board</title>")
    (tmp_path / "assets" / "app-1a2b.js").write_text("1")
    monkeypatch.setattr(app_module, "WEB", tmp_path)
    client = TestClient(
        app_module.make_app(Settings(_env_file=None, home=tmp_path / "home")), base_url="http://localhost"
    )
    for path in ("/", "/experiments/3"):
        answer = client.get(path, headers={"Accept": "text/html"})
        assert "board" in answer.text
        assert answer.headers["cache-control"] == "no-cache"
    assert "immutable" in client.get("/assets/app-1a2b.js").headers["cache-control"]
    missing = client.get("/assets/old.js")
    assert missing.status_code == 404
    assert missing.json()["error"]["code"] == "not_found"
    assert "immutable" not in missing.headers["cache-control"]
    assert client.get("/api/nothing", headers={"Accept": "text/html"}).status_code == 404
