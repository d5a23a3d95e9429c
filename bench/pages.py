"""Every page of the dashboard, for those who look at all of them: the tests of safety, the measurements and the pictures in docs/."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from depthboard.doctor import BROWSERS

# {study} has figures and depth maps, {trained} and {other} are runs of it; {scripts} is of people's own scripts, {run} a run of it.
PAGES: dict[str, str] = {
    "experiments": "/",
    "trash": "/?trash=true",
    "new": "/experiments/new",
    "overview": "/experiments/{study}/overview",
    "convergence": "/experiments/{study}/convergence",
    "curves": "/experiments/{study}/curves",
    "dataset-size": "/experiments/{study}/dataset-size",
    "encoders": "/experiments/{study}/encoders",
    "qualitative": "/experiments/{study}/qualitative",
    "results": "/experiments/{study}/results",
    "sharpness": "/experiments/{study}/sharpness",
    "runs-of-experiment": "/experiments/{study}/runs",
    "notes": "/experiments/{study}/notes",
    "configuration": "/experiments/{study}/configuration",
    "runs": "/runs",
    "run": "/runs/{trained}",
    "compare": "/compare?runs={trained},{other}",
    "datasets": "/datasets",
    "workers": "/workers",
    "losses": "/losses",
}
OF_SCRIPTS: dict[str, str] = {
    "scripts": "/experiments/{scripts}/overview",
    "curves-of-scripts": "/experiments/{scripts}/curves",
    "runs-of-scripts": "/experiments/{scripts}/runs",
    "run-of-a-script": "/runs/{run}",
}

READY = """() => document.querySelector('main')?.textContent && !document.querySelector('.mantine-Skeleton-root')"""
"""Whether all that a page waits for is there."""

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's Chromium, else Playwright's own."""
    with sync_playwright() as playwright:
        system = next((path for name in BROWSERS if (path := shutil.which(name))), None)
        browser = playwright.chromium.launch(executable_path=system, args=ARGUMENTS)
        try:
            yield browser
        finally:
            browser.close()
