"""What every request must pass before any route sees it, and the headers every answer bears.

- Host allow-list: a page elsewhere that rebinds its name to 127.0.0.1 still sends its own name here.
- Origin and Sec-Fetch-Site: a browser that holds our cookie changes something only on behalf of our own page.
- Bodies up to 64 kB, which must have come within half a minute.

Who was refused is told to whoever keeps account of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from anyio import fail_after
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

BODY_LIMIT = 64 * 1024
BODY_SECONDS = 30.0
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; media-src 'self' blob:; "
    "connect-src 'self'; worker-src 'self' blob:; font-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
HEADERS = (
    ("Content-Security-Policy", CSP),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


Account = Callable[[str, Mapping[str, Any]], None]
"""Takes note of a refusal: who, and the circumstances."""


def bearer(authorization: str) -> str | None:
    """The token in an Authorization header; None if it holds none."""
    scheme, _, given = authorization.partition(" ")
    return given.strip() if scheme.lower() == "bearer" else None


def cookie_name(port: int) -> str:
    """Cookies ignore ports, and two runs may stand side by side."""
    return f"rlt_{port}"


class Guard:
    """The middleware.

    Args:
        app: What it guards.
        port: The one people see in the address.
        allowed_hosts: Further names this server may be called by, with or without a port.
        account: Told of everybody who is refused; it may take its time.
    """

    def __init__(
        self, app: ASGIApp, port: int, allowed_hosts: Iterable[str] = (), account: Account | None = None
    ) -> None:
        self._app, self._account = app, account
        self._cookie = cookie_name(port)
        names = ("127.0.0.1", "localhost", "[::1]")
        own = {f"{name}:{port}" for name in names} | (set(names) if port in (80, 443) else set())
        given = [host.lower() for host in allowed_hosts]
        self._hosts = own | set(given) | {f"{host}:{port}" for host in given}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # there are no web sockets here
            await send({"type": "websocket.close", "code": 1008})
            return
        statuses: list[int] = []
        scope.setdefault("state", {})
        await self._serve(scope, receive, _with_headers(send, statuses))
        if self._account is not None and statuses and _is_attempt(scope, statuses[0], self._cookie):
            await run_in_threadpool(self._account, *_told(scope, statuses[0]))

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        refusal = self._refusal(scope["method"], headers)
        if refusal is not None:
            await _refuse(send, 403, "forbidden", refusal)
            return
        if scope["method"] not in SAFE_METHODS:
            try:
                with fail_after(BODY_SECONDS):
                    body = await _body(headers, receive)
            except TimeoutError:
                await _refuse(send, 408, "timeout", f"The body did not come within {BODY_SECONDS:.0f} s. Try again.")
                return
            if body is None:
                await _refuse(send, 413, "too_large", f"Bodies of more than {BODY_LIMIT} bytes are not taken.")
                return
            receive = _replay(body, receive)
        await self._app(scope, receive, send)

    def _refusal(self, method: str, headers: Headers) -> str | None:
        """Why this request is not served, or None."""
        host = headers.get("host", "").lower()
        if host not in self._hosts:
            return "This server is not known by that name. Use the printed address, or start it with --allowed-host."
        if method in SAFE_METHODS:
            return None
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if origin is not None and not _same_origin(origin, host):
            return "The request comes from another site's page."
        if site is not None and site != "same-origin":
            return "The request comes from another site's page."
        by_cookie = bearer(headers.get("authorization", "")) is None and _holds(headers, self._cookie)
        if by_cookie and origin is None and site is None:
            return "A request with a cookie must say which page it comes from (Origin). Scripts use a bearer token."
        return None


def _holds(headers: Headers, cookie: str) -> bool:
    return cookie in cookie_parser(headers.get("cookie", ""))


def _is_attempt(scope: Scope, status: int, cookie: str) -> bool:
    """Whether somebody tried what they may not. A page that nobody has signed in to yet only asks who it is."""
    headers = Headers(scope=scope)
    tried = scope["method"] not in SAFE_METHODS or "authorization" in headers or _holds(headers, cookie)
    return status in (403, 429) or (status == 401 and tried)


def _told(scope: Scope, status: int) -> tuple[str, Mapping[str, Any]]:
    """Who was refused, and the circumstances: the pattern of the path only, for a path may hold anything."""
    identity, client = scope["state"].get("identity"), scope.get("client")
    address = client[0] if client else "unknown"
    path = getattr(scope.get("route"), "path", None)
    who = address if identity is None else identity.labeller_name or identity.token_id
    return who, {"address": address, "method": scope["method"][:20], "path": path, "status": status}


def _same_origin(origin: str, host: str) -> bool:
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and parts.netloc.lower() == host


async def _body(headers: Headers, receive: Receive) -> bytes | None:
    """The whole body, or None as soon as it is known to be too large."""
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > BODY_LIMIT:
        return None
    body = b""
    while True:
        message = await receive()
        if message["type"] != "http.request":
            return body
        body += message.get("body", b"")
        if len(body) > BODY_LIMIT:
            return None
        if not message.get("more_body", False):
            return body


def _replay(body: bytes, receive: Receive) -> Receive:
    """Gives the body that was read already, then whatever comes after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _with_headers(send: Send, statuses: list[int]) -> Send:
    """Sends the headers with every answer, and writes its status down."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS:
                headers[name] = value
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return sending


async def _refuse(send: Send, status: int, code: str, message: str) -> None:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
