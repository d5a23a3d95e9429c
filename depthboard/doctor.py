"""What this machine has, in lines a person can act on."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import sqlite3
from collections.abc import Iterator

from depthboard import __version__
from depthboard.settings import Settings

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def report(settings: Settings, api_answers: bool) -> Iterator[str]:
    """One line a fact: ✓ present, – absent and what that costs, ✕ must be mended."""
    yield f"✓ Depthboard {__version__}, Python {platform.python_version()} on {platform.platform()}"
    yield f"{'✓ the API answers' if api_answers else '– the API does not answer'} at {settings.url}"
    yield (
        f"✓ data in {settings.home}" if settings.home.is_dir() else f"– {settings.home} will be made at the first start"
    )
    yield f"✓ database {'SQLite ' + sqlite3.sqlite_version if settings.database.startswith('sqlite') else settings.database.split(':')[0]}"
    yield f"✓ queue {'embedded, in ' + str(settings.queue_folder) if not settings.broker_url.get_secret_value() else 'by DEPTHBOARD_BROKER_URL'}"
    yield _module("torch", "training", f"pip install torch=={TORCH}")
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    yield (
        f"✓ figures as PNG, SVG, PDF by {browser}" if browser else "– no Chromium: figures export as HTML and JSON only"
    )
    gpu = shutil.which("nvidia-smi")
    yield "✓ NVIDIA driver found" if gpu else "– no NVIDIA driver: trainings run on the CPU"


TORCH = "2.13.0"


def _module(name: str, purpose: str, remedy: str) -> str:
    if importlib.util.find_spec(name) is not None:
        return f"✓ {name} for {purpose}"
    return f"✕ no {name}: {purpose} does not work here. Install it with `{remedy}`"
