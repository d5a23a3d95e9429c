"""What routes are given: a session that is one transaction, the settings, the attempt's token, the doorbell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, cast

from fastapi import BackgroundTasks, Depends, HTTPException, Path, Query, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import Field
from sqlalchemy.orm import Session

from backend.ingest import Ingest
from backend.store.filters import LONGEST
from backend.store.session import Database
from backend.store.types import INT64
from depthboard.settings import Settings


def get_database(request: Request) -> Database:
    return cast(Database, request.app.state.database)


async def get_settings(request: Request) -> Settings:
    return cast(Settings, request.app.state.settings)


def read_session(request: Request) -> Iterator[Session]:
    with get_database(request).read() as session:
        yield session


def write_session(request: Request) -> Iterator[Session]:
    with get_database(request).write() as session:
        yield session


# scope="function": the transaction ends before the answer is sent, so an answer means that it was committed.
# max_concurrency: who waits for a turn waits without a thread. Threads that wait for a connection while those that hold
# one wait for a thread to write their answer would stop everything; so fewer may wait than there are threads (40).
READERS, WRITERS, DRAWERS = 12, 12, 4
Reading = Annotated[Session, Depends(read_session, scope="function", max_concurrency=READERS)]
Writing = Annotated[Session, Depends(write_session, scope="function", max_concurrency=WRITERS)]
SettingsOf = Annotated[Settings, Depends(get_settings)]


async def get_ingest(request: Request) -> Ingest:
    return cast(Ingest, request.app.state.ingest)


Ingesting = Annotated[Ingest, Depends(get_ingest)]

bearer = HTTPBearer(auto_error=False, description="The token of the attempt, from its claim.")


async def get_token(credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)]) -> str:
    if credentials is None:
        raise HTTPException(401, "writes of a run need the token of its claim.", {"WWW-Authenticate": "Bearer"})
    return credentials.credentials


Token = Annotated[str, Depends(get_token)]

Rings = Callable[[Sequence[int]], None]


async def get_doorbell(request: Request, background: BackgroundTasks) -> Rings:
    """Rings for queued runs once the answer is sent, so after commit."""
    return lambda run_ids: background.add_task(request.app.state.doorbell.ring, run_ids)


Ring = Annotated[Rings, Depends(get_doorbell)]

Priority = Annotated[int, Field(ge=-1_000_000, le=1_000_000, description="lower first; 0 where none was given")]
Id = Annotated[int, Path(alias="id", ge=1, le=INT64)]
PageNumber = Annotated[int, Query(ge=1, le=10**9, description="from 1")]
PageSize = Annotated[int, Query(ge=1, le=1000)]
RunFilter = Annotated[
    str,
    Query(
        max_length=LONGEST,
        description="which runs: words, or tests such as `loss in (l1, berhu) and optimiser.lr > 1e-3 and not rmse > 0.5`",
        examples=['status = finished and has(val/rmse) and name ~ "resnet"'],
    ),
]
Sort = Annotated[
    str,
    Query(
        max_length=1000,
        description="a column, parameter or metric, e.g. metric.val/rmse; `-rmse` is descending; several with commas between",
    ),
]
Shown = Annotated[
    list[Annotated[str, Field(max_length=220)]] | None,
    Query(max_length=60, description="columns, parameters and metrics that `facts` shall hold besides"),
]
Among = Annotated[int | None, Query(ge=1, le=INT64, description="only runs that this experiment links")]


DatabaseOf = Annotated[Database, Depends(get_database)]


def take_bin() -> None:
    """Removing for good takes several transactions and much of the disk: one at a time."""


Emptying = Annotated[None, Depends(take_bin, scope="function", max_concurrency=1)]


async def get_mark(request: Request) -> str:
    """Names this database in addresses that browsers keep for a year: another one begins to count at 1 again."""
    return str(request.app.state.mark)


Mark = Annotated[str, Depends(get_mark)]


def take_pencil() -> None:
    """Drawing takes a second of a core: a few figures at once, the others wait."""


def take_turn() -> None:
    """Who gathers holds a connection, as one with a session of its own does."""


Gathering = Annotated[None, Depends(take_turn, scope="function", max_concurrency=READERS)]
Drawing = Annotated[None, Depends(take_pencil, scope="function", max_concurrency=DRAWERS)]
