"""Around every request: its id, who may ask (Host and Origin), what a browser may do with the answer, and the last net.

Local mode has no accounts, so the two ways by which a web page elsewhere could reach this API are closed: a name that
resolves to this machine (DNS rebinding: Host must be a loopback name or one that the settings list) and a form or fetch
from another page (Origin of an unsafe request must be the Host's own).
"""

from __future__ import annotations

import ipaddress
import logging
import re
import secrets
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.errors import answer

Header = tuple[bytes, bytes]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; worker-src 'self' blob:; "
    "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
}
MAX_BODY = 32 << 20
IMMUTABLE = "public, max-age=31536000, immutable"

log = logging.getLogger("depthboard.api")


def wants_gzip(scope: Scope) -> bool:
    """Whether packing pays: for a client on this machine it costs ten times what sending does."""
    headers = Headers(scope=scope)
    if "gzip" not in headers.get("accept-encoding", ""):
        return False
    host = (scope.get("client") or ("", 0))[0]
    return "x-forwarded-for" in headers or "forwarded" in headers or not _is_loopback(host)


class Gzip(GZipMiddleware):
    """Packs answers for those to whom it pays."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        packs = scope["type"] == "http" and wants_gzip(scope)
        await (super().__call__ if packs else self.app)(scope, receive, send)


class Refused(Exception):
    """Why a request may not pass: status, code, message, remedy."""


class Envelope:
    """ASGI middleware, the outermost."""

    def __init__(self, app: ASGIApp, allowed_hosts: Iterable[str] = ()) -> None:
        self.app = app
        self.allowed_hosts = frozenset(host.lower() for host in allowed_hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = scope["headers"]
        request_id = _request_id(headers)
        scope.setdefault("state", {})["request_id"] = request_id
        started = False

        async def send_with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                kept = scope["path"].startswith("/assets/") and message["status"] in (200, 304)
                message["headers"] = _with_headers(message.get("headers", ()), request_id, kept=kept)
            await send(message)

        try:
            check_request(scope["method"], headers, self.allowed_hosts)
            await self.app(scope, _limited(receive, headers), send_with_headers)
        except Refused as refusal:
            status, code, message, remedy = refusal.args
            await answer(request_id, status, code, message, remedy=remedy)(scope, receive, send_with_headers)
        except (
            Exception
        ) as error:  # the last net: whatever a route did not foresee is logged and answered in the one shape
            log.exception("%s %s failed (request %s)", scope["method"], scope["path"], request_id)
            if started:
                raise
            if _no_thread(error):
                await _busy(request_id)(scope, receive, send_with_headers)
                return
            message, remedy = "something went wrong on this side.", f"The API's log has the reason under {request_id}."
            await answer(request_id, 500, "internal", message, remedy=remedy)(scope, receive, send_with_headers)


def _no_thread(error: Exception) -> bool:
    """Python tells it by these words alone; a route runs in a thread, and so does the end of its transaction."""
    return isinstance(error, RuntimeError) and "can't start new thread" in str(error)


def _busy(request_id: str) -> Response:
    message = "this API's host gives it no thread for the request."
    remedy = "Try again in a moment; if it stays so, raise the host's limits of processes and memory."
    return answer(request_id, 503, "unavailable", message, remedy=remedy, headers={"Retry-After": "2"})


def _request_id(headers: list[Header]) -> str:
    given = next((value.decode("latin-1") for name, value in headers if name == b"x-request-id"), "")
    return given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _limited(receive: Receive, headers: list[Header]) -> Receive:
    """Stop reading a body beyond MAX_BODY, whether its length was announced or not. Raises Refused, HTTPException."""
    message = f"the body is larger than {MAX_BODY >> 20} MiB."
    announced = next((value for name, value in headers if name == b"content-length"), b"")
    if announced.isdigit() and int(announced) > MAX_BODY:
        raise Refused(413, "content_too_large", message, "Send fewer points, frames or maps in one request.")
    left = MAX_BODY

    async def receive_limited() -> Message:
        nonlocal left
        part = await receive()
        left -= len(part.get("body", b""))
        if left < 0:  # of this kind FastAPI passes an exception on instead of calling the body unreadable
            raise HTTPException(413, message)
        return part

    return receive_limited


RAW_HEADERS = {
    kept: [
        (name.lower().encode(), value.encode())
        for name, value in {**HEADERS, "Cache-Control": IMMUTABLE if kept else "no-cache"}.items()
    ]
    for kept in (True, False)
}


def _with_headers(own: Iterable[Header], request_id: str, *, kept: bool) -> list[Header]:
    """An answer's own, and those that it does not have."""
    headers = [*own, (b"x-request-id", request_id.encode())]
    names = {name.lower() for name, _ in headers}
    return headers + [header for header in RAW_HEADERS[kept] if header[0] not in names]


def check_request(method: str, headers: list[Header], allowed_hosts: frozenset[str]) -> None:
    """Raises Refused unless Host is ours and, for an unsafe method, Origin too."""
    hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
    if len(hosts) != 1 or not host_allowed(hosts[0], allowed_hosts):
        named = f"the host name {hosts[0][:200]!r}" if len(hosts) == 1 else "a request without one Host"
        raise Refused(
            400,
            "host_refused",
            f"this API does not answer to {named}.",
            "Use http://127.0.0.1:PORT, or add the name to DEPTHBOARD_ALLOWED_HOSTS (a JSON list).",
        )
    if method in SAFE:
        return
    origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
    site = [value for name, value in headers if name == b"sec-fetch-site"]
    if any(not _same(origin, hosts[0]) for origin in origins) or b"cross-site" in site:
        raise Refused(
            403,
            "origin_refused",
            "this request comes from a page of another site.",
            "Open the dashboard at the address of this API, or call it from a script.",
        )


def _same(origin: str, host: str) -> bool:
    try:
        return bool(origin) and urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


@lru_cache(256)
def host_allowed(header: str, allowed_hosts: frozenset[str]) -> bool:
    """Whether a Host header, with or without port, names this machine's loopback or a host of the list."""
    match = re.fullmatch(r"(\[[0-9a-f:.]+\]|[^\[\]:/@\s]+)(:\d{1,5})?", header.lower())
    if match is None:
        return False
    name = match[1]
    return name == "localhost" or name in allowed_hosts or _is_loopback(name.strip("[]"))


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
