"""The whole product on this machine, started as `make up` starts it: API, dashboard, embedded queue, one worker with two slots."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from depthboard.client import Client
from depthboard.local import answers
from depthboard.settings import Settings
from tests.sharing import share_cache

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Product:
    url: str
    home: Path
    environment: dict[str, str]
    client: Client


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def settle(condition: object, seconds: float, what: str) -> None:
    """Wait until `condition()` is true."""
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, f"not within {seconds:g} s: {what}"
        time.sleep(0.2)


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    home, port = tmp_path_factory.mktemp("product"), free_port()
    share_cache(home)
    environment = {
        **os.environ,
        "DEPTHBOARD_HOME": str(home),
        "DEPTHBOARD_PORT": str(port),
        "DEPTHBOARD_API_URL": f"http://127.0.0.1:{port}",
    }
    for name in ("DEPTHBOARD_DATABASE_URL", "DEPTHBOARD_BROKER_URL"):
        environment.pop(name, None)
    with (home / "up.log").open("wb") as output:
        command = [sys.executable, "-m", "depthboard.cli", "up", "--slots", "2"]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT)
    client = Client(f"http://127.0.0.1:{port}")
    product = Product(client.api.url, home, environment, client)
    try:
        settle(lambda: process.poll() is not None or answers(Settings(api_url=product.url)), 60, "the API answers")
        assert process.poll() is None, (home / "up.log").read_text()
        settle(lambda: product.client.workers(), 120, "a worker is there")
        yield product
    finally:
        client.api.close()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0, "Ctrl-C is no error"
