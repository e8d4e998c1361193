"""One episode of a policy, played as well as it can, with all that is needed to show it."""

from __future__ import annotations

import numpy as np

from rl_teacher.envs.stage import Stage
from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.protocols import Actor
from rl_teacher.trajectory import Trajectory

LONGEST = 1_000
"""Steps, where the task has no clock."""


def play_episode(actor: Actor, spec: EnvSpec, seed: int, step: int = 0) -> Trajectory:
    """One episode without exploration.

    Args:
        actor: Whose.
        spec: Where.
        seed: Of the start.
        step: Environment steps of the run; goes into its source.
    """

    class Greedy:
        def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
            del explore
            return actor.act(obs, explore=False)

    stage = Stage(spec, seed, n_envs=1)
    stage.now = step
    try:
        return stage.play(Greedy(), spec.episode_steps or LONGEST)[0]
    finally:
        stage.close()


def drawable_states(played: Trajectory) -> np.ndarray:
    """Its simulator states (T+1, S).

    Raises:
        ValueError: If none were kept.
    """
    if played.sim is None:
        raise ValueError("an environment without simulator state cannot be drawn")
    return played.sim
