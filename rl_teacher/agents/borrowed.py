"""What all agents have in common that come from Stable-Baselines3, sb3-contrib or SBX: the Agent protocol."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from torch import Tensor

from rl_teacher.agents.blind import SPOILED, BlindVec
from rl_teacher.agents.dice import Dice
from rl_teacher.agents.weights import restore_state, state_tensors
from rl_teacher.errors import NotFiniteError, UserError
from rl_teacher.tensors import dice_tensor, group, load_tensors, must_fit, named, restore_dice, save_finite

FIGURES = {
    "policy_loss": ("train/policy_gradient_loss", "train/policy_loss", "train/policy_objective", "train/actor_loss"),
    "value_loss": ("train/value_loss", "train/critic_loss", "train/loss"),
    "kl": ("train/approx_kl", "train/kl_divergence_loss"),
}
"""Our names of the figures they log, and theirs."""


class BorrowedAgent:
    """An algorithm of theirs behind our protocol. A subclass says how it collects and learns.

    Args:
        env: What it collects in.
        make: Makes the algorithm.
        seed: Of its weights and of all it draws.
    """

    def __init__(self, env: BlindVec, make: Callable[[], Any], seed: int):
        self.env = env
        self.dice = Dice(seed)
        with self.dice:
            self.algorithm: Any = make()
        self.algorithm.ep_info_buffer = self.algorithm.ep_success_buffer = deque(maxlen=1)  # nobody looks at them
        self.algorithm._total_timesteps = 2**53  # for schedules of theirs, which ours do not use
        self.callback = self.algorithm._init_callback(None)

    def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
        """Actions (N, *act) for obs (N, *obs)."""
        with self.dice:
            chosen, _ = self.algorithm.predict(self.env.seen(obs), deterministic=not explore)
            if explore:
                chosen = self._noisy(chosen)
        return self.env.to_env(chosen)

    def save(self, folder: Path) -> None:
        """Write weights, optimisers, normalisers, counters and random state to `agent.safetensors`."""
        tensors = {
            **named(state_tensors(self.algorithm), "algorithm"),
            **named(self.dice.state(), "dice"),
            "dice.space": dice_tensor(self.algorithm.action_space.np_random),
            **self._more(),
        }
        save_finite(tensors, folder / "agent.safetensors")

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote; the environments start new episodes.

        Raises:
            UserError: If it was written for other observations or actions.
        """
        path = folder / "agent.safetensors"
        tensors = load_tensors(path)
        with must_fit(path):
            restore_state(self.algorithm, group(tensors, "algorithm"))
            self.dice.restore(group(tensors, "dice"))
            restore_dice(self.algorithm.action_space.np_random, tensors["dice.space"])
            self._take_more(tensors)

    def restart(self, seed: int) -> None:
        """Begin new episodes in all environments; see `protocols.Agent`."""
        self.algorithm.action_space.seed(seed)
        self._begin(seed)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Around their work, with our dice: where weights have run away, what they raise is said in one line.

        Raises:
            NotFiniteError: In place of a complaint about NaN.
        """
        try:
            with self.dice:
                yield
        except (ValueError, RuntimeError) as error:
            if isinstance(error, UserError) or "nan" not in str(error).lower():
                raise
            raise NotFiniteError(SPOILED) from error

    def _begin(self, seed: int | None = None) -> None:
        self.algorithm._last_obs = self.env.restart(seed)
        self.algorithm._last_episode_starts = np.ones(self.env.num_envs, dtype=bool)

    def _figures(self) -> dict[str, float]:
        """What they logged since the last call, under our names."""
        logged = self.algorithm.logger.name_to_value
        found = {ours: float(logged[theirs]) for ours, names in FIGURES.items() for theirs in names if theirs in logged}
        if "train/entropy_loss" in logged:
            found["entropy"] = -float(logged["train/entropy_loss"])
        logged.clear()
        return found

    def _noisy(self, chosen: np.ndarray) -> np.ndarray:
        """Actions (N, *act) in [-1, 1] with the noise that training adds to them."""
        noise = getattr(self.algorithm, "action_noise", None)
        if noise is None or not isinstance(self.env.action_space, gym.spaces.Box):
            return chosen
        spread = noise._sigma if hasattr(noise, "_sigma") else noise.base_noise._sigma
        return np.clip(chosen + np.random.normal(size=chosen.shape) * spread, -1.0, 1.0)  # noqa: NPY002 - our dice

    def _more(self) -> dict[str, Tensor]:
        """What else a checkpoint must hold."""
        return {}

    def _take_more(self, tensors: dict[str, Tensor]) -> None:
        """Put it back."""
