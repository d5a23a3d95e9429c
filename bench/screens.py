"""`make screenshots`: every page, light and dark, from a record of the procedural rooms, into docs/screens/.

`--home` names a folder with a finished experiment; without it a small one is trained first. The record is only read: it is served
by an API without workers, so that the same record gives the same pictures.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page

from bench.pages import PAGES, READY, chromium
from bench.tracking.ours import serve
from bench.tracking.processes import Failed, Http, free_port
from depthboard.client import Client
from depthboard.errors import Unavailable

OUT = Path(__file__).resolve().parents[1] / "docs" / "screens"
VIEWPORT = {"width": 1440, "height": 900}
SCHEMES = ("light", "dark")
SETTLE_MS = 30_000
# Figures and tiles come after the page: it is at rest when nothing was fetched or changed for a while.
AT_REST = """() => new Promise((resolve) => {
  let last = performance.now(), fetched = 0
  const begun = last
  new MutationObserver(() => { last = performance.now() }).observe(document, {subtree: true, childList: true, attributes: true, characterData: true})
  const look = () => {
    const now = performance.now(), entries = performance.getEntriesByType('resource').length
    if (entries !== fetched) [fetched, last] = [entries, now]
    if (now - last > 900 || now - begun > 15000) resolve()
    else setTimeout(look, 50)
  }
  look()
})"""
MOST_EXACT = 120_000
START_SECONDS = 60
SPEC: dict[str, Any] = {
    "name": "Seven losses on rooms",
    "description": "Which loss, given this much data? Small enough to train in minutes.",
    "base": {
        "data": {"dataset": "rooms"},
        "optimiser": {"lr": 5e-3, "schedule": "one_cycle"},
        "budget": {"images_seen": 800, "batch_size": 8},
        "evaluation": {"evaluations": 5, "samples": 4},
    },
    "factors": {"loss": ["l1", "l2", "huber", "berhu", "eigen", "eigengrad", "gan"], "size": [16, 64]},
}


def train(home: Path) -> None:
    """The small experiment, trained by the whole product as `make up` starts it. Raises Failed when a run did not finish."""
    port = free_port()
    address = {"DEPTHBOARD_PORT": str(port), "DEPTHBOARD_API_URL": f"http://127.0.0.1:{port}"}
    environment = {**os.environ, **address, "DEPTHBOARD_HOME": str(home)}
    for name in ("DEPTHBOARD_DATABASE_URL", "DEPTHBOARD_BROKER_URL"):
        environment.pop(name, None)
    command = [sys.executable, "-m", "depthboard.cli", "up", "--slots", "2"]
    product = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT)
    try:
        with Client(address["DEPTHBOARD_API_URL"]) as client:
            _wait_for(client)
            done = client.wait(client.submit(SPEC)["id"], timeout=3600, every=1)
    finally:
        product.send_signal(signal.SIGINT)
        product.wait(60)
    if done["counts"]["finished"] != len(SPEC["factors"]["loss"]) * len(SPEC["factors"]["size"]):
        raise Failed(f"not every run finished: {done['counts']}")


def _wait_for(client: Client) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        with contextlib.suppress(Unavailable):
            client.experiments()
            return
        if time.monotonic() > end:
            raise Failed(f"no API within {START_SECONDS} s")
        time.sleep(0.5)


def shoot(browser: Browser, url: str, ids: dict[str, int], out: Path) -> int:
    """A picture of every page in both schemes; the bytes of all."""
    out.mkdir(parents=True, exist_ok=True)
    total = 0
    for scheme in SCHEMES:
        context = browser.new_context(  # type: ignore[call-overload]
            viewport=VIEWPORT,
            base_url=url,
            color_scheme=scheme,
            reduced_motion="reduce",
            timezone_id="UTC",
            locale="en-GB",
        )
        page = context.new_page()
        for name, path in PAGES.items():
            file = out / f"{name}-{scheme}.webp"
            file.write_bytes(_picture(page, path.format(**ids)))
            total += file.stat().st_size
        context.close()
    return total


def _picture(page: Page, path: str) -> bytes:
    page.goto(path)
    page.wait_for_function(READY, timeout=SETTLE_MS)
    page.evaluate("document.fonts.ready")
    page.evaluate(AT_REST)
    shot = Image.open(io.BytesIO(page.screenshot(animations="disabled", caret="hide"))).convert("RGB")
    exact = _webp(shot, lossless=True)
    # A palette would change the colours of losses, which are few pixels; photographs need less than every bit.
    return exact if len(exact) <= MOST_EXACT else _webp(shot, quality=88)


def _webp(shot: Image.Image, **how: Any) -> bytes:
    packed = io.BytesIO()
    shot.save(packed, "WEBP", method=6, **how)
    return packed.getvalue()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.screens", description=__doc__)
    parser.add_argument("--home", type=Path, help="a folder with a finished experiment; none: a small one is trained")
    parser.add_argument("--experiment", type=int, default=1)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="depthboard-screens-") as folder:
        home = options.home or Path(folder)
        if options.home is None:
            train(home)
        with serve(home, Path(folder) / "server.log") as server, chromium() as browser:
            with Http(server.url) as http:
                best = json.loads(http.get(f"/api/experiments/{options.experiment}/runs?size=2&sort=rmse"))["items"]
            ids = {"study": options.experiment, "trained": best[0]["id"], "other": best[1]["id"]}
            total = shoot(browser, server.url, ids, options.out)
    print(f"{2 * len(PAGES)} pictures, {total / 1e6:.1f} MB, in {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
