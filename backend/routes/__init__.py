"""One module of routes a noun. Routes are plain functions on threads; the event stream alone is async."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request

from backend.errors import RESPONSES
from backend.routes import (
    catalogue,
    checkpoints,
    claims,
    compare,
    curves,
    datasets,
    events,
    experiments,
    exports,
    figures,
    life,
    maps,
    queue,
    run_figure,
    runs,
    scripts,
    trash,
    views,
    workers,
)

api = APIRouter(prefix="/api", responses=RESPONSES)
# In the order in which they are tried, at several depths: what comes most often is first.
ROUTES = (
    life,
    catalogue,
    experiments,
    trash,
    figures,
    compare,
    curves,
    exports,
    runs,
    run_figure,
    checkpoints,
    queue,
    claims,
    scripts,
    maps,
    datasets,
    workers,
    views,
    events,
)
for module in ROUTES:
    api.include_router(module.router)


@api.api_route("/{path:path}", methods=["GET", "POST", "PUT", "PATCH", "DELETE"], include_in_schema=False)
def unknown(request: Request) -> None:
    """Comes last: what no route above took, so that the dashboard's fallback page never answers for the API."""
    raise HTTPException(404, f"there is no {request.method} {request.url.path}.")
