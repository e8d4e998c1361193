"""The data: what an agent did, pieces of it, and pairs of pieces with what a teacher thought of them.

Axis letters: T steps of a trajectory, k steps of a segment, B comparisons in a batch. All arrays are read-only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from rl_teacher.errors import UserError
from rl_teacher.pictures import Picture
from rl_teacher.stacks import folded, thin


@dataclass(frozen=True, slots=True)
class Source:
    """Where a piece of behaviour comes from."""

    run: str = ""
    step: int = 0
    """Environment steps of the run when this was played."""
    episode: int = 0
    start: int = 0
    """Index of the first step within its episode."""


@dataclass(frozen=True, slots=True, eq=False)
class Trajectory:
    """Consecutive steps of one episode, never across a reset.

    Raises:
        ValueError: Where two lengths or shapes disagree; the message holds both.
    """

    obs: np.ndarray
    """(T+1, *obs) float32, pictures uint8: one more than actions, the observation after the last step included."""
    act: np.ndarray
    """(T, *act)."""
    env_rew: np.ndarray
    """(T,) the task's true reward: read by synthetic teachers and metrics only."""
    sim: np.ndarray | None = None
    """(T+1, S) float64 simulator state (qpos, then qvel), or None where there is none."""
    terminated: bool = False
    truncated: bool = False
    source: Source = field(default_factory=Source)
    frames: tuple[Picture, ...] | None = None
    """T+1 pictures, where the environment draws itself and people are to see it."""

    def __post_init__(self) -> None:
        n_steps = len(self.act)
        _same_length("obs", len(self.obs), n_steps + 1)
        _same_shape("env_rew", self.env_rew, (n_steps,))
        if self.sim is not None:
            _same_length("sim", len(self.sim), n_steps + 1)
        if self.frames is not None:
            _same_length("frames", len(self.frames), n_steps + 1)
        _freeze(self, "obs", "act", "env_rew", "sim")

    def __len__(self) -> int:
        """T, the number of steps."""
        return len(self.act)

    def segment(self, start: int, n_steps: int) -> Segment:
        """The `n_steps` steps from `start` on.

        Raises:
            ValueError: If they do not all lie within this trajectory.
        """
        stop = start + n_steps
        if start < 0 or n_steps < 1 or stop > len(self):
            raise ValueError(f"steps {start} to {stop} do not lie in a trajectory of {len(self)} steps")
        where = Source(self.source.run, self.source.step, self.source.episode, self.source.start + start)
        sim = None if self.sim is None else self.sim[start:stop]
        frames = None if self.frames is None else self.frames[start:stop]
        return Segment(self.obs[start:stop], self.act[start:stop], self.env_rew[start:stop], sim, where, frames)


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """σ: k consecutive steps of one episode, as much as a person can judge at a glance."""

    obs: np.ndarray
    """(k, *obs) float32, pictures uint8, as the environment gave them (never normalised)."""
    act: np.ndarray
    """(k, *act)."""
    env_rew: np.ndarray
    """(k,)."""
    sim: np.ndarray | None = None
    """(k, S) float64, or None."""
    source: Source = field(default_factory=Source)
    frames: tuple[Picture, ...] | None = None
    """k pictures, or None; no part of what tells segments apart."""
    _stored: dict[str, np.ndarray] = field(default_factory=dict, init=False, repr=False)
    key: str = field(default="", compare=False)
    """sha256 of the content, hexadecimal: two segments are the same clip exactly if their keys are equal."""

    def __post_init__(self) -> None:
        k = len(self.act)
        _same_length("obs", len(self.obs), k)
        _same_shape("env_rew", self.env_rew, (k,))
        if self.sim is not None:
            _same_length("sim", len(self.sim), k)
        if self.frames is not None:
            _same_length("frames", len(self.frames), k)
        if self.obs.dtype == np.uint8:
            object.__setattr__(self, "obs", thin(self.obs))  # a view would keep the whole play in memory
        _freeze(self, "obs", "act", "env_rew", "sim")
        digest = hashlib.sha256(self.obs.tobytes() + self.act.tobytes())
        if self.sim is not None:
            digest.update(self.sim.tobytes())
        object.__setattr__(self, "key", digest.hexdigest())

    def stored(self) -> dict[str, np.ndarray]:
        """Its arrays by name, as files keep them; `stacks.unfolded` gives back what was folded."""
        if not self._stored:  # checkpoints ask for the same segments again and again
            arrays = {"obs": self.obs, "act": self.act, "env_rew": self.env_rew}
            self._stored.update(folded(arrays if self.sim is None else {**arrays, "sim": self.sim}))
        return self._stored

    def __len__(self) -> int:
        """k, the number of steps."""
        return len(self.act)


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """Two distinct segments to be compared, not answered yet.

    Raises:
        ValueError: If left and right are the same clip, or the shapes of their observations or actions differ; the
            message holds both shapes.
    """

    left: Segment
    right: Segment
    why: str = "random"
    """The strategy that chose the pair."""
    score: float = 0.0
    """What the strategy thought of it, in its own units."""
    id: str = field(default="", compare=False)
    """Made of the two clips, so that a pair has one id in whichever order it is asked."""

    def __post_init__(self) -> None:
        if self.left.key == self.right.key:
            raise ValueError("a clip cannot be compared with itself: left and right are the same segment")
        _same_shape("right.obs", self.right.obs, self.left.obs.shape)
        _same_shape("right.act", self.right.act, self.left.act.shape)
        pair = "".join(sorted((self.left.key, self.right.key)))
        object.__setattr__(self, "id", hashlib.sha256(pair.encode()).hexdigest()[:32])


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """An answered query: (σ¹, σ², μ) of Christiano et al. 2017, section 2.2.2."""

    query: Query
    mu: np.ndarray
    """(2,) float32, the share of the teacher's preference for left and right; sums to one."""
    given_at: float = 0.0
    """Unix time of the newest answer behind it, seconds."""

    def __post_init__(self) -> None:
        if np.shape(self.mu) != (2,) or not abs(float(np.sum(self.mu)) - 1.0) < 1e-5:
            raise ValueError(f"mu must be two shares that sum to one, not {self.mu!r}")
        _freeze(self, "mu")


