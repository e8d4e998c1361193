"""A PPO in one file, taught by comparisons: everything from environment to update can be read from top to bottom.

The marked block is all that teaching takes. Without it, `rew` would be the environment's own reward.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from torch import Tensor, nn
from torch.distributions import Normal

from rl_teacher import Teaching  # <- RL-Teacher


@dataclass(frozen=True)
class Settings:
    """What may be changed on the command line."""

    gym_id: str = "Pendulum-v1"
    name: str = "single-file"
    predictor: str = "synth"
    n_labels: int = 100
    n_steps: int = 200_000
    seed: int = 1
    n_envs: int = 16
    rollout: int = 128
    minibatch: int = 512
    epochs: int = 10
    lr: float = 1e-3
    gamma: float = 0.95
    lam: float = 0.95
    clip: float = 0.2


def layers(n_in: int, n_out: int) -> nn.Sequential:
    """Two hidden layers of 64."""
    return nn.Sequential(nn.Linear(n_in, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, n_out))


class Agent(nn.Module):
    """A Gaussian policy and a value; actions between -1 and 1 inside."""

    def __init__(self, env: SyncVectorEnv) -> None:
        super().__init__()
        box = env.single_action_space
        n_obs, n_act = int(np.prod(env.single_observation_space.shape)), int(np.prod(box.shape))
        self.mean, self.value = layers(n_obs, n_act), layers(n_obs, 1)
        self.log_std = nn.Parameter(torch.full((n_act,), -0.5))
        self.middle, self.half = (box.high + box.low) / 2, (box.high - box.low) / 2

    def choices(self, obs: Tensor) -> Normal:
        """What may be done, for obs (N, D)."""
        return Normal(self.mean(obs), self.log_std.exp())

    def to_env(self, act: Tensor) -> np.ndarray:
        """Actions as the environment takes them."""
        return act.clamp(-1, 1).numpy() * self.half + self.middle

    @torch.no_grad()
    def play(self, obs: np.ndarray) -> np.ndarray:
        """Actions (N, *act) for obs (N, *obs), as in training: what people see."""
        return self.to_env(self.choices(torch.as_tensor(obs, dtype=torch.float32)).sample())


def main(settings: Settings) -> None:
    """Learn from comparisons."""
    torch.manual_seed(settings.seed)
    n, t = settings.n_envs, settings.rollout
    envs = SyncVectorEnv([lambda: gym.make(settings.gym_id)] * n, autoreset_mode=AutoresetMode.SAME_STEP)
    agent = Agent(envs)
    optim = torch.optim.Adam(agent.parameters(), lr=settings.lr, eps=1e-5)
    obs = torch.as_tensor(envs.reset(seed=settings.seed)[0], dtype=torch.float32)
    teaching = Teaching(  # <- RL-Teacher
        env_id=f"gym:{settings.gym_id}",
        name=settings.name,
        predictor=settings.predictor,
        n_labels=settings.n_labels,
        num_timesteps=settings.n_steps,
    )
    for _ in range(-(-settings.n_steps // (n * t))):
        rows = []
        for _ in range(t):
            with torch.no_grad():
                choices = agent.choices(obs)
                act = choices.sample()
                done_act = agent.to_env(act)
                later, _, terminated, truncated, info = envs.step(done_act)
                over = terminated | truncated
                last = later.copy()  # the true last observation where an episode ended
                for i in np.flatnonzero(over):
                    last[i] = info["final_obs"][i]
                after = agent.value(torch.as_tensor(last, dtype=torch.float32)).squeeze(-1)
            rows.append((obs, act, choices.log_prob(act).sum(-1), done_act, after, terminated, over))
            obs = torch.as_tensor(later, dtype=torch.float32)
        all_obs, all_act, logp, all_done, after, terminated, over = (
            torch.stack([torch.as_tensor(row[i]) for row in rows]) for i in range(7)
        )
        # ---- RL-Teacher: what the rollout earned, and a chance to ask, to listen and to learn what people want ----
        rew = torch.as_tensor(teaching.reward(all_obs.numpy(), all_done.numpy()))  # <- RL-Teacher
        teaching.tick(n * t, agent.play)  # <- RL-Teacher
        # ------------------------------------------------------------------------------------------------------------
        learn(agent, optim, settings, (all_obs, all_act, logp, rew, after, terminated, over))
    teaching.close()  # <- RL-Teacher


def learn(agent: Agent, optim: torch.optim.Optimizer, settings: Settings, rollout: tuple[Tensor, ...]) -> None:
    """One policy update from T steps of N environments (Schulman et al. 2017)."""
    obs, act, logp, rew, after, terminated, over = rollout
    with torch.no_grad():
        val = agent.value(obs).squeeze(-1)
        # δ_t = r_t + γ V(s_{t+1}) [not terminated] - V(s_t);  A_t = δ_t + γ λ A_{t+1} [the episode goes on]
        delta = rew + settings.gamma * after * ~terminated - val
        adv, following = torch.zeros_like(delta), torch.zeros(delta.shape[1])
        for i in range(len(delta) - 1, -1, -1):
            adv[i] = following = delta[i] + settings.gamma * settings.lam * ~over[i] * following
        ret = adv + val
        adv = (adv - adv.mean()) / (adv.std() + 1e-8)
    obs, act, logp, adv, ret = obs.flatten(0, 1), act.flatten(0, 1), logp.flatten(), adv.flatten(), ret.flatten()
    for _ in range(settings.epochs):
        for index in torch.randperm(len(obs)).split(settings.minibatch):
            now = agent.choices(obs[index]).log_prob(act[index]).sum(-1)
            ratio = (now - logp[index]).exp()
            kept = ratio.clamp(1 - settings.clip, 1 + settings.clip)
            policy_loss = -torch.min(ratio * adv[index], kept * adv[index]).mean()
            value_loss = (agent.value(obs[index]).squeeze(-1) - ret[index]).square().mean()
            optim.zero_grad()
            (policy_loss + 0.5 * value_loss).backward()
            nn.utils.clip_grad_norm_(agent.parameters(), 0.5)
            optim.step()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    for name, value in vars(Settings()).items():
        parser.add_argument(f"--{name}", type=type(value), default=value)
    main(Settings(**vars(parser.parse_args())))
