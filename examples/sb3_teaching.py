"""Teach a model of Stable-Baselines3: questions, teacher, page and r̂ go on around `model.learn()`.

Install: pip install 'rl-teacher[sb3]'. Give --predictor human to answer the questions yourself, in the browser.
"""

from __future__ import annotations

import argparse

from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env

from rl_teacher import PredictedVecEnv, Teaching, TeachingCallback  # <- RL-Teacher


def main(n_steps: int = 200_000, n_labels: int = 100, predictor: str = "synth", name: str = "sb3-pendulum") -> None:
    """Teach for so many environment steps."""
    with Teaching(  # <- RL-Teacher
        env_id="gym:Pendulum-v1", name=name, predictor=predictor, n_labels=n_labels, num_timesteps=n_steps
    ) as teaching:
        env = PredictedVecEnv(make_vec_env("Pendulum-v1", 16), teaching.reward)  # <- RL-Teacher
        model = PPO("MlpPolicy", env, n_steps=128, batch_size=512, gamma=0.95, learning_rate=1e-3)
        model.learn(n_steps, callback=TeachingCallback(teaching))  # <- RL-Teacher


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--n_steps", type=int, default=200_000)
    parser.add_argument("--n_labels", type=int, default=100)
    parser.add_argument("--predictor", default="synth", choices=("synth", "human"))
    parser.add_argument("--name", default="sb3-pendulum")
    main(**vars(parser.parse_args()))
