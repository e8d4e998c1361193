"""What all parts of the store share."""

from __future__ import annotations

import dataclasses
import math
import random
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa

from rl_teacher.feedback.blobs import Blobs
from rl_teacher.feedback.engine import Database, insert_new
from rl_teacher.feedback.records import Clip, NotFoundError, Rendition
from rl_teacher.feedback.schema import clips, leases, renditions, segments

T = TypeVar("T")
LONGEST_LEASE = 600.0
"""Seconds. One that ends later than so long from now is of a clock that has been set back since: it holds nothing."""


class Storage(Database):
    """A database with the blobs its rows point at."""

    def __init__(
        self,
        url: str | sa.URL,
        blobs_url: str | Path,
        clock: Callable[[], float] = time.time,
        draw: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(url, clock)
        self.draw = draw
        self.blobs = Blobs(blobs_url)


def new_id() -> str:
    """A random id, 32 hexadecimal digits."""
    return uuid.uuid4().hex


def columns(table: sa.Table, record: type) -> list[sa.Column[Any]]:
    """The columns a record wants, in its order, so that `record(*row)` makes it; what lies elsewhere is left out."""
    return [table.c[field.name] for field in dataclasses.fields(record) if field.name in table.c]


def found(row: T | None, kind: str, given: str) -> T:
    """The row, which must be there.

    Raises:
        NotFoundError: If it is not.
    """
    if row is None:
        raise NotFoundError(f"There is no {kind} '{given[:100]}' in this store; list what there is and choose from it.")
    return row


def live(now: float) -> sa.ColumnElement[bool]:
    """Leases that are neither given back nor ended."""
    return leases.c.released_at.is_(None) & (leases.c.expires_at > now) & (leases.c.expires_at <= now + LONGEST_LEASE)


_IDS = sa.bindparam("ids", expanding=True)
_CLIPS = (  # made once, as all that every claim asks for
    sa.select(segments.c.id, *columns(clips, Clip))
    .join(clips, clips.c.id == segments.c.clip_id)
    .where(segments.c.id.in_(_IDS))
)
_RENDITIONS = (
    sa.select(renditions.c.clip_id, renditions.c.media_type, renditions.c.blob)
    .where(renditions.c.clip_id.in_(_IDS))
    .order_by(renditions.c.media_type.desc())  # webm before mp4
)


def clips_of(conn: sa.Connection, segment_ids: Iterable[str]) -> dict[str, Clip]:
    """Clips by the id of the segment they show."""
    shown: dict[str, Clip] = {}
    for ids in batches(sorted(set(segment_ids))):
        for id, *fields in conn.execute(_CLIPS, {"ids": list(ids)}):
            shown[id] = Clip(*fields)
    return dict(zip(shown, with_renditions(conn, list(shown.values())), strict=True))


def with_renditions(conn: sa.Connection, shown: Sequence[Clip]) -> list[Clip]:
    """The same clips with their further forms."""
    forms: dict[str, list[Rendition]] = {}
    for ids in batches(sorted({clip.id for clip in shown})):
        for id, *fields in conn.execute(_RENDITIONS, {"ids": list(ids)}):
            forms.setdefault(id, []).append(Rendition(*fields))
    return [dataclasses.replace(clip, renditions=tuple(forms.get(clip.id, ()))) for clip in shown]


def put_renditions(conn: sa.Connection, clip_id: str, blobs: Mapping[str, str], now: float) -> None:
    """Name further forms of a clip, blobs by media type; one that is there already stays."""
    for media_type, blob in blobs.items():
        insert_new(conn, renditions, clip_id=clip_id, media_type=media_type, blob=blob, created_at=now)


def batches(items: Sequence[T], size: int = 500) -> Iterator[Sequence[T]]:
    """Pieces short enough for the number of parameters a database takes in one statement."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def plain(value: Any) -> Any:
    """The same as JSON can hold it: NumPy numbers as Python's, and None for NaN and the infinities."""
    if isinstance(value, Mapping):
        return {str(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(inner) for inner in value]
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
