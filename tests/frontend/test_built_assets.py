"""The dashboard as it is built: what the first page loads, and what waits for a figure."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from backend.app import WEB

pytestmark = pytest.mark.skipif(not (WEB / "index.html").is_file(), reason="the dashboard is not built: `make web`")

STATIC = re.compile(rb'(?:^|[;}\s])(?:import|export)(?:[\w*{}\s,$]+from)?\s*"\./([\w.-]+\.js)"')
PLOTLY = b"plotlyServerURL"
MOST_GZIPPED = 300_000
"""Bytes of scripts before the first page is there."""


def first_loaded() -> set[Path]:
    """The scripts of index.html with all that they import before they run."""
    page = (WEB / "index.html").read_text()
    found: set[Path] = set()
    waiting = [WEB / "assets" / name for name in re.findall(r'(?:src|href)="/assets/([\w.-]+\.js)"', page)]
    while waiting:
        script = waiting.pop()
        if script not in found:
            found.add(script)
            waiting += [script.parent / name.decode() for name in STATIC.findall(script.read_bytes())]
    return found


def test_no_page_loads_plotly_before_a_figure_is_there() -> None:
    scripts = first_loaded()
    assert len(scripts) >= 2
    assert not [script.name for script in scripts if PLOTLY in script.read_bytes()]


def test_plotly_is_a_chunk_of_its_own_that_pages_import_when_they_draw() -> None:
    scripts = list((WEB / "assets").glob("*.js"))
    libraries = [script for script in scripts if PLOTLY in script.read_bytes()]
    assert libraries
    for library in libraries:
        importers = [script for script in scripts if library.name.encode() in script.read_bytes() and script != library]
        assert importers
        assert not [s.name for s in importers if library.name.encode() in STATIC.findall(s.read_bytes())]


def test_the_scripts_of_the_first_page_are_small() -> None:
    packed = sum(len(gzip.compress(script.read_bytes(), 6)) for script in first_loaded())
    assert packed < MOST_GZIPPED, f"{packed} bytes"
