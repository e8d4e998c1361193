"""What can be asked about a run, and how it is answered: one function each, (subject, arguments) -> figures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from rl_teacher.errors import UserError
from rl_teacher.feedback.arrays import pack_arrays, unpack_arrays
from rl_teacher.feedback.provenance import StoredSegment
from rl_teacher.feedback.records import NewSegment
from rl_teacher.insight.forecast import forecast
from rl_teacher.insight.subject import Subject
from rl_teacher.protocols import RewardModel
from rl_teacher.trajectory import Query, Segment, Source

Answer = Callable[[Subject, Mapping[str, Any]], dict[str, Any]]

RECENT_QUESTIONS = 100
"""Best and worst clips are looked for in so many of the last answered questions."""
FEWEST_QUESTIONS = 5
"""With fewer than these the pool of recent behaviour is looked at in their place."""
FROM_POOL = 120
"""Segments of it."""
SHOWN = 3
"""Best clips, and as many worst ones."""
MOST_DISAGREEMENTS = 30
MOST_SEGMENTS = 60
"""Of one request."""


def rewards(subject: Subject, args: Mapping[str, Any]) -> dict[str, Any]:
    """r̂ along both clips of a question ("query_id"), or along stored segments ("segment_ids")."""
    reward = _fitted(subject)
    if "query_id" in args:
        query = _load_query(subject, str(args["query_id"]))
        left, right = _strips(reward, (query.left, query.right))
        return {"left": left, "right": right, "p_left": float(reward.votes([query]).mean())}
    ids = [str(one) for one in args.get("segment_ids", ())]
    if not 1 <= len(ids) <= MOST_SEGMENTS:
        raise UserError(f"{len(ids)} segments given; allowed are 1 to {MOST_SEGMENTS}. Ask for fewer at a time.")
    stored = subject.store.segments(ids)
    strips = _strips(reward, [_load(subject, one) for one in stored])
    return {"segments": dict(zip(ids, strips, strict=True))}


def best_worst(subject: Subject, args: Mapping[str, Any]) -> dict[str, Any]:
    """The recent clips that r̂ likes best and least.

    They are clips of questions that somebody has answered: r̂ is never shown along what is still to be judged. Where
    there are none, as with a synthetic teacher, they come from what the agent did last.
    """
    del args
    reward = _fitted(subject)
    stored = subject.store.answered_segments(subject.run_id, 2 * RECENT_QUESTIONS)
    from_pool = len(stored) < 2 * FEWEST_QUESTIONS
    segments = subject.recent(FROM_POOL) if from_pool else [_load(subject, one) for one in stored]
    if len(segments) < 2 or (from_pool and subject.clip is None):
        raise UserError("There are no recent clips to choose from yet. Answer some questions, and ask again.")
    strips = _strips(reward, segments)
    order = [int(i) for i in np.argsort([strip["sum"] for strip in strips])[::-1]]
    best = _apart(segments, order)
    worst = _apart(segments, [i for i in reversed(order) if i not in best])
    chosen = [*best, *worst]
    if from_pool:
        ids = subject.store.add_segments(subject.run_id, [_new(subject, segments[i]) for i in chosen])
    else:
        ids = [stored[i].id for i in chosen]
    rows = [{"segment_id": id, "step": segments[i].source.step, **strips[i]} for id, i in zip(ids, chosen, strict=True)]
    return {"n": len(segments), "answered": not from_pool, "best": rows[: len(best)], "worst": rows[len(best) :]}


def agent_now(subject: Subject, args: Mapping[str, Any]) -> dict[str, Any]:
    """The present policy plays an episode, which is kept as a replay; r̂ along it, where there is one."""
    if subject.clip is None:
        raise UserError("The agent cannot be shown: nothing of its environment can be seen here.")
    played = subject.play(int(args.get("seed", 0)))
    true_return = float(played.env_rew.sum()) if subject.has_true_return else None
    step = subject.step()
    clip_id = subject.clip(played)
    subject.store.add_replay(subject.run_id, step, clip_id, true_return)
    reward = subject.reward()
    strip = None if reward is None else _strip(reward.predict(played.obs[:-1], played.act))
    return {"step": step, "clip_id": clip_id, "true_return": true_return, "strip": strip}


def disagreements(subject: Subject, args: Mapping[str, Any]) -> dict[str, Any]:
    """Answers that r̂ holds for less likely than not, the least likely first.

    P[the answer] is the mean over those members that did not learn from it, where there are any: who has learned an
    answer by heart agrees with it. Ties are left out: r̂ hardly ever says that two clips are just alike.
    """
    del args
    reward = _fitted(subject)
    decided = [one for one in subject.comparisons().values() if one.mu[0] != one.mu[1]]
    ids = subject.store.query_ids(subject.experiment_id, [one.query.id for one in decided])
    if decided and not ids:
        raise UserError("Only people's answers can be looked at again; this run is taught by a script.")
    if not decided:
        return {"n": 0, "answers": []}
    queries = [one.query for one in decided]
    votes, outside = reward.votes(queries), reward.held_out(queries)
    use = np.where(outside.any(0), outside, True)
    p_left = (votes * use).sum(0) / use.sum(0)
    p = np.where([one.mu[0] > 0.5 for one in decided], p_left, 1.0 - p_left)
    rows = [
        {"query_id": ids[queries[i].id], "p_left": float(p_left[i]), "p": float(p[i])}
        for i in np.argsort(p)[:MOST_DISAGREEMENTS]
        if p[i] < 0.5 and queries[i].id in ids
    ]
    return {"n": len(decided), "answers": rows}


def forecasted(subject: Subject, args: Mapping[str, Any]) -> dict[str, Any]:
    """What 50 and 100 further answers would bring (`forecast`)."""
    del args
    measured: dict[float, float] = {}
    for point in subject.store.points(subject.run_id):
        n, accuracy = point.data.get("reward/comparisons"), point.data.get("reward/held_out_accuracy")
        if n and accuracy is not None:
            measured[float(n)] = float(accuracy)
    n = sorted(measured)
    told = forecast(n, [measured[one] for one in n], np.random.default_rng(0))
    return {
        "measured": [[one, measured[one]] for one in n],
        "curve": np.stack([told.n, told.accuracy, told.low, told.high], 1).round(4).tolist(),
        "formula": {"a": told.a, "b": told.b, "c": told.c},
        "now": told.now,
        "more": [dict(zip(("answers", "gain", "low", "high"), row, strict=True)) for row in told.more],
    }


ANSWERS: Mapping[str, Answer] = {
    "rewards": rewards,
    "best_worst": best_worst,
    "agent_now": agent_now,
    "disagreements": disagreements,
    "forecast": forecasted,
}
"""Kinds of jobs that are questions about a run."""


def _fitted(subject: Subject) -> RewardModel:
    reward = subject.reward()
    if reward is None:
        raise UserError("There is no r̂ yet: it has not learned from any answer. Answer some questions, and ask again.")
    return reward


def _strips(reward: RewardModel, segments: Sequence[Segment]) -> list[dict[str, Any]]:
    """r̂ along each, from one call."""
    obs, act = (np.concatenate([getattr(segment, name) for segment in segments]) for name in ("obs", "act"))
    ends = np.cumsum([len(segment) for segment in segments])[:-1]
    return [_strip(along) for along in np.split(reward.predict(obs, act), ends)]


def _strip(along: np.ndarray) -> dict[str, Any]:
    """r̂ of every step (k,), and their sum."""
    return {"rewards": along.astype(np.float64).round(4).tolist(), "sum": float(along.sum())}


def _load_query(subject: Subject, query_id: str) -> Query:
    left, right, provenance = subject.store.load_segments(query_id)
    return Query(_segment(left, provenance.left), _segment(right, provenance.right))


def _load(subject: Subject, stored: StoredSegment) -> Segment:
    return _segment(unpack_arrays(subject.store.blobs.get(stored.data_blob)), stored)


def _segment(arrays: Mapping[str, np.ndarray], stored: StoredSegment) -> Segment:
    source = Source(stored.run, stored.step, stored.episode, stored.start)
    return Segment(arrays["obs"], arrays["act"], arrays["env_rew"], arrays.get("sim"), source)


def _new(subject: Subject, segment: Segment) -> NewSegment:
    if subject.clip is None:
        raise UserError("These clips cannot be shown: nothing of the environment can be seen here.")
    clip_id, where = subject.clip(segment), segment.source
    return NewSegment(
        segment.key, pack_arrays(segment.stored()), clip_id, where.step, where.episode, where.start, len(segment)
    )


def _apart(segments: Sequence[Segment], order: Sequence[int]) -> list[int]:
    """The first few in this order that do not overlap: three cuts of one jump are one clip."""
    chosen: list[int] = []
    for i in order:
        if len(chosen) < SHOWN and not any(_overlap(segments[i], segments[j]) for j in chosen):
            chosen.append(i)
    return chosen


def _overlap(one: Segment, other: Segment) -> bool:
    a, b = one.source, other.source
    return (a.run, a.episode) == (b.run, b.episode) and abs(a.start - b.start) < len(one) and a.step == b.step
