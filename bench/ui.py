"""`make bench-ui`: how long a person waits, in this machine's Chromium, each figure beside something to compare it with.

A record is filled with a study of 210 runs and 200 evaluations each, with depth maps of 8 images of 256×320 for 7 losses, and with
10,000 listed runs; it is served by the real API, and its pages are opened one after the other. `--beside URL` measures the pages of another
server over such a record in turn with ours: another version's, for instance.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Error, Page
from pydantic import SecretStr

from backend.app import open_database
from bench.filling import STUDY, Grid, add_depth_maps, add_experiment, fill_listed, make_pool
from bench.pages import PAGES, READY, chromium
from bench.tracking.ours import serve
from bench.tracking.processes import Http
from depthboard.settings import Settings

OUT = Path(__file__).resolve().parents[1] / "docs" / "ui-speed"
VIEWPORT = {"width": 1440, "height": 900}
TALL = {"width": 1440, "height": 1800}
ROUNDS, MOVES, SCREENS = 5, 60, 40
SETTLE_MS = 60_000
PLAIN = "/api/health"


@dataclass(frozen=True)
class Size:
    grid: Grid = STUDY
    evaluations: int = 200
    listed: int = 10_000
    images: int = 8


@dataclass(frozen=True)
class Measured:
    """Milliseconds, or so many gaps, of each round. `limit` is what the issue asks for."""

    what: str
    unit: str
    values: list[float]
    beside: str = ""
    compared: list[float] | None = None
    limit: float | None = None


@dataclass(frozen=True)
class Sight:
    """A browser's look at one server."""

    browser: Browser
    url: str
    ids: dict[str, int]

    def open(self, path: str, script: str = "") -> Page:
        """A page of a context of its own, so that nothing is kept from before."""
        context = self.browser.new_context(viewport=VIEWPORT, base_url=self.url, reduced_motion="reduce")  # type: ignore[arg-type]
        if script:
            context.add_init_script(script)
        page = context.new_page()
        page.goto(path.format(**self.ids))
        return page


# --- what is measured ------------------------------------------------------------------------------------------------

PAINT = """() => new Promise((resolve) => {
  const painted = () => performance.getEntriesByName('first-contentful-paint')[0]?.startTime
  const look = () => painted() === undefined ? requestAnimationFrame(look) : resolve(painted())
  look()
})"""


def first_paint(sight: Sight, path: str) -> float:
    page = sight.open(path)
    try:
        return float(page.evaluate(PAINT))
    finally:
        page.context.close()


WHEN_DRAWN = """
window.__when = {}
const note = (name, there) => { if (window.__when[name] === undefined && there()) window.__when[name] = performance.now() }
const watch = () => {
  note('figure', () => document.querySelector('.js-plotly-plot .main-svg .trace'))
  note('table', () => document.querySelector('main table tbody tr'))
  requestAnimationFrame(watch)
}
requestAnimationFrame(watch)
"""


def convergence(sight: Sight, query: str = "") -> float:
    """From the address to the figure and its table of values, both ready for the pointer."""
    page = sight.open(PAGES["convergence"] + query, WHEN_DRAWN)
    try:
        page.wait_for_function("() => window.__when.figure && window.__when.table", timeout=SETTLE_MS)
        return float(page.evaluate("Math.max(window.__when.figure, window.__when.table)"))
    finally:
        page.context.close()


