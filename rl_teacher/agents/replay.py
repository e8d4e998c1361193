"""A replay whose every reward is what the present r̂ gives, also when the ring has wrapped."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from torch import Tensor

from rl_teacher.agents.rollout import must_be_finite
from rl_teacher.protocols import RewardFn
from rl_teacher.tensors import dice_tensor, restore_dice

PROBED = 256
"""Transitions by which a changed r̂ is told from the same one."""
CHUNK = 65_536
"""Transitions rewarded in one call: the arrays in between stay small."""


class FollowingReplay(ReplayBuffer):
    """SB3's ring of L steps of N environments, with rewards that follow r̂.

    What is played is kept without a reward. Before anything is drawn, what is new gets its rewards in one call; when
    r̂ has changed, everything does. Relabelling at once costs less than rewarding each batch as it is drawn, for a
    transition is drawn many times between two fits (docs/agents.md has the seconds).
    """

    to_env: Callable[[np.ndarray], np.ndarray]
    """Actions as they are kept (…, A) -> as the environments, and so r̂, take them. Set once, as those that follow."""
    rng: np.random.Generator
    recent_share = 0.0
    recent_steps = 1

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.n_relabelled = 0
        """How often everything got new rewards."""
        self._reward: RewardFn | None = None
        self._unpriced = 0
        self._probe: tuple[np.ndarray, np.ndarray] | None = None
        self._said = np.zeros(0, dtype=np.float32)

    def follow(self, reward: RewardFn | None) -> bool:
        """From here on rewards are this r̂'s; None leaves those that the environments gave.

        Returns:
            Whether it is another r̂ than before, so that everything was relabelled. Nobody says so: it is asked about a
            few transitions, and where it says what it said before, it is the same.
        """
        self._reward = reward
        if reward is None or self._probe is None:
            return False
        said = self._ask(*self._probe)
        if np.array_equal(said, self._said):
            return False
        self.relabel()
        self._said = said
        return True

    def relabel(self) -> None:
        """Give every transition the reward of the present r̂."""
        rows = max(1, CHUNK // self.n_envs)
        for first in range(0, self.size(), rows):
            self._price(slice(first, min(first + rows, self.size())))
        self._unpriced = 0
        self.n_relabelled += 1

    def add(self, *args: Any, **kwargs: Any) -> None:
        """Keep one step of each environment; see SB3's."""
        super().add(*args, **kwargs)
        self._unpriced = min(self._unpriced + 1, self.buffer_size)

    def price_new(self) -> float:
        """Reward what was played since the last time; returns the mean, or 0 where nothing was."""
        if not self._unpriced:
            return 0.0
        new = np.arange(self.pos - self._unpriced, self.pos) % self.buffer_size
        if self._reward is None:
            must_be_finite(self.rewards[new])
        else:
            if self._probe is None:
                obs, act = self._flat(slice(0, self.size()))
                self._probe = obs[:PROBED].copy(), act[:PROBED].copy()
                self._said = self._ask(*self._probe)
            self._price(new)
        self._unpriced = 0  # not before: a checkpoint is written even if r̂ failed
        return float(self.rewards[new].mean())

    def sample(self, batch_size: int, env: Any = None) -> ReplayBufferSamples:
        """A minibatch: evenly from everything, but for the share that comes from recent play. No reward is missing."""
        self.price_new()
        n_rows = self.size()
        row = self.rng.integers(n_rows, size=batch_size)
        if self.recent_share:
            n_recent = min(n_rows, max(1, self.recent_steps // self.n_envs))
            newest = (self.pos - 1 - self.rng.integers(n_recent, size=batch_size)) % self.buffer_size
            row = np.where(self.rng.random(batch_size) < self.recent_share, newest, row)
        at = row, self.rng.integers(self.n_envs, size=batch_size)
        terminated = self.dones[at] * (1.0 - self.timeouts[at])
        columns = (self.observations[at], self.actions[at], self.next_observations[at], terminated, self.rewards[at])
        obs, act, next_obs, ends, rew = (torch.from_numpy(column) for column in columns)
        return ReplayBufferSamples(obs, act, next_obs, ends.unsqueeze(1), rew.unsqueeze(1))

    def restart(self, seed: int) -> None:
        """What is drawn from here on follows from this seed."""
        self.rng = np.random.default_rng(seed)

    def state(self) -> dict[str, Tensor]:
        """For the checkpoint: all transitions, oldest first, without the next observation wherever the next row has it.

        So it takes half of the room that it takes in memory.
        """
        n_rows = self.size()
        order = (np.arange(n_rows) + (self.pos if self.full else 0)) % self.buffer_size
        obs = self.observations[order]
        same = np.zeros((n_rows, self.n_envs), dtype=bool)
        apart = tuple(range(2, obs.ndim))
        same[:-1] = (self.next_observations[order[:-1]] == obs[1:]).all(apart)
        held = {
            "obs": obs,
            "same": same,
            "others": self.next_observations[order][~same],
            "act": self.actions[order],
            "rew": self.rewards[order],
            "ends": np.stack((self.dones[order], self.timeouts[order])).astype(bool),
            "said": self._said,
            "unpriced": np.array([self._unpriced]),
        }
        if self._probe is not None:
            held |= {"probe_obs": self._probe[0], "probe_act": self._probe[1]}
        tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in held.items()}
        return {**tensors, "dice": dice_tensor(self.rng)}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Back to what `state` gave.

        Raises:
            ValueError: If it was of other observations, actions or numbers of environments, or of a larger ring.
        """
        restore_dice(self.rng, state["dice"])
        held = {name: tensor.numpy() for name, tensor in state.items()}
        n_rows = len(held["obs"])
        if n_rows > self.buffer_size:
            raise ValueError(f"{n_rows} rows for a ring of {self.buffer_size}")
        self.observations[:n_rows] = held["obs"]
        self.next_observations[: max(0, n_rows - 1)] = held["obs"][1:]  # of none there is no next one
        self.next_observations[:n_rows][~held["same"]] = held["others"]
        self.actions[:n_rows], self.rewards[:n_rows] = held["act"], held["rew"]
        self.dones[:n_rows], self.timeouts[:n_rows] = held["ends"]
        self.pos, self.full = n_rows % self.buffer_size, n_rows == self.buffer_size
        self._unpriced, self._said = int(held["unpriced"][0]), held["said"].copy()
        self._probe = (held["probe_obs"].copy(), held["probe_act"].copy()) if "probe_obs" in held else None

    def _price(self, rows: slice | np.ndarray) -> None:
        obs, act = self._flat(rows)
        self.rewards[rows] = self._ask(obs, act).reshape(-1, self.n_envs)

    def _flat(self, rows: slice | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Observations and actions of some rows, as r̂ takes them: (n, *obs), (n, *act)."""
        obs, act = self.observations[rows], self.actions[rows]
        flat = act.reshape(-1, *(self.action_space.shape or ()))
        return obs.reshape(-1, *self.obs_shape), self.to_env(flat)

    def _ask(self, obs: np.ndarray, act: np.ndarray) -> np.ndarray:
        if self._reward is None:
            raise RuntimeError("there is no r̂ to ask")
        return must_be_finite(np.asarray(self._reward(obs, act), dtype=np.float32))
