"""docker-compose.yml: valid by the compose schema, and each service's command starts as a process on real PostgreSQL and Redis."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml
from sqlalchemy.engine import URL

from depthboard.client import Client
from depthboard.local import answers
from depthboard.settings import Settings
from tests import postgresql
from tests.e2e.conftest import ROOT, free_port, settle
from tests.sharing import share_cache

PASSWORD = "a-password-for-the-test"
pytestmark = pytest.mark.timeout(600)


def compose() -> list[str]:
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    if (
        shutil.which("docker")
        and subprocess.run(["docker", "compose", "version"], capture_output=True, check=False).returncode == 0
    ):
        return ["docker", "compose"]
    pytest.skip("neither docker-compose nor the compose plugin is on this machine")


def config(**variables: str) -> subprocess.CompletedProcess[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DEPTHBOARD_")} | variables
    return subprocess.run(
        [*compose(), "config"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    done = config(DEPTHBOARD_PASSWORD=PASSWORD)
    assert done.returncode == 0, done.stderr
    return dict(yaml.safe_load(done.stdout)["services"])


def test_the_compose_file_is_valid_and_complete(services: dict[str, Any]) -> None:
    assert set(services) == {"db", "broker", "api", "worker"}
    assert all("healthcheck" in service for service in services.values())


def test_a_missing_password_is_asked_for() -> None:
    done = config()
    assert done.returncode != 0
    assert "choose a password" in done.stderr


def test_nothing_is_published_beyond_this_machine(services: dict[str, Any]) -> None:
    published = [str(port) for service in services.values() for port in service.get("ports", [])]
    assert len(published) == 1
    assert "127.0.0.1" in published[0]


@pytest.fixture
def postgresql_url(postgresql_server: URL) -> Iterator[str]:
    with postgresql.fresh_database(postgresql_server) as url:
        yield url.render_as_string(hide_password=False)


@pytest.fixture
def redis_url() -> Iterator[str]:
    """An empty database of a running Redis, else a Redis of the system's binary."""
    try:
        running = os.environ.get("DEPTHBOARD_TEST_REDIS") or _empty_database("redis://127.0.0.1:6379")
        yield running
        with redis.Redis.from_url(running) as client:
            client.flushdb()
    except redis.exceptions.ConnectionError:
        binary = shutil.which("redis-server") or shutil.which("valkey-server")
        if binary is None:
            pytest.skip("no Redis answers on 127.0.0.1:6379 and there is no redis-server to start")
        port = free_port()
        server = subprocess.Popen(
            [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", ""], stdout=subprocess.DEVNULL
        )
        own = f"redis://127.0.0.1:{port}/0"
        settle(lambda: _pings(own), 15, "Redis answers")
        yield own
        server.terminate()
        server.wait(10)


def _empty_database(server: str) -> str:
    """The highest numbered that holds nothing: whatever else lies on a developer's Redis stays."""
    for number in range(15, 0, -1):
        with redis.Redis.from_url(f"{server}/{number}", socket_connect_timeout=1) as client:
            if client.dbsize() == 0:
                return f"{server}/{number}"
    pytest.skip(f"no database of the Redis at {server} is empty")


def _pings(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except redis.exceptions.ConnectionError:
        return False


def test_the_services_commands_train_a_run_on_postgresql_and_redis(
    services: dict[str, Any], postgresql_url: str, redis_url: str, tmp_path: Path
) -> None:
    port = free_port()
    share_cache(tmp_path)
    here = {
        "DEPTHBOARD_HOME": str(tmp_path),
        "DEPTHBOARD_DATABASE_URL": postgresql_url,
        "DEPTHBOARD_BROKER_URL": redis_url,
        "DEPTHBOARD_HOST": "127.0.0.1",
        "DEPTHBOARD_PORT": str(port),
        "DEPTHBOARD_API_URL": f"http://127.0.0.1:{port}",
    }
    processes = []
    try:
        for name in ("api", "worker"):
            # The service's own environment, with this machine's addresses in place of the containers'.
            environment = {**os.environ, **services[name]["environment"], **here}
            command = [sys.executable if word == "python" else word for word in services[name]["command"]]
            with (tmp_path / f"{name}.log").open("wb") as output:
                processes.append(
                    subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
                )
            if name == "api":
                settle(lambda: answers(Settings(api_url=here["DEPTHBOARD_API_URL"])), 60, "the API answers")
        with Client(here["DEPTHBOARD_API_URL"]) as client:
            health = client.api.json("GET", "/api/health")
            assert health["database"].startswith("PostgreSQL")
            assert health["broker"] == "redis"
            base = {
                "data": {"train_size": 8},
                "budget": {"images_seen": 16},
                "evaluation": {"evaluations": 1, "samples": 1},
            }
            experiment = client.submit({"name": "composed", "base": base, "factors": {"loss": ["l1", "gan"]}})
            done = client.wait(experiment["id"], timeout=400, every=0.5)
            assert done["counts"]["finished"] == 2, [r["reason"] for r in client.runs(experiment["id"])]
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            process.wait(60)
