"""TorchRL with a reward learned from people: `rl-teacher export reward NAME`, then torchrl_reward.py NAME-reward.

Install: pip install torchrl. The transform takes the place of the environment's reward; all else is theirs.
"""

from __future__ import annotations

import sys

import torch
from tensordict import TensorDictBase
from torchrl.envs import GymEnv, Transform, TransformedEnv

from rl_teacher import load_reward  # <- RL-Teacher


class PredictedReward(Transform):
    """The reward of each step is r̂ of the observation before it and the action."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.r_hat = load_reward(path)  # <- RL-Teacher

    def _step(self, tensordict: TensorDictBase, next_tensordict: TensorDictBase) -> TensorDictBase:
        rew = self.r_hat(tensordict["observation"].numpy(), tensordict["action"].numpy())  # <- RL-Teacher
        return next_tensordict.set("reward", torch.as_tensor(rew).unsqueeze(-1))  # <- RL-Teacher


def main(path: str, gym_id: str = "Pendulum-v1", n_steps: int = 100) -> TensorDictBase:
    """A rollout as any of their collectors would see it."""
    env = TransformedEnv(GymEnv(gym_id), PredictedReward(path))  # <- RL-Teacher
    return env.rollout(n_steps)


if __name__ == "__main__":
    played = main(sys.argv[1])
    print(f"{len(played)} steps, r̂ {float(played['next', 'reward'].mean()):.2f} on average")
