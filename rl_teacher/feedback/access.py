"""Who may do what: labellers, and tokens of which only the hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from rl_teacher.errors import unknown
from rl_teacher.feedback.base import Storage, found, new_id, plain
from rl_teacher.feedback.engine import insert_new
from rl_teacher.feedback.records import Identity
from rl_teacher.feedback.schema import audit, labellers, tokens

_HOLDER = (  # made once: every request asks for it
    sa.select(tokens.c.id, tokens.c.role, labellers.c.id, labellers.c.name, tokens.c.experiment_id, tokens.c.expires_at)
    .outerjoin(labellers, labellers.c.id == tokens.c.labeller_id)
    .where(tokens.c.hash == sa.bindparam("hash"), tokens.c.revoked_at.is_(None))
    .where(sa.or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > sa.bindparam("now")))
)

ROLES = ("invite", "labeller", "researcher", "admin")
LABELLER_KINDS = ("person", "synthetic")
TOKEN_SECONDS = 30 * 86400.0


class Access(Storage):
    """Names and keys."""

    def labeller(self, name: str, kind: str = "person") -> str:
        """The id of the labeller of this name, who is made if there is none."""
        if kind not in LABELLER_KINDS:
            raise unknown("kind of labeller", kind, LABELLER_KINDS)
        with self.write() as conn:
            insert_new(conn, labellers, id=new_id(), name=name, kind=kind, created_at=self.clock())
            here = (labellers.c.name == name) & (labellers.c.kind == kind)
            return conn.execute(sa.select(labellers.c.id).where(here)).scalar_one()

    def create_token(
        self,
        role: str,
        labeller_id: str | None = None,
        experiment_id: str | None = None,
        lifetime_seconds: float | None = TOKEN_SECONDS,
    ) -> str:
        """A new token, 256 random bits; this is the only time anybody sees it.

        Args:
            role: invite (makes labellers, see `inviting`), labeller (own answers only), researcher (one experiment's
                all) or admin.
            labeller_id: In whose name its holder answers; None may look but not answer.
            experiment_id: The only experiment it opens; None opens all.
            lifetime_seconds: None never ends.
        """
        if role not in ROLES:
            raise unknown("role", role, ROLES)
        token = secrets.token_urlsafe(32)
        now = self.clock()
        values = {"id": new_id(), "hash": _hash(token), "role": role, "labeller_id": labeller_id}
        values |= {"experiment_id": experiment_id, "created_at": now}
        values["expires_at"] = None if lifetime_seconds is None else now + lifetime_seconds
        with self.write() as conn:
            conn.execute(tokens.insert().values(**values))
            _note(conn, now, "store", "token created", {"id": values["id"], "role": role})
        return token

    def check_token(self, token: str) -> Identity | None:
        """Who holds this token; None if it is unknown, over or revoked."""
        with self.read() as conn:
            row = conn.execute(_HOLDER, {"hash": _hash(token), "now": self.clock()}).first()
        return None if row is None else Identity(*row)

    def revoke_token(self, token_id: str) -> None:
        """End a token now.

        Raises:
            NotFoundError: If there is none of this id.
        """
        now = self.clock()
        with self.write() as conn:
            done = conn.execute(tokens.update().where(tokens.c.id == token_id).values(revoked_at=now))
            found(done.rowcount or None, "token", token_id)
            _note(conn, now, "store", "token revoked", {"id": token_id})

    def note(self, who: str, what: str, detail: Mapping[str, Any]) -> None:
        """Write a line into the audit table."""
        with self.write() as conn:
            _note(conn, self.clock(), who, what, detail)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _note(conn: sa.Connection, now: float, who: str, what: str, detail: Mapping[str, Any]) -> None:
    conn.execute(audit.insert().values(at=now, who=who, what=what, detail=plain(detail)))
