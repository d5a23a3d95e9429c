"""Pages that stay open: they ask for nothing while nothing happens, for little while something does, and catch up after a cut."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Response, expect

from backend.app import WEB
from tests.backend import acting
from tests.backend.test_scripts import TOKEN, begin
from tests.e2e.browser import chromium
from tests.e2e.conftest import ROOT, free_port

pytestmark = [
    pytest.mark.browser,
    pytest.mark.parametrize("database_url", ["sqlite"], indirect=True),
    pytest.mark.skipif(not (WEB / "index.html").is_file(), reason="the dashboard is not built: `make web`"),
]

SETTLE_SECONDS, QUIET_SECONDS = 4.0, 5.0
PAGES = (
    "/",
    "/runs",
    "/experiments/1/overview",
    "/experiments/1/convergence",
    "/experiments/1/curves",
    "/experiments/1/runs",
    "/runs/1",
    "/workers",
    "/datasets",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@contextlib.contextmanager
def looking(browser: Browser, api: str) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, base_url=api)
    yield context
    context.close()


@contextlib.contextmanager
def http(api: str) -> Iterator[Any]:
    with httpx2.Client(base_url=api, timeout=30, trust_env=False) as client:
        yield client


def begun(client: Any) -> acting.Attempt:
    """An experiment one of whose runs is training."""
    acting.submit(client)
    attempt = acting.claimed(client)
    attempt.points(range(1, 6))
    attempt.evaluate(5)
    return attempt


def open_all(context: BrowserContext) -> tuple[dict[str, Page], dict[str, list[str]]]:
    """Every page in a tab of its own, and what each asks the API for from now on."""
    asked: dict[str, list[str]] = {path: [] for path in PAGES}
    tabs = {}
    for path in PAGES:
        tab = tabs[path] = context.new_page()
        tab.on("request", lambda request, path=path: asked[path].append(request.url))
        tab.goto(path)
        expect(tab.locator("main")).not_to_be_empty(timeout=30_000)
    tab.wait_for_timeout(1000 * SETTLE_SECONDS)
    for urls in asked.values():
        urls.clear()
    return tabs, asked


@pytest.mark.long
def test_pages_ask_for_nothing_while_nothing_changes_and_for_little_while_a_run_logs(
    browser: Browser, api: str
) -> None:
    with http(api) as client, looking(browser, api) as context:
        attempt = begun(client)
        tabs, asked = open_all(context)
        tabs["/"].wait_for_timeout(1000 * QUIET_SECONDS)
        assert {path: urls for path, urls in asked.items() if urls} == {}
        written, stop = 0, threading.Event()

        def train() -> None:
            nonlocal written
            while not stop.is_set() and written < 14:
                attempt.points(range(6 + written, 7 + written))
                attempt.renew(6 + written)
                written += 1
                time.sleep(0.2)

        trainer = threading.Thread(target=train)
        trainer.start()
        tabs["/"].wait_for_timeout(1000 * QUIET_SECONDS)
        told = {path: list(urls) for path, urls in asked.items()}  # closing tabs hand the stream on, and read again
        stop.set()
        trainer.join()
    assert any("/api/runs/1/metrics" in url for url in told["/runs/1"]), "what is logged is shown"
    assert max(map(len, told.values())) <= 4 * QUIET_SECONDS, told
    assert len(told["/datasets"]) <= 1, told["/datasets"]


def test_a_page_that_is_loaded_again_is_told_that_what_it_has_still_holds(browser: Browser, api: str) -> None:
    with http(api) as client:
        begun(client)
    with looking(browser, api) as context:
        page = context.new_page()
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer) if "/figures/convergence" in answer.url else None)
        page.goto("/experiments/1/convergence")
        expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=60_000)
        answers.clear()
        page.goto("/experiments/1/convergence")
        expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=60_000)
        assert answers
        for answer in answers:  # the browser gives the page its own copy and calls the 304 a 200
            assert answer.request.all_headers()["if-none-match"] == answer.headers["etag"]


@contextlib.contextmanager
def serving(home: Path, port: int) -> Iterator[str]:
    """An API process on this port."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "DEPTHBOARD_HOME": str(home), "DEPTHBOARD_PORT": str(port)}
    process = subprocess.Popen(
        [sys.executable, "-m", "backend.serve"], cwd=ROOT, env=environment, stderr=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 60
        while True:
            with contextlib.suppress(httpx2.TransportError):
                httpx2.get(f"http://127.0.0.1:{port}/api/health", trust_env=False)
                break
            assert time.monotonic() < end, "the API did not start"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def test_a_page_catches_up_by_itself_after_the_api_was_away(
    browser: Browser, tmp_path: Path, database_url: str
) -> None:
    assert database_url
    port = free_port()
    with looking(browser, f"http://127.0.0.1:{port}") as context:
        page = context.new_page()
        with serving(tmp_path, port) as api:
            with http(api) as client:
                attempt = begun(client)
            page.goto("/experiments/1/runs")
            expect(page.get_by_role("row").filter(has_text="25 %")).to_have_count(1, timeout=30_000)
        expect(page.get_by_text("Connection lost")).to_be_visible(timeout=30_000)
        with serving(tmp_path, port) as api:
            with http(api) as client:
                acting.Attempt(client, attempt.claim, attempt.seq).finish("failed", "a reason")
            expect(page.get_by_text("Connection lost")).to_have_count(0, timeout=40_000)
            expect(page.get_by_role("row").filter(has_text="failed")).to_have_count(1, timeout=20_000)


def test_a_browser_that_was_cut_off_is_told_what_it_missed(browser: Browser, api: str) -> None:
    with http(api) as client, looking(browser, api) as context:
        attempt = begun(client)
        page = context.new_page()
        page.goto("/experiments/1/runs")
        expect(page.get_by_role("row").filter(has_text="25 %")).to_have_count(1, timeout=30_000)
        context.set_offline(True)
        attempt.finish("failed", "a reason")
        page.wait_for_timeout(3000)
        context.set_offline(False)
        expect(page.get_by_role("row").filter(has_text="failed")).to_have_count(1, timeout=40_000)


def test_runs_are_filtered_sorted_and_paged_by_the_server(browser: Browser, api: str) -> None:
    with http(api) as client:
        acting.submit(client, factors={"loss": ["l1", "eigen", "berhu"], "seed": [0, 1]})
    with looking(browser, api) as context:
        page = context.new_page()
        page.goto("/runs")
        rows = page.get_by_role("region", name="Runs").get_by_role("row").filter(has=page.get_by_role("cell"))
        expect(rows).to_have_count(6, timeout=30_000)
        field = page.get_by_role("combobox", name="Filter runs")
        field.fill("loss in (l1, eigen) and se")
        page.get_by_role("option", name="seed", exact=True).click()
        expect(field).to_have_value("loss in (l1, eigen) and seed")
        field.fill("loss in (l1, eigen) and seed = 1")
        expect(rows).to_have_count(2)
        field.fill("losss = l1")
        expect(page.get_by_role("status").filter(has_text="Did you mean loss?")).to_be_visible()
        expect(rows).to_have_count(2)
        field.fill("not eigen")
        page.get_by_role("button", name="Loss").click()
        expect(rows.first).to_contain_text("L1")
        expect(page).to_have_url(re.compile(r"q=not\+eigen.*sort=loss|sort=loss.*q=not\+eigen"))
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as download:
            page.get_by_role("menuitem", name="CSV").click()
        lines = Path(download.value.path()).read_text().splitlines()
    assert len(lines) == 1 + 4
    assert lines[0].startswith("id,status,")


def test_the_overview_of_scripts_draws_their_curves_and_a_new_key_comes_by_itself(browser: Browser, api: str) -> None:
    with http(api) as client, looking(browser, api) as context:
        started = begin(client).json()
        script = acting.Attempt(client, {**started, "token": TOKEN})
        script.points(range(1, 6), key="loss")
        page = context.new_page()
        page.goto(f"/experiments/{started['experiment_id']}/overview")
        expect(page.get_by_role("list", name="Runs drawn")).to_contain_text("l1, my network", timeout=30_000)
        expect(page.locator(".ytitle")).to_have_text("loss")
        expect(page.get_by_role("radiogroup", name="Curve")).to_have_count(0)  # there is one key to choose
        script.points(range(1, 6), key="val/rmse")
        page.get_by_role("radiogroup", name="Curve").get_by_text("val/rmse", exact=True).click(timeout=30_000)
        expect(page.locator(".ytitle")).to_have_text("val/rmse", timeout=30_000)
        page.goto("/runs")
        row = page.get_by_role("row").filter(has_text="l1, my network")
        expect(row.get_by_role("cell", name="L1", exact=True)).to_be_visible(timeout=30_000)
