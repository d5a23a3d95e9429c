"""The depth viewer in a real browser, on maps that scripts have shown: what its keys, its mouse and its address do."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.browser import chromium
from tests.e2e.conftest import ROOT, Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

# Two images of 40 × 60, a box before a wall with a hole; l1 is off by 0.1 m in the first, gan by 0.3 m in the second.
SCRIPT = """
import numpy as np, depthboard
wall = np.full((40, 60), 4.0)
wall[10:30, 15:35] = 2.0
target = wall.copy()
target[:6, :9] = np.nan
for name, errors in (("l1", (0.1, 0.0)), ("gan <b>x</b>", (0.0, 0.3))):
    with depthboard.start(experiment="Seen in depth", name=name, params={"loss": name[:3].strip()}) as run:
        for frame, error in enumerate(errors):
            picture = np.full((40, 60, 3), 90, np.uint8)
            run.log_depth(f"room/{frame}", wall + error, target=target, rgb=picture, step=5)
"""


@pytest.fixture(scope="module")
def viewer(product: Product) -> int:
    subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, env=product.environment, check=True, timeout=120)
    return next(e["id"] for e in product.client.experiments() if e["name"] == "Seen in depth")


@pytest.fixture
def page(product: Product, viewer: int) -> Iterator[Page]:
    """The viewer, opened; its test fails when it logs an error."""
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 1100}, base_url=product.url)
        faults: list[str] = []
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(f"/experiments/{viewer}/overview")
        page.get_by_role("link", name="Qualitative").click()
        expect(page.locator("canvas[data-drawn]")).to_have_count(6, timeout=60_000)
        yield page
        assert faults == []


def tile(page: Page, row: int, column: int) -> dict[str, float]:
    box = page.locator("[data-tile-row]").nth(row).locator("[data-tile]").nth(column).bounding_box()
    assert box is not None
    return dict(box)  # type: ignore[arg-type]


def point(page: Page, row: int, column: int, u: float, v: float) -> None:
    box = tile(page, row, column)
    page.mouse.move(box["x"] + u * box["width"], box["y"] + v * box["height"])


def test_a_person_reads_sorts_compares_and_turns_depth_maps(page: Page) -> None:
    main = page.locator("main")
    point(page, 0, 2, 0.8, 0.5)
    expect(main).to_contain_text("4.10 m")
    expect(page.get_by_role("table").last).to_contain_text("+2.5 %")
    point(page, 0, 2, 0.05, 0.05)
    expect(page.locator("[data-tile-row]").first).to_contain_text("no ground truth")

    loaded: list[str] = []
    page.on("request", lambda request: loaded.append(request.url) if "/predictions/" in request.url else None)
    page.get_by_role("radiogroup", name="What the tiles show").get_by_text("Signed error").click()
    expect(page).to_have_url(re.compile("view=error"))
    page.wait_for_function("performance.getEntriesByName('recolour').length > 0")
    assert loaded == []

    page.get_by_label("Sort the images by").first.click()
    page.get_by_role("option", name="RMSE difference, l1 − gan <b>x</b>").click()
    expect(page.get_by_role("rowheader").first).to_contain_text("+0.100 m")
    expect(page).to_have_url(re.compile("sort=rmse%3Adifference"))

    draw_line(page)
    expect(page).to_have_url(re.compile("line="))
    expect(
        page.get_by_role("figure", name="Depth along the line from A to B").locator(".main-svg").first
    ).to_be_visible()
    compare(page)
    page.get_by_role("radiogroup", name="What is shown of the row").get_by_text("3-D").click()
    cloud = page.get_by_label("Ground truth in 3-D")
    expect(cloud).to_be_visible()
    before = picture(page)
    cloud.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("before => document.querySelector('[role=application]').toDataURL() !== before", arg=before)
    expect(main).to_contain_text("the script did not say which camera it was")


def draw_line(page: Page) -> None:
    point(page, 0, 0, 0.1, 0.5)
    page.keyboard.down("Shift")
    page.mouse.down()
    point(page, 0, 0, 0.5, 0.5)
    point(page, 0, 0, 0.9, 0.6)
    page.mouse.up()
    page.keyboard.up("Shift")


def compare(page: Page) -> None:
    """Space opens the two compared in turn, and changes them; Back and Esc go back."""
    point(page, 1, 3, 0.5, 0.5)
    expect(page.locator("[data-tile-row]").nth(1)).to_contain_text("2.30 m")
    page.keyboard.press("a")
    expect(page.get_by_label("Compared: A").first).to_have_value("gan <b>x</b>")
    page.keyboard.press("Space")
    stage = page.get_by_role("region", name=re.compile("enlarged"))
    expect(stage).to_contain_text("room/0")  # by gan − l1 it is the second now
    expect(stage).to_contain_text("gan <b>x</b>")
    page.keyboard.press("Space")
    expect(stage).to_contain_text("l1")
    page.keyboard.press("s")
    divider = page.get_by_role("slider", name="Divider between A and B")
    divider.focus()
    page.keyboard.press("ArrowLeft")
    expect(divider).to_have_attribute("aria-valuenow", "48")
    page.keyboard.press("[")
    expect(stage).to_contain_text("room/1")
    page.keyboard.press("Escape")
    expect(page.get_by_role("table", name=re.compile("Depth maps"))).to_be_visible()


SETTLED = """async () => {
  const canvas = document.querySelector('[role=application]')
  const blank = Object.assign(document.createElement('canvas'), {width: canvas.width, height: canvas.height}).toDataURL()
  for (let before = blank, tries = 0; tries < 200; tries++) {
    await new Promise((next) => setTimeout(next, 100))
    const now = canvas.toDataURL()
    if (now !== blank && now === before) return now
    before = now
  }
  throw new Error('the cloud does not come to rest')
}"""


def picture(page: Page) -> str:
    """The cloud with the colours of the photograph, when two pictures of it are the same: one that still loads changes by itself."""
    expect(page.get_by_role("radiogroup", name="Colours of the points")).to_be_visible()
    return str(page.evaluate(SETTLED))
