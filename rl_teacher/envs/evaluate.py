"""How well a policy does by the task's own measure. Agents never see it; metrics do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rl_teacher.envs.make import make_vec
from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.protocols import Actor

LONGEST = 10_000
"""Steps after which an evaluation episode is cut where the environment has no clock."""


@dataclass(frozen=True, slots=True)
class Returns:
    """True returns of whole episodes."""

    mean: float
    std: float
    """Over episodes, of the population."""
    episodes: int
    returns: tuple[float, ...]
    """One per episode, undiscounted."""


def evaluate(actor: Actor, spec: EnvSpec, n_episodes: int = 20, seed: int = 0, n_threads: int = 1) -> Returns:
    """Play one full episode in each of `n_episodes` environments, as well as the actor can (no exploration).

    Args:
        actor: Whose play; gets obs (n_episodes, D).
        spec: Where.
        n_episodes: At least one.
        seed: Of the environments; the same seed gives the same starts, so that evaluations are comparable.
        n_threads: Simulator threads.
    """
    env = make_vec(spec, n_episodes, seed, n_threads)
    try:
        obs = env.reset()
        returns = np.zeros(n_episodes)
        running = np.ones(n_episodes, dtype=bool)
        for _ in range(spec.episode_steps or LONGEST):
            step = env.step(actor.act(obs, explore=False))
            obs = step.obs
            returns[running] += step.env_rew[running]
            running &= ~(step.terminated | step.truncated)
            if not running.any():
                break
    finally:
        env.close()
    with np.errstate(over="ignore", invalid="ignore"):  # whoever reads the figures sees that they are not finite
        mean, std = float(returns.mean()), float(returns.std())
    return Returns(mean, std, n_episodes, tuple(returns.tolist()))
