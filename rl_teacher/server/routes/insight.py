"""What the agent and r̂ have learned: curves, and questions that the trainer (or `rl-teacher worker`) answers.

All of it is for researchers. Whoever judges clips must not be told what r̂ thinks of them: labels that agree with r̂
because it was looked at teach it nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query

from rl_teacher.feedback.records import Experiment, Identity, NotFoundError, Replay, Run
from rl_teacher.feedback.store import Store
from rl_teacher.labels import Verdict
from rl_teacher.server import insight_shapes, shapes, views
from rl_teacher.server.access import StoreDep, TheExperiment, Who, need_researcher, opens

router = APIRouter(tags=["insight"])

SAME_SECONDS = 5.0
"""Asked again within this time, a question is not answered anew."""
MOST_WAITING = 30
"""Questions that wait for an answer; more than the page ever asks at once."""
KEPT = "kept"
"""The key of an answer that its giver has looked at again and stands by."""


@router.post("/experiments/{experiment_id}/insight")
def ask(experiment: TheExperiment, body: insight_shapes.InsightBody, store: StoreDep, identity: Who) -> shapes.JobMade:
    """Ask about what was learned (researchers). Look at `/insight/{job_id}` for the answer."""
    need_researcher(identity)
    run = _run(store, experiment, body.run)
    args: dict[str, Any] = {}
    if body.kind == "rewards":
        args["query_id"] = _answered(store, experiment, body.query_id, identity.labeller_id)
    elif body.kind == "agent_now":
        args["seed"] = secrets.randbelow(2**31)  # another start each time
    made = store.same_job(run.id, body.kind, args, store.clock() - SAME_SECONDS)
    if made is None:
        if store.n_waiting(run.id) >= MOST_WAITING:
            raise HTTPException(503, "Too many questions wait for an answer. Try again in a moment.")
        made = store.add_job(experiment.id, body.kind, args, run.id)
    return shapes.JobMade(job_id=made)


@router.get("/insight/{job_id}")
def read_answer(job_id: str, store: StoreDep, identity: Who) -> insight_shapes.InsightOut:
    """What came of a question (researchers)."""
    need_researcher(identity)
    job, result = store.job(job_id)
    if not opens(identity, job.experiment_id) or job.kind not in _SHOW or job.run_id is None:
        raise NotFoundError(f"There is no question '{job_id[:100]}' in this store.")
    told = insight_shapes.InsightOut(job_id=job.id, kind=job.kind, state=job.state, message="")
    if result is None:
        there = store.run_by_id(job.run_id).is_alive(store.clock())
        if not there:
            told.message = "The trainer is not running. To have this answered, start in a terminal: rl-teacher worker"
    elif not result.ok:
        told.message = str(result.data.get("message", "It could not be answered."))
    else:
        setattr(told, job.kind, _SHOW[job.kind](store, result.data, identity))
    return told


@router.get("/experiments/{experiment_id}/curves")
def read_curves(
    experiment: TheExperiment,
    store: StoreDep,
    identity: Who,
    run: Annotated[str | None, Query(max_length=200)] = None,
) -> insight_shapes.CurvesOut:
    """The curves of a run, by default the experiment's newest (researchers)."""
    need_researcher(identity)
    shown = _run(store, experiment, run)
    points = store.points(shown.id)
    latest = points[-1].data.get("alarm") if points else None
    return insight_shapes.CurvesOut(
        run=shown.name,
        predictor=shown.predictor,
        step=[point.step for point in points],
        at=[point.at for point in points],
        answers=[point.data.get("labels/answered") for point in points],
        accuracy=_news([point.data.get("reward/held_out_accuracy") for point in points]),
        reward=[point.data.get("rew_mean") for point in points],
        true_return=_news([point.data.get("true_return") for point in points]),
        behavior_return=_news([point.data.get("behavior_return") for point in points]),
        alarm=None if latest is None else insight_shapes.AlarmOut.model_validate(latest),
    )


def _news(values: list[float | None]) -> list[float | None]:
    """Points repeat what still stands: only what is new was measured there."""
    return [value if i == 0 or value != values[i - 1] else None for i, value in enumerate(values)]


def _run(store: Store, experiment: Experiment, name: str | None) -> Run:
    run = store.latest_run(experiment.id) if name is None else store.run_by_name(name)
    if run is None or run.experiment_id != experiment.id:
        raise NotFoundError("This experiment has no such run. Start one, or choose another.")
    return run


def _answered(store: Store, experiment: Experiment, query_id: str | None, labeller_id: str | None) -> str:
    """The question's id, if r̂ may be shown along its clips to this labeller."""
    query = store.query(query_id or "")
    if query.experiment_id != experiment.id:
        raise NotFoundError(f"There is no query '{query.id}' in this experiment.")
    looking = labeller_id is not None and store.is_lent(query.id, labeller_id)
    if query.n_answers == 0 or looking:
        raise HTTPException(409, "r̂ is shown along a clip after it was answered, never before.")
    return query.id


def _best_worst(store: Store, data: Mapping[str, Any], _identity: Identity) -> insight_shapes.BestWorst:
    rows = [*data["best"], *data["worst"]]
    clips = {one.id: one.clip_id for one in store.segments([row["segment_id"] for row in rows])}
    rated = [
        insight_shapes.RatedClip(
            rewards=row["rewards"],
            sum=row["sum"],
            step=row["step"],
            clip=views.clip(store.clip(clips[row["segment_id"]])),
        )
        for row in rows
    ]
    n_best = len(data["best"])
    return insight_shapes.BestWorst(n=data["n"], answered=data["answered"], best=rated[:n_best], worst=rated[n_best:])


def _agent_now(store: Store, data: Mapping[str, Any], _identity: Identity) -> insight_shapes.Played:
    replay = Replay(data["step"], data["true_return"], store.clock(), store.clip(data["clip_id"]))
    return insight_shapes.Played(replay=views.replay(replay), strip=data["strip"])


def _disagreements(store: Store, data: Mapping[str, Any], identity: Identity) -> insight_shapes.Disagreements:
    """As the answers stand now: they may have been changed since."""
    p_left = {row["query_id"]: row["p_left"] for row in data["answers"]}
    rows = []
    for answer in store.standing_answers(list(p_left)):
        label = answer.label
        if label.verdict not in (Verdict.LEFT, Verdict.RIGHT) or label.key == KEPT:
            continue
        p = p_left[label.query_id] if label.verdict is Verdict.LEFT else 1.0 - p_left[label.query_id]
        if p < 0.5:
            rows.append(insight_shapes.Disagreement(**views.answer(answer, identity).model_dump(), p=p))
    return insight_shapes.Disagreements(n=data["n"], answers=sorted(rows, key=lambda row: row.p))


_SHOW: Mapping[str, Callable[[Store, Mapping[str, Any], Identity], Any]] = {
    "rewards": lambda _store, data, _identity: insight_shapes.QueryRewards.model_validate(data),
    "best_worst": _best_worst,
    "agent_now": _agent_now,
    "disagreements": _disagreements,
    "forecast": lambda _store, data, _identity: insight_shapes.ForecastOut.model_validate(data),
}
"""How each kind of answer is shown."""
