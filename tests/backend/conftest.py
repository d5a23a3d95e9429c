"""The application behind a real server."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI

from backend.serve import Server


@pytest.fixture
def api(app: FastAPI) -> Iterator[str]:
    """The application behind uvicorn on a free port."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(app, uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.handle_exit(15, None)
    thread.join(timeout=10)
    assert not thread.is_alive(), "open streams must not keep the server from stopping"
    listener.close()
