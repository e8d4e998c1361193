"""The reward model r̂, behind the RewardModel protocol."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from rl_teacher.config import RewardConfig
from rl_teacher.errors import NotFiniteError
from rl_teacher.protocols import Info
from rl_teacher.reward.crops import segment_sums, weighted
from rl_teacher.reward.fit import FitData, bootstrap, doubted, fair_share, fit, judge, steps_of
from rl_teacher.reward.l2 import AdaptiveL2
from rl_teacher.reward.loss import prefer_left
from rl_teacher.reward.making import input_size, make_net
from rl_teacher.reward.networks import features
from rl_teacher.reward.pixels import CHUNK as PICTURES
from rl_teacher.reward.pixels import Pairs
from rl_teacher.reward.wide import SparseTerms
from rl_teacher.stacks import is_picture
from rl_teacher.tensors import group, load_tensors, must_fit, named, optimiser_tensors, restore_optimiser, save_finite
from rl_teacher.trajectory import Comparison, ComparisonBatch, Query, Segment
from rl_teacher.vision import tensor_of

CHUNK = 2_048
"""Rows per forward pass: few enough for the activations of all members to stay in the cache."""
LEAST_EFFORT = 0.25
"""Of a fit's gradient steps, for a network that does not help yet: it may, with more answers."""
SEEN = 32
"""Of films; each has hundreds of pictures to look at."""
JUDGED = 128
"""Comparisons that accuracies and output scales are measured on; more would cost as much as the fit itself."""


