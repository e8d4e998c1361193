"""Teaching around a learner that lives elsewhere: the loop's rounds, driven from outside.

In the loop an agent is told to learn for a round. Here it learns by itself and says what it did; when the steps of a
round are done, the loop asks, listens and fits, and waits for people where the learner would outrun them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import gymnasium as gym
import numpy as np
import torch

from rl_teacher.envs.stage import random_actions
from rl_teacher.loop import TeachingLoop
from rl_teacher.plug.adapting import checked
from rl_teacher.protocols import Actor, Info, Observer, RewardFn
from rl_teacher.rounds import Lesson
from rl_teacher.stacks import is_picture
from rl_teacher.tensors import save_finite

OUTSIDE = "outside"
"""What config.json calls an agent that learns elsewhere."""
Policy = Callable[[np.ndarray], np.ndarray]
"""What a learner does now, its exploration included: actions (N, *act) for obs (N, *obs)."""


class Outside:
    """Stands in the loop for a learner that lives elsewhere: acts as it does now, and is never told to learn.

    Before it has heard of a policy it acts at random, as somebody who has learned nothing.

    Args:
        seed: Of random actions.
    """

    def __init__(self, seed: int = 0) -> None:
        self.actor: Actor | None = None
        self.act_space: gym.Space | None = None
        """Set with the loop."""
        self.restart(seed)

    def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
        """Actions (N, *act) for obs (N, *obs)."""
        if self.actor is not None:
            return np.asarray(self.actor.act(obs, explore=explore))
        if self.act_space is None:
            raise RuntimeError("nobody said what can be done")
        return random_actions(self.act_space, len(obs), self._rng)

    def train(self, n_steps: int, reward: RewardFn | None) -> NoReturn:
        """It learns by itself: whoever drives the loop calls `begin` and `end`, never `round`."""
        raise RuntimeError("a learner from outside cannot be told to learn")

    def save(self, folder: Path) -> None:
        """Its program keeps what it has learned; a checkpoint has the file all the same."""
        save_finite({"outside": torch.zeros(1)}, folder / "agent.safetensors")

    def load(self, folder: Path) -> None:
        """Nothing was kept here."""

    def restart(self, seed: int) -> None:
        """Random actions are drawn with this seed from here on."""
        self._rng = np.random.default_rng(seed)


class _Simple:
    """A policy that does not tell exploring from playing as well as it can."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
        del explore
        return np.asarray(self._policy(obs))


class CurrentReward:
    """R̂ as it is now, as a RewardFn; 0 while nobody has expressed a preference. It changes only in `Lessons.tick`.

    Args:
        loop: Where it is learned.
        obs_shape: Of one observation.
        act_shape: Of one action.
        pictures: Whether observations are pictures.
    """

    def __init__(
        self, loop: TeachingLoop, obs_shape: tuple[int, ...], act_shape: tuple[int, ...], pictures: bool
    ) -> None:
        self._loop = loop
        self.obs_shape, self.act_shape, self.pictures = obs_shape, act_shape, pictures

    def __call__(self, obs: np.ndarray, act: np.ndarray) -> np.ndarray:
        """Rewards (…) for obs (…, *obs) and act (…, *act).

        Raises:
            UserError: For other shapes, with both; a NotFiniteError for an observation that is NaN or infinite.
        """
        obs, act, lead = checked(obs, act, self.obs_shape, self.act_shape, self.pictures)
        return self._loop.reward.incentive(obs, act) if self._loop.ready else np.zeros(lead, dtype=np.float32)


class Lessons:
    """A teaching loop that another program's learner goes through.

    Give the learner `reward` for its reward, and call `tick` whenever it has taken some steps: after each rollout, or
    after each step. Between two ticks r̂ stays as it is.

    Args:
        loop: Whose agent is `agent`.
        agent: Stands for the learner.
        watch: Who looks on.
        obs_space: Of the environment on the stage.
        act_space: Of the same; one of n is counted from zero.
    """

    reward: CurrentReward
    """What the learner is to please."""

    def __init__(
        self, loop: TeachingLoop, agent: Outside, watch: Observer, obs_space: gym.Space, act_space: gym.Space
    ) -> None:
        self._loop, self._agent, self._watch = loop, agent, watch
        agent.act_space = act_space
        shapes = obs_space.shape or (), act_space.shape or ()
        self.reward = CurrentReward(loop, *shapes, is_picture(obs_space))
        self._taken = 0
        self._lesson: Lesson | None = None
        loop.prepare()
        self._begin()

    @property
    def n_fits(self) -> int:
        """How often r̂ was fitted. What a replay holds was rewarded by an older r̂ when this has grown."""
        return self._loop.reward.n_fits

    @property
    def over(self) -> bool:
        """Whether teaching has come to its end: from now on r̂ stays as it is."""
        return self._loop.over()

    @property
    def stop_asked(self) -> bool:
        """Whether somebody asked for the end before the steps were done."""
        return self._watch.should_stop()

    def tick(self, n_steps: int, policy: Policy | Actor) -> None:
        """The learner has taken `n_steps` further environment steps. Often returns at once; waits where people must.

        Args:
            n_steps: Since the last tick, in all its environments together.
            policy: What it does now: an `Actor`, or a function from obs (N, *obs) to act (N, *act).
        """
        self._agent.actor = policy if isinstance(policy, Actor) else _Simple(policy)
        self._taken += n_steps
        if self._lesson is not None and self._taken >= self._lesson.n_steps:
            self._end()
            self._begin()

    def flush(self) -> None:
        """The learner is done: the steps of a round that was begun count too."""
        if self._taken and self._lesson is not None:
            self._end()

    def _begin(self) -> None:
        """Rounds in which there is nothing to learn yet pass here."""
        self._taken, self._lesson = 0, None
        while not self._loop.over():
            self._lesson = self._loop.begin()
            if self._lesson is not None:
                break
            self._record(self._loop.end({}))
        self._began = time.perf_counter()

    def _end(self) -> None:
        seconds = time.perf_counter() - self._began  # how much of it went into playing, only the learner knows
        told = {"steps": self._taken, "collect_seconds": 0.0, "learn_seconds": seconds, "update_seconds": seconds}
        self._taken = 0
        self._loop.took(told)
        self._record(self._loop.end(told))

    def _record(self, info: Info) -> None:
        self._watch.record(self._loop.steps, info)
