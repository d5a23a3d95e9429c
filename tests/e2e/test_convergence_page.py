"""What only a browser shows of the convergence page: smoothing without a request, legend, zoom and base in the address, Back."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import chromium
from tests.e2e.conftest import Product, settle

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SPEC: dict[str, Any] = {
    "name": "Three seeds looked at",
    "base": {
        "data": {"train_size": 8},
        "budget": {"images_seen": 32, "batch_size": 8},
        "evaluation": {"evaluations": 4, "samples": 2},
    },
    "factors": {"loss": ["l1", "eigen"], "seed": [41, 42]},
}
DRAWN = "document.querySelector('.js-plotly-plot')"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def experiment(product: Product) -> int:
    done = product.client.wait(product.client.submit(SPEC)["id"], timeout=600, every=0.5)
    return int(done["id"])


@pytest.fixture
def page(browser: Browser, product: Product, experiment: int) -> Iterator[Page]:
    """The page, its curves drawn; its test fails when it logs an error."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=product.url)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"/experiments/{experiment}/convergence")
    expect(page.locator(".js-plotly-plot .trace .js-line").first).to_be_attached(timeout=60_000)
    yield page
    context.close()
    assert faults == []


def groups(page: Page) -> list[str]:
    """The lines drawn."""
    roles = f"{DRAWN}.data.filter(trace => trace.meta?.role === 'mean').map(trace => trace.legendgroup)"
    return sorted(page.evaluate(roles))


def x_range(page: Page) -> list[float]:
    return [round(value, 2) for value in page.evaluate(f"{DRAWN}._fullLayout.xaxis.range")]


def test_smoothing_follows_its_slider_without_a_request_and_the_address_keeps_it(page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/figures/" in request.url else None)
    slider = page.get_by_role("slider", name="Smoothing")
    slider.focus()
    slider.press("ArrowRight")
    slider.press("End")
    expect(page.locator("figcaption")).to_contain_text("smoothed for the eye (debiased moving average, weight 0.99)")
    expect(page).to_have_url(re.compile(r"smoothing=0\.99"))
    assert page.evaluate(f"{DRAWN}.data.filter(trace => trace.meta?.role === 'raw').length") == 2
    assert asked == []


def test_a_click_hides_a_line_a_double_click_shows_it_alone_and_back_undoes(page: Page) -> None:
    page.get_by_role("button", name="Show L1", exact=True).click()
    expect(page).to_have_url(re.compile("only=Eigen"))
    settle(lambda: groups(page) == ["Eigen"], 30, "L1 is hidden")
    page.go_back()
    settle(lambda: groups(page) == ["Eigen", "L1"], 30, "Back shows it again")
    page.get_by_role("button", name="Show L1", exact=True).dblclick()
    expect(page).to_have_url(re.compile("only=L1"))
    settle(lambda: groups(page) == ["L1"], 30, "L1 is alone")
    page.get_by_role("button", name="Show L1", exact=True).dblclick()
    settle(lambda: groups(page) == ["Eigen", "L1"], 30, "all are shown again")


def test_zoom_is_kept_in_the_address_and_for_another_band_and_a_double_click_resets_it(page: Page) -> None:
    whole = x_range(page)
    box = page.locator(".nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 400, box["y"] + 60, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("zoom=x"))
    zoomed = x_range(page)
    assert zoomed != whole
    page.get_by_role("radiogroup", name="Band").get_by_text("95 % CI", exact=True).click()
    expect(page.locator("figcaption")).to_contain_text("95 % confidence interval", timeout=30_000)
    assert x_range(page) == zoomed

    def reset() -> bool:
        """Plotly takes two clicks that a busy machine tells it of half a second apart for two single ones."""
        page.mouse.dblclick(box["x"] + 300, box["y"] + 60)
        page.wait_for_timeout(700)
        return "zoom=" not in page.url

    settle(reset, 30, "the zoom is gone from the address")
    settle(lambda: x_range(page) == whole, 30, "the whole axis is shown again")


def test_another_base_stands_first_and_a_target_has_its_column(page: Page) -> None:
    rows = page.get_by_role("region", name=re.compile("Values at the crosshair")).locator("tbody tr")
    expect(rows.first).to_contain_text("L1")
    page.get_by_role("button", name="Eigen", exact=True).click()
    expect(rows.first).to_contain_text("Eigen", timeout=30_000)
    page.get_by_label("Target in m").fill("100")
    page.get_by_label("Target in m").blur()
    expect(page.get_by_role("columnheader", name="To target")).to_be_visible(timeout=30_000)
    expect(rows.first).to_contain_text("ep")
    expect(page).to_have_url(re.compile("base=Eigen.*target=100"))