class RewardEnsemble:
    """An ensemble of networks fitted to comparisons by Bradley–Terry.

    Inputs are kept raw and normalised in here, with statistics of the labelled segments that are saved with the
    weights. Each member's output is normalised to mean 0 and standard deviation 1 over those segments before the
    members are averaged (Christiano et al. 2017, section 2.2.1). Between two fits nothing changes. `RewardConfig` says
    what else can be done, and left out.
    """

    def __init__(self, obs_space: gym.spaces.Box, act_space: gym.Space, config: RewardConfig, seed: int):
        self.config = config
        self._obs_shape = obs_space.shape or ()
        self._n_obs = int(np.prod(self._obs_shape))
        self._act_space = act_space
        picture = self._obs_shape if is_picture(obs_space) else None
        self._pixels = picture is not None
        n_in = input_size(self._n_obs, act_space, config, picture)
        self._seed = seed
        self._rng = torch.Generator().manual_seed(seed)
        self._net = make_net(n_in, config, self._rng, picture)
        decay = 0.0 if config.adaptive_l2 else config.weight_decay
        self._optim = torch.optim.AdamW(self._net.parameters(), lr=config.lr, weight_decay=decay)
        self._l2 = AdaptiveL2(config.members) if config.adaptive_l2 else None
        self._terms = SparseTerms(config.members, n_in) if config.wide and not self._pixels else None
        self._in_mean, self._in_std = torch.zeros(n_in), torch.ones(n_in)
        self._out_mean, self._out_std = torch.zeros(config.members, 1), torch.ones(config.members, 1)
        self.n_members, self.n_fits = config.members, 0
        self._n_learned = 0
        """Comparisons of the last fit."""

    @torch.no_grad()
    def predict(self, obs: np.ndarray, act: np.ndarray) -> np.ndarray:
        """Normalised r̂, (…) float32 for obs (…, *obs) and act (…, *act).

        Raises:
            NotFiniteError: If r̂ is NaN or infinite anywhere.
        """
        return self._each_chunk(obs, act, self._normalised)

    @torch.no_grad()
    def incentive(self, obs: np.ndarray, act: np.ndarray) -> np.ndarray:
        """What an agent is given: r̂, and `curiosity` times the spread of the members; shapes as `predict`.

        Raises:
            NotFiniteError: If it is NaN or infinite anywhere.
        """
        return self._each_chunk(obs, act, self._with_spread if self._curiosity else self._normalised)

    def _each_chunk(self, obs: np.ndarray, act: np.ndarray, worth: Callable[[Tensor], Tensor]) -> np.ndarray:
        rew = torch.cat([worth(x) for x in self._chunks(obs, act)]).numpy()
        if not np.isfinite(rew).all():
            raise NotFiniteError(
                f"r̂ is not finite in {int((~np.isfinite(rew)).sum())} of {rew.size} steps after fit {self.n_fits}. "
                "Nothing was learned from it; start the same command again to go on from the last good state."
            )
        return rew.reshape(obs.shape[: obs.ndim - len(self._obs_shape)])

    @torch.no_grad()
    def votes(self, queries: Sequence[Query]) -> np.ndarray:
        """P[left is better] by each member, (E, n) float32 for n queries."""
        if not queries:
            return np.zeros((self.n_members, 0), dtype=np.float32)
        pairs = [(query.left, query.right) for query in queries]
        x = Pairs(pairs) if self._pixels else self._features(pairs)
        left, right = segment_sums(steps_of(self._net, x), self.config.discount).unbind(-1)
        return prefer_left(left, right, error_rate=0.0).numpy()

    def held_out(self, queries: Sequence[Query]) -> np.ndarray:
        """Which members hold these queries out of their bootstrap sample, (E, n) bool."""
        if not self.config.bootstrap or not queries:
            return np.zeros((self.n_members, len(queries)), dtype=bool)
        return (bootstrap([query.id for query in queries], self.n_members, self._seed) == 0).numpy()

    def fit(self, comparisons: Sequence[Comparison], n_iters: int | None = None) -> Info:
        """Learn from all comparisons so far; see `protocols.RewardModel`."""
        usable = [c for c in comparisons if self.config.learn_ties or c.mu[0] != c.mu[1]][-self.config.newest :]
        if not usable:
            return {"fitted": 0.0, "comparisons": 0.0}
        data = self._data(usable)
        out = doubted(self._net, data, self.config)
        trusted = data.rows(torch.nonzero(~out).squeeze(1)) if 0 < int(out.sum()) < len(usable) else data
        self._fit_terms(trusted)
        done = fit(self._net, self._optim, trusted, self.config, n_iters or self._effort(), self._rng, self._l2)
        self.n_fits += 1
        self._n_learned = len(usable)
        counts = {"comparisons": len(usable), "doubted": len(usable) - len(trusted.mu), "iters": done}
        return {"fitted": 1.0, **{name: float(n) for name, n in counts.items()}, **self._settle(data)}

    def save(self, folder: Path) -> None:
        """Write weights, optimiser, statistics and random state to `reward.safetensors`."""
        tensors = {
            **named(self._net.state_dict(), "net"),
            **optimiser_tensors(self._optim),
            "in_mean": self._in_mean,
            "in_std": self._in_std,
            "out_mean": self._out_mean,
            "out_std": self._out_std,
            "rng": self._rng.get_state(),
            "n_fits": torch.tensor([self.n_fits]),
            "n_learned": torch.tensor([self._n_learned]),
            **named(self._l2.state() if self._l2 else {}, "l2"),
            **({"terms": self._terms.every} if self._terms else {}),
        }
        save_finite(tensors, folder / "reward.safetensors")

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote.

        Raises:
            UserError: If it was written for other observations or actions.
        """
        path = folder / "reward.safetensors"
        tensors = load_tensors(path)
        with must_fit(path):
            self._net.load_state_dict(group(tensors, "net"))
        restore_optimiser(self._optim, tensors)
        self._in_mean, self._in_std = tensors["in_mean"], tensors["in_std"]
        self._out_mean, self._out_std = tensors["out_mean"], tensors["out_std"]
        self._rng.set_state(tensors["rng"])
        self.n_fits = int(tensors["n_fits"][0])
        self._n_learned = int(tensors["n_learned"][0]) if "n_learned" in tensors else 0
        if self._l2:
            self._l2.restore(group(tensors, "l2"))
        if self._terms:
            self._terms.every = tensors["terms"]

    def _features(self, pairs: Sequence[tuple[Segment, Segment]]) -> Tensor:
        """(n, 2, k, D)."""
        obs, act = (np.stack([[getattr(s, name) for s in pair] for pair in pairs]) for name in ("obs", "act"))
        return self._inputs(obs, act).reshape(*obs.shape[:3], -1)

    def _chunks(self, obs: np.ndarray, act: np.ndarray) -> Iterable[Tensor]:
        """What the networks see, some rows at a time: few enough for what is computed of them to stay in the cache."""
        if not self._pixels:
            return self._inputs(obs, act).split(CHUNK)
        rows = obs.reshape(-1, *self._obs_shape)
        return (tensor_of(rows[i : i + PICTURES]) for i in range(0, len(rows), PICTURES))

    def _inputs(self, obs: np.ndarray, act: np.ndarray) -> Tensor:
        x = features(obs, act, self._n_obs, self._act_space, self.config.use_act)
        return ((x - self._in_mean) / self._in_std).clamp_(-10.0, 10.0) if self.config.normalise_inputs else x

    def _members(self, x: Tensor) -> Tensor:
        return (self._net(x) - self._out_mean) / self._out_std * self.config.out_std

    def _normalised(self, x: Tensor) -> Tensor:
        return self._members(x).mean(0)

    def _with_spread(self, x: Tensor) -> Tensor:
        # r = mean(r̂_i) + β std(r̂_i): Liang et al. 2022, section 4.2
        members = self._members(x)
        return members.mean(0) + self._curiosity * members.std(0, unbiased=False)

    @property
    def _curiosity(self) -> float:
        """β; Liang et al. let it fall with the steps, here it falls with the answers that are still to come."""
        done = self._n_learned / self.config.curious_for if self.config.curious_for else 0.0
        return self.config.curiosity * max(0.0, 1.0 - done)

    def _data(self, comparisons: Sequence[Comparison]) -> FitData:
        """All comparisons as tensors; the input statistics become those of their segments."""
        weight = torch.ones(self.n_members, len(comparisons))
        if self.config.bootstrap:
            weight = bootstrap([c.query.id for c in comparisons], self.n_members, self._seed)
        if self._pixels:
            mu = np.stack([c.mu for c in comparisons])
            return FitData(Pairs([(c.query.left, c.query.right) for c in comparisons]), torch.from_numpy(mu), weight)
        batch = ComparisonBatch.of(comparisons)
        obs = np.stack((batch.left_obs, batch.right_obs), 1)
        act = np.stack((batch.left_act, batch.right_act), 1)
        x = features(obs, act, self._n_obs, self._act_space, self.config.use_act)
        self._in_mean, self._in_std = x.mean(0), x.std(0, unbiased=False).clamp_min(1e-3)
        x = self._inputs(obs, act).reshape(*obs.shape[:3], -1)
        return FitData(x, torch.from_numpy(batch.mu.copy()), weight)

    def _effort(self) -> int:
        """Gradient steps of the network's fit: fewer while held-out answers say that it helps little."""
        share = 1.0 if self._net.share is None else max(LEAST_EFFORT, float(self._net.share))
        return math.ceil(share * self.config.iters)

    def _fit_terms(self, data: FitData) -> None:
        """The wide part comes first, so that the network learns only what is left."""
        if self._terms is None or self._net.wide is None or isinstance(data.x, Pairs):
            return
        step_weight = weighted(torch.ones(data.x.shape[2]), self.config.discount)
        coefficients = self._terms.fit(data.x, data.mu, data.weight, self.config.error_rate, step_weight)
        self._net.wide.copy_(coefficients.unsqueeze(-1))

    @torch.no_grad()
    def _settle(self, data: FitData) -> Info:
        """After a fit: set the scale of the outputs and judge the members, on at most JUDGED comparisons."""
        most = SEEN if self._pixels else JUDGED
        if len(data.mu) > most:
            data = data.rows(torch.randperm(len(data.mu), generator=self._rng)[:most])
        if self._net.share is None or isinstance(data.x, Pairs):
            rew = steps_of(self._net, data.x)
        else:
            x = data.x.reshape(-1, data.x.shape[-1]).split(CHUNK)
            flat, deep = (
                torch.cat([part(rows) for rows in x], 1).reshape(-1, *data.x.shape[:-1])
                for part in (self._net.flat, self._net.deep)
            )
            share = fair_share(flat, deep, data, self.config)
            self._net.share.fill_(share)
            rew = flat + share * deep
        if self.config.normalise_outputs:
            every = rew.flatten(1)
            self._out_mean, self._out_std = every.mean(1, keepdim=True), every.std(1, keepdim=True).clamp_min(1e-4)
        left, right = segment_sums(rew, self.config.discount).unbind(-1)
        about_parts = {} if self._net.share is None else {"network_share": float(self._net.share)}
        return {**judge(left, right, data, self.config), **about_parts}
