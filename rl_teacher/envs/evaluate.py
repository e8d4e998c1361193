"""How well a policy does by the task's own measure. Agents never see it; metrics do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rl_teacher.envs.behaviors import BEHAVIORS
from rl_teacher.envs.games import is_game, whole_games
from rl_teacher.envs.make import GymnasiumVec, make_vec
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
    measures: Mapping[str, float] = field(default_factory=dict)
    """How well one of our behaviours was done, means over the episodes (`behaviors.Behavior.measure`); or `success`,
    the share of episodes that the environment called one; else empty."""


def evaluate(actor: Actor, spec: EnvSpec, n_episodes: int = 20, seed: int = 0, n_threads: int = 1) -> Returns:
    """Play one full episode in each of `n_episodes` environments, as well as the actor can (no exploration).

    Atari's games are played with actions drawn as in learning, as PPO's scores there are told (Schulman et al. 2017,
    section 6.4, of training episodes): the likeliest action of a policy that still hesitates is often the same for a
    whole game.

    Args:
        actor: Whose play; gets obs (n_episodes, D).
        spec: Where.
        n_episodes: At least one.
        seed: Of the environments; the same seed gives the same starts, so that evaluations are comparable.
        n_threads: Simulator threads.
    """
    env = make_vec(whole_games(spec), n_episodes, seed, n_threads)
    try:
        obs = env.reset()
        seen = [obs]
        returns = np.zeros(n_episodes)
        running = np.ones(n_episodes, dtype=bool)
        success = np.full(n_episodes, np.nan)
        for _ in range(spec.episode_steps or LONGEST):
            step = env.step(actor.act(obs, explore=is_game(spec)))
            obs = step.obs
            if spec.behavior in BEHAVIORS:  # else nobody looks at it
                seen.append(obs)
            returns[running] += step.env_rew[running]
            if isinstance(env, GymnasiumVec):
                success[running] = env.succeeded[running]
            running &= ~(step.terminated | step.truncated)
            if not running.any():
                break
    finally:
        env.close()
    with np.errstate(over="ignore", invalid="ignore"):  # whoever reads the figures sees that they are not finite
        mean, std = float(returns.mean()), float(returns.std())
    return Returns(mean, std, n_episodes, tuple(returns.tolist()), _measures(spec, seen, success))


def _measures(spec: EnvSpec, seen: Sequence[np.ndarray], success: np.ndarray) -> dict[str, float]:
    """Means over N episodes.

    Args:
        spec: Where.
        seen: Observations (N, D) at T+1 steps: our tasks all end by the clock.
        success: (N,), as the environment says; NaN where it says nothing.
    """
    behavior = BEHAVIORS.get(spec.behavior or "")
    if behavior is None:
        own_measure = spec.behavior is None and not np.isnan(success).any()
        return {"success": float(success.mean())} if own_measure else {}
    figures = [behavior.measure(episode) for episode in np.stack(seen, axis=1)]
    return {name: float(np.mean([of_one[name] for of_one in figures])) for name in figures[0]}