# From the pointer's move until the page has changed and is laid out again.
MOVE = """async (moves) => {
  const plot = document.querySelector('.js-plotly-plot')
  const box = plot.querySelector('.plotbg, .bg, .main-svg').getBoundingClientRect()
  const taken = []
  for (let i = 0; i < moves; i++) {
    const at = {clientX: box.left + 60 + (i % 50) * 4, clientY: box.top + box.height / 2, bubbles: true}
    const changed = new Promise((resolve) => {
      const watcher = new MutationObserver(() => { watcher.disconnect(); resolve(true) })
      watcher.observe(document.querySelector('main'), {subtree: true, childList: true, attributes: true, characterData: true})
      setTimeout(() => resolve(false), 500)
    })
    const began = performance.now()
    const target = document.elementFromPoint(at.clientX, at.clientY) ?? plot
    target.dispatchEvent(new PointerEvent('pointermove', at))
    target.dispatchEvent(new MouseEvent('mousemove', at))
    if (await changed) {
      document.body.getBoundingClientRect()
      taken.push(performance.now() - began)
    }
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 20)))
  }
  return taken
}"""
# The same words under the pointer by Plotly's own hover, in every panel of the figure's own page.
HOVER = """async (moves) => {
  const plot = document.querySelector('.js-plotly-plot')
  const panels = Object.keys(plot._fullLayout._plots)
  const taken = []
  for (let i = 0; i < moves; i++) {
    let ms = 0
    for (const panel of panels) {
      await new Promise((resolve) => setTimeout(resolve, 25)) // sooner, Plotly would put it off
      const began = performance.now()
      const axis = plot._fullLayout._plots[panel].xaxis
      Plotly.Fx.hover(plot, {xval: axis.range[0] + (axis.range[1] - axis.range[0]) * (i % 50) / 50}, panel)
      plot.getBoundingClientRect()
      ms += performance.now() - began
    }
    taken.push(ms)
  }
  return taken
}"""


def crosshair(sight: Sight) -> list[float]:
    page = sight.open(PAGES["convergence"])
    try:
        page.wait_for_selector(".js-plotly-plot .main-svg .trace", state="attached", timeout=SETTLE_MS)
        page.wait_for_function(READY)
        return [float(ms) for ms in page.evaluate(MOVE, MOVES)]
    finally:
        page.context.close()


def plotly_hover(sight: Sight) -> list[float]:
    page = sight.open("/api/experiments/{study}/figures/convergence?format=html")
    try:
        page.wait_for_selector(".js-plotly-plot .main-svg .trace", state="attached", timeout=SETTLE_MS)
        return [float(ms) for ms in page.evaluate(HOVER, MOVES)]
    finally:
        page.context.close()


# A screen a frame, downwards; in each frame, rows must be wherever the list is.
SCROLL = """async (screens) => {
  const all = [document.scrollingElement, ...document.querySelectorAll('main, main *')]
  const list = all.filter((e) => e.querySelector('[role=row], tr') && getComputedStyle(e).overflowY !== 'visible' || e === document.scrollingElement)
    .toSorted((a, b) => (b.scrollHeight - b.clientHeight) - (a.scrollHeight - a.clientHeight))[0]
  const box = list === document.scrollingElement ? {top: 0, bottom: innerHeight, left: 0, width: innerWidth} : list.getBoundingClientRect()
  const x = box.left + box.width / 2
  let gaps = 0, slowest = 0, last = 0
  for (let i = 0; i < screens; i++) {
    list.scrollTop += 0.8 * (box.bottom - box.top)
    const now = await new Promise(requestAnimationFrame)
    await new Promise((resolve) => setTimeout(resolve, 0))
    if (last) slowest = Math.max(slowest, now - last)
    last = now
    for (let y = box.top + 120; y < Math.min(box.bottom, innerHeight) - 40; y += 40) {
      const row = document.elementFromPoint(x, y)?.closest('tr, [role=row]')
      if (!row || !row.textContent.trim()) gaps++
    }
  }
  return {gaps, slowest, height: list.scrollHeight}
}"""


def scroll(sight: Sight) -> dict[str, float]:
    page = sight.open(PAGES["runs"])
    try:
        page.wait_for_selector("main [role=row] a", timeout=SETTLE_MS)
        page.wait_for_timeout(500)
        return dict(page.evaluate(SCROLL, SCREENS))
    finally:
        page.context.close()


