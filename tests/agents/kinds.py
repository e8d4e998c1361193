"""Small agents of every kind, for tests: real ones, in real environments."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from rl_teacher.agents.making import make_agent
from rl_teacher.agents.registry import KINDS
from rl_teacher.agents.weights import state_tensors
from rl_teacher.config import RunConfig
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.tasks import resolve
from rl_teacher.options import parse
from rl_teacher.protocols import VecEnv, VecStep
from rl_teacher.settings import settings_for

TORCH = [name for name, kind in KINDS.items() if kind.extra == "sb3"]
BOX, CHOICE, SEVERAL = "Reacher-v1", "gym:CartPole-v1", "tests.several:Several"
SMALL: dict[str, Any] = {
    **{"n_envs": 4, "n_steps": 8, "shortest": 4, "hidden": (16,), "minibatch": 16},
    **{"epochs": 2, "critic_updates": 2, "capacity": 400, "random_steps": 64, "target_every": 32},
}


class Poisoned:
    """An environment whose true reward is NaN, for whoever looks at it."""

    def __init__(self, env: VecEnv) -> None:
        self._env = env

    def __getattr__(self, name: str) -> Any:
        return getattr(self._env, name)

    def step(self, act: np.ndarray) -> VecStep:
        out = self._env.step(act)
        return VecStep(out.obs, np.full_like(out.env_rew, np.nan), out.terminated, out.truncated)


def config(name: str, **changes: Any) -> RunConfig:
    """A run's configuration with small settings for its agent."""
    run, _ = parse(["-p", "rl", "-n", "x", "-e", home(name)])
    ppo, learner = settings_for(name, None)
    small = {**SMALL, **changes}
    ppo, learner = (
        part and replace(part, **{key: small[key] for key in small if hasattr(part, key)}) for part in (ppo, learner)
    )
    return replace(run, agent=name, ppo=ppo, learner=learner)


def home(name: str) -> str:
    """An environment that the agent fits."""
    return BOX if KINDS[name].boxes else CHOICE


def agent(name: str, seed: int = 0, *, poisoned: bool = False, env_id: str | None = None, **changes: Any) -> Any:
    """A small one, in an environment of its own."""
    run = config(name, **changes)
    env = make_vec(resolve(env_id or home(name)), run.agent_settings.n_envs, 3, 1)
    return make_agent(run, Poisoned(env) if poisoned else env, seed)


def weights(learner: Any) -> dict[str, torch.Tensor]:
    """All that it has learned."""
    return {name: value.clone() for name, value in state_tensors(learner.algorithm).items()}


def same(left: dict[str, torch.Tensor], right: dict[str, torch.Tensor]) -> bool:
    """Whether two agents have learned the same, bit by bit."""
    return left.keys() == right.keys() and all(torch.equal(left[name], right[name]) for name in left)


def by_obs(obs: np.ndarray, act: np.ndarray) -> np.ndarray:
    """A reward of what is seen."""
    return -np.abs(obs[..., 0])
