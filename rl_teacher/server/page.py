"""The built page: a few files that Vite made, sent compressed."""

from __future__ import annotations

import functools
import gzip
import re
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request, Response

STATIC = Path(__file__).parent / "static"
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*")
MEDIA = {
    ".html": "text/html",
    ".js": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".txt": "text/plain",
    ".map": "application/json",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
}
COMPRESSED = (".html", ".js", ".css", ".svg", ".json", ".webmanifest", ".txt", ".map")
NOT_BUILT = b"""<!doctype html><html lang="en"><meta charset="utf-8"><title>RL-Teacher</title>
<h1>RL-Teacher</h1><p>The page has not been built; run <code>make install</code>.</p></html>"""
FOR_EVER = "public, max-age=31536000, immutable"


def page_router(static: Path = STATIC) -> APIRouter:
    """Routes for the page's files; they may be built while the server runs.

    Args:
        static: The folder Vite writes to: `index.html`, `assets/` with names that change with their content.
    """
    router = APIRouter(include_in_schema=False)

    @functools.lru_cache(maxsize=64)
    def packed(path: Path, _changed: int) -> bytes:
        return gzip.compress(path.read_bytes(), 6, mtime=0)

    def send(path: Path, request: Request, cache: str) -> Response:
        if not path.is_file():
            raise HTTPException(404, "There is no such page; go back to the address that the command printed.")
        headers = {"Cache-Control": cache, "Vary": "Accept-Encoding"}
        media = MEDIA.get(path.suffix, "application/octet-stream")
        if path.suffix in COMPRESSED and "gzip" in request.headers.get("accept-encoding", ""):
            headers["Content-Encoding"] = "gzip"
            return Response(packed(path, path.stat().st_mtime_ns), headers=headers, media_type=media)
        return Response(path.read_bytes(), headers=headers, media_type=media)

    @router.get("/")
    def index(request: Request) -> Response:
        if not (static / "index.html").is_file():
            return Response(NOT_BUILT, media_type="text/html", headers={"Cache-Control": "no-cache"})
        return send(static / "index.html", request, "no-cache")

    @router.get("/{name}")
    def file(name: str, request: Request) -> Response:
        return send(static / _plain_name(name), request, "no-cache")

    @router.get("/assets/{name}")
    def asset(name: str, request: Request) -> Response:
        return send(static / "assets" / _plain_name(name), request, FOR_EVER)

    return router


def _plain_name(name: str) -> str:
    """A file name without any way out of its folder."""
    if not NAME.fullmatch(name):
        raise HTTPException(404, "There is no such page; go back to the address that the command printed.")
    return name
