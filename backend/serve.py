"""Serve the API and the dashboard: `python -m backend.serve`. Migrates the database, then listens."""

from __future__ import annotations

import argparse
import asyncio
import errno
import gc
import ipaddress
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn

from depthboard.errors import DepthboardError, Misconfigured
from depthboard.process import die_with_parent
from depthboard.queue import wake
from depthboard.settings import Settings, get_settings

if TYPE_CHECKING:
    from fastapi import FastAPI


class Server(uvicorn.Server):
    """Ends the event streams when asked to stop: they never end by themselves, and uvicorn would wait for them."""

    def __init__(self, app: FastAPI, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._app = app
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        super().handle_exit(sig, frame)
        broadcaster = getattr(self._app.state, "broadcaster", None)
        if self._loop is not None and broadcaster is not None:
            self._loop.call_soon_threadsafe(broadcaster.close)


def serve(settings: Settings) -> None:
    """Listen until SIGTERM or Ctrl-C. Raises Misconfigured when the port, the address or the database cannot be used."""
    check_address(settings)
    listener = bind(settings)
    try:
        app = _load(settings)
        config = uvicorn.Config(
            app, log_config=None, access_log=False, timeout_graceful_shutdown=10, lifespan="on", server_header=False
        )
        host, port = listener.getsockname()[:2]
        logging.getLogger("depthboard.api").info("listening on http://%s:%s", host, port)
        Server(app, config).run([listener])
    finally:
        listener.close()


def _load(settings: Settings) -> FastAPI:
    with _building():
        from sqlalchemy.exc import OperationalError

        from backend.app import make_app, open_database
    try:
        with _building():
            return make_app(settings, wake, open_database(settings))
    except OperationalError as error:
        raise Misconfigured(
            f"the database does not answer ({str(error.orig).splitlines()[0]}).",
            field="DEPTHBOARD_DATABASE_URL",
            remedy="Start it, or leave the variable empty for the embedded one.",
        ) from error


@contextmanager
def _building() -> Iterator[None]:
    """What is built here lives as long as the process: looking through it for garbage is a tenth of the start, and a
    pause now and then for good.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def check_address(settings: Settings) -> None:
    """Raises Misconfigured for an address that others can reach, unless the names it may be called by are listed."""
    try:
        local = settings.host == "localhost" or ipaddress.ip_address(settings.host).is_loopback
    except ValueError:
        local = False
    if not local and not settings.allowed_hosts:
        raise Misconfigured(
            f"{settings.host} can be reached from other machines, and there are no accounts yet.",
            field="DEPTHBOARD_HOST",
            remedy="Use 127.0.0.1, or say by which names it is called: DEPTHBOARD_ALLOWED_HOSTS='[\"my-server\"]'.",
        )


def bind(settings: Settings) -> socket.socket:
    """A listening socket. Raises Misconfigured for a port that is taken and an address that is not this machine's."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise Misconfigured(
                f"port {settings.port} on {settings.host} is taken by another program.",
                field="DEPTHBOARD_PORT",
                remedy=f"Stop it, or choose another: DEPTHBOARD_PORT={settings.port + 1}.",
            ) from error
        raise Misconfigured(
            f"{settings.host}:{settings.port} cannot be listened on ({error.strerror}).",
            field="DEPTHBOARD_HOST",
            remedy="Use an address of this machine and a port above 1023.",
        ) from error
    listener.listen(2048)
    return listener


def main() -> None:
    """Entry point: errors are one sentence on stderr and exit code 2."""
    parser = argparse.ArgumentParser(description="Serve Depthboard's API and dashboard.")
    parser.add_argument("--with-parent", type=int, metavar="PID", help="end when this process ends")
    parent = parser.parse_args().with_parent
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    if parent:
        die_with_parent(parent)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # until uvicorn takes over
    try:
        serve(get_settings())
    except DepthboardError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
