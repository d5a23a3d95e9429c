"""The live stream."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent

from backend.events import Broadcaster, Numbered, concerns
from backend.schemas import LiveEvent
from backend.store.types import INT64

router = APIRouter(tags=["events"])

Filter = Annotated[int | None, Query(ge=1, le=INT64)]
RETRY_MILLISECONDS = 2000


@router.get(
    "/events",
    response_class=EventSourceResponse,
    responses={200: {"model": LiveEvent, "description": "a stream; the data of each event is a LiveEvent"}},
)
async def stream_events(
    request: Request,
    experiment: Filter = None,
    run: Filter = None,
    last_event_id: Annotated[str | None, Header()] = None,
) -> AsyncIterator[ServerSentEvent]:
    """Server-sent events: the event's name is its kind, its data a LiveEvent, its id rises by commit.

    A client that comes back with Last-Event-ID gets what it missed. An event named `resync` says that some of it is
    forgotten, or that the client was too slow: load what is shown anew.
    """
    broadcaster: Broadcaster = request.app.state.broadcaster
    async with broadcaster.listen() as (listener, now):
        known = int(last_event_id or 0) if re.fullmatch(r"[0-9]{1,18}", last_event_id or "", re.ASCII) else None
        # The first event tells a client where it stands, so that a reconnection has an id to come back with. One that missed
        # something keeps its own: it may be cut off again before it has heard all of that.
        yield ServerSentEvent(event="hello", data={}, id=str(now if known is None else known), retry=RETRY_MILLISECONDS)
        if known is not None:
            missed, now = await broadcaster.replay(known, now)
            for item in missed:
                if event := _event(item, experiment, run):
                    yield event
        while (fresh := await listener.queue.get()) is not None:
            if fresh.id > now and (event := _event(fresh, experiment, run)):
                yield event


def _event(item: Numbered, experiment: int | None, run: int | None) -> ServerSentEvent | None:
    if item.event is None:
        return ServerSentEvent(event="resync", data={}, id=str(item.id))
    if not concerns(item.event, experiment, run):
        return None
    return ServerSentEvent(event=item.event.kind, data=item.event, id=str(item.id))
