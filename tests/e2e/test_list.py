"""What a person does with whole experiments in the dashboard: the list by keys, notes, saved views, the palette, the grid."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import FastAPI
from httpx2 import Client
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import delete

from backend.app import WEB
from backend.store.tables import Run
from tests.backend import acting
from tests.e2e.browser import chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(120),
    pytest.mark.skipif(not (WEB / "index.html").is_file(), reason="the dashboard is not built: python hatch_build.py"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

HOSTILE = """<script>hit()</script><img src=x onerror=hit()><svg onload=hit()><iframe srcdoc="<script>parent.hit()</script>">
[a](javascript:hit()) [b](data:text/html,<script>hit()</script>) ![c](https://example.org/c.png) ![d](x" onerror="hit())
<a href="javascript:hit()">e</a> **written**"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser, api: str) -> Iterator[Page]:
    """A page that fails its test when it logs an error, runs what a person wrote, or asks another host."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=api)
    page = context.new_page()
    faults: list[str] = []
    page.expose_function("hit", lambda: faults.append("a text was run as a script"))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith((api, "data:", "blob:")) else faults.append(r.url))
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def at(api: str) -> Iterator[Client]:
    with Client(base_url=api) as client:
        yield client


def test_the_list_is_filtered_archived_and_tagged_by_keys_and_taken_back(page: Page, at: Client) -> None:
    acting.submit(at, name="<b>sizes</b>", tags=["paper"], factors={"loss": ["l1"]})
    acting.submit(at, name="other", factors={"loss": ["l2"]})
    page.goto("/")
    rows = page.locator("[data-experiment]")
    expect(rows).to_have_text(["other", "<b>sizes</b>"], timeout=30_000)
    page.keyboard.press("/")
    page.keyboard.type("#paper and loss = l1")
    expect(rows).to_have_text(["<b>sizes</b>"])
    page.keyboard.press("Escape")
    expect(rows).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(1)).to_be_focused()
    page.keyboard.press("x")
    expect(page.get_by_role("toolbar")).to_contain_text("1 experiment selected")
    page.keyboard.press("e")
    expect(rows).to_have_text(["other"])
    page.get_by_role("button", name="Undo").click()
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Change the tags of other").click()
    page.keyboard.type("<i>new</i>")
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="#<i>new</i>")).to_be_visible()


def test_notes_run_nothing_and_are_not_lost_when_somebody_else_saves(page: Page, at: Client) -> None:
    experiment = acting.submit(at)
    path = f"/api/experiments/{experiment['id']}/notes"
    at.put(path, json={"text": HOSTILE, "version": 0})
    page.goto(f"/experiments/{experiment['id']}/notes")
    shown = page.locator("main strong")
    expect(shown).to_have_text("written", timeout=30_000)
    assert page.locator("main a[href^=javascript], main iframe, main svg[onload], main script").count() == 0
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("textbox", name="Notes").fill("mine, **kept**")
    expect(shown).to_have_text("kept")
    at.put(path, json={"text": "theirs", "version": 1})
    expect(page.get_by_role("alert")).to_contain_text("have changed since you opened them")
    page.reload()
    expect(page.get_by_role("textbox", name="Notes")).to_have_value("mine, **kept**", timeout=30_000)
    page.get_by_role("button", name="Save mine instead").click()
    expect(page.get_by_role("button", name="Edit")).to_be_visible()
    assert at.get(path).json() == {"text": "mine, **kept**", "version": 3}


def test_a_view_is_saved_under_a_name_and_opened_as_it_was(page: Page, at: Client) -> None:
    experiment = acting.submit(at)
    address = f"/experiments/{experiment['id']}/results?averaging=pooled&sort=-rmse"
    page.goto(address)
    expect(page.get_by_role("link", name="Results table")).to_be_visible(timeout=30_000)
    page.keyboard.press("Control+s")
    page.get_by_role("textbox", name="Name").fill("<u>pooled</u>")
    page.keyboard.press("Enter")
    views = page.get_by_role("region", name="Saved views")
    expect(views.get_by_role("link", name="<u>pooled</u>")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile(r"/$"))
    views.get_by_role("link", name="<u>pooled</u>").click()
    expect(page).to_have_url(re.compile(re.escape(address) + "$"))
    views.get_by_role("button", name="What to do with the view").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(views.get_by_role("link")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(views.get_by_role("link", name="<u>pooled</u>")).to_be_visible()


def test_the_palette_finds_a_run_and_the_grid_launches_what_is_missing(page: Page, at: Client, app: FastAPI) -> None:
    experiment: dict[str, Any] = acting.submit(at, factors={"loss": ["l1", "l2", "eigen"]})
    first, *others = acting.runs_of(at, experiment)
    with app.state.database.write() as session:
        session.execute(delete(Run).where(Run.id.in_([run["id"] for run in others])))
    page.goto(f"/experiments/{experiment['id']}/overview")
    grid = page.get_by_role("table", name="Runs by loss, encoder and size")
    expect(grid.get_by_role("button", name=re.compile("missing"))).to_have_count(2, timeout=30_000)
    expect(page.get_by_role("button", name="Launch 2 missing")).to_be_visible()
    grid.get_by_role("button", name=re.compile("^L1 ")).click()
    grid.get_by_role("button", name=re.compile("^Eigen ")).click(modifiers=["Shift"])
    page.get_by_role("button", name="Launch 2", exact=True).click()
    expect(grid.get_by_role("button", name=re.compile("missing"))).to_have_count(0)
    assert at.get(f"/api/experiments/{experiment['id']}").json()["counts"]["queued"] == 3
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("walk over the cells")
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    page.keyboard.type(f"run {first['id']}")
    page.get_by_role("option", name=f"Run {first['id']}").wait_for()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/runs/{first['id']}$"))
