"""Who may do what: labellers, and tokens of which only the hash is kept."""

from __future__ import annotations

import hashlib
import secrets

import sqlalchemy as sa

from rl_teacher.errors import unknown
from rl_teacher.feedback.auditing import Auditing, write_note
from rl_teacher.feedback.base import found, new_id
from rl_teacher.feedback.engine import insert_new
from rl_teacher.feedback.records import Identity
from rl_teacher.feedback.schema import labellers, tokens

_HOLDER = (  # made once: every request asks for it
    sa.select(tokens.c.id, tokens.c.role, labellers.c.id, labellers.c.name, tokens.c.experiment_id, tokens.c.expires_at)
    .outerjoin(labellers, labellers.c.id == tokens.c.labeller_id)
    .where(tokens.c.hash == sa.bindparam("hash"), tokens.c.revoked_at.is_(None))
    .where(sa.or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > sa.bindparam("now")))
)

ROLES = ("invite", "labeller", "researcher", "admin")
LABELLER_KINDS = ("person", "synthetic")
TOKEN_SECONDS = 30 * 86400.0


class Access(Auditing):
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
        by: str = "store",
    ) -> str:
        """A new token, 256 random bits; this is the only time anybody sees it.

        Args:
            role: invite (makes labellers, see `inviting`), labeller (own answers only), researcher (one experiment's
                all) or admin.
            labeller_id: In whose name its holder answers; None may look but not answer.
            experiment_id: The only experiment it opens; None opens all.
            lifetime_seconds: None never ends.
            by: Who makes it, for the audit.
        """
        if role not in ROLES:
            raise unknown("role", role, ROLES)
        now = self.clock()
        ends = None if lifetime_seconds is None else now + lifetime_seconds
        with self.write() as conn:
            return insert_token(conn, now, by, role, labeller_id, experiment_id, ends)

    def check_token(self, token: str) -> Identity | None:
        """Who holds this token; None if it is unknown, over or revoked."""
        with self.read() as conn:
            row = conn.execute(_HOLDER, {"hash": _hash(token), "now": self.clock()}).first()
        return None if row is None else Identity(*row)

    def revoke_token(self, token_id: str, by: str = "store") -> None:
        """End a token now, and those of all who came by it, if it is an invitation's.

        Raises:
            NotFoundError: If there is none of this id.
        """
        now = self.clock()
        with self.write() as conn:
            done = conn.execute(tokens.update().where(tokens.c.id == token_id).values(revoked_at=now))
            found(done.rowcount or None, "token", token_id)
            guests = tokens.update().where(tokens.c.invite_id == token_id, tokens.c.revoked_at.is_(None))
            n_guests = conn.execute(guests.values(revoked_at=now)).rowcount
            write_note(conn, now, by, "token revoked", {"id": token_id, "guests": n_guests})


def insert_token(
    conn: sa.Connection,
    now: float,
    by: str,
    role: str,
    labeller_id: str | None,
    experiment_id: str | None,
    expires_at: float | None,
    invite_id: str | None = None,
) -> str:
    """A new token within a transaction, with its line in the audit; see `Access.create_token`."""
    token, id = secrets.token_urlsafe(32), new_id()
    opens = {"role": role, "labeller_id": labeller_id, "experiment_id": experiment_id}
    values = {"id": id, "hash": _hash(token), **opens, "invite_id": invite_id}
    conn.execute(tokens.insert().values(**values, created_at=now, expires_at=expires_at))
    write_note(conn, now, by, "token created", {"id": id, **opens, "expires_at": expires_at})
    return token


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
