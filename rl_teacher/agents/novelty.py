"""What it is worth to be where one has not been yet: PEBBLE's unsupervised beginning (Lee et al. 2021, section 4.1)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rl_teacher.protocols import VecEnv, VecStep
from rl_teacher.tensors import dice_tensor, load_tensors, must_fit, restore_dice, save_finite

NEIGHBOURS = 5
"""k: the how manieth nearest state says how empty it is around one."""
SAMPLE = 1_024
"""States that are searched for neighbours, an even sample of all that were visited …"""
SMALL_SAMPLE = 256
"""… and for an agent without a replay: it learns so fast that a larger one would take a third of its time."""
GROWTH = 1.25
"""They are drawn anew when so many times as many were visited, so that giving a whole replay its rewards anew takes a
fixed share of the time."""
NEAREST = 1e-6
"""Distances below this count as this: a logarithm of nothing would outweigh all else."""
CHUNK = 2_048
"""States compared in one call."""


class Novelty:
    """A RewardFn that pays for states far from those visited, and the environments from which it knows these.

    r(s) = log ‖s − s⁽ᵏ⁾‖, where s⁽ᵏ⁾ is the k-th nearest of the states visited so far. So an agent that pleases it
    seeks a large entropy of states (the k-nearest-neighbour estimate of Singh et al. 2003). It is brought to mean 0 and
    deviation 1 over the sample, as r̂ is over what it was fitted to. It never looks at the environments' own reward.

    Args:
        env: N environments; what they show is looked at on the way.
        seed: Of the sample.
        size: States in the sample.
    """

    def __init__(self, env: VecEnv, seed: int, size: int = SAMPLE):
        self._env = env
        self.n_envs, self.obs_space, self.act_space = env.n_envs, env.obs_space, env.act_space
        self._size = int(np.prod(env.obs_space.shape))
        self._rng = np.random.default_rng(seed)
        self._sample = np.zeros((size, self._size), dtype=np.float32)
        self._n_seen = 0
        self._known = torch.zeros(0, self._size)
        """The sample as it was when it was last drawn anew …"""
        self._n_known = 0
        """… from so many states."""
        self._mean, self._std = 0.0, 1.0

    def __call__(self, obs: np.ndarray, act: np.ndarray) -> np.ndarray:
        """Rewards (…) for obs (…, *obs); all 0 while hardly anything was seen. Actions count for nothing."""
        del act
        lead = obs.shape[: obs.ndim - len(self.obs_space.shape)]
        self._draw_now_and_then()
        if len(self._known) <= NEIGHBOURS:
            return np.zeros(lead, dtype=np.float32)
        rew = log_distance(torch.from_numpy(obs.reshape(-1, self._size)), self._known)
        return ((rew - self._mean) / self._std).numpy().reshape(lead)

    def reset(self, seed: int | None = None) -> np.ndarray:
        """See `VecEnv`, as in all that follows."""
        return self._env.reset(seed)

    def step(self, act: np.ndarray) -> VecStep:
        """Take a step, and take in where it led."""
        out = self._env.step(act)
        self.see(out.obs)
        return out

    def renew(self) -> np.ndarray:
        """Begin the next episode."""
        return self._env.renew()

    def close(self) -> None:
        """Close the environments."""
        self._env.close()

    def see(self, obs: np.ndarray) -> None:
        """Take in N states (N, *obs): each visited one is in the sample with the same chance (Vitter 1985, R)."""
        rows = obs.reshape(len(obs), self._size)
        counts = self._n_seen + np.arange(len(rows))
        size = len(self._sample)
        slots = np.where(counts < size, counts, self._rng.integers(0, counts + 1))
        kept = slots < size
        self._sample[slots[kept]] = rows[kept]
        self._n_seen += len(rows)

    def save(self, folder: Path) -> None:
        """Write all that is needed to go on."""
        numbers = torch.tensor([self._n_seen, self._n_known])
        scale = torch.tensor([self._mean, self._std], dtype=torch.float64)
        tensors = {"sample": torch.from_numpy(self._sample), "known": self._known, "counts": numbers, "scale": scale}
        save_finite({**tensors, "dice": dice_tensor(self._rng)}, folder / "novelty.safetensors")

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote.

        Raises:
            UserError: If it was written for other observations.
        """
        path = folder / "novelty.safetensors"
        with must_fit(path):
            tensors = load_tensors(path)
            self._sample[:] = tensors["sample"].numpy()
            self._known = tensors["known"]
            self._n_seen, self._n_known = tensors["counts"].tolist()
            self._mean, self._std = tensors["scale"].tolist()
            restore_dice(self._rng, tensors["dice"])

    def _draw_now_and_then(self) -> None:
        """In between it is the same function, so that a replay finds nothing to be given anew."""
        if self._n_seen < max(NEIGHBOURS + 1, GROWTH * self._n_known):
            return
        self._known = torch.from_numpy(self._sample[: self._n_seen].copy())
        self._n_known = self._n_seen
        among = log_distance(self._known, self._known)
        self._mean, self._std = float(among.mean()), max(float(among.std()), NEAREST)


def log_distance(states: Tensor, known: Tensor, k: int = NEIGHBOURS) -> Tensor:
    """Log ‖s − s⁽ᵏ⁾‖ (B,) for states (B, D), with the k-th nearest of known (M, D), M > k.

    A state that is among the known ones is no neighbour of its own.
    """
    logs = []
    for chunk in states.split(CHUNK):
        distance = torch.cdist(chunk, known, compute_mode="donot_use_mm_for_euclid_dist")  # the others round to nothing
        nearest = distance.topk(k + 1, largest=False).values
        itself = nearest[:, 0] == 0
        logs.append(torch.where(itself, nearest[:, k], nearest[:, k - 1]).clamp_min(NEAREST).log())
    return torch.cat(logs)
