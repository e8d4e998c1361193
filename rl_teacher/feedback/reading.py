"""Looking things up: what the page shows and what a trainer needs to learn again."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from rl_teacher.feedback.base import Storage, batches, columns, found, with_renditions
from rl_teacher.feedback.provenance import Provenance, StoredQuery, StoredSegment
from rl_teacher.feedback.records import Clip, Experiment, Replay, Run
from rl_teacher.feedback.schema import clips, experiments, queries, replays, runs, segments

if TYPE_CHECKING:
    from rl_teacher.feedback.arrays import Arrays

# Made once: pages ask for these every other second.
_EXPERIMENT = sa.select(*columns(experiments, Experiment)).where(experiments.c.id == sa.bindparam("id"))
_QUERY = sa.select(*columns(queries, StoredQuery)).where(queries.c.id == sa.bindparam("id"))
_LATEST_RUN = (
    sa.select(*columns(runs, Run))
    .where(runs.c.experiment_id == sa.bindparam("experiment"))
    .order_by(runs.c.heartbeat_at.desc())
    .limit(1)
)


class Reading(Storage):
    """Look, and change nothing."""

    def experiments(self) -> list[Experiment]:
        """All experiments, the newest first."""
        query = sa.select(*columns(experiments, Experiment)).order_by(experiments.c.created_at.desc())
        with self.read() as conn:
            return [Experiment(*row) for row in conn.execute(query)]

    def experiment_by_id(self, experiment_id: str) -> Experiment:
        """One experiment.

        Raises:
            NotFoundError: If there is none of this id.
        """
        with self.read() as conn:
            return experiment_row(conn, experiment_id)

    def experiment_by_name(self, name: str) -> Experiment:
        """One experiment.

        Raises:
            NotFoundError: If there is none of this name.
        """
        query = sa.select(*columns(experiments, Experiment)).where(experiments.c.name == name)
        with self.read() as conn:
            return Experiment(*found(conn.execute(query).first(), "experiment", name))

    def latest_run(self, experiment_id: str) -> Run | None:
        """The run of an experiment that reported last."""
        with self.read() as conn:
            row = conn.execute(_LATEST_RUN, {"experiment": experiment_id}).first()
        return None if row is None else Run(*row)

    def run_by_name(self, name: str) -> Run:
        """One run.

        Raises:
            NotFoundError: If there is none of this name.
        """
        with self.read() as conn:
            row = conn.execute(sa.select(*columns(runs, Run)).where(runs.c.name == name)).first()
        return Run(*found(row, "run", name))

    def run_by_id(self, run_id: str) -> Run:
        """One run.

        Raises:
            NotFoundError: If there is none of this id.
        """
        with self.read() as conn:
            row = conn.execute(sa.select(*columns(runs, Run)).where(runs.c.id == run_id)).first()
        return Run(*found(row, "run", run_id))

    def replays(self, run_id: str, limit: int = 20) -> list[Replay]:
        """How the agent of a run plays, newest first."""
        query = (
            sa.select(replays.c.step, replays.c.true_return, replays.c.created_at, *columns(clips, Clip))
            .join(clips, clips.c.id == replays.c.clip_id)
            .where(replays.c.run_id == run_id)
            .order_by(replays.c.created_at.desc(), replays.c.step.desc())
        )
        with self.read() as conn:
            rows: list[list[Any]] = [list(row) for row in conn.execute(query.limit(limit))]
            shown = with_renditions(conn, [Clip(*row[3:]) for row in rows])
        return [Replay(row[0], row[1], row[2], clip) for row, clip in zip(rows, shown, strict=True)]

    def query(self, query_id: str) -> StoredQuery:
        """One question.

        Raises:
            NotFoundError: If there is none of this id.
        """
        with self.read() as conn:
            return StoredQuery(*found(conn.execute(_QUERY, {"id": query_id}).first(), "query", query_id))

    def queries(self, experiment_id: str, state: str | None = None) -> list[StoredQuery]:
        """The questions of an experiment in the order of asking; only "open" or "expired" ones if `state` says so."""
        query = sa.select(*columns(queries, StoredQuery)).where(queries.c.experiment_id == experiment_id)
        if state is not None:
            query = query.where(queries.c.state == state)
        with self.read() as conn:
            return [StoredQuery(*row) for row in conn.execute(query.order_by(queries.c.created_at, queries.c.number))]

    def load_segments(self, query_id: str) -> tuple[Arrays, Arrays, Provenance]:
        """The arrays of a question's left and right side, and where they came from.

        Left and right are as first asked, which is what labels speak of.

        Raises:
            NotFoundError: If there is no such question.
            BlobError: If its arrays are missing or were altered.
        """
        from rl_teacher.feedback.arrays import unpack_arrays  # NumPy, which the page's server does without

        query = self.query(query_id)
        left, right = self.segments((query.left_segment_id, query.right_segment_id))
        sides = (unpack_arrays(self.blobs.get(side.data_blob)) for side in (left, right))
        return next(sides), next(sides), Provenance(query, left, right)

    def segments(self, ids: Sequence[str]) -> list[StoredSegment]:
        """Segments in the order of their ids (at most 500)."""
        names = (field.name for field in dataclasses.fields(StoredSegment))
        wanted = [runs.c.name if name == "run" else segments.c[name] for name in names]
        query = sa.select(*wanted).join(runs, runs.c.id == segments.c.run_id).where(segments.c.id.in_(ids))
        with self.read() as conn:
            rows = {row[0]: StoredSegment(*row) for row in conn.execute(query)}
        return [found(rows.get(id), "segment", id) for id in ids]

    def answered_segments(self, run_id: str, limit: int) -> list[StoredSegment]:
        """Both sides of a run's answered questions, the newest question first; at most so many segments (to 500)."""
        asked = sa.select(queries.c.left_segment_id, queries.c.right_segment_id)
        asked = asked.where(queries.c.run_id == run_id, queries.c.n_answers > 0).order_by(queries.c.number.desc())
        with self.read() as conn:
            sides = [side for row in conn.execute(asked.limit(limit // 2)) for side in row]
        return self.segments(list(dict.fromkeys(sides)))

    def query_ids(self, experiment_id: str, pairs: Sequence[str]) -> dict[str, str]:
        """Ids of questions by their pair (trajectory.Query.id); pairs that were never asked here have no entry."""
        ids: dict[str, str] = {}
        query = sa.select(queries.c.pair, queries.c.id).where(queries.c.experiment_id == experiment_id)
        with self.read() as conn:
            for some in batches(list(pairs)):
                ids.update((row.pair, row.id) for row in conn.execute(query.where(queries.c.pair.in_(some))))
        return ids


def experiment_row(conn: sa.Connection, experiment_id: str) -> Experiment:
    """One experiment.

    Raises:
        NotFoundError: If there is none of this id.
    """
    return Experiment(*found(conn.execute(_EXPERIMENT, {"id": experiment_id}).first(), "experiment", experiment_id))