COUNT_PAINTS = """
window.__paints = {count: 0, last: 0}
for (const name of ['putImageData', 'drawImage']) {
  const plain = CanvasRenderingContext2D.prototype[name]
  CanvasRenderingContext2D.prototype[name] = function (...given) {
    const done = plain.apply(this, given)
    window.__paints.count++
    window.__paints.last = performance.now()
    return done
  }
}
"""
RECOLOUR = """async (colours) => {
  window.__paints = {count: 0, last: 0}
  const began = performance.now()
  const address = new URL(location.href)
  address.searchParams.set('colours', colours)
  history.pushState(history.state, '', address)
  dispatchEvent(new PopStateEvent('popstate', {state: history.state}))
  let quiet = 0, seen = 0
  while (quiet < 15) {
    await new Promise(requestAnimationFrame)
    quiet = window.__paints.count > 0 && window.__paints.count === seen ? quiet + 1 : 0
    seen = window.__paints.count
    if (performance.now() - began > 5000) break
  }
  return window.__paints.count ? {ms: window.__paints.last - began, tiles: window.__paints.count} : null
}"""


def recolour(sight: Sight, tiles: int) -> list[float]:
    """From the choice of other colours until the last tile has them. Raises Error when nothing is painted anew."""
    page = sight.open(PAGES["qualitative"], COUNT_PAINTS)
    try:
        page.set_viewport_size(TALL)  # only tiles in sight are loaded
        page.wait_for_function(f"() => window.__paints.count >= {tiles}", timeout=SETTLE_MS)
        page.wait_for_timeout(1000)
        taken = []
        for turn in range(2 * ROUNDS):
            found = page.evaluate(RECOLOUR, ("viridis", "cividis")[turn % 2])
            if found is None:
                raise Error("no tile was painted anew")
            taken.append(float(found["ms"]))
        return taken
    finally:
        page.context.close()


def server_colours(sight: Sight) -> list[float]:
    """The same tiles coloured by the server, as the exported figure is."""
    path = f"/api/experiments/{sight.ids['study']}/figures/qualitative?colours="
    page = sight.open(PLAIN)
    try:
        script = "async (path) => { const t = performance.now(); await (await fetch(path)).json(); return performance.now() - t }"
        return [float(page.evaluate(script, path + colours)) for colours in ("viridis", "cividis", "grey")]
    finally:
        page.context.close()


# --- all of it -------------------------------------------------------------------------------------------------------


def fill(home: Path, size: Size) -> dict[str, int]:
    """The record in `home`; what the addresses of pages name."""
    fill_listed(home, size.listed)
    database = open_database(Settings(_env_file=None, home=home, database_url=SecretStr("")))
    try:
        pool = make_pool(max(size.evaluations, 1000), size.evaluations)
        study = add_experiment(database, 0, pool, size.grid)
        add_depth_maps(database, study, size.images)
    finally:
        database.close()
    return {"study": study}


def measure(sight: Sight, size: Size, rounds: int, say: Callable[[str], None]) -> list[Measured]:
    plain = [first_paint(sight, PLAIN) for _ in range(rounds)]
    found = []
    for name, path in PAGES.items():
        first_paint(sight, path)  # a warm server
        painted = [first_paint(sight, path) for _ in range(rounds)]
        found.append(Measured(f"first paint: {name}", "ms", painted, "a page of plain text", plain, 1000))
        say(f"{name} {statistics.median(painted):.0f} ms")
    runs = f"{size.grid.runs} runs × {size.evaluations} evaluations"
    html = [drawn_html(sight) for _ in range(rounds)]
    for query, words in (("", ""), ("?x=step", ", against steps")):
        times = [convergence(sight, query) for _ in range(rounds)]
        found.append(Measured(f"convergence of {runs}{words}: interactive", "ms", times, "its HTML export", html, 1500))
    found.append(Measured("crosshair, a move", "ms", crosshair(sight), "Plotly's own hover", plotly_hover(sight), 16))
    scrolled = [scroll(sight) for _ in range(rounds)]
    words = f"{size.listed:,} listed runs, {SCREENS} screens of scrolling"
    found.append(Measured(f"{words}: places without a row", "", [s["gaps"] for s in scrolled], limit=0))
    found.append(Measured(f"{words}: slowest frame", "ms", [s["slowest"] for s in scrolled]))
    tiles = size.images * (2 + len(size.grid.losses))
    painted = recolour(sight, tiles - size.images)
    words = f"{size.images} × {2 + len(size.grid.losses)} tiles of {size.grid.height}×{size.grid.width} recoloured"
    found.append(Measured(words, "ms", painted, "coloured by the server", server_colours(sight), 50))
    return found


