"""Records of the store as the API shows them."""

from __future__ import annotations

from rl_teacher.feedback.records import Answer, Claim, Clip, Experiment, Identity, Job, Replay, Result, Run
from rl_teacher.feedback.store import Store
from rl_teacher.server import shapes


def clip(shown: Clip) -> shapes.ClipRef:
    """A clip and where to get it."""
    films = [(form.media_type, form.blob) for form in shown.renditions]
    if shown.kind == "video":
        films.insert(0, (shown.media_type, shown.blob))
    return shapes.ClipRef.model_validate(
        {
            "clip_id": shown.id,
            "kind": shown.kind,
            "n_frames": shown.n_frames,
            "fps": shown.fps,
            "dt": shown.dt,
            "media_type": shown.media_type,
            "url": shapes.BLOBS + shown.blob,
            "scene_url": None if shown.scene_blob is None else shapes.BLOBS + shown.scene_blob,
            "sources": [{"media_type": media_type, "url": shapes.BLOBS + blob} for media_type, blob in films],
        }
    )


def counts(store: Store, experiment_id: str, identity: Identity) -> shapes.CountsOut:
    """How far an experiment is; for labellers with the checks, which the numbers would give away otherwise."""
    return shapes.CountsOut.model_validate(store.counts(experiment_id, checks=identity.role == "labeller"))


def run(shown: Run, now: float) -> shapes.RunOut:
    """A run, with whether its trainer is still there."""
    return shapes.RunOut(
        id=shown.id,
        name=shown.name,
        predictor=shown.predictor,
        status=shown.status,
        message=shown.message,
        progress=dict(shown.progress),
        heartbeat_at=shown.heartbeat_at,
        alive=shown.is_alive(now),
    )


def experiment(store: Store, shown: Experiment, identity: Identity) -> shapes.ExperimentOut:
    """An experiment, how far it is, and what its trainer does, as far as this person is to know."""
    hidden = identity.role == "labeller"
    latest = store.latest_run(shown.id)
    return shapes.ExperimentOut(
        id=shown.id,
        name=shown.name,
        env_id=shown.env_id,
        status=shown.status,
        wanted=shown.wanted,
        instructions=shown.instructions,
        counts=counts(store, shown.id, identity),
        run=None if latest is None else run(latest, store.clock()),
        answers_per_minute=store.answers_per_minute(shown.id),
        answers_per_pair=shown.answers_per_pair,
        checks=None
        if hidden
        else shapes.ChecksOut(repeat_rate=shown.repeat_rate, gold_rate=shown.gold_rate, trust=shown.trust),
    )


def claim(lent: Claim) -> shapes.ClaimOut:
    """A question; why it was asked stays unsaid until it is answered."""
    return shapes.ClaimOut(
        query_id=lent.query_id,
        lease=lent.lease,
        lease_expires_at=lent.expires_at,
        swapped=lent.swapped,
        left=clip(lent.left),
        right=clip(lent.right),
    )


def answer(given: Answer, identity: Identity) -> shapes.LabelOut:
    """An answer given earlier; labellers are not told which pairs are checks."""
    label, hidden = given.label, identity.role == "labeller"
    return shapes.LabelOut(
        seq=label.seq,
        query_id=label.query_id,
        verdict=label.verdict,
        strength=label.strength,
        seconds=label.seconds,
        key=label.key,
        given_at=label.given_at,
        late=given.late,
        labeller=shapes.Labeller(id=label.labeller, name=given.labeller_name),
        superseded=given.superseded,
        why=given.why,
        step=given.step,
        run=given.run,
        kind="question" if hidden else given.kind,  # pyright: ignore[reportArgumentType] (the schema's three words)
        overrules=label.overrules,
        gold=None if hidden else given.gold,
        left=clip(given.left),
        right=clip(given.right),
    )


def replay(shown: Replay) -> shapes.ReplayOut:
    """How the agent played."""
    return shapes.ReplayOut(
        step=shown.step, true_return=shown.true_return, created_at=shown.created_at, clip=clip(shown.clip)
    )


def job(asked: Job, result: Result | None) -> shapes.JobOut:
    """A job and what came of it."""
    return shapes.JobOut(
        job_id=asked.id,
        kind=asked.kind,
        state=asked.state,
        created_at=asked.created_at,
        done_at=asked.done_at,
        result=None if result is None else shapes.ResultOut(ok=result.ok, data=dict(result.data)),
    )
