"""Who looks at what: a question is lent to as many labellers as it wants answers, each for a while.

Now and then a check comes before a question (`checking.py`), never in place of one: where nothing is open, nothing is.

A claim is one transaction: rows that may be lent are locked (SQLite has one writer anyway; PostgreSQL skips rows that
somebody else is lending), looked at again, and lent.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import sqlalchemy as sa

from rl_teacher.feedback.base import Storage, clips_of, found, live, new_id
from rl_teacher.feedback.checking import make_check
from rl_teacher.feedback.records import Claim
from rl_teacher.feedback.schema import checks, experiments, leases, queries, standing, tallies
from rl_teacher.labels import Verdict

LEASE_SECONDS = 120.0
"""How long a question is lent for when nobody says otherwise; the page renews it while it is looked at."""


class Claiming(Storage):
    """Lend questions."""

    def claim(
        self, experiment_id: str, labeller_id: str, n: int = 1, lifetime_seconds: float = LEASE_SECONDS
    ) -> list[Claim]:
        """Up to n questions for this labeller, all theirs until the leases end.

        In this order: what the labeller took back, what they hold already (renewed), what others have answered and
        wants more answers, then the freshest, with checks among them. Never a question they have answered, nor one
        that as many others hold or have answered as it wants answers. Nothing is begun once the experiment has the
        answers it wanted.

        Raises:
            NotFoundError: If there is no such experiment.
        """
        now = self.clock()
        with self.write() as conn:
            here = experiments.c.id == experiment_id
            row = conn.execute(sa.select(experiments.c.status, experiments.c.wanted).where(here)).first()
            status, wanted = found(row, "experiment", experiment_id)
            if status != "open":
                return []
            free = open_to(labeller_id, now) & (queries.c.experiment_id == experiment_id)
            ids = _own(conn, free, labeller_id, n, now)
            if len(ids) < n:
                if _has_enough(conn, experiment_id, wanted):  # what was begun is still brought to its end
                    free &= queries.c.n_answers > 0
                new = [id for id in _new(conn, free, n) if id not in ids]
                ids = self._with_checks(conn, ids, new, n, experiment_id, labeller_id, now)
            still = set(conn.scalars(sa.select(queries.c.id).where(queries.c.id.in_(ids), open_to(labeller_id, now))))
            tokens = {id: lend(conn, id, labeller_id, now, lifetime_seconds) for id in ids if id in still}
            return _claims(conn, list(tokens), tokens, now + lifetime_seconds)

    def _with_checks(
        self,
        conn: sa.Connection,
        own: list[str],
        new: list[str],
        n: int,
        experiment_id: str,
        labeller_id: str,
        now: float,
    ) -> list[str]:
        """Up to n pairs; before each new question a check may come."""
        ids = list(own)
        for question in new:
            if len(ids) < n:
                check = make_check(conn, experiment_id, labeller_id, (self.draw(), self.draw()), now)
                ids += [question] if check is None else [check, question]
        return ids[:n]

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
    own = sa.exists().where(checks.c.query_id == queries.c.id, checks.c.labeller_id == labeller_id).correlate(queries)
    theirs = sa.or_(queries.c.kind == "question", own)
    return (queries.c.state == "open") & queries.c.is_full.is_(False) & theirs & ~answered & room


def lend(conn: sa.Connection, query_id: str, labeller_id: str, now: float, lifetime_seconds: float) -> str:
    """Lend a question, or renew the lease this labeller has on it; returns the lease's token."""
    here = (leases.c.query_id == query_id) & (leases.c.labeller_id == labeller_id) & live(now)
    token = conn.execute(sa.select(leases.c.token).where(here)).scalar()
    if token is not None:
        conn.execute(leases.update().where(leases.c.token == token).values(expires_at=now + lifetime_seconds))
        return token
    token = _token(conn.execute(sa.select(checks.c.swapped).where(checks.c.query_id == query_id)).scalar())
    values = {"id": new_id(), "query_id": query_id, "labeller_id": labeller_id, "token": token}
    conn.execute(leases.insert().values(**values, created_at=now, expires_at=now + lifetime_seconds))
    return token


def is_swapped(token: str) -> bool:
    """How a lease's sides are shown: random, and the same whenever this lease is shown again."""
    return int(token[-1], 16) % 2 == 1


def _token(swapped: bool | None) -> str:
    """A lease's token, with this way of showing the sides; None leaves it to chance."""
    while True:
        token = secrets.token_hex(16)
        if swapped is None or is_swapped(token) is swapped:
            return token


def _own(conn: sa.Connection, free: sa.ColumnElement[bool], labeller_id: str, n: int, now: float) -> list[str]:
    """What the labeller took back, then what they hold, locked; at most n."""
    base = _free(free, n)
    mine = (standing.c.query_id == queries.c.id) & (standing.c.labeller_id == labeller_id)
    undone = base.join(standing, mine).order_by(standing.c.seq.desc())
    held = base.join(leases, (leases.c.query_id == queries.c.id) & (leases.c.labeller_id == labeller_id) & live(now))
    held = held.order_by(leases.c.created_at, queries.c.number.desc())
    ids = dict.fromkeys(conn.scalars(undone))
    if len(ids) < n:
        ids |= dict.fromkeys(conn.scalars(held))
    return list(ids)[:n]


def _new(conn: sa.Connection, free: sa.ColumnElement[bool], n: int) -> list[str]:
    """Questions to lend next, locked: those that others have answered before those nobody has, the freshest first."""
    base = _free(free & (queries.c.kind == "question"), n).order_by(queries.c.n_answers.desc(), queries.c.number.desc())
    return list(conn.scalars(base))


def _free(free: sa.ColumnElement[bool], n: int) -> sa.Select:
    return sa.select(queries.c.id).where(free).limit(n).with_for_update(of=queries, skip_locked=True)


def _has_enough(conn: sa.Connection, experiment_id: str, wanted: int | None) -> bool:
    if wanted is None:
        return False
    here = (tallies.c.experiment_id == experiment_id) & (tallies.c.kind == "question")
    return (conn.execute(sa.select(tallies.c.n_decided).where(here)).scalar() or 0) >= wanted


def _claims(conn: sa.Connection, ids: Sequence[str], tokens: dict[str, str], expires_at: float) -> list[Claim]:
    query = sa.select(queries.c.id, queries.c.left_segment_id, queries.c.right_segment_id).where(queries.c.id.in_(ids))
    sides = {id: (left, right) for id, left, right in conn.execute(query)}
    clips = clips_of(conn, [segment for pair in sides.values() for segment in pair])
    return [
        Claim(
            query_id=id,
            lease=tokens[id],
            expires_at=expires_at,
            swapped=is_swapped(tokens[id]),
            left=clips[sides[id][0]],
            right=clips[sides[id][1]],
        )
        for id in ids
    ]
