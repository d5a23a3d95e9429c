"""The table of runs and the comparison in a real browser: choose, sort, select, compare, and come back by the address."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import chromium
from tests.e2e.conftest import Product
from tests.e2e.test_dashboard import SPEC

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def experiment(product: Product) -> int:
    """The runs of test_dashboard, which are trained once."""
    done = product.client.wait(product.client.submit({**SPEC, "name": "Compared"})["id"], timeout=600, every=0.5)
    assert done["counts"]["finished"] == 2
    return int(done["id"])


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=product.url)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


def test_runs_are_sorted_selected_by_keys_and_compared(page: Page, experiment: int) -> None:
    page.goto(f"/experiments/{experiment}/runs")
    rows = page.locator("[data-row]")
    expect(rows).to_have_count(2, timeout=30_000)
    page.get_by_role("button", name=re.compile("^RMSE")).click()
    page.get_by_role("button", name=re.compile("^Loss")).click(modifiers=["Shift"])
    expect(page).to_have_url(re.compile("sort=rmse%2Closs|sort=rmse,loss"))
    expect(page.get_by_role("columnheader", name=re.compile("^RMSE"))).to_have_attribute("aria-sort", "ascending")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.get_by_text("1 selected")).to_be_visible()
    keys_of_a_menu_are_its_own(page)
    page.get_by_role("button", name="Pin as base").click()
    expect(page.get_by_role("columnheader", name="Δ to base")).to_be_visible()
    expect(page.locator("[data-pinned]")).to_contain_text("base")
    rows.last.get_by_role("checkbox").click()
    page.get_by_role("link", name="Compare", exact=True).last.click()
    expect(page).to_have_url(re.compile("/compare"))
    expect(page.get_by_role("list", name="Runs compared").get_by_role("listitem")).to_have_count(2)
    expect(page.get_by_role("region", name="What differs")).to_contain_text("loss.name")
    for view in ("Over training", "Settings and metrics", "By image"):
        page.get_by_role("link", name=view, exact=True).click()
        expect(page.get_by_role("figure", name=view)).to_be_visible(timeout=30_000)
        expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=30_000)
    expect(page.locator("figcaption")).to_contain_text(re.compile(r"A is better on \d+, B on \d+"))
    page.go_back()
    expect(page.get_by_role("figure", name="Settings and metrics")).to_be_visible(timeout=30_000)


def keys_of_a_menu_are_its_own(page: Page) -> None:
    """In an open menu x selects no row, and Esc closes it and nothing more."""
    page.get_by_role("button", name=re.compile("^Export")).click()
    menu = page.get_by_role("menu").or_(page.get_by_role("dialog"))
    expect(menu).to_be_visible()
    page.keyboard.press("x")
    page.keyboard.press("Escape")
    expect(menu).to_be_hidden()
    expect(page.get_by_text("1 selected")).to_be_visible()


def test_columns_are_chosen_and_the_address_brings_them_back(page: Page, experiment: int) -> None:
    page.goto(f"/experiments/{experiment}/runs")
    page.get_by_role("button", name=re.compile("^Columns")).click()
    page.get_by_label("Find a column").fill("log10")
    page.get_by_role("checkbox", name=re.compile("log10")).first.check()
    expect(page).to_have_url(re.compile("columns="))
    page.reload()
    expect(page.get_by_role("columnheader", name=re.compile("^log10"))).to_be_visible(timeout=30_000)
    page.get_by_role("combobox", name="Filter runs").fill("loss = l1 and rmse < 0")
    expect(page.get_by_text("The lowest L1 RMSE is")).to_be_visible(timeout=30_000)
