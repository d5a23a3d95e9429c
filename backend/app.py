"""The application: routes, errors, middleware, and what lives as long as the process."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from pathlib import Path

from fastapi import FastAPI
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from backend import errors
from backend.background import housekeeping, sweeping
from backend.doorbell import Doorbell
from backend.events import Broadcaster
from backend.ingest import Ingest
from backend.kept import LEVEL, WORTH_ZIPPING, Shelf
from backend.middleware import Envelope, Gzip
from backend.routes import api
from backend.store import datasets
from backend.store.migrations import migrate
from backend.store.session import Database
from depthboard import __version__
from depthboard.datasets import ROOMS
from depthboard.settings import Settings

WEB = Path(__file__).with_name("_web")
NOT_BUILT = """<!doctype html><meta charset="utf-8"><title>Depthboard</title>
<style>body{font:16px/1.5 system-ui;max-width:40rem;margin:4rem auto;padding:0 1rem}</style>
<h1>The API runs; the dashboard is not built</h1>
<p>Build it with <code>make up</code>, or in <code>frontend/</code> with <code>npm ci &amp;&amp; npm run build</code>,
and load this page anew.</p><p>The API: <a href="/api/openapi.json">/api/openapi.json</a></p>"""

log = logging.getLogger("depthboard.api")


def wake_nobody(run_id: int) -> None:
    """The doorbell of an API without a broker: workers find the run at their next poll."""


def make_app(
    settings: Settings, wake: Callable[[int], None] = wake_nobody, database: Database | None = None
) -> FastAPI:
    """The application for these settings. It opens the database when it starts unless it is given an open one, and
    closes it when it ends.

    `wake` rings for a queued run after its commit; what it raises is logged and otherwise ignored.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        opened = database or open_database(settings)
        doorbell = Doorbell(wake)
        app.state.doorbell = doorbell
        threads = (doorbell, sweeping(opened, settings, doorbell.ring), housekeeping(opened, settings))
        app.state.database, app.state.broadcaster, app.state.mark = opened, Broadcaster(opened), _mark(opened)
        app.state.ingest = Ingest(opened)
        app.state.shelf = Shelf()
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            for thread in threads:
                thread.stop()
            opened.close()

    app = FastAPI(
        title="Depthboard",
        version=__version__,
        summary="Run, watch and share studies of regression losses for monocular depth networks.",
        lifespan=lifespan,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=operation_id,
    )
    app.state.settings = settings
    errors.install(app)
    app.include_router(api)
    _add_dashboard(app)
    app.add_middleware(Gzip, minimum_size=WORTH_ZIPPING, compresslevel=LEVEL)
    app.add_middleware(Envelope, allowed_hosts=settings.allowed_hosts)
    return app


def operation_id(route: APIRoute) -> str:
    """The function's name: generated clients call `list_runs`, not `list_runs_api_runs_get`."""
    return route.name


def open_database(settings: Settings) -> Database:
    """Open, migrate, and bring the built-in dataset up to date. Raises Misconfigured."""
    database = Database(settings.database)
    try:
        migrate(database)
        with database.write() as session:
            known = datasets.find(session, ROOMS.name)
            if known is None or known.report != ROOMS.model_dump(mode="json"):
                datasets.put(session, ROOMS, None)
    except BaseException:
        database.close()
        raise
    return database


def _mark(database: Database) -> str:
    """A short name of this database, from when it was made."""
    with database.read() as session:
        return datasets.mark(session)


def _add_dashboard(app: FastAPI) -> None:
    if (WEB / "index.html").is_file():
        app.frontend("/", directory=WEB)
        return

    @app.get("/{path:path}", include_in_schema=False)
    def not_built(path: str) -> HTMLResponse:  # noqa: ARG001
        return HTMLResponse(NOT_BUILT)