def drawn_html(sight: Sight) -> float:
    page = sight.open("/api/experiments/{study}/figures/convergence?format=html", WHEN_DRAWN)
    try:
        page.wait_for_function("() => window.__when.figure", timeout=SETTLE_MS)
        return float(page.evaluate("window.__when.figure"))
    finally:
        page.context.close()


def table(found: Sequence[Measured], others: Sequence[Measured] = ()) -> str:
    """As Markdown: the median and the largest, what is asked for, and what stands beside it."""
    theirs = {m.what: m for m in others}
    head = ["what", "median", "largest", "asked for", "beside it", "median"] + ["the other server"] * bool(others)
    rows = [head, ["---"] * len(head)]
    for m in found:
        limit = "" if m.limit is None else f"≤ {m.limit:g}"
        beside = "" if not m.compared else _number(statistics.median(m.compared), m.unit)
        row = [
            m.what,
            _number(statistics.median(m.values), m.unit),
            _number(max(m.values), m.unit),
            limit,
            m.beside,
            beside,
        ]
        if others:
            other = theirs.get(m.what)
            row.append(_number(statistics.median(other.values), other.unit) if other else "")
        rows.append(row)
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _number(value: float, unit: str) -> str:
    return f"{value:.{1 if value < 100 and unit else 0}f} {unit}".strip()


def write(found: Sequence[Measured], out: Path, version: str, rounds: int) -> None:
    """docs/ui-speed.md and the values as JSON beside it."""
    host: dict[str, Any] = {"processor": platform.processor() or platform.machine(), "chromium": version}
    values = [vars(m) | {"values": [round(v, 2) for v in m.values]} for m in found]
    values = [v | {"compared": [round(c, 2) for c in v["compared"]] if v["compared"] else None} for v in values]
    out.with_suffix(".json").write_text(json.dumps({**host, "measured": values}, indent=1) + "\n")
    text = (
        "# Speed in the browser\n\n"
        f"Written by `make bench-ui` with Chromium {version} on this machine's cores, {rounds} rounds; every page in a context of its own, so without "
        "what a browser keeps.\nThe record: a study of 210 runs with 200 evaluations each, depth maps of 8 images for 7 losses, 10,000 listed runs.\n\n"
        f"{table(found)}\n"
    )
    out.with_suffix(".md").write_text(text)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.ui", description=__doc__)
    parser.add_argument(
        "--beside", metavar="URL", help="another server over a record that this filled, measured in turn"
    )
    parser.add_argument("--home", type=Path, help="fill and serve this folder, and leave it there")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--small", action="store_true", help="a record of a few runs, to see that it works")
    parser.add_argument("--out", type=Path, default=OUT, help="path of the table without its ending")
    options = parser.parse_args(arguments)
    size = Size(Grid(sizes=(16, 64), seeds=2), 20, 300, 2) if options.small else Size()
    with tempfile.TemporaryDirectory(prefix="depthboard-ui-") as folder:
        home = options.home or Path(folder)
        ids = fill(home, size) if not (home / "depthboard.sqlite3").exists() else {"study": 1}
        with serve(home, home / "bench-server.log") as server, chromium() as browser:
            with Http(server.url) as http:
                runs = json.loads(http.get(f"/api/experiments/{ids['study']}/runs?size=2"))["items"]
                ids |= {"trained": runs[0]["id"], "other": runs[1]["id"]}
            say = lambda words: print(f"  {words}", file=sys.stderr)
            found = measure(Sight(browser, server.url, ids), size, options.rounds, say)
            others = measure(Sight(browser, options.beside, ids), size, options.rounds, say) if options.beside else []
            print(table(found, others))
            write(found, options.out, browser.version, options.rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
