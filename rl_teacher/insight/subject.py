"""A run as far as questions about it need it: built from the trainer's own parts, or from its last checkpoint."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rl_teacher.feedback.records import Job
from rl_teacher.feedback.store import Store
from rl_teacher.protocols import RewardModel
from rl_teacher.trajectory import Comparison, Segment, Trajectory


@dataclass
class Subject:
    """What questions are about."""

    store: Store
    experiment_id: str
    run_id: str
    step: Callable[[], int]
    """Environment steps of the run."""
    reward: Callable[[], RewardModel | None]
    """r̂; None where there is none: in `rl` mode, and before it was fitted to anything."""
    comparisons: Callable[[], Mapping[str, Comparison]]
    """Every answered query that bears a preference, by `Query.id`."""
    recent: Callable[[int], list[Segment]]
    """Up to so many segments of what the agent did last."""
    play: Callable[[int], Trajectory]
    """One episode of the present policy without exploration, from the start that belongs to this seed."""
    clip: Callable[[Segment | Trajectory], str] | None
    """What was played -> id of the clip that shows it; None where nothing can be seen."""
    film: Callable[[Job], str]
    """Makes a film of a clip that is poses, as a job asks; a line that says what came of it."""
    has_true_return: bool
    """Whether the episode's `env_rew` adds up to the task's own return; with a behaviour it does not."""
