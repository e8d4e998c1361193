"""The verbs: what each part of the loop can do, on one page.

Axis letters: T steps, k steps of a segment, N parallel environments. `obs` stands for the shape of one observation,
`act` for that of one action.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import gymnasium as gym
import numpy as np

from rl_teacher.trajectory import Comparison, Query, Segment, Trajectory

Info = Mapping[str, float]
"""Named figures for the metrics; a name is born next to the quantity it names."""

RewardFn = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""What an agent is given to please: (obs (…, *obs), act (…, *act)) -> rew (…), one batched call, frozen meanwhile."""


@dataclass(frozen=True, slots=True)
class VecStep:
    """What N environments answered to one action each."""

    obs: np.ndarray
    """(N, *obs) float32, pictures uint8; the true last observation where an episode ended."""
    env_rew: np.ndarray
    """(N,) float64, the task's true reward."""
    terminated: np.ndarray
    """(N,) bool: the task itself ended, nothing can be earned any more."""
    truncated: np.ndarray
    """(N,) bool: the clock ran out, the episode would have gone on."""


class VecEnv(Protocol):
    """N copies of one environment, stepped together.

    Critical: an environment resets on the step *after* its end. That step's action is ignored, its reward is 0, it
    returns the first observation of the next episode and belongs to no episode: mask it.
    """

    n_envs: int
    obs_space: gym.spaces.Box
    """Shape of one observation."""
    act_space: gym.Space
    """Of one action."""

    def reset(self, seed: int | None = None) -> np.ndarray:
        """Start all episodes afresh, as a new one made with this seed would; returns obs (N, *obs), as `VecStep`."""
        ...

    def step(self, act: np.ndarray) -> VecStep:
        """Take one step in each; act is (N, *act)."""
        ...

    def renew(self) -> np.ndarray:
        """Begin the next episode now wherever one is over, for those who cannot wait for the next step to do it.

        Returns:
            Their first observations (n, *obs) float32, in the order of the environments.
        """
        ...

    def close(self) -> None:
        """Free the simulator. Closing twice is harmless."""
        ...


@runtime_checkable
class Actor(Protocol):
    """Whatever can choose actions."""

    def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
        """Actions (N, *act) for obs (N, *obs): as in training if `explore`, else the best known."""
        ...


