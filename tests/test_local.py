"""Starting everything on one machine."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from depthboard.errors import Misconfigured
from depthboard.local import running
from depthboard.settings import Settings


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
