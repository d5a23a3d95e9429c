"""Every page with sixty hostile names in the record: nothing of them runs, nothing leaves the host, the policy holds, and axe finds no serious fault."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect
from pydantic import SecretStr

from backend.app import open_database
from bench.filling import Grid, add_depth_maps, add_experiment, make_pool
from bench.pages import OF_SCRIPTS, PAGES, READY
from bench.tracking.ours import serve
from depthboard.client import Client
from depthboard.settings import Settings
from tests.e2e import hostile
from tests.e2e.browser import chromium

# The first test waits until every page has been looked at.
pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

AXE = Path(__file__).resolve().parents[2] / "frontend" / "node_modules" / "axe-core" / "axe.min.js"

ADDRESSES = (*PAGES.values(), *OF_SCRIPTS.values(), "/nowhere")
WATCH = """
window.__broken = []
document.addEventListener('securitypolicyviolation', (event) => window.__broken.push(`${event.violatedDirective} ${event.blockedURI}`))
"""
SCAN = """async (rules) => {
  const found = await axe.run(document, {resultTypes: ['violations'], runOnly: rules})
  // A link that shows a formula is named in words.
  for (const v of found.violations) {
    if (v.id === 'label-content-name-mismatch') v.nodes = v.nodes.filter((n) => !n.html.includes('formula'))
  }
  return found.violations
    .filter((v) => v.nodes.length)
    .filter((v) => ['serious', 'critical'].includes(v.impact))
    .map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.target.join(' ') + ' ' + n.html.slice(0, 160)).join(' | ')}`)
}"""
# In the dark nothing but the colours is another.
RULES = {
    "light": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    "dark": ["color-contrast", "link-in-text-block"],
}
IDLE = "() => new Promise((done) => requestIdleCallback(done, {timeout: 500}))"


@dataclass
class Visit:
    """What one page did while it was open, light and dark."""

    policy: str = ""
    ran: int = 0
    broken: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    axe: dict[str, list[str]] = field(default_factory=dict)
    text: str = ""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, int]]]:
    """The API and the dashboard over a filled record; no worker, so nothing changes while pages are looked at."""
    home = tmp_path_factory.mktemp("hostile")
    database = open_database(Settings(_env_file=None, home=home, database_url=SecretStr("")))
    study = add_experiment(database, 0, make_pool(40), Grid(("l1", "gan"), sizes=(16, 64), seeds=2))
    add_depth_maps(database, study, 2)
    database.close()
    with serve(home, home / "server.log") as server, Client(server.url) as client:
        trained, other = (int(run["id"]) for run in client.runs(study)[:2])
        scripts, run = hostile.fill(client)
        hostile.rename(client, study)
        yield server.url, {"study": study, "scripts": scripts, "trained": trained, "other": other, "run": run}


@pytest.fixture(scope="module")
def visits(browser: Browser, server: tuple[str, dict[str, int]]) -> Iterator[dict[str, Visit]]:
    url, ids = server
    visits = {path: Visit() for path in ADDRESSES}
    # One tab for all: what it has compiled once is there for the next address.
    page = browser.new_page(viewport={"width": 1440, "height": 900}, base_url=url, reduced_motion="reduce")
    page.add_init_script(WATCH)
    at = visits[ADDRESSES[0]]
    page.on("console", lambda message: at.errors.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: at.errors.append(str(error)))
    page.on("dialog", lambda dialog: at.errors.append(f"dialog {dialog.message}"))
    page.on("request", lambda r: None if r.url.startswith((url, "data:", "blob:")) else at.foreign.append(r.url))
    for path, at in visits.items():  # the listeners write to the visit that is on
        _visit(page, at, path.format(**ids))
    yield visits
    page.close()


def _visit(page: Page, visit: Visit, path: str) -> None:
    page.emulate_media(color_scheme="light")
    answer = page.goto(path, wait_until="domcontentloaded")
    visit.policy = (answer.header_value("content-security-policy") if answer else "") or ""
    with contextlib.suppress(Error):  # a page that never settles is looked at as it is
        page.wait_for_function(READY, timeout=15_000)
    page.evaluate(IDLE)
    if AXE.is_file():
        page.evaluate(AXE.read_text())
        for scheme, rules in RULES.items():
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
            visit.axe[scheme] = page.evaluate(SCAN, rules)
    visit.ran = page.evaluate("window.__ran || 0")
    visit.broken = page.evaluate("window.__broken")
    visit.text = page.inner_text("body")


def faults(visits: dict[str, Visit], of: str) -> dict[str, object]:
    return {path: found for path, visit in visits.items() if (found := getattr(visit, of))}


def test_no_name_runs_as_a_script(visits: dict[str, Visit]) -> None:
    assert faults(visits, "ran") == {}


def test_names_are_shown_as_they_were_written(visits: dict[str, Visit]) -> None:
    assert hostile.SCRIPTS[2] in visits["/experiments/{study}/overview"].text
    assert "<img src=x onerror" in visits["/"].text
    assert "&lt;img" not in visits["/experiments/{scripts}/curves"].text


def test_every_page_has_the_policy_without_unsafe_eval_and_keeps_it(visits: dict[str, Visit]) -> None:
    for path, visit in visits.items():
        assert "script-src 'self';" in visit.policy, path
        assert "unsafe-eval" not in visit.policy, path
    assert faults(visits, "broken") == {}


def test_no_request_leaves_the_host(visits: dict[str, Visit]) -> None:
    assert faults(visits, "foreign") == {}


def test_the_console_stays_free_of_errors(visits: dict[str, Visit]) -> None:
    assert faults(visits, "errors") == {}


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core comes with `npm ci` in frontend/")
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(visits: dict[str, Visit], scheme: str) -> None:
    assert {path: visit.axe[scheme] for path, visit in visits.items() if visit.axe[scheme]} == {}


def test_a_figure_holds_a_persons_words_as_words(server: tuple[str, dict[str, int]]) -> None:
    """No text that Plotly would read as markup or as a template comes from a name: not of a key, not of a run."""
    url, ids = server
    with Client(url) as client:
        for text in (*hostile.SCRIPTS[:4], *hostile.TEMPLATES):
            figure = json.loads(client.figure(ids["scripts"], "curves", key=text))
            said = [figure["layout"]["yaxis"]["title"]["text"], *(trace["name"] for trace in figure["data"])]
            assert not [words for words in said if "<" in words or "%{" in words]


def _tab_to(page: Page, name: str, most: int = 80) -> None:
    """Move the focus forward to what is called so."""
    for _ in range(most):
        page.keyboard.press("Tab")
        told = page.evaluate(
            "() => { const e = document.activeElement; return e?.getAttribute('aria-label') || e?.innerText || '' }"
        )
        if told.strip() == name:
            return
    raise AssertionError(f"no Tab leads to {name}")


def test_the_keyboard_alone_leads_from_the_list_to_a_file_that_the_copied_lines_write_again(
    browser: Browser, server: tuple[str, dict[str, int]], tmp_path: Path
) -> None:
    url, ids = server
    context = browser.new_context(
        base_url=url, permissions=["clipboard-read", "clipboard-write"], accept_downloads=True
    )
    page = context.new_page()
    page.goto("/")
    page.wait_for_function(READY)
    page.keyboard.press("/")
    page.keyboard.type("Hostile")
    page.wait_for_url("**/?q=Hostile")
    expect(page.get_by_role("link", name="Hostile", exact=True)).to_be_visible()
    _tab_to(page, "Hostile")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/experiments/{ids['scripts']}/**")
    page.wait_for_function(READY)
    _tab_to(page, "Curves")
    page.keyboard.press("Enter")
    expect(page.locator(".js-plotly-plot .main-svg").first).to_be_visible(timeout=30_000)
    page.locator("body").focus()
    _tab_to(page, "Export")
    page.keyboard.press("Enter")
    expect(page.get_by_role("radio", name="PDF")).to_be_focused()
    page.keyboard.press("ArrowRight")
    _tab_to(page, "Download SVG", 12)
    with page.expect_download(timeout=60_000) as download:
        page.keyboard.press("Enter")
    _tab_to(page, "Copy Python", 12)
    page.keyboard.press("Enter")
    lines = page.evaluate("navigator.clipboard.readText()")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Export", exact=True)).to_be_focused()
    saved = Path(download.value.path()).read_bytes()
    context.close()
    assert "client.figure(" in lines
    subprocess.run([sys.executable, "-c", lines], cwd=tmp_path, check=True, timeout=60)
    (written,) = tmp_path.iterdir()
    assert written.name == download.value.suggested_filename == f"experiment-{ids['scripts']}-curves.svg"
    assert written.read_bytes() == saved
    assert f"experiment: {ids['scripts']}, Hostile".encode() in written.read_bytes()
