"""Between somebody's environment and a RewardFn: layout, and what cannot be used told in one line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import gymnasium as gym
import numpy as np

from rl_teacher.choices import choices, first
from rl_teacher.errors import NotFiniteError, UserError
from rl_teacher.protocols import RewardFn
from rl_teacher.stacks import is_picture


@runtime_checkable
class Shaped(Protocol):
    """A RewardFn that says what it wants; one that was learned from pictures also has a true `pictures`."""

    obs_shape: tuple[int, ...]
    """Shape of one observation."""
    act_shape: tuple[int, ...]
    """Shape of one action; () for one of n."""

    def __call__(self, obs: np.ndarray, act: np.ndarray) -> np.ndarray:
        """See `protocols.RewardFn`."""
        ...


class Adapter:
    """Asks a RewardFn about steps in an environment.

    A reward that says its shapes gets observations laid out as it wants them; actions that are one of n are counted
    from zero, as everywhere in RL-Teacher.

    Args:
        reward: Whom to ask.
        obs_space: Of one environment.
        act_space: Of one environment.

    Raises:
        UserError: If they do not fit each other, with both shapes.
    """

    def __init__(self, reward: RewardFn, obs_space: gym.Space, act_space: gym.Space) -> None:
        if not isinstance(obs_space, gym.spaces.Box):
            text = " ".join(str(obs_space).split())
            raise UserError(
                f"The environment has the observation space {text}; a predicted reward needs a Box. Wrap it with "
                "gymnasium.wrappers.FlattenObservation first, or choose another environment."
            )
        self._given = obs_space.shape
        self._first_act = first(act_space) if choices(act_space) else None
        self._wanted, self._pictures = self._given, is_picture(obs_space)
        if isinstance(reward, Shaped):
            self._wanted = reward.obs_shape
            same = int(np.prod(self._given)) == int(np.prod(self._wanted))
            if getattr(reward, "pictures", False):  # no two orders of axes are the same picture
                same = self._pictures and self._given == self._wanted
            _must_fit("observations", self._given, self._wanted, same)
            act_shape = act_space.shape or ()
            _must_fit("actions", act_shape, reward.act_shape, act_shape == reward.act_shape)
        self.reward = reward

    def __call__(self, obs: Any, act: Any) -> np.ndarray:
        """R̂, (…) for obs (…, *obs) and act (…, *act) as the environment has them.

        Raises:
            NotFiniteError: If an observation is NaN or infinite.
            UserError: If an observation has another shape than its space, or the reward answers in another shape.
        """
        seen, lead = checked_obs(obs, self._given, self._pictures)
        done = np.asarray(act) if self._first_act is None else np.asarray(act) - self._first_act
        rew = np.asarray(self.reward(seen.reshape(*lead, *self._wanted), done))
        if rew.shape != lead:
            raise UserError(
                f"The reward function returned shape {rew.shape}; allowed is {lead}, one reward for each step. Mend it."
            )
        return rew


def checked(
    obs: Any, act: Any, obs_shape: tuple[int, ...], act_shape: tuple[int, ...], pictures: bool
) -> tuple[np.ndarray, np.ndarray, tuple[int, ...]]:
    """What somebody hands to a reward, as arrays, and the shape (…) of what it is to answer.

    Args:
        obs: (…, *obs).
        act: (…, *act).
        obs_shape: Of one observation.
        act_shape: Of one action.
        pictures: Whether observations are pictures.

    Raises:
        UserError: For other shapes or types, with both; a NotFiniteError for an observation that is NaN or infinite.
    """
    seen, lead = checked_obs(obs, obs_shape, pictures)
    done = np.asarray(act)
    if _lead("Actions", done, act_shape) != lead:
        raise UserError(
            f"{lead} observations and {done.shape[: done.ndim - len(act_shape)]} actions given; each observation needs "
            "the action that was taken after it. Give as many of both."
        )
    return seen, done, lead


def checked_obs(obs: Any, obs_shape: tuple[int, ...], pictures: bool) -> tuple[np.ndarray, tuple[int, ...]]:
    """Observations (…, *obs) as float32, or pictures uint8, and the shape (…) of what is to be answered.

    Raises:
        UserError: For another shape, with both, and for pictures of other numbers; a NotFiniteError for an observation
            that is NaN or infinite.
    """
    if pictures:
        seen = np.asarray(obs)
        lead = _lead("Observations", seen, obs_shape)
        if seen.dtype != np.uint8:
            raise UserError(
                f"Pictures of {seen.dtype} given; allowed is uint8, from 0 to 255. Give them as the run had them."
            )
        return seen, lead
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is named
        seen = np.asarray(obs, dtype=np.float32)
    lead = _lead("Observations", seen, obs_shape)
    check_finite(seen)
    return seen, lead


def _lead(what: str, given: np.ndarray, one: tuple[int, ...]) -> tuple[int, ...]:
    n_lead = given.ndim - len(one)
    if n_lead < 0 or given.shape[n_lead:] != one:
        wanted = ", ".join(("…", *map(str, one)))
        raise UserError(f"{what} of shape {given.shape} given; allowed is ({wanted}). Give them as the run had them.")
    return given.shape[:n_lead]


def check_finite(obs: np.ndarray) -> None:
    """Refuse what r̂ could say nothing of.

    Raises:
        NotFiniteError: If a number in it is NaN or infinite; the message holds how many and where the first is.
    """
    bad = ~np.isfinite(obs)
    if not bad.any():
        return
    where = tuple(int(i) for i in np.argwhere(bad)[0])
    raise NotFiniteError(
        f"{int(bad.sum())} of {obs.size} numbers in the observations are not finite, the first is {obs[where]} at "
        f"{list(where)}; r̂ needs finite ones. Mend the environment that gave them."
    )


def _must_fit(what: str, given: Sequence[int], wanted: Sequence[int], fits: bool) -> None:
    if not fits:
        raise UserError(
            f"The environment's {what} have shape {tuple(given)}, the reward was learned from {tuple(wanted)}. Use the "
            "environment it was learned in, or a reward that was learned in this one."
        )
