"""A figure as JSON, HTML, PNG, SVG or PDF. The last three are drawn by Chromium, kept running between exports.

The same figure of the same record gives the same bytes, whichever process draws it (backend.figures.imprint).
"""

from __future__ import annotations

import asyncio
import atexit
import html
import textwrap
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

import plotly.graph_objects as go

from backend.figures import imprint as marks
from backend.figures import paper
from backend.figures.imprint import Imprint
from backend.figures.panels import LEGEND_HEIGHT
from backend.figures.paper import PX_PER_MM, Sheet
from backend.figures.tokens import FONT, PALETTES, Theme
from depthboard.errors import Unavailable

if TYPE_CHECKING:
    import kaleido

Format = Literal["json", "html", "png", "svg", "pdf", "csv"]
FORMATS: tuple[Format, ...] = ("json", "html", "png", "svg", "pdf", "csv")
MEDIA_TYPES: dict[Format, str] = {
    "json": "application/json",
    "html": "text/html; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
}

WIDTH = 1200
PNG_SCALE = 2
TITLE_HEIGHT = 40
LINE_HEIGHT = 16
LETTERS = 205
"""Of the caption in a line of WIDTH."""
PRINT_DPI = 300
SECONDS = 60

# plotly.js 4 offers a button that sends the chart to an outside server unless told not to.
CONFIG = {"responsive": True, "displaylogo": False, "showSendToCloud": False}


def export(
    figure: go.Figure,
    format: Format,
    theme: Theme = "light",
    sheet: Sheet | None = None,
    *,
    caption: bool = True,
    imprint: Imprint | None = None,
) -> bytes:
    """The figure's bytes in `format`; HTML, and pictures with `caption`, carry its title and caption. `sheet` lays a picture out for print.

    Raises Unavailable for png, svg and pdf where no Chromium is found or it does not answer, InvalidInput for a table that is wider
    than the sheet.
    """
    if format == "json":
        return str(figure.to_json()).encode()
    if format == "html":
        page = _html(figure, theme)
        return (marks.in_html(page, imprint) if imprint else page).encode()
    laid_out = _laid_out(figure, theme, sheet, caption=caption)
    size = {"width": laid_out.layout.width or WIDTH, "height": laid_out.layout.height}
    if sheet is None:
        scale: float = PNG_SCALE if format == "png" else 1
    else:
        scale = {"png": sheet.zoom * PRINT_DPI / 96, "pdf": sheet.zoom}.get(format, 1)
    drawn = CHROMIUM.draw(laid_out.to_dict(), {"format": format, **size, "scale": scale})
    told = imprint and imprint.with_fact("drawn by", CHROMIUM.version)
    if format == "pdf":
        return marks.in_pdf(drawn, told)
    if format == "png":
        return marks.in_png(drawn, told, PRINT_DPI / 25.4 if sheet else None)
    if sheet is not None:
        drawn = marks.sized_svg(drawn, *(side * sheet.zoom / PX_PER_MM for side in size.values()))
    return marks.in_svg(drawn, told)


def _laid_out(figure: go.Figure, theme: Theme, sheet: Sheet | None, *, caption: bool) -> go.Figure:
    copy = figure if sheet is None else paper.fit(figure, sheet)
    if sheet is not None and _is_crowded(copy):
        size = {"width": copy.layout.width, "height": copy.layout.height}
        legend = paper.drawn_legend(CHROMIUM.draw(copy.to_dict(), {"format": "svg", "scale": 1, **size}))
        paper.make_room(copy, legend, LEGEND_HEIGHT)
    return with_caption(copy, theme) if caption else copy


def _is_crowded(figure: go.Figure) -> bool:
    """Whether the legend may need more than the one line that is kept for it: only drawing tells."""
    names = [trace.name or "" for trace in figure.data if trace.type == "scatter" and trace.showlegend is not False]
    entry = (figure.layout.legend.itemwidth or 30) + 20
    taken = sum(entry + paper.text_width(name) for name in names)
    return figure.layout.showlegend is not False and len(names) > 1 and taken > 0.7 * figure.layout.width


