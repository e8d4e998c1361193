"""Rewards and policies for programs with torch but without this package: the graph by `torch.export`."""

from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import torch

from rl_teacher.agents.frozen import FrozenPolicy
from rl_teacher.choices import choices
from rl_teacher.reward.frozen import FrozenReward

ROWS = 2
"""Of the example that is traced; one row would be taken for the only number of rows."""


def write_program(
    module: FrozenReward | FrozenPolicy, obs_shape: tuple[int, ...], act_space: gym.Space, path: Path
) -> None:
    """Write a reward (obs, act → rew) or a policy (obs → act) for any number of rows; `torch.export.load` reads it.

    Args:
        module: FrozenReward or FrozenPolicy.
        obs_shape: Of one observation.
        act_space: Of one action.
        path: File to write.
    """
    kind = torch.int64 if choices(act_space) else torch.float32
    example = [torch.zeros(ROWS, *obs_shape, dtype=torch.uint8 if module.picture else torch.float32)]
    if isinstance(module, FrozenReward):
        example.append(torch.zeros(ROWS, *(act_space.shape or ()), dtype=kind))
    rows = torch.export.Dim("rows")
    program = torch.export.export(module.eval(), tuple(example), dynamic_shapes=tuple({0: rows} for _ in example))
    torch.export.save(program, path)
