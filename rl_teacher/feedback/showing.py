"""Clips in all their forms: what kind of bytes a blob is, films of clips that were poses, clips that are lost."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import sqlalchemy as sa

from rl_teacher.feedback import tallying
from rl_teacher.feedback.base import Storage, columns, found, plain, put_renditions, with_renditions
from rl_teacher.feedback.engine import insert_new
from rl_teacher.feedback.records import Clip, Job, Result
from rl_teacher.feedback.schema import audit, clips, jobs, queries, renditions, replays, results, runs, segments

RENDER = "render"
"""The kind of job that asks for a film of a clip made of poses; its args are {"clip_id"}."""
_TOLD = (queries.c.experiment_id, queries.c.kind, queries.c.n_answers)
RETRY_SECONDS = 120.0
"""A render that failed, or whose trainer went away with it, may be asked for again after this long."""


class Showing(Storage):
    """Find what can be shown, in which forms, and have more of them made."""

    def clip(self, clip_id: str, experiment_id: str | None = None) -> Clip:
        """One clip with its renditions.

        Args:
            clip_id: From `add_clip`.
            experiment_id: Only if it is shown in this experiment; None for any.

        Raises:
            NotFoundError: If there is none of this id.
        """
        query = sa.select(*columns(clips, Clip)).where(clips.c.id == clip_id, _shown_in(experiment_id))
        with self.read() as conn:
            row = found(conn.execute(query.limit(1)).first(), "clip", clip_id)
            return with_renditions(conn, [Clip(*row)])[0]

    def experiments_showing(self, clip_id: str) -> list[str]:
        """The ids of the experiments in which a clip is part of a question or a replay."""
        asked = sa.select(segments.c.experiment_id).where(segments.c.clip_id == clip_id)
        replayed = sa.select(runs.c.experiment_id).join(replays, replays.c.run_id == runs.c.id)
        with self.read() as conn:
            return list(conn.scalars(asked.union(replayed.where(replays.c.clip_id == clip_id))))

    def media_type(self, sha: str, experiment_id: str | None = None) -> str | None:
        """What kind of bytes a blob is, if it is one that a page may show.

        Args:
            sha: Of a clip or a scene; the arrays of segments hold the true reward and are never shown.
            experiment_id: Only if it is shown in this experiment; None for any.
        """
        first = sa.select(clips.c.media_type, clips.c.blob)
        first = first.where(sa.or_(clips.c.blob == sha, clips.c.scene_blob == sha), _shown_in(experiment_id))
        further = sa.select(renditions.c.media_type).join(clips, clips.c.id == renditions.c.clip_id)
        further = further.where(renditions.c.blob == sha, _shown_in(experiment_id))
        with self.read() as conn:
            row = conn.execute(first.limit(1)).first()
            if row is None:
                return conn.execute(further.limit(1)).scalar()
        return row.media_type if row.blob == sha else "application/json"

    def add_renditions(self, clip_id: str, films: Mapping[str, bytes]) -> None:
        """Keep further forms of a clip, bytes by media type."""
        blobs = {media_type: self.blobs.put(data) for media_type, data in films.items()}
        now = self.clock()
        with self.write() as conn:
            put_renditions(conn, clip_id, blobs, now)

    def ask_render(self, experiment_id: str, clip_id: str) -> tuple[Job, Result | None]:
        """The job that makes a film of a clip, and what came of it; it is put up unless it is there.

        However many people ask, and however often, a clip has one such job in an experiment. One that failed, or was
        taken by a trainer that then went away, or whose film is lost, is put up again after `RETRY_SECONDS`.
        """
        id, now = hashlib.sha256(f"{RENDER} {experiment_id} {clip_id}".encode()).hexdigest()[:32], self.clock()
        with self.read() as conn:  # a page that waits asks again and again: it need not become a writer each time
            job, result = _job(conn, id)
        if job is not None and not _is_stale(job, now):
            return job, result
        with self.write() as conn:
            values = {"id": id, "experiment_id": experiment_id, "kind": RENDER, "args": {"clip_id": clip_id}}
            insert_new(conn, jobs, **values, run_id=None, state="queued", created_at=now)
            job, result = _job(conn, id)
            if _is_stale(found(job, "job", id), now):
                fresh = {"state": "queued", "run_id": None, "created_at": now, "taken_at": None, "done_at": None}
                conn.execute(results.delete().where(results.c.job_id == id))
                conn.execute(jobs.update().where(jobs.c.id == id).values(**fresh))
                job, result = _job(conn, id)
            return found(job, "job", id), result

    def lost(self, sha: str) -> list[str]:
        """A blob is missing or damaged: take back the open questions that need it, and note it in the audit.

        A further form of a clip is forgotten, since the clip can be shown without it.

        Returns:
            The ids of the questions taken back.
        """
        now = self.clock()
        needs = sa.select(segments.c.id).join(clips, clips.c.id == segments.c.clip_id)
        needs = needs.where(sa.or_(clips.c.blob == sha, clips.c.scene_blob == sha))
        here = sa.or_(queries.c.left_segment_id.in_(needs), queries.c.right_segment_id.in_(needs))
        here &= (queries.c.state == "open") & queries.c.is_full.is_(False)
        with self.write() as conn:
            conn.execute(renditions.delete().where(renditions.c.blob == sha))
            asked = conn.execute(sa.select(queries.c.id, *_TOLD).where(here)).all()
            ids = [row.id for row in asked]
            if ids:
                conn.execute(queries.update().where(here).values(state="expired", expired_at=now))
                for row in asked:
                    less = {"open": -1, "unanswered": -int(row.n_answers == 0)}
                    tallying.add(conn, row.experiment_id, row.kind, less)
                detail = plain({"blob": sha, "queries": ids})
                conn.execute(audit.insert().values(at=now, who="store", what="pairs withdrawn", detail=detail))
        return ids


def _shown_in(experiment_id: str | None) -> sa.ColumnElement[bool]:
    """Clips of questions and replays of this experiment; all clips for None."""
    if experiment_id is None:
        return sa.true()
    asked = sa.exists().where(segments.c.clip_id == clips.c.id, segments.c.experiment_id == experiment_id)
    of_run = (replays.c.run_id == runs.c.id) & (runs.c.experiment_id == experiment_id)
    return sa.or_(asked, sa.exists().where(replays.c.clip_id == clips.c.id, of_run))


def _job(conn: sa.Connection, job_id: str) -> tuple[Job | None, Result | None]:
    row = conn.execute(sa.select(*columns(jobs, Job)).where(jobs.c.id == job_id)).first()
    result = conn.execute(sa.select(*columns(results, Result)).where(results.c.job_id == job_id)).first()
    return None if row is None else Job(*row), None if result is None else Result(*result)


def _is_stale(job: Job, now: float) -> bool:
    since = {"taken": job.taken_at, "failed": job.done_at, "done": job.done_at}.get(job.state)
    return since is not None and now - since > RETRY_SECONDS
