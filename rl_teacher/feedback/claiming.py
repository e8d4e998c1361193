"""Who looks at what: a question is lent to as many labellers as it wants answers, each for a while.

A claim is one transaction: rows that may be lent are locked (SQLite has one writer anyway; PostgreSQL skips rows that
somebody else is lending), looked at again, and lent. Now and then a check comes before a question (`checking.py`),
never in place of one: where nothing is open, nobody is tested.

Statements are made once, with names for what changes: most of the time of a claim would go into making them.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import sqlalchemy as sa

from rl_teacher.feedback.base import LONGEST_LEASE, Storage, clips_of, found, new_id
from rl_teacher.feedback.checking import make_check
from rl_teacher.feedback.records import Claim
from rl_teacher.feedback.schema import checks, experiments, leases, queries, standing, tallies
from rl_teacher.labels import Verdict

LEASE_SECONDS = 120.0
"""How long a question is lent for when nobody says otherwise; the page renews it while it is looked at."""

WHO, NOW, ENDS, N = sa.bindparam("who"), sa.bindparam("now"), sa.bindparam("ends"), sa.bindparam("n")
EXPERIMENT, QUERY, IDS = sa.bindparam("experiment"), sa.bindparam("query"), sa.bindparam("ids", expanding=True)
LIVE = leases.c.released_at.is_(None) & (leases.c.expires_at > NOW) & (leases.c.expires_at <= NOW + LONGEST_LEASE)


def _open_to_who() -> sa.ColumnElement[bool]:
    """Questions that labeller :who may answer at :now, those they hold included."""
    said = sa.exists().where(standing.c.query_id == queries.c.id, standing.c.labeller_id == WHO)
    answered = said.where(standing.c.verdict != Verdict.WITHDRAWN).correlate(queries)
    others = sa.select(sa.func.count()).select_from(leases).correlate(queries)
    others = others.where(leases.c.query_id == queries.c.id, leases.c.labeller_id != WHO, LIVE)
    room = queries.c.n_answers + others.scalar_subquery() < queries.c.answers_wanted
    own = sa.exists().where(checks.c.query_id == queries.c.id, checks.c.labeller_id == WHO).correlate(queries)
    theirs = sa.or_(queries.c.kind == "question", own)
    return (queries.c.state == "open") & queries.c.is_full.is_(False) & theirs & ~answered & room


OPEN = _open_to_who()
_ANY = sa.select(queries.c.id).where(OPEN).limit(N).with_for_update(of=queries, skip_locked=True)
_FREE = _ANY.where(queries.c.experiment_id == EXPERIMENT)
_UNDONE = (  # by the experiment of `standing`, not of `queries`: SQLite would go through all of the latter
    _ANY.join(standing, (standing.c.query_id == queries.c.id) & (standing.c.labeller_id == WHO))
    .where(standing.c.verdict == Verdict.WITHDRAWN, standing.c.experiment_id == EXPERIMENT)
    .order_by(standing.c.seq.desc())
)
_HELD = _FREE.join(leases, (leases.c.query_id == queries.c.id) & (leases.c.labeller_id == WHO) & LIVE).order_by(
    leases.c.created_at, queries.c.number.desc()
)
_NEW = _FREE.where(queries.c.kind == "question").order_by(queries.c.n_answers.desc(), queries.c.number.desc())
_BEGUN = _NEW.where(queries.c.n_answers > 0)
_STILL = sa.select(queries.c.id).where(queries.c.id.in_(IDS), OPEN)
_EXPERIMENT = sa.select(experiments.c.status, experiments.c.wanted).where(experiments.c.id == EXPERIMENT)
_DECIDED = sa.select(tallies.c.n_decided).where(tallies.c.experiment_id == EXPERIMENT, tallies.c.kind == "question")
_LENT = sa.select(leases.c.query_id, leases.c.token).where(
    leases.c.query_id.in_(IDS), leases.c.labeller_id == WHO, LIVE
)
_RENEW = leases.update().where(leases.c.query_id.in_(IDS), leases.c.labeller_id == WHO, LIVE).values(expires_at=ENDS)
_SHOWN = sa.select(checks.c.swapped).where(checks.c.query_id == QUERY)
_SIDES = sa.select(queries.c.id, queries.c.left_segment_id, queries.c.right_segment_id).where(queries.c.id.in_(IDS))
_MINE = leases.c.token.in_(IDS) & (leases.c.labeller_id == WHO) & LIVE
_KEPT = sa.select(leases.c.token).where(_MINE)
_KEEP = leases.update().where(_MINE).values(expires_at=ENDS)


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
        given = {"experiment": experiment_id, "who": labeller_id, "now": now, "n": n}
        with self.write() as conn:
            status, wanted = found(conn.execute(_EXPERIMENT, given).first(), "experiment", experiment_id)
            if status != "open":
                return []
            ids = list(dict.fromkeys([*conn.scalars(_UNDONE, given), *conn.scalars(_HELD, given)]))[:n]
            if len(ids) < n:
                enough = wanted is not None and (conn.execute(_DECIDED, given).scalar() or 0) >= wanted
                new = conn.scalars(_BEGUN if enough else _NEW, given)  # what was begun is still brought to its end
                ids = self._with_checks(conn, ids, [id for id in new if id not in ids], n, experiment_id, labeller_id)
            if not self.is_sqlite:  # somebody may have lent them between looking and locking
                still = set(conn.scalars(_STILL, {**given, "ids": ids}))
                ids = [id for id in ids if id in still]
            tokens = lend(conn, ids, labeller_id, now, lifetime_seconds)
            return _claims(conn, ids, tokens, now + lifetime_seconds)

    def _with_checks(
        self, conn: sa.Connection, own: list[str], new: list[str], n: int, experiment_id: str, labeller_id: str
    ) -> list[str]:
        """Up to n pairs; before each new question a check may come."""
        ids = list(own)
        for question in new:
            if len(ids) < n:
                draws = (self.draw(), self.draw())
                check = make_check(conn, experiment_id, labeller_id, draws, self.clock())
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
        given = {"ids": list(tokens), "who": labeller_id, "now": now, "ends": now + lifetime_seconds}
        with self.write() as conn:
            kept = list(conn.scalars(_KEPT, given))
            conn.execute(_KEEP, given)
        return dict.fromkeys(kept, now + lifetime_seconds)

    def is_lent(self, query_id: str, labeller_id: str) -> bool:
        """Whether this labeller is looking at this question just now."""
        mine = (leases.c.query_id == query_id) & (leases.c.labeller_id == labeller_id)
        with self.read() as conn:
            return conn.execute(sa.select(leases.c.id).where(mine, LIVE), {"now": self.clock()}).first() is not None

    def release(self, token: str, labeller_id: str) -> bool:
        """Give a question back unanswered; says whether it was still held."""
        now = self.clock()
        give_back = leases.update().where(_MINE).values(released_at=NOW)
        with self.write() as conn:
            return conn.execute(give_back, {"ids": [token], "who": labeller_id, "now": now}).rowcount > 0


def lend(
    conn: sa.Connection, query_ids: Sequence[str], labeller_id: str, now: float, lifetime_seconds: float
) -> dict[str, str]:
    """Lend questions, or renew the leases this labeller has on them; returns the leases' tokens by query."""
    if not query_ids:
        return {}
    ends = now + lifetime_seconds
    given = {"ids": list(query_ids), "who": labeller_id, "now": now, "ends": ends}
    tokens: dict[str, str] = {query: token for query, token in conn.execute(_LENT, given)}  # noqa: C416
    if tokens:
        conn.execute(_RENEW, given)
    new = []
    for query in query_ids:
        if query not in tokens:
            tokens[query] = _token(conn.execute(_SHOWN, {"query": query}).scalar())
            row = {"id": new_id(), "query_id": query, "labeller_id": labeller_id, "token": tokens[query]}
            new.append({**row, "created_at": now, "expires_at": ends, "released_at": None})
    if new:
        conn.execute(leases.insert(), new)
    return tokens


def is_swapped(token: str) -> bool:
    """How a lease's sides are shown: random, and the same whenever this lease is shown again."""
    return int(token[-1], 16) % 2 == 1


def _token(swapped: bool | None) -> str:
    """A lease's token, with this way of showing the sides; None leaves it to chance."""
    while True:
        token = secrets.token_hex(16)
        if swapped is None or is_swapped(token) is swapped:
            return token


def _claims(conn: sa.Connection, ids: Sequence[str], tokens: dict[str, str], expires_at: float) -> list[Claim]:
    sides = {id: (left, right) for id, left, right in conn.execute(_SIDES, {"ids": list(ids)})}
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
