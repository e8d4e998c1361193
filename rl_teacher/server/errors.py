"""Every error in one JSON shape: `{"error": {"code": "...", "message": "..."}}`."""

from __future__ import annotations

import logging
from collections.abc import Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DatabaseError, DataError, OperationalError
from starlette.exceptions import HTTPException

from rl_teacher.errors import UserError
from rl_teacher.feedback.blobs import BlobError
from rl_teacher.feedback.records import ConflictError, NotFoundError
from rl_teacher.server.security import HEADERS

log = logging.getLogger(__name__)

CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "too_large",
    416: "range_not_satisfiable",
    422: "invalid",
    428: "name_needed",
    429: "too_many",
    500: "internal",
    503: "busy",
}


def error(status: int, message: str, headers: dict[str, str] | None = None) -> JSONResponse:
    """An error as the API tells it."""
    code = CODES.get(status, "error")
    return JSONResponse({"error": {"code": code, "message": message}}, status, headers=headers)


def install(app: FastAPI) -> None:
    """Have every exception of this app told in the one shape."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(NotFoundError, _as(404))
    app.add_exception_handler(ConflictError, _as(409))
    app.add_exception_handler(UserError, _as(400))
    app.add_exception_handler(BlobError, _lost_blob)
    app.add_exception_handler(OperationalError, _busy)
    app.add_exception_handler(DataError, _unkeepable)
    app.add_exception_handler(DatabaseError, _damaged)
    app.add_exception_handler(Exception, _internal)


def _as(status: int) -> Callable[[Request, Exception], JSONResponse]:
    def tell(_request: Request, fault: Exception) -> JSONResponse:
        return error(status, str(fault))

    return tell


def _http(_request: Request, fault: Exception) -> JSONResponse:
    status, message = getattr(fault, "status_code", 500), str(getattr(fault, "detail", fault))
    if message == "Not Found":  # the router's own words
        message = "There is no such address here; /api/v1/openapi.json lists those there are."
    return error(status, message, getattr(fault, "headers", None))


def _invalid(_request: Request, fault: Exception) -> JSONResponse:
    """What is wrong and where; the value itself stays out, it may be a token."""
    first = fault.errors()[0] if isinstance(fault, RequestValidationError) else {}
    if first.get("type") == "json_invalid":
        return error(400, "The body is not JSON.")
    where = ".".join(str(part) for part in first.get("loc", ()))
    return error(422, f"{where}: {first.get('msg', 'not valid')}")


def _lost_blob(_request: Request, fault: Exception) -> JSONResponse:
    log.error("%s", fault)
    return error(404, "This clip cannot be read any more; the server's log says why.")


def _busy(_request: Request, fault: Exception) -> JSONResponse:
    """Somebody else holds the database, or its disk is full: nothing was saved, so the page tries again."""
    log.error("database: %s", fault)
    return error(503, "The database cannot be used just now. Nothing was saved; try again.", {"Retry-After": "1"})


def _damaged(_request: Request, fault: Exception) -> JSONResponse:
    """What SQLite calls malformed. An answer waits on the page meanwhile, as while the database is busy."""
    if type(fault) is not DatabaseError:  # a statement of ours was wrong: a fault of this program
        raise fault
    log.error("database: %s", fault)
    restore = "Whoever runs the server: stop it, and bring back the last backup (rl-teacher restore)."
    return error(503, f"The database is damaged, and nothing was saved. {restore}", {"Retry-After": "60"})


def _unkeepable(_request: Request, _fault: Exception) -> JSONResponse:
    """PostgreSQL keeps no NUL in a text, and no text longer than its column; SQLite does."""
    return error(422, "A text in this request is too long, or holds a NUL character.")


def _internal(_request: Request, _fault: Exception) -> JSONResponse:
    """The traceback goes to the log (Starlette raises it again), never to the browser."""
    return error(500, "The server made a mistake; its log says which.", dict(HEADERS))
