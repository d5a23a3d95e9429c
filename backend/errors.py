"""The error table: which HTTP status each error gets, and the one shape of all answers that are errors."""

from __future__ import annotations

import logging
import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import IntegrityError, OperationalError, StatementError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from backend.schemas import ErrorAnswer, ErrorBody, Fault
from depthboard import errors
from depthboard.experiment import ExperimentSpec, Grid
from depthboard.naming import nearest, nearest_setting

log = logging.getLogger("depthboard.api")

# Looked up along the class's ancestors, so a subclass without a row has its parent's status.
STATUSES: dict[type[errors.DepthboardError], int] = {
    errors.DepthboardError: 400,
    errors.InvalidInput: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unavailable: 503,
    errors.Misconfigured: 500,
}

RESPONSES: dict[int | str, dict[str, Any]] = {
    "4XX": {"model": ErrorAnswer, "description": "What is wrong with the request, where, and what to do."},
    "5XX": {"model": ErrorAnswer, "description": "What is wrong on this side."},
}


def install(app: FastAPI) -> None:
    """Give every error the shape of ErrorAnswer. What no row names ends in backend.middleware as a 500."""
    app.add_exception_handler(errors.DepthboardError, _depthboard_error)
    app.add_exception_handler(RequestValidationError, _invalid_request)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(StatementError, _statement_error)
    app.add_exception_handler(PoolTimeout, _database_away)
    app.add_exception_handler(RecursionError, _too_deep)


def answer(
    request_id: str,
    status: int,
    code: str,
    message: str,
    *,
    field: str | None = None,
    remedy: str | None = None,
    expected: int | None = None,
    others: Sequence[Fault] = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """An error as a response. Lone surrogates, which no encoding can send, become question marks."""
    first = _encodable(Fault(message=message, field=field, remedy=remedy))
    body = ErrorBody(
        code=code,
        message=first.message,
        field=first.field,
        remedy=first.remedy,
        request_id=request_id,
        expected=expected,
        others=[_encodable(other) for other in others],
    )
    left_out = {name for name, value in (("expected", expected), ("others", others or None)) if value is None}
    return JSONResponse(ErrorAnswer(error=body).model_dump(mode="json", exclude={"error": left_out}), status, headers)


def _encodable(fault: Fault) -> Fault:
    texts = {
        name: text if text is None else text.encode("utf-8", "replace").decode()
        for name, text in fault.model_dump().items()
    }
    return Fault(**texts)


def request_id(request: Request) -> str:
    return str(getattr(request.state, "request_id", ""))


def _depthboard_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, errors.DepthboardError)
    status = next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)
    if status >= 500:
        log.error("%s %s: %s", request.method, request.url.path, error)
    headers = {"Retry-After": "2"} if status == 503 else None
    expected = error.expected if isinstance(error, errors.SequenceGap) else None
    others = error.others if isinstance(error, errors.InvalidInput) else ()
    return answer(
        request_id(request),
        status,
        error.code,
        error.message,
        field=error.field,
        remedy=error.remedy,
        expected=expected,
        others=[Fault(message=other.message, field=other.field, remedy=other.remedy) for other in others],
        headers=headers,
    )


def _invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found: Sequence[Any] = error.errors()
    first = found[0]
    field = None if first["type"] == "json_invalid" else dotted(first["loc"])
    others = [
        Fault(message=sentence(fault), field=dotted(fault["loc"]), remedy=_meant(request, fault))
        for fault in found[1 : errors.MAX_FAULTS]
    ]
    return answer(
        request_id(request), 422, errors.InvalidInput.code, sentence(first),
        field=field, remedy=_meant(request, first), others=others,
    )  # fmt: skip


def _meant(request: Request, fault: dict[str, Any]) -> str | None:
    """For a key that an experiment does not have: the key that was meant."""
    if fault["type"] != "extra_forbidden" or not request.url.path.startswith("/api/experiments"):
        return None
    model = Grid if "also" in fault["loc"] else ExperimentSpec
    key = str(fault["loc"][-1])
    near = nearest(key, model.model_fields)
    if near is None and nearest_setting(key) is not None:
        return f"Settings stand under base: {nearest_setting(key)}."
    return f"Did you mean {near}?" if near else f"An experiment has: {', '.join(model.model_fields)}."


ENUM_REPR = re.compile(r"<\w+\.\w+: ('\w+')>")


def dotted(loc: Sequence[Any]) -> str | None:
    """`("body", "factors", "loss", 0)` -> `factors.loss.0`; the place of a whole body is None."""
    inside = loc[1:] if loc and loc[0] in ("body", "query", "path", "header") else loc
    return ".".join(str(part) for part in inside) or None


def sentence(error: dict[str, Any]) -> str:
    """pydantic's fault as a sentence."""
    if error["type"] == "json_invalid":
        return f"the body is no JSON: {error.get('ctx', {}).get('error', 'it cannot be parsed')}."
    if error["type"] == "extra_forbidden":
        return "there is no field of this name."
    text = ENUM_REPR.sub(r"\1", str(error["msg"]).removeprefix("Value error, ").strip())
    return (text[:1].lower() + text[1:] if not text[:2].isupper() else text).removesuffix(".") + "."


UNREADABLE = "the body cannot be read as JSON: it is not UTF-8, or nested too deeply."
UNPACKED = "Send it as UTF-8, and not packed (no Content-Encoding)."


def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400 and isinstance(error.__cause__, (ValueError, RecursionError)):  # FastAPI's, of a body
        return answer(request_id(request), 422, errors.InvalidInput.code, UNREADABLE, remedy=UNPACKED)
    phrase = HTTPStatus(error.status_code).phrase
    message = error.detail if isinstance(error.detail, str) and error.detail else phrase
    code = phrase.lower().replace(" ", "_").replace("-", "_")
    headers = dict(error.headers) if error.headers else None
    return answer(request_id(request), error.status_code, code, message, headers=headers)


def _statement_error(request: Request, error: Exception) -> Response:
    """A column refused a value before it was sent (backend.store.types), or the database did."""
    assert isinstance(error, StatementError)
    if isinstance(error.orig, errors.DepthboardError):
        return _depthboard_error(request, error.orig)
    if isinstance(error, IntegrityError):
        log.warning("%s %s: %s", request.method, request.url.path, error.orig)
        changed, remedy = "the record changed at the same moment.", "Send the request again."
        headers = {"Retry-After": "0"}
        return answer(request_id(request), 503, "unavailable", changed, remedy=remedy, headers=headers)
    if isinstance(error, OperationalError):
        return _database_away(request, error)
    raise error


def _database_away(request: Request, error: Exception) -> Response:
    log.error("%s %s: the database: %s", request.method, request.url.path, getattr(error, "orig", None) or error)
    full = "full" in str(getattr(error, "orig", None) or error).lower()
    message = "the disk of the database is full." if full else "the database does not answer."
    remedy = "Make room; nothing that was acknowledged is lost." if full else "Try again in a moment."
    headers = None if full else {"Retry-After": "2"}
    return answer(request_id(request), 507 if full else 503, "unavailable", message, remedy=remedy, headers=headers)


def _too_deep(request: Request, error: Exception) -> Response:  # noqa: ARG001
    return answer(request_id(request), 422, "invalid_input", "the body is nested too deeply.")
