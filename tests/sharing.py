"""What a host measures and prepares once is shared by all products of a test session: ten seconds each otherwise."""

from __future__ import annotations

import os
from pathlib import Path

CACHE = "DEPTHBOARD_TEST_CACHE"


def share_cache(home: Path) -> None:
    """Calibration and prepared frames of this home are those of the session's other products; without a session its own."""
    if CACHE in os.environ:
        (home / "cache").symlink_to(os.environ[CACHE])
