"""The trainer's side: experiments, runs, clips and questions go in; stale questions are taken back."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from rl_teacher.errors import UserError, unknown
from rl_teacher.feedback import tallying
from rl_teacher.feedback.base import Storage, batches, found, live, new_id, plain, put_renditions
from rl_teacher.feedback.engine import insert_new, next_number
from rl_teacher.feedback.records import Clip, ConflictError, NewQuery, NewSegment
from rl_teacher.feedback.schema import clips, experiments, leases, queries, replays, runs, segments, standing
from rl_teacher.labels import Verdict
from rl_teacher.quantities import HIGHEST_RATE, MOST_PER_PAIR

RUN_STATUS = ("training", "waiting", "stopped", "finished", "failed")
EXPERIMENT_STATUS = ("open", "finished")
CLIP_KINDS = ("poses", "video")
EDITABLE = ("status", "instructions", "wanted", "answers_per_pair", "repeat_rate", "gold_rate", "trust")


class Asking(Storage):
    """Put things up for judgement."""

    def experiment(self, name: str, env_id: str, instructions: str = "", wanted: int | None = None) -> str:
        """The id of the experiment of this name, which is made if there is none.

        An existing one is kept as people have edited it, and is open again.

        Raises:
            ConflictError: If it exists for another environment.
        """
        now = self.clock()
        with self.write() as conn:
            values = {"id": new_id(), "name": name, "env_id": env_id, "instructions": instructions}
            values |= {"status": "open", "wanted": wanted, "created_at": now, "updated_at": now}
            if insert_new(conn, experiments, **values):
                return str(values["id"])
            row = conn.execute(sa.select(experiments).where(experiments.c.name == name)).one()
            if row.env_id != env_id:
                raise ConflictError(
                    f"Experiment '{name}' was made for environment '{row.env_id}', not '{env_id}'. Choose another name."
                )
            change = experiments.update().where(experiments.c.id == row.id)
            conn.execute(change.values(status="open", updated_at=now))
            return row.id

    def edit_experiment(self, experiment_id: str, **changes: Any) -> None:
        """Change what `EDITABLE` names. With `answers_per_pair` open questions want as many answers from now on.

        Raises:
            UserError: If something else is to be changed, a value is out of its range, or there is no such experiment.
        """
        for name in changes:
            if name not in EDITABLE:
                raise unknown("property of an experiment", name, EDITABLE)
        _check_settings(changes)
        with self.write() as conn:
            change = experiments.update().where(experiments.c.id == experiment_id)
            done = conn.execute(change.values(**changes, updated_at=self.clock()))
            found(done.rowcount or None, "experiment", experiment_id)
            if "answers_per_pair" in changes:
                _want(conn, experiment_id, changes["answers_per_pair"])

    def run(self, experiment_id: str, name: str, seed: int, predictor: str) -> str:
        """The id of the run of this name, which is made if there is none."""
        now = self.clock()
        with self.write() as conn:
            values = {"id": new_id(), "experiment_id": experiment_id, "name": name, "seed": int(seed)}
            values |= {"predictor": predictor, "status": "training", "message": "", "progress": {}}
            if insert_new(conn, runs, **values, started_at=now, heartbeat_at=now):
                return str(values["id"])
            row = conn.execute(sa.select(runs.c.id, runs.c.experiment_id).where(runs.c.name == name)).one()
            if row.experiment_id != experiment_id:
                raise ConflictError(f"Run '{name}' belongs to another experiment. Choose another name.")
            return row.id

    def report(self, run_id: str, status: str, message: str, progress: Mapping[str, Any] | None = None) -> None:
        """Say what the trainer does or waits for, and that it is alive.

        Args:
            run_id: The run that speaks.
            status: One of training, waiting, stopped, finished, failed.
            message: One line for people.
            progress: Figures for the page (step, total, steps_per_second, …); None keeps the last ones.
        """
        if status not in RUN_STATUS:
            raise unknown("status of a run", status, RUN_STATUS)
        values: dict[str, Any] = {"status": status, "message": message, "heartbeat_at": self.clock()}
        if progress is not None:
            values["progress"] = plain(progress)
        with self.write() as conn:
            done = conn.execute(runs.update().where(runs.c.id == run_id).values(**values))
            found(done.rowcount or None, "run", run_id)

    def add_clip(
        self,
        kind: str,
        data: bytes,
        media_type: str,
        scene: bytes | None,
        n_frames: int,
        fps: float,
        dt: float,
        renditions: Mapping[str, bytes] | None = None,
    ) -> str:
        """Store a clip and return its id; the same clip is stored once.

        Args:
            kind: "poses" (drawn by the browser) or "video".
            data: The clip itself.
            media_type: Of `data`, as HTTP names it.
            scene: What poses are drawn with (JSON); None for videos.
            n_frames: F.
            fps: Frames per second at 1×.
            dt: Simulated seconds per frame.
            renditions: Further forms of it by media type; in the store with the clip, or neither is.
        """
        if kind not in CLIP_KINDS:
            raise unknown("kind of clip", kind, CLIP_KINDS)
        blob = self.blobs.put(data)
        scene_blob = None if scene is None else self.blobs.put(scene)
        content = (kind, blob, media_type, scene_blob, int(n_frames), float(fps), float(dt))
        clip = Clip(hashlib.sha256(json.dumps(content).encode()).hexdigest(), *content)
        further = {name: self.blobs.put(film) for name, film in (renditions or {}).items()}
        values = dataclasses.asdict(clip)
        del values["renditions"]
        now = self.clock()
        with self.write() as conn:
            if not insert_new(conn, clips, **values, created_at=now):  # young again: `pruning` leaves it alone
                conn.execute(clips.update().where(clips.c.id == clip.id).values(created_at=now))
            put_renditions(conn, clip.id, further, now)
        return clip.id

    def add_queries(self, run_id: str, items: Sequence[NewQuery]) -> list[str]:
        """Ask. The first of the batch is served first, and a later batch before an earlier one.

        Blobs are written first and rows last, all in one transaction: a question that can be seen can be played. A
        pair that was asked before in this experiment, in whichever order, stays as it is.

        Returns:
            The ids of the questions, new or old, in the order of `items`.
        """
        blobs = {side.key: self.blobs.put(side.data) for item in items for side in (item.left, item.right)}
        with self.write() as conn:
            query = sa.select(runs.c.experiment_id, experiments.c.answers_per_pair)
            query = query.join(experiments, experiments.c.id == runs.c.experiment_id).where(runs.c.id == run_id)
            experiment_id, per_pair = found(conn.execute(query).first(), "run", run_id)
            n_new = 0
            number = next_number(conn, "queries", len(items)) + len(items) if items else 0
            ids = []
            for place, item in enumerate(items):
                sides = [_put_segment(conn, experiment_id, run_id, side, blobs) for side in (item.left, item.right)]
                made = {"id": new_id(), "experiment_id": experiment_id, "run_id": run_id, "pair": item.pair}
                made |= {"left_segment_id": sides[0], "right_segment_id": sides[1], "number": number - place - 1}
                made |= {"why": item.why, "score": plain(item.score) or 0.0, "step": item.step, "state": "open"}
                made |= {"answers_wanted": item.answers_wanted or per_pair, "n_answers": 0, "is_full": False}
                n_new += insert_new(conn, queries, **plain(made), created_at=self.clock())
                here = (queries.c.experiment_id == experiment_id) & (queries.c.pair == item.pair)
                ids.append(conn.execute(sa.select(queries.c.id).where(here)).scalar_one())
            tallying.add(conn, experiment_id, "question", dict.fromkeys(("asked", "open", "unanswered"), n_new))
        return ids

    def add_segments(self, run_id: str, items: Sequence[NewSegment]) -> list[str]:
        """Keep segments that nobody is asked about, for people to look at; returns their ids."""
        blobs = {item.key: self.blobs.put(item.data) for item in items}
        with self.write() as conn:
            query = sa.select(runs.c.experiment_id).where(runs.c.id == run_id)
            experiment_id = found(conn.execute(query).scalar(), "run", run_id)
            return [_put_segment(conn, experiment_id, run_id, item, blobs) for item in items]

    def expire(self, owner: str, older_than_step: int) -> int:
        """Take back what was asked before `older_than_step`, is not answered, and nobody is looking at.

        Args:
            owner: The id of a run or of an experiment.
            older_than_step: In steps of the run that asked.

        Returns:
            How many were taken back.
        """
        now = self.clock()
        watched = sa.exists().where((leases.c.query_id == queries.c.id) & live(now))
        stale = sa.or_(queries.c.run_id == owner, queries.c.experiment_id == owner)
        stale &= (queries.c.kind == "question") & (queries.c.state == "open") & (queries.c.n_answers == 0)
        stale &= (queries.c.step < older_than_step) & ~watched
        with self.read() as conn:  # most calls find nothing: they need not become writers
            if conn.execute(sa.select(queries.c.id).where(stale).limit(1)).first() is None:
                return 0
        with self.write() as conn:
            change = queries.update().where(stale).values(state="expired", expired_at=now)
            taken = Counter(conn.scalars(change.returning(queries.c.experiment_id)))
            for experiment_id, n in sorted(taken.items()):
                tallying.add(conn, experiment_id, "question", {"open": -n, "unanswered": -n})
            return taken.total()

    def pairs(self, experiment_id: str) -> set[str]:
        """Every pair ever asked (trajectory.Query.id), so that a run that goes on never asks one again."""
        with self.read() as conn:
            here = (queries.c.experiment_id == experiment_id) & (queries.c.kind == "question")
            return set(conn.scalars(sa.select(queries.c.pair).where(here)))

    def add_replay(self, run_id: str, step: int, clip_id: str, true_return: float | None = None) -> str:
        """Show how the agent plays after `step` steps; returns the replay's id."""
        values = {"id": new_id(), "run_id": run_id, "step": int(step), "clip_id": clip_id}
        with self.write() as conn:
            conn.execute(replays.insert().values(**values, true_return=plain(true_return), created_at=self.clock()))
        return str(values["id"])


