"""A policy out of an export: `policy = load_policy("my-policy")`, then `act = policy(obs)`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from rl_teacher.agents.frozen import FrozenPolicy
from rl_teacher.agents.vision import CHUNK
from rl_teacher.plug.adapting import checked_obs
from rl_teacher.plug.packing import Export, damaged, read_export
from rl_teacher.vision import tensor_of


class LoadedPolicy:
    """The best known actions as a function.

    Args:
        export: Of a policy.
    """

    obs_shape: tuple[int, ...]
    """Of one observation."""
    act_space: gym.Space
    """Of one action; one of n is counted from zero."""
    about: Mapping[str, Any]
    """The run it comes from, and versions."""

    def __init__(self, export: Export) -> None:
        n_obs = int(np.prod(export.obs_shape))
        self.module = FrozenPolicy(n_obs, export.act_space, **export.of_networks, picture=export.picture).eval()
        self.module.load_state_dict(dict(export.tensors))
        self.obs_shape, self.act_space, self.about = export.obs_shape, export.act_space, export.about

    @torch.no_grad()
    def __call__(self, obs: np.ndarray) -> np.ndarray:
        """Actions (…, *act) for obs (…, *obs), within the environment's bounds.

        Raises:
            UserError: For another shape, with both; a NotFiniteError for an observation that is NaN or infinite.
        """
        obs, lead = checked_obs(obs, self.obs_shape, self.module.picture is not None)
        rows = tensor_of(obs).reshape(-1, *self.obs_shape).split(CHUNK)
        act = torch.cat([self.module(some) for some in rows]).numpy()
        return act.reshape((*lead, *(self.act_space.shape or ())))


def load_policy(path: str | Path) -> LoadedPolicy:
    """The policy in an export folder, or on the Hugging Face Hub ("hf:OWNER/NAME").

    Raises:
        UserError: If it is no export of a policy, or is damaged.
    """
    export = read_export(path, "policy")
    try:
        return LoadedPolicy(export)
    except (RuntimeError, KeyError, TypeError) as error:
        raise damaged(Path(path), str(error)) from error
