"""Everything on one machine: starts the API and the workers as children, keeps them running, and stops them together."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from depthboard.client import Api
from depthboard.errors import DepthboardError, Misconfigured
from depthboard.keeper import Keeper
from depthboard.settings import Settings

START_SECONDS = 60.0


def answers(settings: Settings) -> bool:
    """Whether a Depthboard API answers at settings.url."""
    api = Api(settings.url, timeout=5.0)
    try:
        return "training_version" in api.json("GET", "/api/health")
    except DepthboardError:
        return False
    finally:
        api.close()


@contextlib.contextmanager
def running(settings: Settings, slots: int, say: Callable[[str], None] = print) -> Iterator[bool]:
    """API and one worker with `slots` slots, until the block ends. Yields False when they were running already, and then leaves them alone.

    One that ends unasked is started again, and `say` is told. Raises Misconfigured when the port is taken by something else or a part does not start.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a shell had us ignore it
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop in order for `kill` too
    if answers(settings):
        yield False
        return
    _check_port(settings)
    settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    keeper = Keeper(say)
    try:
        api = keeper.begin("API", lambda: _start(settings, "api", ["backend.serve"]))
        _wait_for_api(settings, api)
        keeper.begin("worker", lambda: _start(settings, "worker", ["worker", "--slots", str(slots)]))
        keeper.watch()
        yield True
    finally:
        keeper.stop()


def _check_port(settings: Settings) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise Misconfigured(
                f"port {settings.port} on {settings.host} is taken by another program.",
                field="DEPTHBOARD_PORT",
                remedy=f"Stop it, or choose another: DEPTHBOARD_PORT={settings.port + 1}",
            ) from error


def _start(settings: Settings, name: str, module: list[str]) -> subprocess.Popen[bytes]:
    """A child in a session of its own (Ctrl-C reaches us alone, and we stop it in order), its output in home/logs."""
    log = settings.home / "logs" / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", *module, "--with-parent", str(os.getpid())],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _wait_for_api(settings: Settings, child: subprocess.Popen[bytes]) -> None:
    log = settings.home / "logs" / "api.log"
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if child.poll() is not None:
            raise Misconfigured(f"the API did not start: {_last_line(log)}", remedy=f"Its log: {log}")
        if answers(settings):
            return
        time.sleep(0.2)
    raise Misconfigured(f"the API does not answer after {START_SECONDS:g} s.", remedy=f"Its log: {log}")


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
