"""Who looks at what: a question is lent to as many labellers as it wants answers, each for a while.

A claim is one transaction: rows that may be lent are locked (SQLite has one writer anyway; PostgreSQL skips rows that
somebody else is lending), looked at again, and lent.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import sqlalchemy as sa

from rl_teacher.feedback.base import Storage, clips_of, found, live, new_id
from rl_teacher.feedback.records import Claim
from rl_teacher.feedback.schema import experiments, leases, queries, standing
from rl_teacher.labels import Verdict

LEASE_SECONDS = 120.0
"""How long a question is lent for when nobody says otherwise; the page renews it while it is looked at."""


class Claiming(Storage):
    """Lend questions."""

    def claim(
        self, experiment_id: str, labeller_id: str, n: int = 1, lifetime_seconds: float = LEASE_SECONDS
    ) -> list[Claim]:
        """Up to n questions for this labeller, all theirs until the leases end.

        In this order: what the labeller took back, what they hold already (renewed), then the freshest. Never a
        question they have answered, nor one that as many others hold or have answered as it wants answers.

        Raises:
            NotFoundError: If there is no such experiment.
        """
        now = self.clock()
        with self.write() as conn:
            query = sa.select(experiments.c.status).where(experiments.c.id == experiment_id)
            if found(conn.execute(query).scalar(), "experiment", experiment_id) != "open":
                return []
            free = open_to(labeller_id, now) & (queries.c.experiment_id == experiment_id)
            ids = _choose(conn, free, labeller_id, n, now)
            ids = [
                id for id in ids if id in set(conn.scalars(sa.select(queries.c.id).where(queries.c.id.in_(ids), free)))
            ]
            tokens = {id: lend(conn, id, labeller_id, now, lifetime_seconds) for id in ids}
            return _claims(conn, ids, tokens, now + lifetime_seconds)

    def heartbeat(
        self, tokens: Sequence[str], labeller_id: str, lifetime_seconds: float = LEASE_SECONDS
    ) -> dict[str, float]:
        """Go on holding these leases.

        Returns:
            When each ends now; a lease that has ended already, or is somebody else's, is not among them.
        """
        now = self.clock()
        with self.write() as conn:
            here = leases.c.token.in_(tokens) & (leases.c.labeller_id == labeller_id) & live(now)
            kept = list(conn.scalars(sa.select(leases.c.token).where(here)))
            conn.execute(leases.update().where(here).values(expires_at=now + lifetime_seconds))
        return dict.fromkeys(kept, now + lifetime_seconds)

    def is_lent(self, query_id: str, labeller_id: str) -> bool:
        """Whether this labeller is looking at this question just now."""
        mine = (leases.c.query_id == query_id) & (leases.c.labeller_id == labeller_id)
        with self.read() as conn:
            return conn.execute(sa.select(leases.c.id).where(mine, live(self.clock()))).first() is not None

    def release(self, token: str, labeller_id: str) -> bool:
        """Give a question back unanswered; says whether it was still held."""
        now = self.clock()
        here = (leases.c.token == token) & (leases.c.labeller_id == labeller_id) & live(now)
        with self.write() as conn:
            return conn.execute(leases.update().where(here).values(released_at=now)).rowcount > 0


def open_to(labeller_id: str, now: float) -> sa.ColumnElement[bool]:
    """Questions this labeller may answer now, those they hold included."""
    answered = (
        sa.exists()
        .where(
            standing.c.query_id == queries.c.id,
            standing.c.labeller_id == labeller_id,
            standing.c.verdict != Verdict.WITHDRAWN,
        )
        .correlate(queries)
    )
    others = sa.select(sa.func.count()).select_from(leases).correlate(queries)
    others = others.where(leases.c.query_id == queries.c.id, leases.c.labeller_id != labeller_id, live(now))
    room = queries.c.n_answers + others.scalar_subquery() < queries.c.answers_wanted
    return (queries.c.state == "open") & queries.c.is_full.is_(False) & ~answered & room


def lend(conn: sa.Connection, query_id: str, labeller_id: str, now: float, lifetime_seconds: float) -> str:
    """Lend a question, or renew the lease this labeller has on it; returns the lease's token."""
    here = (leases.c.query_id == query_id) & (leases.c.labeller_id == labeller_id) & live(now)
    token = conn.execute(sa.select(leases.c.token).where(here)).scalar()
    if token is not None:
        conn.execute(leases.update().where(leases.c.token == token).values(expires_at=now + lifetime_seconds))
        return token
    token = secrets.token_hex(16)
    values = {"id": new_id(), "query_id": query_id, "labeller_id": labeller_id, "token": token}
    conn.execute(leases.insert().values(**values, created_at=now, expires_at=now + lifetime_seconds))
    return token


def _choose(conn: sa.Connection, free: sa.ColumnElement[bool], labeller_id: str, n: int, now: float) -> list[str]:
    """The ids of the first n free questions in the order of `Claiming.claim`, locked."""
    base = sa.select(queries.c.id).where(free).limit(n).with_for_update(of=queries, skip_locked=True)
    mine = (standing.c.query_id == queries.c.id) & (standing.c.labeller_id == labeller_id)
    undone = base.join(standing, mine).order_by(standing.c.seq.desc())
    held = base.join(leases, (leases.c.query_id == queries.c.id) & (leases.c.labeller_id == labeller_id) & live(now))
    held = held.order_by(leases.c.created_at, queries.c.number.desc())
    fresh = base.order_by(queries.c.number.desc())
    ids: dict[str, None] = {}
    for step in (undone, held, fresh):
        if len(ids) < n:
            ids |= dict.fromkeys(conn.scalars(step))
    return list(ids)[:n]


def _claims(conn: sa.Connection, ids: Sequence[str], tokens: dict[str, str], expires_at: float) -> list[Claim]:
    query = sa.select(queries.c.id, queries.c.left_segment_id, queries.c.right_segment_id).where(queries.c.id.in_(ids))
    sides = {id: (left, right) for id, left, right in conn.execute(query)}
    clips = clips_of(conn, [segment for pair in sides.values() for segment in pair])
    return [
        Claim(
            query_id=id,
            lease=tokens[id],
            expires_at=expires_at,
            swapped=int(tokens[id][-1], 16) % 2 == 1,  # random, and the same whenever this lease is shown again
            left=clips[sides[id][0]],
            right=clips[sides[id][1]],
        )
        for id in ids
    ]
