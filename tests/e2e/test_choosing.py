"""Choosing what to train, in a real browser: the pages of losses and datasets, and the form of a new experiment."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import chromium
from tests.e2e.conftest import Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    """A page that fails its test when it logs an error; a refused submission is none."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, base_url=product.url)
    page = context.new_page()
    page.set_default_timeout(30_000)
    faults: list[str] = []
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" and "422" not in m.text else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


def test_every_loss_has_a_page_with_a_curve_or_the_reason_why_not(page: Page, product: Product) -> None:
    losses = product.client.api.json("GET", "/api/catalogue")["losses"]
    page.goto("/losses")
    for loss in losses:
        page.get_by_role("navigation", name="Losses").get_by_role("link", name=loss["title"]).filter(
            has_text=re.compile(rf"^{re.escape(loss['title'])}(no weights)?$")
        ).click()
        expect(page.get_by_role("heading", level=2, name=loss["title"], exact=True)).to_be_visible()
        expect(page.get_by_role("region", name=re.compile("^Value")).first).to_be_visible()
        expect(page.locator(".katex-error")).to_have_count(0)
    assert len(losses) == 17


def test_a_slider_stands_in_the_address_and_back_undoes_it(page: Page) -> None:
    page.goto("/losses?name=berhu")
    threshold = page.get_by_role("slider", name="Threshold")
    threshold.focus()
    page.keyboard.press("ArrowRight")
    expect(page).to_have_url(re.compile("c=0.45"))
    page.get_by_role("slider", name="Share that is 2 m").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("region", name="Where the prediction lands")).to_contain_text("4.00 m")
    page.reload()
    expect(page.get_by_text("c = 0.45 m")).to_be_visible()
    expect(page.get_by_text("45 % at 2 m, 55 % at 4 m")).to_be_visible()
    page.go_back()
    expect(page.get_by_text("50 % at 2 m, 50 % at 4 m")).to_be_visible()


def test_all_that_is_wrong_is_listed_and_the_draft_is_there_again(page: Page) -> None:
    page.goto("/experiments/new?preset=quick")
    text = page.get_by_label("The experiment as YAML")
    text.fill("name: Wrong\nbase:\n  optimiser: {lrr: 3}\n  data: {height: 65}\nfactors:\n  loss: [l1, l3]\n")
    dry = page.get_by_role("region", name="Dry run")
    expect(dry).to_contain_text("3 things are in the way")
    expect(dry).to_contain_text("Did you mean optimiser.lr?")
    expect(page.get_by_role("region", name="Losses")).to_contain_text("unknown loss l3")
    text.fill("name: Wrong\nfactors: [")
    expect(dry).to_contain_text("The YAML cannot be read")
    expect(dry).not_to_contain_text("things are in the way")
    expect(page.get_by_text("Draft saved")).to_be_visible()
    page.goto("/experiments/new")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Wrong")
    page.get_by_role("radio", name="Empty").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("New experiment")
    expect(page.get_by_text("Draft saved")).to_have_count(0)


def test_a_loss_goes_from_its_page_into_an_experiment_that_the_keyboard_launches(page: Page, product: Product) -> None:
    page.goto("/losses?name=berhu")
    page.get_by_role("link", name="Use in an experiment").click()
    expect(page.get_by_label("BerHu", exact=True)).to_be_checked()
    page.get_by_label("Name", exact=True).fill("By keyboard")
    expect(page.get_by_role("button", name="Launch 1 run")).to_be_enabled()
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/experiments/\d+"))
    (new,) = [e for e in product.client.experiments() if e["name"] == "By keyboard"]
    product.client.api.json("POST", f"/api/experiments/{new['id']}/cancel")
    page.goto("/experiments/new?preset=last")
    expect(page.get_by_label("Name", exact=True)).to_have_value("By keyboard")


def test_a_dataset_shows_its_depths_and_what_they_look_like(page: Page) -> None:
    page.goto("/datasets?name=rooms")
    expect(page.get_by_role("img", name="Depth histogram: median 3.26 m")).to_be_visible()
    expect(page.get_by_role("img", name="Frames of rooms with their depth")).to_be_visible()
