"""The two calls of the original RL-Teacher, for agents that collect whole paths: here a search by cross-entropy.

The agent draws policies around a mean, plays a path with each and moves the mean to the best. It knows no reward but
that of `predict_reward(path)`.
"""

from __future__ import annotations

import argparse
from typing import Any

import gymnasium as gym
import numpy as np

from rl_teacher import PathPredictor, Teaching  # <- RL-Teacher


def act(weights: np.ndarray, obs: np.ndarray) -> np.ndarray:
    """Actions (N, 1) of a linear policy with weights (D + 1,) for obs (N, D)."""
    return 2 * np.tanh(obs @ weights[:-1, None] + weights[-1]).astype(np.float32)


def collect(env: gym.Env, weights: np.ndarray) -> dict[str, Any]:
    """One episode as a path."""
    seen, done, over = [env.reset()[0]], [], False
    while not over:
        done.append(act(weights, seen[-1][None])[0])
        obs, _, terminated, truncated, _ = env.step(done[-1])
        seen.append(obs)
        over = terminated or truncated
    return {"obs": np.array(seen[:-1]), "actions": np.array(done)}


def main(n_steps: int = 200_000, n_labels: int = 100, predictor: str = "synth", name: str = "two-calls") -> None:
    """Search for so many environment steps."""
    rng, env = np.random.default_rng(1), gym.make("Pendulum-v1")
    env.reset(seed=1)
    mean, spread, taken = np.zeros(4), np.full(4, 3.0), 0
    with Teaching(  # <- RL-Teacher
        env_id="gym:Pendulum-v1", name=name, predictor=predictor, n_labels=n_labels, num_timesteps=n_steps
    ) as teaching:
        teacher = PathPredictor(teaching, lambda obs: act(mean + spread * rng.normal(size=4), obs))  # <- RL-Teacher
        while taken < n_steps:
            tried = mean + spread * rng.normal(size=(20, 4))
            paths = [collect(env, weights) for weights in tried]
            earned = [teacher.predict_reward(path).sum() for path in paths]  # <- RL-Teacher
            best = tried[np.argsort(earned)[-5:]]
            mean, spread = best.mean(0), best.std(0) + 0.05
            for path in paths:
                teacher.path_callback(path)  # <- RL-Teacher
                taken += len(path["obs"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n_steps", type=int, default=200_000)
    parser.add_argument("--n_labels", type=int, default=100)
    parser.add_argument("--predictor", default="synth", choices=("synth", "human"))
    parser.add_argument("--name", default="two-calls")
    main(**vars(parser.parse_args()))