@dataclass(frozen=True, slots=True, eq=False)
class ComparisonBatch:
    """B comparisons as arrays, ready for a reward model."""

    left_obs: np.ndarray
    """(B, k, *obs)."""
    left_act: np.ndarray
    """(B, k, *act)."""
    right_obs: np.ndarray
    right_act: np.ndarray
    mu: np.ndarray
    """(B, 2)."""

    def __post_init__(self) -> None:
        for name in ("left_act", "right_obs", "right_act", "mu"):
            _same_length(name, len(getattr(self, name)), len(self.left_obs))
        _freeze(self, "left_obs", "left_act", "right_obs", "right_act", "mu")

    def __len__(self) -> int:
        """B."""
        return len(self.mu)

    @classmethod
    def of(cls, comparisons: Sequence[Comparison]) -> ComparisonBatch:
        """Stack comparisons of equally long segments.

        Raises:
            UserError: If there are none, or two segments differ in length.
        """
        if not comparisons:
            raise UserError("Nothing to stack: 0 comparisons given, at least 1 needed; answer some queries first.")
        lengths = {len(c.query.left) for c in comparisons}
        if len(lengths) > 1:
            raise UserError(
                f"Segments of different length given: {sorted(lengths)} steps. All comparisons of a run must have one "
                "length; start a new run under another name for another clip length."
            )
        return cls(
            np.stack([c.query.left.obs for c in comparisons]),
            np.stack([c.query.left.act for c in comparisons]),
            np.stack([c.query.right.obs for c in comparisons]),
            np.stack([c.query.right.act for c in comparisons]),
            np.stack([c.mu for c in comparisons]),
        )


def _same_length(name: str, given: int, needed: int) -> None:
    if given != needed:
        raise ValueError(f"{name} has {given} entries where {needed} are needed")


def _same_shape(name: str, given: np.ndarray, needed: tuple[int, ...]) -> None:
    if np.shape(given) != needed:
        raise ValueError(f"{name} has shape {np.shape(given)} where {needed} is needed")


def _freeze(data: object, *names: str) -> None:
    """Replace the arrays of a frozen dataclass by read-only views, so that nobody changes a record by accident."""
    for name in names:
        array = getattr(data, name)
        if array is not None:
            view = np.asarray(array).view()
            view.flags.writeable = False
            object.__setattr__(data, name, view)
