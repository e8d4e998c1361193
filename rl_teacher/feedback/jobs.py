"""What people ask of the trainer (finish, pause, resume, …) and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from rl_teacher.feedback.base import Storage, columns, found, new_id, plain
from rl_teacher.feedback.records import Job, Result
from rl_teacher.feedback.schema import experiments, jobs, results, runs


class Jobs(Storage):
    """Ask the trainer, and answer."""

    def add_job(
        self, experiment_id: str, kind: str, args: Mapping[str, Any] | None = None, run_id: str | None = None
    ) -> str:
        """Put a job up; returns its id.

        Args:
            experiment_id: Whose trainer is meant.
            kind: What to do.
            args: How.
            run_id: Only this run may take it; None for whichever run of the experiment looks first.

        Raises:
            NotFoundError: If there is no such experiment.
        """
        made = new_id()
        with self.write() as conn:
            here = sa.select(experiments.c.id).where(experiments.c.id == experiment_id)
            found(conn.execute(here).scalar(), "experiment", experiment_id)
            values = {"id": made, "experiment_id": experiment_id, "run_id": run_id, "kind": kind}
            values |= {"args": plain(args or {}), "state": "queued", "created_at": self.clock()}
            conn.execute(jobs.insert().values(**values))
        return made

    def jobs(
        self,
        run_id: str,
        kinds: Iterable[str] | None = None,
        besides: Iterable[str] = (),
        limit: int | None = None,
    ) -> list[Job]:
        """Take what is queued for this run, oldest first; nobody else gets it.

        Args:
            run_id: Who takes.
            kinds: Only of these kinds; None: of any …
            besides: … but these.
            limit: At most so many; None: all.
        """
        now = self.clock()
        queued = _queued(run_id, kinds, besides)
        with self.read() as conn:  # most calls find nothing: they need not become writers
            if conn.execute(queued.limit(1)).first() is None:
                return []
        with self.write() as conn:
            oldest = queued.order_by(jobs.c.created_at).limit(limit)
            taken = [row.id for row in conn.execute(oldest.with_for_update(of=jobs, skip_locked=True))]
            here = jobs.c.id.in_(taken)
            conn.execute(jobs.update().where(here).values(state="taken", taken_at=now, run_id=run_id))
            rows = conn.execute(sa.select(*columns(jobs, Job)).where(here).order_by(jobs.c.created_at))
            return [Job(*row) for row in rows]

    def waiting_runs(self, kinds: Iterable[str]) -> list[str]:
        """Names of the runs that jobs of these kinds wait for, whichever has waited longest first."""
        of_any = jobs.c.run_id.is_(None) & (jobs.c.experiment_id == runs.c.experiment_id)
        waiting = sa.select(runs.c.name).join(jobs, sa.or_(jobs.c.run_id == runs.c.id, of_any))
        waiting = waiting.where(jobs.c.state == "queued", jobs.c.kind.in_(list(kinds)))
        with self.read() as conn:
            names = conn.scalars(waiting.group_by(runs.c.name).order_by(sa.func.min(jobs.c.created_at)))
            return list(names)

    def n_waiting(self, run_id: str) -> int:
        """How many jobs are queued for this run."""
        queued = (jobs.c.run_id == run_id) & (jobs.c.state == "queued")
        with self.read() as conn:
            return conn.execute(sa.select(sa.func.count()).where(queued)).scalar_one()

    def same_job(self, run_id: str, kind: str, args: Mapping[str, Any], since: float) -> str | None:
        """The id of a job asked before that will do as well: of this kind and these arguments, not failed.

        Args:
            run_id: Whose.
            kind: What it does.
            args: How.
            since: Unix seconds; one older than this does not count.
        """
        alike = (jobs.c.run_id == run_id) & (jobs.c.kind == kind) & (jobs.c.created_at >= since)
        query = sa.select(jobs.c.id, jobs.c.args).where(alike, jobs.c.state != "failed")
        with self.read() as conn:
            rows = conn.execute(query.order_by(jobs.c.created_at.desc()).limit(100)).all()
        return next((row.id for row in rows if row.args == plain(args)), None)

    def finish_job(self, job_id: str, ok: bool, data: Mapping[str, Any] | None = None, blob: str | None = None) -> None:
        """Say what came of a job.

        Args:
            job_id: From `jobs`.
            ok: Whether it succeeded.
            data: What the page is to know.
            blob: The sha256 of a larger result.
        """
        now = self.clock()
        with self.write() as conn:
            state = "done" if ok else "failed"
            done = conn.execute(jobs.update().where(jobs.c.id == job_id).values(state=state, done_at=now))
            found(done.rowcount or None, "job", job_id)
            values = {"ok": ok, "data": plain(data or {}), "blob": blob, "created_at": now}
            conn.execute(results.delete().where(results.c.job_id == job_id))
            conn.execute(results.insert().values(job_id=job_id, **values))

    def job(self, job_id: str) -> tuple[Job, Result | None]:
        """A job and, once there is one, its result.

        Raises:
            NotFoundError: If there is none of this id.
        """
        with self.read() as conn:
            row = conn.execute(sa.select(*columns(jobs, Job)).where(jobs.c.id == job_id)).first()
            result = conn.execute(sa.select(*columns(results, Result)).where(results.c.job_id == job_id)).first()
        return Job(*found(row, "job", job_id)), None if result is None else Result(*result)


def _queued(run_id: str, kinds: Iterable[str] | None, besides: Iterable[str]) -> sa.Select:
    experiment = sa.select(runs.c.experiment_id).where(runs.c.id == run_id).scalar_subquery()
    anybody = jobs.c.run_id.is_(None) & (jobs.c.experiment_id == experiment)
    queued = sa.select(jobs.c.id).where(jobs.c.state == "queued", sa.or_(jobs.c.run_id == run_id, anybody))
    queued = queued.where(jobs.c.kind.not_in(list(besides)))
    return queued if kinds is None else queued.where(jobs.c.kind.in_(list(kinds)))
