"""A reward out of an export: `reward = load_reward("my-reward")`, then `rew = reward(obs, act)`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rl_teacher.choices import choices
from rl_teacher.config import RewardConfig
from rl_teacher.errors import NotFiniteError, UserError
from rl_teacher.plug.adapting import checked
from rl_teacher.plug.packing import Export, damaged, read_export
from rl_teacher.reward.frozen import FrozenReward
from rl_teacher.reward.pixels import CHUNK as PICTURES
from rl_teacher.vision import tensor_of

CHUNK = 2_048
"""Rows per forward pass: few enough for the activations of all members to stay in the cache."""


class LoadedReward:
    """R̂ as a function, the same numbers that the run's own agent was given.

    Args:
        export: Of a reward.
    """

    obs_shape: tuple[int, ...]
    """Of one observation."""
    act_shape: tuple[int, ...]
    """Of one action; () for one of n, counted from zero."""
    pictures: bool
    """Whether an observation is a picture, uint8."""
    about: Mapping[str, Any]
    """The run it comes from, and versions."""

    def __init__(self, export: Export) -> None:
        config, n_obs = RewardConfig(**export.of_networks), int(np.prod(export.obs_shape))
        self.module = FrozenReward.of(export.tensors, config, n_obs, export.act_space, export.picture).eval()
        self.obs_shape, self.act_shape = export.obs_shape, export.act_space.shape or ()
        self.pictures = export.picture is not None
        self._choices = choices(export.act_space)
        self.about = export.about

    @torch.no_grad()
    def __call__(self, obs: np.ndarray, act: np.ndarray) -> np.ndarray:
        """R̂, (…) float32 for obs (…, *obs) and act (…, *act).

        Raises:
            UserError: For other shapes or actions, with those that are allowed; a NotFiniteError where an observation,
                an action or r̂ is NaN or infinite.
        """
        obs, act, lead = checked(obs, act, self.obs_shape, self.act_shape, self.pictures)
        rows = tensor_of(obs).reshape(-1, *self.obs_shape)
        done = torch.tensor(self._chosen(act)) if self._choices else torch.tensor(act, dtype=torch.float32)
        done = done.reshape(-1, *self.act_shape)
        size = PICTURES if self.pictures else CHUNK
        parts = zip(rows.split(size), done.split(size), strict=True)
        rew = torch.cat([self.module(*part) for part in parts]).numpy() if len(rows) else np.zeros(0, dtype=np.float32)
        if not np.isfinite(rew).all():
            raise NotFiniteError(
                f"r̂ is not finite in {int((~np.isfinite(rew)).sum())} of {rew.size} steps; it needs finite "
                "observations and actions. Mend the program that gave them."
            )
        return rew.reshape(lead)

    def _chosen(self, act: np.ndarray) -> np.ndarray:
        chosen, last = act.astype(np.int64), np.reshape(self._choices, self.act_shape) - 1
        if act.size and (chosen.min() < 0 or (chosen > last).any()):
            raise UserError(
                f"Actions from {chosen.min()} to {chosen.max()} given; allowed is 0 to {last}. Count them from zero."
            )
        return chosen


def load_reward(path: str | Path) -> LoadedReward:
    """The reward in an export folder, or on the Hugging Face Hub ("hf:OWNER/NAME").

    Raises:
        UserError: If it is no export of a reward, or is damaged.
    """
    export = read_export(path, "reward")
    try:
        return LoadedReward(export)
    except (RuntimeError, KeyError, TypeError, UserError) as error:
        raise damaged(Path(path), str(error)) from error
