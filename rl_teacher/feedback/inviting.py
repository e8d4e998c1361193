"""Invitations: one link for many people. Each browser that opens it gives a name and becomes a labeller of its own."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from rl_teacher.feedback.access import TOKEN_SECONDS, Access, insert_token
from rl_teacher.feedback.base import new_id
from rl_teacher.feedback.engine import insert_new
from rl_teacher.feedback.records import Identity, NotFoundError
from rl_teacher.feedback.schema import labellers, tokens

INVITE = "invite"
"""The role of a token that opens nothing by itself: it only makes labellers."""

_guests = tokens.alias("guests")


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that lets people in."""

    id: str
    experiment_id: str | None
    """None opens every experiment."""
    created_at: float
    expires_at: float | None
    n_people: int
    """How many came by it."""


class Inviting(Access):
    """Let people in."""

    def invite(
        self, experiment_id: str | None, lifetime_seconds: float = TOKEN_SECONDS, by: str = "store"
    ) -> tuple[str, Invitation]:
        """A new invitation and its token, which nobody sees again.

        Args:
            experiment_id: The only experiment it opens; None opens all.
            lifetime_seconds: How long it, and whoever came by it, is let in.
            by: Who makes it, for the audit.
        """
        token = self.create_token(INVITE, None, experiment_id, lifetime_seconds, by)
        made = self.check_token(token)
        if made is None:
            raise NotFoundError("The invitation has ended already; give it a longer life.")
        return token, next(one for one in self.invitations() if one.id == made.token_id)

    def invitations(self) -> list[Invitation]:
        """Those that let people in now, the newest first."""
        now = self.clock()
        n = sa.select(sa.func.count()).select_from(_guests).where(_guests.c.invite_id == tokens.c.id).scalar_subquery()
        query = sa.select(tokens.c.id, tokens.c.experiment_id, tokens.c.created_at, tokens.c.expires_at, n).where(
            tokens.c.role == INVITE, tokens.c.revoked_at.is_(None)
        )
        query = query.where(sa.or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now))
        with self.read() as conn:
            return [Invitation(*row) for row in conn.execute(query.order_by(tokens.c.created_at.desc()))]

    def join(self, invitation: Identity, name: str) -> str | None:
        """The token of a new labeller, who came by an invitation; a name that is taken gets a number behind it.

        None if the invitation has been ended meanwhile: nobody slips in while it is.
        """
        labeller_id, now = self._new_labeller(name), self.clock()
        still = sa.select(tokens.c.id).where(tokens.c.id == invitation.token_id, tokens.c.revoked_at.is_(None))
        with self.write() as conn:
            if conn.execute(still.with_for_update()).first() is None:
                return None
            opens = (labeller_id, invitation.experiment_id, invitation.expires_at)
            return insert_token(conn, now, name, "labeller", *opens, invite_id=invitation.token_id)

    def end_invitation(self, invite_id: str, by: str = "store") -> None:
        """Let nobody in by it any more, nor those who came by it. Their answers stay.

        Raises:
            NotFoundError: If there is none of this id.
        """
        if all(one.id != invite_id for one in self.invitations()):
            raise NotFoundError(f"There is no invitation '{invite_id[:100]}' that lets people in.")
        self.revoke_token(invite_id, by)

    def _new_labeller(self, name: str) -> str:
        with self.write() as conn:
            made, shown, number = new_id(), name, 1
            while not insert_new(conn, labellers, id=made, name=shown, kind="person", created_at=self.clock()):
                number += 1
                shown = f"{name} {number}"
            return made
