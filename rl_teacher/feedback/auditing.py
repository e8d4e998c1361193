"""Who did what and when: log-ins, tokens, settings, exports, corrections, and attempts that were refused."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from rl_teacher.feedback.base import Storage, columns, plain
from rl_teacher.feedback.schema import audit

log = logging.getLogger(__name__)

REFUSED = "refused"
"""What is noted of an attempt that was refused."""
MOST_REFUSED = 1000
"""The newest so many refusals are kept: whoever knocks all night must not fill the disk."""


@dataclass(frozen=True, slots=True)
class Note:
    """One line of the audit table."""

    id: int
    at: float
    who: str
    """A person's name, the id of a token, an address, or "store" for what the program did by itself."""
    what: str
    detail: Mapping[str, Any]


class Auditing(Storage):
    """Keep account."""

    def note(self, who: str, what: str, detail: Mapping[str, Any]) -> bool:
        """Write a line into the audit table; returns whether that worked. `detail` must hold no token.

        What is noted has been done already, so a full disk or a locked database is only logged: people must still get
        in, and get their answers out.
        """
        try:
            with self.write() as conn:
                write_note(conn, self.clock(), who, what, detail)
        except DBAPIError as fault:
            log.error("'%s' by %s could not be noted: %s", what, who, fault.orig)
            return False
        return True

    def note_refused(self, who: str, detail: Mapping[str, Any]) -> bool:
        """Note a refused attempt, likewise; of these only the newest `MOST_REFUSED` stay."""
        if not self.note(who, REFUSED, detail):
            return False
        here = audit.c.what == REFUSED
        too_old = sa.select(audit.c.id).where(here).order_by(audit.c.id.desc()).offset(MOST_REFUSED).limit(1)
        with self.write() as conn:
            conn.execute(audit.delete().where(here, audit.c.id <= too_old.scalar_subquery()))
        return True

    def notes(self, limit: int = 50, what: str | None = None) -> list[Note]:
        """The newest lines, oldest first; only those about `what`, if given."""
        query = sa.select(*columns(audit, Note)).order_by(audit.c.id.desc()).limit(limit)
        if what is not None:
            query = query.where(audit.c.what == what)
        with self.read() as conn:
            return [Note(*row) for row in conn.execute(query)][::-1]


def write_note(conn: sa.Connection, now: float, who: str, what: str, detail: Mapping[str, Any]) -> None:
    """The same within a transaction, so that what was done and the line about it are there together or not at all."""
    conn.execute(audit.insert().values(at=now, who=who[:200], what=what[:100], detail=plain(detail)))
