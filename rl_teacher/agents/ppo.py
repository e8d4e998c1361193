"""Proximal policy optimisation (Schulman et al. 2017), collecting blind and relabelling each rollout in one call."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from rl_teacher.agents.networks import Policy, RunningNorm, make_policy, mlp
from rl_teacher.agents.rollout import Collector, RewardScale, Rollout, gae, must_be_finite
from rl_teacher.agents.vision import Eyes
from rl_teacher.config import PPOConfig
from rl_teacher.protocols import Info, RewardFn, VecEnv
from rl_teacher.stacks import is_picture
from rl_teacher.tensors import group, load_tensors, must_fit, named, optimiser_tensors, restore_optimiser, save_finite
from rl_teacher.vision import tensor_of

FIGURES = ("policy_loss", "value_loss", "entropy", "kl")
"""What a gradient step says of itself."""
KL = FIGURES.index("kl")


@dataclass(frozen=True, slots=True)
class Batch:
    """What one policy update learns from: the valid steps of a rollout, flattened to B rows."""

    obs: Tensor
    """(B, D) normalised, or what is seen of pictures; until a step learns from them the pictures, (B, *obs) uint8."""
    act: Tensor
    """(B, A) as drawn."""
    logp: Tensor
    """(B,) under the policy that drew them."""
    adv: Tensor
    """(B,) normalised over the rollout."""
    ret: Tensor
    """(B,)."""

    def rows(self, index: Tensor | slice) -> Batch:
        """A minibatch."""
        return Batch(self.obs[index], self.act[index], self.logp[index], self.adv[index], self.ret[index])


class PPO:
    """Our PPO, behind the Agent protocol.

    Args:
        env: N blind environments to learn in.
        config: See PPOConfig.
        seed: Of the weights, the action noise and the minibatches.
        horizon: Environment steps of the whole run, over which the step size falls; None: without end, it stays.
    """

    def __init__(self, env: VecEnv, config: PPOConfig, seed: int, horizon: int | None = None):
        self.config, self._horizon = config, horizon
        self._n_steps = 0
        """Environment steps that were learned from."""
        self._rng = torch.Generator().manual_seed(seed)
        self._collector = Collector(env)
        self._eyes = Eyes(env.obs_space.shape, config.hidden, self._rng) if is_picture(env.obs_space) else None
        obs_dim = self._eyes.n_out if self._eyes else int(np.prod(env.obs_space.shape))
        hidden = () if self._eyes else config.hidden
        self.policy = make_policy(obs_dim, env.act_space, hidden, config.log_std_init, self._rng)
        self.value = mlp(obs_dim, hidden, 1, 1.0, self._rng)
        self._nets = {"policy": self.policy, "value": self.value, **({"eyes": self._eyes} if self._eyes else {})}
        self._params = [p for net in self._nets.values() for p in net.parameters()]
        self._optim = torch.optim.Adam(self._params, lr=config.lr, eps=1e-5, fused=True)
        self._norm = RunningNorm(() if self._eyes else (obs_dim,))  # pictures need none
        self._scale = RewardScale(config.gamma, env.n_envs)

    @torch.no_grad()
    def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
        """Actions (N, *act) for obs (N, *obs)."""
        x = self._seen(obs)
        return self.policy.to_env(self.policy.sample(x, self._rng) if explore else self.policy.best(x))

    def train(self, n_steps: int, reward: RewardFn | None) -> Info:
        """Collect and learn until at least n_steps were taken; see `protocols.Agent`."""
        rollout = min(self.config.n_steps, max(self.config.shortest, -(-n_steps // self._collector.env.n_envs)))
        steps, seconds, infos = 0, np.zeros(2), []
        to_update = 0.0
        while steps < n_steps:
            began = time.perf_counter()
            played = self._collector.collect(self._choose, rollout)
            collected = time.perf_counter()
            rew = played.env_rew if reward is None else reward(played.obs[:-1], played.act)
            infos.append(self._learn(played, rew))
            steps += played.valid.size
            self._n_steps += played.valid.size
            seconds += collected - began, time.perf_counter() - collected
            to_update = to_update or float(seconds.sum())
        figures = {name: float(np.mean([info[name] for info in infos])) for name in infos[0]}
        return {
            "steps": steps,
            "collect_seconds": seconds[0],
            "learn_seconds": seconds[1],
            "update_seconds": to_update,
            **figures,
        }

    def save(self, folder: Path) -> None:
        """Write networks, optimiser, normalisers and random state to `agent.safetensors`."""
        tensors = {
            **{name: t for part, net in self._nets.items() for name, t in named(net.state_dict(), part).items()},
            **optimiser_tensors(self._optim),
            **named(self._norm.state(), "obs_norm"),
            **named(self._scale.norm.state(), "ret_norm"),
            "rng": self._rng.get_state(),
            "n_steps": torch.tensor([self._n_steps]),
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
            for part, net in self._nets.items():
                net.load_state_dict(group(tensors, part))
        restore_optimiser(self._optim, tensors)
        self._norm.restore(group(tensors, "obs_norm"))
        self._scale.norm.restore(group(tensors, "ret_norm"))
        self._rng.set_state(tensors["rng"])
        self._n_steps = int(tensors["n_steps"][0]) if "n_steps" in tensors else 0

    def restart(self, seed: int) -> None:
        """Begin new episodes in all environments; see `protocols.Agent`."""
        self._collector.restart(seed)
        self._scale.restart()

    def _seen(self, obs: np.ndarray) -> Tensor:
        """What policy and value see of obs (N, *obs), (N, D): normalised, or what the eyes make of a picture."""
        return self._norm(obs.reshape(len(obs), -1)) if self._eyes is None else self._eyes.many(tensor_of(obs))

    @torch.no_grad()
    def _choose(self, obs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        raw = self.policy.sample(self._seen(obs), self._rng)
        return self.policy.to_env(raw), raw.numpy()

    def _learn(self, rollout: Rollout, rew: np.ndarray) -> Info:
        batch = self._batch(rollout, must_be_finite(rew) * rollout.valid)
        infos, size = list[Tensor](), self.config.minibatch
        self._pace()
        for _ in range(self.config.epochs):
            shuffled = batch.rows(torch.randperm(len(batch.obs), generator=self._rng))
            made = [self._step(shuffled.rows(slice(i, i + size))) for i in range(0, len(batch.obs), size)]
            infos += made
            if self.config.kl_limit and float(torch.stack(made)[:, KL].mean()) > self.config.kl_limit:
                break
        if self._eyes is None:
            self._norm.update(rollout.obs[:-1].reshape(-1, batch.obs.shape[-1]))
        means = torch.stack(infos).mean(0).tolist()
        return dict(zip(FIGURES, means, strict=True)) | {"rew_mean": float(rew[rollout.valid].mean())}

    def _pace(self) -> None:
        """The step size of this moment of the run."""
        done = 0.0 if self._horizon is None else min(1.0, self._n_steps / self._horizon)
        for parameters in self._optim.param_groups:
            parameters["lr"] = self.config.lr * (1.0 - (1.0 - self.config.lr_last) * done)

    @torch.no_grad()
    def _batch(self, rollout: Rollout, rew: np.ndarray) -> Batch:
        if self._eyes is None:
            learned = seen = self._norm(rollout.obs.reshape(*rollout.obs.shape[:2], -1))
        else:
            learned = tensor_of(rollout.obs)
            seen = self._eyes.many(learned)
        raw = torch.from_numpy(rollout.raw_act)
        val = self.value(seen).squeeze(-1).numpy()
        scaled = self._scale(rew, rollout.terminated | rollout.truncated)
        adv, ret = gae(scaled, val, rollout.terminated, rollout.truncated, self.config.gamma, self.config.lam)
        keep = torch.from_numpy(rollout.valid)
        act = raw[keep]
        logp, _ = self.policy.logp_entropy(seen[:-1][keep], act)
        advantage = torch.from_numpy(adv)[keep]
        advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
        return Batch(learned[:-1][keep], act, logp, advantage, torch.from_numpy(ret)[keep])

    def _step(self, batch: Batch) -> Tensor:
        if self._eyes is not None:
            batch = replace(batch, obs=self._eyes.learning(batch.obs))
        loss, info = ppo_loss(self.policy, self.value, batch, self.config)
        self._optim.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._params, self.config.max_grad_norm)
        self._optim.step()
        return info


def ppo_loss(policy: Policy, value: nn.Module, batch: Batch, config: PPOConfig) -> tuple[Tensor, Tensor]:
    """The clipped surrogate objective (Schulman et al. 2017, equations 7 and 9), to be minimised.

    Returns:
        The loss, and (policy loss, value loss, entropy, KL estimate) detached.
    """
    logp, entropy = policy.logp_entropy(batch.obs, batch.act)
    log_ratio = logp - batch.logp
    ratio = log_ratio.exp()
    # L = -E[min(ρ A, clip(ρ, 1 ± ε) A)]
    policy_loss = -torch.min(ratio * batch.adv, ratio.clamp(1 - config.clip, 1 + config.clip) * batch.adv).mean()
    value_loss = (value(batch.obs).squeeze(-1) - batch.ret).square().mean()
    loss = policy_loss + config.value_weight * value_loss
    if config.entropy_weight:
        loss = loss - config.entropy_weight * entropy
    with torch.no_grad():
        # KL ≈ E[(ρ - 1) - log ρ]
        kl = (ratio - 1 - log_ratio).mean()
        return loss, torch.stack((policy_loss, value_loss, entropy, kl))
