"""Observations of many parts, laid out in a row; actions as the environment wants them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.wrappers import FlattenObservation

from rl_teacher.choices import first
from rl_teacher.stacks import SMALLEST, is_picture, layout, why_no_picture

MOST_CHOICES = 1_000
"""Of a Discrete part, which becomes as many numbers, one of them 1."""
ALLOWED = (
    "a Box in one dimension, or one of floats, with a number in it; Discrete, MultiDiscrete or MultiBinary; a Dict or "
    "Tuple of these; or a picture, a Box of uint8 (C, H, W), (H, W, C) or (H, W)"
)


def in_a_row(env: gym.Env) -> gym.Env:
    """The environment with one row of numbers for an observation, in the order of its space's parts.

    A Box stays as it is, and so does what cannot be laid out (`why_not`).
    """
    space = env.observation_space
    return env if isinstance(space, gym.spaces.Box) or why_not(space) else FlattenObservation(env)


def given(space: gym.Space, act: np.ndarray) -> Any:
    """An action as the environment takes it.

    Args:
        space: The environment's own.
        act: (*act,), choices counted from zero and in a row.
    """
    if isinstance(space, gym.spaces.Discrete):
        return int(act + first(space))
    if isinstance(space, gym.spaces.MultiDiscrete | gym.spaces.MultiBinary):
        return (act.reshape(space.shape) + first(space)).astype(space.dtype)
    return act


def why_not(space: gym.Space) -> str | None:
    """What of an observation cannot be laid out in a row, in words; None if all of it can."""
    for name, part in _parts(space):
        where = f" in {name}" if name else ""
        if isinstance(part, gym.spaces.Box):
            if is_picture(part) and name:
                return f"a picture{where}, for which nobody chose a network"
            if is_picture(part) and 0 not in part.shape:
                return why_no_picture(part.shape)
            if len(part.shape) in (2, 3) and min(layout(part.shape)[1:3]) >= SMALLEST:
                return f"what looks like a picture{where}, but of {part.dtype}; pictures must be uint8"
            if 0 in part.shape or (len(part.shape) > 1 and not np.issubdtype(part.dtype, np.floating)):
                return f"{_said(part)}{where}"
        elif isinstance(part, gym.spaces.Discrete | gym.spaces.MultiDiscrete):
            choices = int(np.max(part.n if isinstance(part, gym.spaces.Discrete) else part.nvec))
            if choices > MOST_CHOICES:
                return f"one of {choices:,} choices{where}; at most {MOST_CHOICES:,} can be laid out"
        elif not isinstance(part, gym.spaces.MultiBinary):
            return f"{_said(part)}{where}"
    return None


def _parts(space: gym.Space, name: str = "") -> Iterator[tuple[str, gym.Space]]:
    """The parts that have none themselves, with their names as one would write them in Python."""
    if isinstance(space, gym.spaces.Dict | gym.spaces.Tuple):
        inside = space.items() if isinstance(space, gym.spaces.Dict) else enumerate(space)
        for key, part in inside:
            yield from _parts(part, f"{name}[{key!r}]")
    else:
        yield name, space


def _said(space: gym.Space) -> str:
    return " ".join(str(space).split())
