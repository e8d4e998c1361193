from __future__ import annotations

import gymnasium as gym
import numpy as np
import pytest

from rl_teacher.agents.rollout import Collector, gae
from rl_teacher.errors import NotFiniteError
from rl_teacher.protocols import VecStep


def column(*values) -> np.ndarray:
    return np.array(values, dtype=np.float64).reshape(-1, 1)


def test_gae_equals_a_hand_worked_example_with_termination():
    # γ = ½, λ = ½: δ₀ = 1 + ½·2 − 1 = 1, δ₁ = 2 + 0 − 2 = 0 (ended), δ₂ = 3 + ½·5 − 4 = 1½
    adv, ret = gae(
        column(1, 2, 3), column(1, 2, 4, 5), column(0, 1, 0).astype(bool), column(0, 0, 0).astype(bool), 0.5, 0.5
    )
    assert adv[:, 0].tolist() == [1.0, 0.0, 1.5]
    assert ret[:, 0].tolist() == [2.0, 2.0, 5.5]


def test_gae_bootstraps_a_truncation_and_stops_there():
    # δ₁ = 2 + ½·4 − 2 = 2 (the clock ran out: V of the true last observation counts), δ₀ = 1, A₀ = 1 + ¼·2
    adv, _ = gae(
        column(1, 2, 3), column(1, 2, 4, 5), column(0, 0, 0).astype(bool), column(0, 1, 0).astype(bool), 0.5, 0.5
    )
    assert adv[:, 0].tolist() == [1.5, 2.0, 1.5]


class Counting:
    """Observation = steps since the last reset, of environments whose episodes last 3 steps."""

    def __init__(self, n_envs: int = 2, poison_at: int | None = None) -> None:
        self.n_envs, self.poison_at = n_envs, poison_at
        self.obs_space = gym.spaces.Box(-np.inf, np.inf, (1,), np.float32)
        self.act_space = gym.spaces.Box(-1, 1, (1,), np.float32)
        self.now, self.over, self.total = 0, False, 0

    def reset(self) -> np.ndarray:
        self.now, self.over = 0, False
        return self._obs()

    def _obs(self) -> np.ndarray:
        value = np.nan if self.total == self.poison_at else self.now
        return np.full((self.n_envs, 1), value, dtype=np.float32)

    def step(self, act: np.ndarray) -> VecStep:
        self.total += 1
        self.now = 0 if self.over else self.now + 1
        self.over = self.now == 3
        flags = np.full(self.n_envs, self.over)
        return VecStep(self._obs(), np.ones(self.n_envs), np.zeros_like(flags), flags)

    def close(self) -> None: ...


def idle(obs):
    return np.zeros((len(obs), 1), np.float32), np.zeros((len(obs), 1), np.float32)


def test_the_reset_step_is_masked_and_episodes_go_on_over_rollouts():
    collector = Collector(Counting())
    first, second = collector.collect(idle, 5), collector.collect(idle, 5)
    assert first.obs[:, 0, 0].tolist() == [0, 1, 2, 3, 0, 1]
    assert first.truncated[:, 0].tolist() == [False, False, True, False, False]
    assert first.valid[:, 0].tolist() == [True, True, True, False, True]
    assert second.obs[:, 0, 0].tolist() == [1, 2, 3, 0, 1, 2]
    assert second.valid[:, 0].tolist() == [True, True, False, True, True]


def test_a_nan_in_observations_is_named():
    with pytest.raises(NotFiniteError, match=r"environment 0 of 2, step 4 of the rollout"):
        Collector(Counting(poison_at=4)).collect(idle, 6)
