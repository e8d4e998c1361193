"""Tokens as their giver sees them: which there are, whom they let in where, and the one that is meant."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from rl_teacher.errors import UserError
from rl_teacher.feedback.access import Access
from rl_teacher.feedback.base import found
from rl_teacher.feedback.schema import experiments, labellers, tokens

SHORTEST = 6
"""Letters of an id that are enough, where they leave no doubt."""


@dataclass(frozen=True, slots=True)
class Token:
    """What is known of a token. Itself it is kept nowhere."""

    id: str
    role: str
    name: str | None
    """In whose name its holder answers."""
    experiment: str | None
    """Name of the only experiment it opens; None: all."""
    created_at: float
    expires_at: float | None
    revoked_at: float | None
    invite_id: str | None
    """The invitation its holder came by."""

    def is_over(self, now: float) -> bool:
        """Whether it lets nobody in any more."""
        return self.revoked_at is not None or (self.expires_at is not None and self.expires_at <= now)


_TOKENS = (
    sa.select(tokens.c.id, tokens.c.role, labellers.c.name, experiments.c.name, tokens.c.created_at)
    .add_columns(tokens.c.expires_at, tokens.c.revoked_at, tokens.c.invite_id)
    .outerjoin(labellers, labellers.c.id == tokens.c.labeller_id)
    .outerjoin(experiments, experiments.c.id == tokens.c.experiment_id)
    .order_by(tokens.c.created_at, tokens.c.id)
)


class Admitting(Access):
    """Look after keys."""

    def tokens(self, over: bool = False) -> list[Token]:
        """Tokens that let somebody in now, the oldest first; with `over` those that did once, too."""
        now = self.clock()
        with self.read() as conn:
            every = [Token(*row) for row in conn.execute(_TOKENS)]
        return [token for token in every if over or not token.is_over(now)]

    def token_by(self, given: str) -> Token:
        """The token of this id, of which the beginning is enough.

        Raises:
            NotFoundError: If there is none.
            UserError: If it could be several.
        """
        beginning = tokens.c.id.startswith(given, autoescape=True) if len(given) >= SHORTEST else tokens.c.id == given
        with self.read() as conn:
            rows = conn.execute(_TOKENS.where(beginning).limit(2)).all()
        if len(rows) > 1:
            raise UserError(f"'{given}' given, with which several tokens' ids begin. Give more of the id.")
        return Token(*found(rows[0] if rows else None, "token", given))
