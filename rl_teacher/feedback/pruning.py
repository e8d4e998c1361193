"""Making room: what nobody answered, long ago, and blobs that no row names. Trainer and server may go on meanwhile.

Everything has an age limit, a day at least: a blob lies there before the row that names it, a page that was offline may
still bring an answer. Whoever puts the same blob or clip once more makes it young again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import sqlalchemy as sa

from rl_teacher.feedback import tallying
from rl_teacher.feedback.base import Storage, batches
from rl_teacher.feedback.naming import named_blobs
from rl_teacher.feedback.schema import (
    checks,
    clips,
    experiments,
    golds,
    jobs,
    labels,
    leases,
    queries,
    renditions,
    replays,
    results,
    segments,
    standing,
)

_ID = re.compile(r"\b[0-9a-f]{32}(?:[0-9a-f]{32})?\b")


@dataclass(frozen=True, slots=True)
class Freed:
    """How many of each were removed."""

    pairs: int
    """Pairs that nobody answered."""
    answered: int
    """Pairs that somebody answered, with their answers."""
    jobs: int
    films: int
    clips: int
    blobs: int
    bytes: int
    """Of the blobs."""


class _DryRunError(Exception):
    """Undoes a transaction."""


def prune(store: Storage, before: float, *, answered: bool = False, dry_run: bool = False) -> Freed:
    """Remove what is not needed any more.

    Pairs that nobody answered go when they were taken back, or belong to a finished experiment; jobs when they are
    done; films of clips that the browser can draw; clips, segments and blobs when nothing needs them.

    Args:
        store: It may be in use.
        before: Unix seconds: what is younger stays.
        answered: Answered pairs of finished experiments go too, with their answers.
        dry_run: Only count.
    """
    counts: dict[str, int] = {}
    named: set[str] = set()
    with suppress(_DryRunError), store.write() as conn:
        counts["pairs"] = _remove_pairs(conn, _unanswered(before))
        counts["answered"] = _remove_pairs(conn, _answered(before)) if answered else 0
        over = sa.func.coalesce(leases.c.released_at, leases.c.expires_at) < before
        conn.execute(leases.delete().where(over))
        counts["jobs"] = _remove_jobs(conn, before)
        counts["films"] = _remove_films(conn, before)
        counts["clips"] = _remove_clips(conn, before)
        named = named_blobs(conn)
        if dry_run:
            raise _DryRunError
    if not dry_run:
        with store.read() as conn:  # as it is now
            named = named_blobs(conn)
    n_blobs, n_bytes = store.blobs.sweep(named, before, dry_run)
    return Freed(**counts, blobs=n_blobs, bytes=n_bytes)


def _unanswered(before: float) -> sa.Select:
    """Pairs that nobody ever said anything of."""
    finished = sa.select(experiments.c.id).where(experiments.c.status == "finished", experiments.c.updated_at < before)
    given_up = (queries.c.state == "expired") & (queries.c.expired_at < before)
    given_up |= queries.c.experiment_id.in_(finished)
    return _old(before).where(given_up, ~_named_by(labels.c.query_id))


def _answered(before: float) -> sa.Select:
    """Answered pairs of experiments that are finished."""
    finished = sa.select(experiments.c.id).where(experiments.c.status == "finished", experiments.c.updated_at < before)
    young = sa.select(labels.c.query_id).where(labels.c.given_at >= before)
    said = _old(before).where(queries.c.experiment_id.in_(finished), _named_by(labels.c.query_id))
    return said.where(queries.c.id.not_in(young))


def _old(before: float) -> sa.Select:
    """Pairs that are old, that nobody has been looking at of late, and that test nobody who is still here."""
    looked_at = sa.select(leases.c.query_id).where(leases.c.expires_at >= before)
    tested = sa.select(checks.c.of_id).where(checks.c.created_at >= before)
    return sa.select(queries.c.id).where(
        queries.c.created_at < before, queries.c.id.not_in(looked_at), queries.c.id.not_in(tested)
    )


def _named_by(column: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    return queries.c.id.in_(sa.select(column))


def _remove_pairs(conn: sa.Connection, which: sa.Select) -> int:
    """Remove pairs with all that was said of them, the checks made of them included; returns how many."""
    ids = list(conn.scalars(which))
    copies = [id for some in batches(ids) for id in conn.scalars(_copies(some))]
    for some in batches(list(dict.fromkeys([*copies, *ids]))):  # a check before what it is a copy of
        _uncount(conn, some)
        for table in (standing, labels, leases, golds, checks):
            conn.execute(table.delete().where(table.c.query_id.in_(some)))
        conn.execute(queries.delete().where(queries.c.id.in_(some)))
    return len({*ids, *copies})


def _copies(ids: Sequence[str]) -> sa.Select:
    return sa.select(checks.c.query_id).where(checks.c.of_id.in_(ids))


def _uncount(conn: sa.Connection, ids: Sequence[str]) -> None:
    said: dict[str, list[tuple[str, bool]]] = {}
    stands = sa.select(standing.c.query_id, standing.c.verdict, standing.c.overrules)
    for query_id, verdict, overrules in conn.execute(stands.where(standing.c.query_id.in_(ids))):
        said.setdefault(query_id, []).append((verdict, overrules))
    for row in conn.execute(sa.select(queries).where(queries.c.id.in_(ids))).all():
        was = tallying.share(row.state, row.is_full, row.n_answers, said.get(row.id, []))
        tallying.add(conn, row.experiment_id, row.kind, tallying.difference({}, was))


def _remove_jobs(conn: sa.Connection, before: float) -> int:
    ids = list(conn.scalars(sa.select(jobs.c.id).where(jobs.c.done_at < before, jobs.c.state.in_(("done", "failed")))))
    for some in batches(ids):
        conn.execute(results.delete().where(results.c.job_id.in_(some)))
        conn.execute(jobs.delete().where(jobs.c.id.in_(some)))
    return len(ids)


def _remove_films(conn: sa.Connection, before: float) -> int:
    """Further forms of clips that the browser draws; whoever wants one asks for it again."""
    drawn = sa.select(clips.c.id).where(clips.c.kind == "poses")
    return conn.execute(
        renditions.delete().where(renditions.c.created_at < before, renditions.c.clip_id.in_(drawn))
    ).rowcount


def _remove_clips(conn: sa.Connection, before: float) -> int:
    """Segments and clips that are part of nothing, neither of what people were told by a job."""
    told = {id for data in conn.scalars(sa.select(results.c.data)) for id in _ID.findall(json.dumps(data))}
    asked = sa.union(sa.select(queries.c.left_segment_id), sa.select(queries.c.right_segment_id))
    idle = sa.select(segments.c.id, segments.c.clip_id).join(clips, clips.c.id == segments.c.clip_id)
    rows = conn.execute(idle.where(clips.c.created_at < before, segments.c.id.not_in(asked))).all()
    for some in batches([row.id for row in rows if not {row.id, row.clip_id} & told]):
        conn.execute(segments.delete().where(segments.c.id.in_(some)))
    shown = sa.union(sa.select(segments.c.clip_id), sa.select(replays.c.clip_id))
    unseen = conn.scalars(sa.select(clips.c.id).where(clips.c.created_at < before, clips.c.id.not_in(shown)))
    ids = [id for id in unseen if id not in told]
    for some in batches(ids):
        conn.execute(renditions.delete().where(renditions.c.clip_id.in_(some)))
        conn.execute(clips.delete().where(clips.c.id.in_(some)))
    return len(ids)
