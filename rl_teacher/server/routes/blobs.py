"""Clips and scenes by their sha256. They never change, so browsers may keep them for ever."""

from __future__ import annotations

import logging
import re

from fastapi import APIRouter, HTTPException, Request, Response

from rl_teacher.feedback.blobs import BlobError
from rl_teacher.feedback.store import Store
from rl_teacher.server.access import StoreDep, Who

log = logging.getLogger(__name__)
router = APIRouter(tags=["blobs"])

RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")


@router.get("/blobs/{sha}", response_class=Response)
def read_blob(sha: str, request: Request, store: StoreDep, identity: Who) -> Response:
    """The bytes of a clip or scene; one range of them if asked for."""
    media_type = store.media_type(sha, identity.experiment_id)
    if media_type is None:
        raise HTTPException(404, f"There is no clip '{sha[:100]}' in this store.")
    tag = f'"{sha}"'
    headers = {"ETag": tag, "Cache-Control": "private, max-age=31536000, immutable", "Accept-Ranges": "bytes"}
    seen = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in seen or "*" in seen:
        return Response(status_code=304, headers=headers)
    data = _bytes(store, sha)
    wanted = _span(request, tag, len(data))
    if wanted is None:
        return Response(data, headers=headers, media_type=media_type)
    start, stop = wanted
    if start >= stop:
        raise HTTPException(416, "The range lies outside the clip.", {"Content-Range": f"bytes */{len(data)}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
    return Response(data[start:stop], 206, headers, media_type)


def _bytes(store: Store, sha: str) -> bytes:
    """The bytes of a blob. If they are lost, no question that needs them is handed out any more."""
    try:
        return store.blobs.get(sha)
    except BlobError:
        withdrawn = store.lost(sha)
        log.error("Blob %s cannot be read: %d open pairs that show it were withdrawn.", sha, len(withdrawn))
        raise


def _span(request: Request, tag: str, size: int) -> tuple[int, int] | None:
    """(start, stop) of a single range; None serves everything, as for several ranges or one that makes no sense."""
    match = RANGE.fullmatch(request.headers.get("range", "").replace(" ", ""))
    if match is None or match.group(1) == match.group(2) == "":
        return None
    if request.headers.get("if-range", tag) != tag:
        return None
    first, last = match.groups()
    if not first:  # the last so many bytes
        return (size - min(int(last), size), size) if int(last) else (size, size)
    if last and int(last) < int(first):
        return None
    return int(first), min(int(last) + 1, size) if last else size
