from __future__ import annotations

import json
import re
import shutil
import struct
import threading
from collections.abc import Iterator

import plotly.graph_objects as go
import pytest

from backend.figures import export
from depthboard.errors import Unavailable

CHROMIUM = next((path for name in ("chromium", "google-chrome", "chrome") if (path := shutil.which(name))), None)
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium on this machine: nothing can draw PNG, SVG and PDF"
)


def figure() -> go.Figure:
    made = go.Figure(go.Scatter(x=[1, 2], y=[3, 4], name="L1"))
    made.update_layout(
        height=300,
        margin={"l": 50, "r": 20, "t": 40, "b": 40},
        meta={"title": "Convergence <test>", "caption": "Test RMSE & more. " * 30},
    )
    return made


@pytest.fixture(scope="module")
def chromium() -> Iterator[None]:
    yield
    export.CHROMIUM.close()


def test_json_is_the_figure_as_the_browser_reads_it() -> None:
    read = json.loads(export.export(figure(), "json"))
    assert read["data"][0]["y"] == [3, 4]
    assert read["layout"]["meta"]["title"] == "Convergence <test>"


def test_html_needs_nothing_from_outside_and_sends_nothing_there() -> None:
    page = export.export(figure(), "html").decode()
    assert "<title>Convergence &lt;test&gt;</title>" in page
    assert "Test RMSE &amp; more." in page
    assert not re.search(r"<(script|link)[^>]+(src|href)=", page)
    assert '"showSendToCloud": false' in page


def test_title_and_caption_add_to_the_height_and_leave_the_plot_area_alone() -> None:
    plain = figure()
    captioned = export.with_caption(plain, "dark")
    grown = captioned.layout.height - plain.layout.height
    margins = [f.layout.margin.t + f.layout.margin.b for f in (plain, captioned)]
    assert grown == margins[1] - margins[0] > 0
    assert plain.layout.height == 300
    assert captioned.layout.title.text == "<b>Convergence &lt;test&gt;</b>"
    (caption,) = captioned.layout.annotations
    assert "<br>" in caption.text
    assert caption.yshift == -44


@needs_chromium
@pytest.mark.usefixtures("chromium")
def test_png_is_drawn_at_twice_the_size() -> None:
    png = export.export(figure(), "png")
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", png[16:24])
    assert (width, height) == (2400, 2 * export.with_caption(figure(), "light").layout.height)


@needs_chromium
@pytest.mark.usefixtures("chromium")
def test_pdf_and_svg_are_drawn() -> None:
    assert export.export(figure(), "pdf").startswith(b"%PDF-")
    svg = export.export(figure(), "svg").decode()
    assert svg.startswith("<svg")
    assert "Convergence" in svg


@needs_chromium
@pytest.mark.usefixtures("chromium")
def test_several_threads_export_at_once_with_one_browser() -> None:
    drawn: list[bytes] = []
    threads = [threading.Thread(target=lambda: drawn.append(export.export(figure(), "svg"))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drawn) == 4
    assert all(svg.startswith(b"<svg") for svg in drawn)


@needs_chromium
@pytest.mark.usefixtures("chromium")
def test_a_browser_that_has_died_is_started_again() -> None:
    export.export(figure(), "svg")
    browser = export.CHROMIUM._browser
    assert browser is not None
    browser.subprocess.kill()
    browser.subprocess.wait(10)
    assert export.export(figure(), "svg").startswith(b"<svg")


def test_without_chromium_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    monkeypatch.setenv("BROWSER_PATH", "/nonexistent/chromium")
    with pytest.raises(Unavailable, match="drawn by Chromium") as caught:
        export.Chromium().draw(figure().to_dict(), {"format": "png"})
    assert "apt-get install chromium" in (caught.value.remedy or "")
