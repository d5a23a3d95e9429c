"""Answers that follow from the record of an experiment alone carry its version in their ETag, and are kept by it.

A browser that has an answer asks with If-None-Match, and is told in 304 that it still holds before anything is gathered.
The version is read in the same snapshot of the database as the numbers, so a body never stands under a version that it is
not of. A process keeps its own bodies; several processes agree because the key says all that a body depends on.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from sqlalchemy.orm import Session

from backend.deps import get_database
from backend.middleware import wants_gzip
from depthboard import __version__

MOST_BYTES = 64 << 20
WORTH_ZIPPING = 1000
LEVEL = 4


@dataclass(frozen=True)
class Body:
    """A finished answer; `encoding` says how `content` is packed."""

    content: bytes
    media_type: str
    headers: Mapping[str, str] = field(default_factory=dict)
    encoding: str | None = None

    @property
    def size(self) -> int:
        return len(self.content) + 500


class Shelf:
    """The bodies used last, of at most `most` bytes in all. Any thread may call."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._most = most
        self._held = 0
        self._bodies: OrderedDict[str, Body] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: str) -> Body | None:
        with self._lock:
            body = self._bodies.get(key)
            if body is not None:
                self._bodies.move_to_end(key)
            return body

    def put(self, key: str, body: Body) -> None:
        """One that would fill a quarter of the shelf alone is not kept."""
        if body.size > self._most // 4:
            return
        with self._lock:
            before = self._bodies.pop(key, None)
            self._bodies[key] = body
            self._held += body.size - (before.size if before else 0)
            while self._held > self._most:
                self._held -= self._bodies.popitem(last=False)[1].size

    @property
    def held(self) -> int:
        return self._held


Make = Callable[[], Body]


def answer(
    request: Request, version: Callable[[Session], object], what: tuple[object, ...], gather: Callable[[Session], Make]
) -> Response:
    """The answer that `what` names: from the browser's memory, from the shelf, or made anew.

    `version` says what it depends on, and raises NotFound where there is nothing; `gather` reads the numbers in the same
    snapshot; what it returns makes the body when the database has been let go.
    """
    shelf: Shelf = request.app.state.shelf
    with get_database(request).snapshot() as session:
        key = _key(request.app.state.mark, version(session), what)
        etag = f'W/"{key}"'
        if _holds(request.headers.get("if-none-match", ""), etag):
            return Response(status_code=304, headers={"ETag": etag})
        zipped = wants_gzip(request.scope)
        body = _kept(shelf, key, zipped)
        if body is None:
            make = gather(session)
    if body is None:
        plain = make()
        shelf.put(key, plain)
        body = _kept(shelf, key, zipped) or plain
    headers = {**body.headers, "ETag": etag, "Vary": "Accept-Encoding"}
    if body.encoding:
        headers["Content-Encoding"] = body.encoding
    return Response(body.content, media_type=body.media_type, headers=headers)


def _kept(shelf: Shelf, key: str, zipped: bool) -> Body | None:
    """What is on the shelf, packed once and kept so too."""
    plain = shelf.get(key)
    if plain is None or not zipped or len(plain.content) < WORTH_ZIPPING:
        return plain
    packed = shelf.get(f"{key}-gzip")
    if packed is None:
        packed = replace(plain, content=gzip.compress(plain.content, LEVEL, mtime=0), encoding="gzip")
        shelf.put(f"{key}-gzip", packed)
    return packed


def _holds(sent: str, etag: str) -> bool:
    """Weak comparison, as If-None-Match asks for."""
    given = {one.strip().removeprefix("W/") for one in sent.split(",")}
    return etag.removeprefix("W/") in given


def _key(mark: str, version: object, what: tuple[Any, ...]) -> str:
    return hashlib.sha256(repr((release(), mark, version, what)).encode()).hexdigest()[:32]


@cache
def release() -> str:
    """This code: another release may draw the same numbers otherwise."""
    digest = hashlib.sha256(__version__.encode())
    for folder in (Path(__file__).parent, Path(__file__).parents[1] / "depthboard"):
        for path in sorted(folder.rglob("*")):
            if path.suffix in (".py", ".json"):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
