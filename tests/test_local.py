"""Starting everything on one machine."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from depthboard.errors import Misconfigured
from depthboard.local import answers, running
from depthboard.settings import Settings
from tests.e2e.conftest import free_port
from tests.sharing import share_cache


def test_a_port_that_is_taken_is_named_with_another_to_take(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        settings = Settings(_env_file=None, home=tmp_path, port=port)
        with pytest.raises(Misconfigured, match=f"port {port} on 127.0.0.1 is taken") as caught, running(settings, 1):
            pass
        assert f"DEPTHBOARD_PORT={port + 1}" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_what_ends_unasked_is_started_again(tmp_path: Path) -> None:
    """F7 for a person who started everything with one command: nobody is there to start the API or the worker anew."""
    share_cache(tmp_path)
    port = free_port()
    settings = Settings(_env_file=None, home=tmp_path, port=port, api_url=f"http://127.0.0.1:{port}")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DEPTHBOARD_")}
    environment |= {"DEPTHBOARD_HOME": str(tmp_path), "DEPTHBOARD_PORT": str(port), "DEPTHBOARD_API_URL": settings.url}
    output = tmp_path / "up.log"
    with output.open("wb") as said:
        up = subprocess.Popen([sys.executable, "-m", "depthboard.cli", "up"], env=environment, stdout=said, stderr=said)

    def child(module: str) -> psutil.Process | None:
        for process in psutil.Process(up.pid).children():
            with contextlib.suppress(psutil.Error):  # it has just ended
                if module in process.cmdline():
                    return process
        return None

    def within(seconds: float, condition: Callable[[], object]) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, output.read_text()
            time.sleep(0.1)

    try:
        within(90, lambda: answers(settings) and child("worker"))
        for module in ("backend.serve", "worker"):
            old = child(module)
            assert old is not None
            old.kill()
            within(30, lambda module=module, old=old: (new := child(module)) is not None and new.pid != old.pid)
        within(60, lambda: answers(settings))
    finally:
        up.send_signal(signal.SIGINT)
        assert up.wait(60) == 0
    told = output.read_text()
    assert "The API was ended by SIGKILL; it is started again." in told
    assert "The worker was ended by SIGKILL; it is started again." in told
    assert not answers(settings)


def test_ctrl_c_while_it_starts_stops_what_has_begun_in_a_word(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {k: v for k, v in os.environ.items() if not k.startswith("DEPTHBOARD_")}
    environment |= {"DEPTHBOARD_HOME": str(tmp_path), "DEPTHBOARD_PORT": str(port)}
    environment["DEPTHBOARD_API_URL"] = f"http://127.0.0.1:{port}"
    starting = subprocess.Popen(
        [sys.executable, "-m", "depthboard.cli", "up"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    while not (tmp_path / "logs" / "api.log").exists():  # the API is on its way, and does not answer yet
        assert starting.poll() is None
        time.sleep(0.02)
    starting.send_signal(signal.SIGINT)
    said, _ = starting.communicate(timeout=60)
    assert said.strip().endswith("Stopped.")
    assert "Traceback" not in said
    assert starting.returncode in (0, 130)
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind(("127.0.0.1", port))
