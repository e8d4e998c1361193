"""A clip by its id, for those who write about it: instructions show examples."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from rl_teacher.server import shapes, views
from rl_teacher.server.access import StoreDep, TheExperiment

router = APIRouter(tags=["clips"])


@router.get("/experiments/{experiment_id}/clips/{clip_id}")
def read_clip(
    experiment: TheExperiment, clip_id: Annotated[str, Path(max_length=64)], store: StoreDep
) -> shapes.ClipRef:
    """A clip that was asked about or replayed in this experiment, and where to get it."""
    return views.clip(store.clip(clip_id, experiment.id))
