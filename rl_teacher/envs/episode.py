"""One episode of a policy, played as well as it can, with all that is needed to show it."""

from __future__ import annotations

import numpy as np

from rl_teacher.envs.stage import Stage
from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.protocols import Actor
from rl_teacher.trajectory import Trajectory

LONGEST = 1_000
"""Steps, where the task has no clock."""
PICTURED_STEPS = 300
"""The same where the environment has to draw each step itself, which takes it 3 to 60 ms."""


def play_episode(actor: Actor, spec: EnvSpec, seed: int, step: int = 0, *, pictures: bool = True) -> Trajectory:
    """One episode without exploration.

    Args:
        actor: Whose.
        spec: Where.
        seed: Of the start.
        step: Environment steps of the run; goes into its source.
        pictures: Keep what is needed to show it; False where nothing of the environment can be seen.
    """

    class Greedy:
        def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
            del explore
            return actor.act(obs, explore=False)

    stage = Stage(spec, seed, n_envs=1, pictures=pictures)
    stage.now = step
    n_steps = spec.episode_steps or LONGEST
    if pictures and stage.model is None:
        n_steps = min(n_steps, PICTURED_STEPS)
    try:
        return stage.play(Greedy(), n_steps)[0]
    finally:
        stage.close()