class Agent(Actor, Protocol):
    """Improves against a RewardFn and never sees the task's own reward, unless that is what it is told to please."""

    def train(self, n_steps: int, reward: RewardFn | None) -> Info:
        """Learn from at least `n_steps` further environment steps.

        Args:
            n_steps: Rounded up to whole rollouts, which may be shorter than usual where n_steps is small.
            reward: r̂, frozen for the call; None means the environment's own reward (`rl` mode).

        Returns:
            Figures, among them "steps" taken, the seconds of its phases, "collect_seconds" and "learn_seconds", and
            "update_seconds" from the call to the end of the first policy update.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write all that is needed to go on, without pickle, but for the environments: see `restart`."""
        ...

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote."""
        ...

    def restart(self, seed: int) -> None:
        """Begin new episodes in all environments, which depend on nothing but this seed and the policy."""
        ...


class RewardModel(Protocol):
    """r̂: an ensemble of networks (obs, act) → scalar, learned from comparisons."""

    n_members: int
    n_fits: int
    """How often it was fitted."""

    def predict(self, obs: np.ndarray, act: np.ndarray) -> np.ndarray:
        """Normalised r̂, (…) for obs (…, *obs) and act (…, *act)."""
        ...

    def incentive(self, obs: np.ndarray, act: np.ndarray) -> np.ndarray:
        """What agents are given, (…): r̂, and something for what its members do not agree about yet, if so set."""
        ...

    def votes(self, queries: Sequence[Query]) -> np.ndarray:
        """P[left is better] by each member, (E, n), without the assumed errors of the teacher."""
        ...

    def held_out(self, queries: Sequence[Query]) -> np.ndarray:
        """Which members never learn from an answer to these queries, (E, n) bool."""
        ...

    def fit(self, comparisons: Sequence[Comparison], n_iters: int | None = None) -> Info:
        """Learn from all comparisons so far; n_iters gradient steps, or as many as the model thinks fit.

        With no comparison nothing changes; the returned figures then say "fitted": 0.
        """
        ...

    def save(self, folder: Path) -> None:
        """Write all that is needed to go on, without pickle."""
        ...

    def load(self, folder: Path) -> None:
        """Go on from what `save` wrote."""
        ...


class Stage(Protocol):
    """Where the present policy plays in full view: one or a few ordinary environments with simulator state kept."""

    now: int
    """Environment steps of the run, set by the loop: goes into the source of what is played."""

    def play(self, actor: Actor | None, n_steps: int) -> list[Trajectory]:
        """At least `n_steps` steps of present behaviour; None plays uniformly random actions."""
        ...

    def restart(self, seed: int) -> None:
        """Begin new episodes, which depend on nothing but this seed and the policy."""
        ...


class Pool(Protocol):
    """Recent behaviour that questions are made of."""

    def add(self, trajectories: Sequence[Trajectory]) -> None:
        """Take in what was just played; the oldest is forgotten."""
        ...

    def sample(self, n: int) -> list[Segment]:
        """Segments drawn at random from what is kept."""
        ...

    def spread(self, n: int) -> list[Segment]:
        """Up to n segments at even distances over what is kept; nothing is drawn at random."""
        ...

    def forget(self) -> None:
        """Everything kept is old now; pairs that were asked stay asked."""
        ...

    def is_new(self, query: Query) -> bool:
        """Whether this pair was never asked, in either order."""
        ...

    def remember(self, pairs: Iterable[str]) -> None:
        """The queries of these ids have been asked."""
        ...

    def restart(self, seed: int) -> None:
        """From here on segments are drawn with this seed."""
        ...


class QueryStrategy(Protocol):
    """Which pairs to ask."""

    def __call__(self, pool: Pool, n: int, reward: RewardModel, answers: Mapping[str, Comparison]) -> list[Query]:
        """Up to n pairs of distinct segments that were never asked; fewer where the pool has no more.

        Args:
            pool: Recent behaviour.
            n: How many questions.
            reward: r̂ as it is now.
            answers: Every answered query that bears a preference, by query id, oldest first.
        """
        ...


class LabelSchedule(Protocol):
    """How many answers there should be by now."""

    def desired(self, steps: int, seconds: float = 0.0) -> int:
        """Wanted answers after `steps` environment steps and `seconds` of the run; never falls."""
        ...


@dataclass(frozen=True, slots=True)
class Changes:
    """What teachers said since a cursor."""

    cursor: int
    """Where to ask from next time."""
    comparisons: tuple[Comparison, ...] = ()
    """Added or replaced, by query id."""
    withdrawn: tuple[str, ...] = ()
    """Ids of queries that no longer express a preference."""


class Teacher(Protocol):
    """Answers when it likes, never blocks."""

    @property
    def n_open(self) -> int:
        """Questions asked, not answered, not taken back."""
        ...

    @property
    def n_decided(self) -> int:
        """Questions whose answer expresses a preference. "Can't tell" uses up nobody's labels."""
        ...

    def tally(self) -> Mapping[str, int]:
        """How many were asked, answered, and answered left, right, tie, abstain."""
        ...

    def asked(self) -> Iterable[str]:
        """Ids of all queries ever put, whatever became of them: a run that goes on must not put one again."""
        ...

    def ask(self, queries: Sequence[Query]) -> None:
        """Put questions; the answers come through `changes` when there are any."""
        ...

    def changes(self, cursor: int) -> Changes:
        """What was said after `cursor`; 0 gives everything ever said, which is how a stopped run goes on."""
        ...

    def expire(self, older_than: int) -> int:
        """Take back open questions about behaviour from before step `older_than`; returns how many.

        Questions somebody is looking at stay.
        """
        ...


class Observer(Protocol):
    """Who looks on: keeps time, tells people, writes metrics and checkpoints, and may end the run."""

    def phase(self, name: str) -> AbstractContextManager[None]:
        """Count the seconds within, under "stage", "query", "reward_fit" or "wait"."""
        ...

    def elapsed(self) -> float:
        """Seconds of the run so far, over all its starts."""
        ...

    def record(self, steps: int, info: Info) -> None:
        """A round is over: write its figures; now and then evaluate, save, show."""
        ...

    def has_explored(self, steps: int) -> None:
        """The agent has explored and is now to be taught: keep it as it is, for other runs."""
        ...

    def say(self, message: str) -> None:
        """Tell whoever looks on what the run is doing: one line for people."""
        ...

    def idle(self, message: str) -> None:
        """Sleep a moment, saying what for."""
        ...

    def paused(self) -> bool:
        """Whether somebody asked the agent to hold."""
        ...

    def should_stop(self) -> bool:
        """Whether somebody asked for the end."""
        ...