def with_caption(figure: go.Figure, theme: Theme) -> go.Figure:
    """A copy with the title above and the caption below the plot area, which keeps its size."""
    copy, palette, meta = go.Figure(figure), PALETTES[theme], figure.layout.meta
    letters = round(LETTERS * (figure.layout.width or WIDTH) / WIDTH)
    lines = textwrap.wrap(html.escape(meta["caption"], quote=False), letters)
    bottom = LINE_HEIGHT * len(lines) + 20
    margin, height = figure.layout.margin, figure.layout.height + TITLE_HEIGHT + bottom
    top_edge = 1 - TITLE_HEIGHT / height
    copy.update_layout(
        height=height,
        title={
            "text": f"<b>{html.escape(meta['title'])}</b>",
            "font": {"size": 15, "color": palette.text},
            "x": 16 / (copy.layout.width or WIDTH),
            "xanchor": "left",
            "yref": "container",
            "y": 1 - 12 / height,
            "yanchor": "top",
        },
        margin={"t": margin.t + TITLE_HEIGHT, "b": margin.b + bottom},
    )
    if copy.layout.legend.yref == "container":
        copy.update_layout(legend={"y": top_edge})
    if copy.layout.coloraxis.colorbar.yref == "container":
        copy.update_layout(coloraxis={"colorbar": {"y": top_edge}})
    copy.add_annotation(
        xref="paper",
        yref="paper",
        x=0,
        y=0,
        xanchor="left",
        yanchor="top",
        xshift=16 - margin.l,
        yshift=-margin.b - 4,
        align="left",
        text="<br>".join(lines),
        font={"size": 11, "color": palette.text2},
        name="caption",
    )
    return copy


def _html(figure: go.Figure, theme: Theme) -> str:
    """One page that needs nothing from outside: plotly.js is in it."""
    meta, palette = figure.layout.meta, PALETTES[theme]
    body = figure.to_html(full_html=False, include_plotlyjs=True, config=CONFIG, div_id="figure")
    title, caption = html.escape(meta["title"]), html.escape(meta["caption"])
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head>'
        f'<body style="margin:24px;background:{palette.page};color:{palette.text};font:13px/20px {FONT}">'
        f'<h1 style="font-size:18px;font-weight:600">{title}</h1>{body}'
        f'<p style="color:{palette.text2};max-width:120ch">{caption}</p></body></html>\n'
    )


class Chromium:
    """One Chromium for this process, started at the first export and again when it has died. Any thread may call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._browser: kaleido.Kaleido | None = None
        self.version = ""

    def draw(self, figure: dict[str, Any], options: dict[str, Any]) -> bytes:
        """The figure as kaleido draws it. Raises Unavailable where Chromium is missing or fails twice."""
        from choreographer.errors import ChromeNotFoundError

        with self._lock:
            try:
                return self._draw(figure, options)
            except ChromeNotFoundError as error:
                raise _missing() from error
            except Exception:  # a browser that died shows in many ways: once more with a fresh one
                self._forget()
            try:
                return self._draw(figure, options)
            except Exception as error:  # whatever it was, the reader needs the reason and the export is optional
                self._forget()
                raise Unavailable(
                    f"Chromium could not draw the figure ({type(error).__name__}: {error}).",
                    field="format",
                    remedy="Try again, or take format=json or html, which need no Chromium.",
                ) from error

    def close(self) -> None:
        """Stop the browser; the next export starts another."""
        with self._lock:
            self._forget()

    def _draw(self, figure: dict[str, Any], options: dict[str, Any]) -> bytes:
        if self._browser is None or self._browser.subprocess.poll() is not None:
            self._browser = self._run(_open)
            self.version = self._run(self._ask_version)
        browser = self._browser
        drawn = self._run(lambda: browser.calc_fig(figure, opts=options))
        return bytes(drawn)

    def _run(self, work: Callable[[], Any]) -> Any:
        """Await `work()` on the browser's own event loop, which lives in a thread of its own."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            threading.Thread(target=self._loop.run_forever, name="chromium", daemon=True).start()
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result(SECONDS)

    async def _ask_version(self) -> str:
        assert self._browser is not None
        answer = await self._browser.send_command("Browser.getVersion")
        return str(answer["result"]["product"])

    def _forget(self) -> None:
        """Close the browser; one whose process has ended has been cleaned up by its own watchdog."""
        browser, self._browser = self._browser, None
        if browser is not None and browser.subprocess.poll() is None:
            try:
                self._run(browser.close)
            except Exception:  # it is being thrown away: nothing of it is needed any more
                return


async def _open() -> kaleido.Kaleido:
    import kaleido  # with what it loads a tenth of the API's start

    # mathjax would be fetched from outside.
    browser = kaleido.Kaleido(n=1, mathjax=False, timeout=SECONDS)
    await browser.open()
    return browser


def _missing() -> Unavailable:
    return Unavailable(
        "PNG, SVG and PDF are drawn by Chromium, and there is none on this server.",
        field="format",
        remedy="Install it (Debian: apt-get install chromium) or point BROWSER_PATH at it; json and html work without.",
    )


CHROMIUM = Chromium()
atexit.register(CHROMIUM.close)
