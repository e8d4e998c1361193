"""RLlib with a reward learned from people: `rl-teacher export reward NAME`, then rllib_reward.py NAME-reward.

Install: pip install 'ray[rllib]'. Every worker loads the export by itself; nothing of ours is distributed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import gymnasium as gym
from ray.rllib.algorithms.ppo import PPOConfig
from ray.tune.registry import register_env

from rl_teacher import PredictedReward, load_reward  # <- RL-Teacher


def main(path: str, gym_id: str = "Pendulum-v1", n_iters: int = 2, n_runners: int = 0) -> dict:
    """Train their PPO on r̂; returns what the last iteration said."""
    folder = str(Path(path).resolve())  # workers stand elsewhere
    register_env("taught", lambda config: PredictedReward(gym.make(gym_id), load_reward(folder)))  # <- RL-Teacher
    config = (
        PPOConfig()
        .environment("taught")
        .env_runners(num_env_runners=n_runners)
        .training(train_batch_size_per_learner=1_000, minibatch_size=250, num_epochs=2)
    )
    algorithm = config.build_algo()
    results = [algorithm.train() for _ in range(n_iters)]
    algorithm.stop()
    return results[-1]


if __name__ == "__main__":
    told = main(sys.argv[1])
    print(f"r̂ of an episode: {told['env_runners'].get('episode_return_mean')}")
