"""Films of clips that are poses, for browsers that cannot draw them: made by the trainer on request."""

from __future__ import annotations

from fastapi import APIRouter

from rl_teacher.feedback.records import Result
from rl_teacher.feedback.store import Store
from rl_teacher.server import shapes, views
from rl_teacher.server.access import StoreDep, Who, opens

router = APIRouter(tags=["clips"])

AWAY = (
    "The trainer, which would make a video of this clip, is not running: start it or `rl-teacher worker`, or open this "
    "page in a browser with WebGL 2."
)
FAILED = "No video of this clip could be made. Open this page in a browser with WebGL 2."


@router.post("/clips/{clip_id}/render")
def render(clip_id: shapes.Id, store: StoreDep, identity: Who) -> shapes.RenderOut:
    """Ask for a film of a clip, and again to hear what came of it. Whoever may see the clip may ask."""
    clip = store.clip(clip_id, identity.experiment_id)
    if views.clip(clip).sources:
        return shapes.RenderOut(state="ready", message="", clip=views.clip(clip))
    experiment_id = next((id for id in store.experiments_showing(clip_id) if opens(identity, id)), None)
    if experiment_id is None:  # in no question and no replay: nobody is asked to look at it
        return shapes.RenderOut(state="failed", message=FAILED, clip=views.clip(clip))
    _, result = store.ask_render(experiment_id, clip.id)
    clip = store.clip(clip_id)  # again: it may have become ready between the two
    if clip.renditions:
        return shapes.RenderOut(state="ready", message="", clip=views.clip(clip))
    if result is not None:
        return shapes.RenderOut(state="failed", message=_why(result), clip=views.clip(clip))
    if not _trainer_is_there(store, experiment_id):
        return shapes.RenderOut(state="waiting", message=AWAY, clip=views.clip(clip))
    return shapes.RenderOut(state="making", message="The video of this clip is being made …", clip=views.clip(clip))


def _why(result: Result) -> str:
    said = str(result.data.get("message", ""))[:500]
    return f"{FAILED} ({said})" if said else FAILED


def _trainer_is_there(store: Store, experiment_id: str) -> bool:
    run = store.latest_run(experiment_id)
    return run is not None and views.run(run, store.clock()).alive
