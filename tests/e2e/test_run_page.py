"""The page of a run in a real browser: it grows while the run trains, and keeps what a reader chose. The run is played by the test."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from httpx2 import Client
from playwright.sync_api import Browser, Page, expect

from backend.app import WEB
from tests.backend import acting
from tests.e2e.browser import chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (WEB / "index.html").is_file(), reason="the dashboard is not built: python hatch_build.py"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

WAIT = 30_000
PARTS = ("gan", "gan_l1", "gan_adversarial", "gan_discriminator", "gan_score_real", "gan_score_fake")
LOG = "".join(f"step {i}: \x1b[32mscored\x1b[0m\n" for i in range(2000)) + "UserWarning: the last is slow\n"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, api: str) -> Iterator[Page]:
    """A page that fails its test when it logs an error."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=api)
    page = context.new_page()
    faults: list[str] = []
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def attempt(api: str) -> Iterator[acting.Attempt]:
    """A GAN in training: a hundred steps, an evaluation, a line of what it takes of its machine."""
    with Client(base_url=api) as at:
        budget = {"images_seen": 8 * 400, "batch_size": 8}
        acting.submit(
            at, base={"data": {"dataset": "rooms", "train_size": 16}, "budget": budget}, factors={"loss": ["gan"]}
        )
        attempt = acting.claimed(at)
        log(attempt, range(1, 101))
        attempt.evaluate(100, 0.5)
        attempt.renew(step=100)
        yield attempt


def log(attempt: acting.Attempt, steps: range) -> None:
    keys = [*(f"train/loss/{part}" for part in PARTS), "system/cpu", "system/memory"]
    walls = [time.time() - 1 + 0.001 * step for step in steps]
    values = [value for step in steps for value in (50 / step, 1 / step, 0.25, 0.25, 0.51, 0.49, 97, 0.5)]
    attempt.ok(
        "points",
        {"first_seq": attempt.seq, "blocks": [{"keys": keys, "steps": list(steps), "walls": walls, "values": values}]},
    )
    attempt.seq += len(steps)


def test_the_page_grows_with_its_run_and_keeps_what_was_chosen(page: Page, attempt: acting.Attempt) -> None:
    page.goto(f"/runs/{attempt.run_id}")
    chart = page.get_by_role("figure", name=re.compile("^Evaluation of the run"))
    expect(chart.get_by_text("0.500 m", exact=True)).to_be_visible(timeout=WAIT)
    expect(page.get_by_text("Balanced: D cannot tell them apart.")).to_be_visible()
    expect(page.get_by_role("region", name="Resource use")).to_contain_text("97 %")
    page.get_by_role("radiogroup", name="X axis").get_by_text("Step", exact=True).click()
    expect(chart.locator(".xtitle")).to_have_text("step", timeout=WAIT)
    box = chart.locator(".nsewdrag").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 0.51 * box["height"], steps=4)
    page.mouse.up()
    expect(chart.locator(".xtick").last).not_to_have_text("400")
    zoomed = chart.locator(".xtick").all_inner_texts()

    log(attempt, range(101, 201))
    attempt.evaluate(200, 0.4)
    attempt.renew(step=200)
    expect(chart.get_by_text("0.400 m", exact=True)).to_be_attached(timeout=WAIT)
    assert chart.locator(".xtick").all_inner_texts() == zoomed, "a reader's zoom is kept when points arrive"
    expect(page.get_by_role("status").first).to_contain_text("step 200 of 400")
    expect(page).to_have_url(re.compile("x=step"))
    page.reload()
    expect(chart.locator(".xtitle")).to_have_text("step", timeout=WAIT)


def test_a_long_log_is_searched_filtered_and_kept_in_the_address(page: Page, attempt: acting.Attempt) -> None:
    attempt.ok("log", {"offset": 0, "text": LOG})
    page.goto(f"/runs/{attempt.run_id}?find=step+19")
    panel = page.get_by_role("region", name="Log")
    expect(panel.get_by_role("status")).to_have_text("1 of 111", timeout=WAIT)  # 19, 190–199, 1900–1999
    expect(panel.locator("mark").first).to_have_text("step 19")
    assert panel.get_by_role("log").locator("> div > div").count() < 200, "only lines in sight are in the page"
    panel.get_by_role("textbox", name="Search the log").press("Enter")
    expect(panel.get_by_role("status")).to_have_text("2 of 111")
    panel.get_by_role("button", name="Match before").click(click_count=2)
    expect(panel.get_by_role("status")).to_have_text("111 of 111")
    expect(panel.get_by_text("step 1999: scored")).to_be_visible()
    panel.get_by_role("textbox", name="Search the log").fill("")
    panel.get_by_role("radiogroup", name="Level").get_by_text("Warnings").click()
    expect(panel.get_by_text("UserWarning: the last is slow")).to_be_visible()
    expect(panel.get_by_text("step 5: scored")).to_have_count(0)
    expect(page).to_have_url(re.compile("level=warning"))
