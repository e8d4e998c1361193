"""Whether people can see an environment, and how."""

from __future__ import annotations

from typing import Any

from rl_teacher.clips.making import FromStates, Maker, maker_for
from rl_teacher.clips.poses import beyond_poses
from rl_teacher.clips.video import NoStudioError
from rl_teacher.envs.simulator import why_no_pictures
from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.errors import UserError

INVISIBLE = "nothing of it can be seen"


def why_blind(spec: EnvSpec, looked_at: bool) -> str | None:
    """Why no pictures of an environment can be had, in words; None if they can, or it is on MuJoCo and need not.

    Args:
        spec: Which.
        looked_at: Whether anybody wants to see it; else it is not tried.
    """
    if spec.task is not None:  # ours are all on MuJoCo
        return None
    return why_no_pictures(spec) if looked_at else "nobody asked for pictures"


def make_maker(spec: EnvSpec, model: Any | None, blind: str | None, for_people: bool) -> Maker | None:
    """How clips are made; None where they cannot be.

    Args:
        spec: The environment.
        model: Its mujoco.MjModel, if it has one.
        blind: From `why_blind`.
        for_people: People are to teach it.

    Raises:
        UserError: If people are to teach what they could not see.
    """
    maker = maker_for(model, spec.env_id, spec.fps, has_pictures=blind is None)
    if not for_people:
        return maker
    if maker is None:
        raise UserError(
            f"'{spec.env_id}' given with -p human, but people cannot see it: {blind or INVISIBLE}. Allowed is what "
            "draws itself (render_mode 'rgb_array') or is on MuJoCo. Install what it draws itself with (pip install "
            "'rl-teacher[pixels]'), give it a render(), or teach it with -p synth."
        )
    if isinstance(maker, FromStates):
        try:
            maker.check()
        except NoStudioError as error:
            missing = ", ".join(beyond_poses(model))
            raise UserError(f"'{spec.env_id}' has {missing}, which need video. {error}") from error
    return maker