def _check_settings(changes: Mapping[str, Any]) -> None:
    """Refuse settings of an experiment that cannot be used."""
    if "status" in changes and changes["status"] not in EXPERIMENT_STATUS:
        raise unknown("status of an experiment", str(changes["status"]), EXPERIMENT_STATUS)
    if not 1 <= changes.get("answers_per_pair", 1) <= MOST_PER_PAIR:
        raise UserError(f"{changes['answers_per_pair']} answers per pair given; allowed are 1 to {MOST_PER_PAIR}.")
    for name in ("repeat_rate", "gold_rate"):
        if not 0.0 <= changes.get(name, 0.0) <= HIGHEST_RATE:
            raise UserError(f"{name} {changes[name]} given; allowed is a share from 0 to {HIGHEST_RATE}.")


def _want(conn: sa.Connection, experiment_id: str, per_pair: int) -> None:
    """Have open questions want so many answers."""
    here = (queries.c.experiment_id == experiment_id) & (queries.c.kind == "question") & (queries.c.state == "open")
    other = sa.select(queries).where(here, queries.c.answers_wanted != per_pair).order_by(queries.c.id)
    other = conn.execute(other.with_for_update()).all()  # nobody answers them meanwhile
    change: Counter[str] = Counter()
    for rows in batches(other):
        said: dict[str, list[tuple[str, bool]]] = {row.id: [] for row in rows}
        stands = sa.select(standing.c.query_id, standing.c.verdict, standing.c.overrules)
        for query_id, verdict, overrules in conn.execute(stands.where(standing.c.query_id.in_(said))):
            said[query_id].append((verdict, overrules))
        for row in rows:
            corrected = any(overrules and verdict != Verdict.WITHDRAWN for verdict, overrules in said[row.id])
            is_full = row.n_answers >= per_pair or corrected
            values = {"answers_wanted": per_pair, "is_full": is_full}
            conn.execute(queries.update().where(queries.c.id == row.id).values(values))
            was = tallying.share(row.state, row.is_full, row.n_answers, said[row.id])
            now_is = tallying.share(row.state, is_full, row.n_answers, said[row.id])
            change.update(tallying.difference(now_is, was))
    tallying.add(conn, experiment_id, "question", change)


def _put_segment(
    conn: sa.Connection, experiment_id: str, run_id: str, side: NewSegment, blobs: Mapping[str, str]
) -> str:
    """The id of a segment's row, which is made if there is none."""
    values = dataclasses.asdict(side)
    del values["data"]
    made = new_id()
    values |= {"id": made, "experiment_id": experiment_id, "run_id": run_id, "data_blob": blobs[side.key]}
    if insert_new(conn, segments, **plain(values)):
        return made
    here = (segments.c.experiment_id == experiment_id) & (segments.c.key == side.key)
    return conn.execute(sa.select(segments.c.id).where(here)).scalar_one()
