"""The dashboard in a real browser on the running product: every page draws, nothing is fetched from elsewhere, curves grow without a reload."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.browser import chromium
from tests.e2e.conftest import Product

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SPEC: dict[str, Any] = {
    "name": "Seen in the browser",
    "base": {
        "data": {"train_size": 8},
        "budget": {"images_seen": 40, "batch_size": 8},
        "evaluation": {"evaluations": 2, "samples": 2},
    },
    "factors": {"loss": ["l1", "eigen"], "size": [8]},
}


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def experiment(product: Product) -> int:
    done = product.client.wait(product.client.submit(SPEC)["id"], timeout=600, every=0.5)
    assert done["counts"]["finished"] == 2
    return int(done["id"])


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    """A page that fails its test when it logs an error or asks another server for anything."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=product.url)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith((product.url, "data:", "blob:")) else faults.append(r.url))
    yield page
    context.close()
    assert faults == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/", "/experiments/new", "/datasets", "/workers", "/losses"])
def test_every_page_draws(page: Page, experiment: int, path: str, scheme: str) -> None:
    assert experiment
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    page.goto(path)
    expect(page.locator("main")).not_to_be_empty(timeout=30_000)
    expect(page.get_by_role("navigation").first).to_be_visible()


def test_the_views_of_an_experiment_draw_their_figures(page: Page, experiment: int) -> None:
    for tab in ("convergence", "dataset-size", "encoders"):
        page.goto(f"/experiments/{experiment}/{tab}")
        expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=60_000)
    page.goto(f"/experiments/{experiment}/results")
    expect(page.get_by_role("table").first).to_contain_text("Constant prediction", timeout=60_000)
    page.goto(f"/experiments/{experiment}/sharpness")
    expect(page.get_by_role("table").first).to_contain_text("resolution-limited: 64×96", timeout=60_000)
    expect(page.get_by_role("columnheader", name="DBE acc")).to_be_visible()


def test_curves_are_drawn_by_key_and_axis_and_the_address_says_which(page: Page, experiment: int) -> None:
    page.goto(f"/experiments/{experiment}/curves")
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=60_000)
    drawn = page.get_by_role("list", name="Runs drawn").get_by_role("listitem")
    expect(page.locator(".ytitle")).to_have_text("train/loss/eigen")
    expect(drawn).to_have_count(1)
    page.get_by_role("radiogroup", name="Curve").get_by_text("train/loss/l1", exact=True).click()
    expect(page.locator(".ytitle")).to_have_text("train/loss/l1", timeout=30_000)
    expect(drawn).to_contain_text("L1, 8 images, seed 0")
    page.get_by_role("radiogroup", name="X").get_by_text("Hours", exact=True).click()
    expect(page.locator(".xtitle")).to_have_text("hours of training", timeout=30_000)
    expect(page).to_have_url(re.compile(r"key=train%2Floss%2Fl1&x=hours"))
    page.reload()
    expect(page.locator(".xtitle")).to_have_text("hours of training", timeout=30_000)
    expect(page.locator(".ytitle")).to_have_text("train/loss/l1")
    drawn.get_by_role("link").focus()
    expect(drawn).to_have_attribute("data-lifted", "true")
    drawn.get_by_role("link").click()
    expect(page).to_have_url(re.compile(r"/runs/\d+"))


def test_convergence_is_drawn_against_hours(page: Page, experiment: int) -> None:
    page.goto(f"/experiments/{experiment}/convergence")
    page.get_by_role("radiogroup", name="X").get_by_text("Hours", exact=True).click()
    expect(page.locator(".xtitle").first).to_have_text("hours of training", timeout=60_000)
    expect(page.get_by_role("table").first).to_contain_text(re.compile(r"\d+ s of \d+ s"))


def test_a_depth_tile_shows_metres_under_the_cursor(page: Page, experiment: int) -> None:
    page.goto(f"/experiments/{experiment}/qualitative")
    tile = page.locator("canvas").nth(1)
    expect(tile).to_be_visible(timeout=60_000)
    tile.hover()
    expect(page.locator("main")).to_contain_text(re.compile(r"\d\.\d\d? m"))


def test_the_page_grows_while_a_run_trains(page: Page, product: Product) -> None:
    """No reload: the run's state on the open page goes from waiting to finished by itself."""
    spec = {**SPEC, "name": "Growing", "factors": {"loss": ["l2"], "seed": [31]}}
    experiment = product.client.submit(spec)
    page.goto(f"/experiments/{experiment['id']}")
    expect(page.locator("main")).to_contain_text("Growing", timeout=30_000)
    product.client.wait(experiment["id"], timeout=600, every=0.5)
    expect(page.get_by_text(re.compile(r"1 (done|finished)|1 of 1|1/1")).first).to_be_visible(timeout=30_000)


def test_an_experiment_is_submitted_from_the_form(page: Page, product: Product) -> None:
    before = len(product.client.experiments())
    page.goto("/experiments/new")
    name = page.get_by_label("Name", exact=True)
    expect(name).to_be_visible(timeout=30_000)
    page.get_by_text("Quick look").first.click()
    name.fill("From the form")
    launch = page.get_by_role("button", name=re.compile("Launch"))
    expect(launch).to_be_enabled(timeout=30_000)
    launch.click()
    page.wait_for_url(re.compile(r"/experiments/\d+"), timeout=30_000)
    (new,) = [e for e in product.client.experiments() if e["name"] == "From the form"]
    assert len(product.client.experiments()) == before + 1
    product.client.api.json("POST", f"/api/experiments/{new['id']}/cancel")
