"""What a person does to runs in the dashboard: pause, delete and undo, the queue, workers. Runs are played by the test."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast

import pytest
from fastapi import FastAPI
from httpx2 import Client
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import update

from backend.app import WEB
from backend.store.tables import Run
from tests.backend import acting
from tests.e2e.browser import chromium

pytestmark = [
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not (WEB / "index.html").is_file(), reason="the dashboard is not built: python hatch_build.py"),
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
]

GPU = {"index": 0, "name": "NVIDIA H200", "utilisation": 97, "memory_used": 61 * 2**30, "memory_total": 140 * 2**30}


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
def at(api: str) -> Iterator[Client]:
    with Client(base_url=api) as client:
        yield client


@pytest.fixture
def experiment(at: Client) -> dict[str, Any]:
    return acting.submit(at, factors={"loss": ["l1", "l2", "huber", "eigen"]})


def order(at: Client) -> list[int]:
    return [entry["run"]["id"] for entry in at.get("/api/queue").json()["items"]]


def test_an_experiment_is_paused_and_resumed_from_its_page(page: Page, at: Client, experiment: dict[str, Any]) -> None:
    attempt = acting.claimed(at)
    page.goto(f"/experiments/{experiment['id']}")
    page.get_by_role("button", name="Pause").click(timeout=30_000)
    expect(page.get_by_text("paused, 3 held, 1 still training")).to_be_visible()
    assert attempt.renew(step=5)["pause_requested"] is True
    attempt.finish("queued", "paused")
    expect(page.get_by_text("paused, 4 held")).to_be_visible(timeout=15_000)
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert acting.claim(at) is not None


def test_a_deleted_experiment_comes_back_with_undo_and_from_the_trash(
    page: Page, at: Client, experiment: dict[str, Any]
) -> None:
    def delete() -> None:
        page.goto(f"/experiments/{experiment['id']}")
        page.get_by_role("button", name="More actions").click(timeout=30_000)
        page.get_by_role("menuitem", name="Delete").click()
        expect(page.get_by_text("is in the trash")).to_be_visible()
        expect(page.get_by_role("link", name="two losses")).to_have_count(0)

    delete()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("link", name="two losses")).to_be_visible()
    delete()
    page.get_by_role("link", name="Trash 1").click()
    page.get_by_role("link", name="two losses").click()
    expect(page.get_by_text("It can be restored until")).to_be_visible()
    page.get_by_role("button", name="Restore").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    assert at.get("/api/experiments").json()["total"] == 1


def test_the_queue_is_reordered_with_buttons_keys_and_the_mouse_and_taken_back(
    page: Page, at: Client, experiment: dict[str, Any]
) -> None:
    a, b, c, d = (run["id"] for run in acting.runs_of(at, experiment))
    page.goto("/workers")
    queue = page.get_by_role("region", name="Waiting")
    rows = queue.locator("tbody tr")

    def shows(*ids: int) -> None:
        for i, run in enumerate(ids):
            expect(rows.nth(i).get_by_role("link").first).to_have_attribute("href", f"/runs/{run}", timeout=15_000)
        assert order(at) == list(ids)

    shows(a, b, c, d)
    queue.get_by_role("button", name=re.compile(f"run {c}, to the front")).click()
    shows(c, a, b, d)
    rows.nth(0).focus()
    page.keyboard.press("Alt+ArrowDown")
    shows(a, c, b, d)
    rows.nth(3).drag_to(rows.nth(0))
    shows(d, a, c, b)
    page.get_by_role("button", name="Undo").last.click()
    shows(a, c, b, d)


def test_a_worker_shows_its_gpu_and_is_drained(page: Page, at: Client, experiment: dict[str, Any]) -> None:
    assert experiment
    note = {"host": "gpu-07", "device": "NVIDIA H200", "gpus": [GPU]}
    at.put("/api/workers/worker-0001", json=note)
    acting.claimed(at).renew(step=5)
    page.goto("/workers")
    card = page.get_by_role("article", name="Worker on gpu-07")
    expect(card).to_contain_text("97 %", timeout=30_000)
    expect(card).to_contain_text("65/150 GB")
    card.get_by_role("button", name="Actions of the worker on gpu-07").click()
    page.get_by_role("menuitem", name="Drain").click()
    expect(card).to_contain_text("draining")
    assert acting.claim(at) is None


def test_a_stalled_run_says_since_when_and_what_can_be_done(
    page: Page, at: Client, app: FastAPI, experiment: dict[str, Any]
) -> None:
    assert experiment
    attempt = acting.claimed(at)
    attempt.renew(step=5)
    with cast(Any, app).state.database.write() as session:
        session.execute(update(Run).where(Run.id == attempt.run_id).values(stalled=True))
    page.goto(f"/runs/{attempt.run_id}")
    expect(page.get_by_role("alert")).to_contain_text("Nothing has moved for", timeout=30_000)
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stopping …")).to_be_disabled()
