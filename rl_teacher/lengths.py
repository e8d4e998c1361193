"""Whether segments, episodes and answers go together."""

from __future__ import annotations

from collections.abc import Iterable

from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.errors import UserError
from rl_teacher.trajectory import Comparison


def check_length(spec: EnvSpec) -> None:
    """Refuse an environment whose episodes are too short for one segment.

    Raises:
        UserError: With both lengths.
    """
    if spec.episode_steps is not None and spec.clip_steps > spec.episode_steps:
        raise UserError(
            f"Segments of {spec.clip_steps} steps are longer than an episode of '{spec.env_id}', which has "
            f"{spec.episode_steps}. Choose an environment with longer episodes."
        )


def check_same(said: Iterable[Comparison], spec: EnvSpec) -> None:
    """Refuse to go on with a run whose answers are about segments of another length than those to come.

    Args:
        said: What was answered so far.
        spec: The environment as it is now.

    Raises:
        UserError: With both lengths; the run stays as it was.
    """
    lengths = {len(comparison.query.left) for comparison in said} - {spec.clip_steps}
    if lengths:
        raise UserError(
            f"Segments of '{spec.env_id}' have {spec.clip_steps} steps, those answered so far {min(lengths)}; allowed "
            "is one length in a run. Give the environment its former clip_steps and render_fps back, or choose another "
            "name with -n to begin anew."
        )
