"""Behaviours: tricks that no environment rewards, each with a scripted judge in a person's place.

A behaviour is one of our tasks with another true reward, the judge. So it can be taught by a synthetic teacher again
and again (`-p synth --behavior hopper-backflip`), learned from the judge itself for comparison (`-p rl`), and taught by
people (`-p human`), who are told its instructions. To write another: a short function of the observation, and a
line in the table below; docs/behaviors.md shows how.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from rl_teacher.envs import judges, tasks
from rl_teacher.envs.nine import RewardFormula, See, Task
from rl_teacher.envs.own_judge import judged_by
from rl_teacher.envs.tasks import EnvSpec
from rl_teacher.errors import UserError, unknown

Measure = Callable[[np.ndarray], Mapping[str, float]]
"""Observations (T+1, D) of one whole episode -> figures; the first, `success`, is between 0 and 1."""


@dataclass(frozen=True, slots=True)
class Behavior:
    """One trick, with all that makes it what it is."""

    name: str
    task: str
    """Name of the task it is a variation of."""
    judge: RewardFormula
    """The true reward in place of the task's."""
    measure: Measure
    """How well it was done, in figures for reports."""
    instructions: str
    """What a person is told if the experiment says nothing else; one line."""
    env_id: str | None = None
    """The variant of the task in which it is taught if the user names none; None: the task itself. Where a fall spoils
    the rest of an episode, short episodes teach more."""
    see: See | None = None
    """What is done to an observation before anybody but the judge sees it; None: nothing."""

    def of(self, task: Task) -> Task:
        """The task with this behaviour's judge, instructions and way of seeing."""
        return replace(task, reward=self.judge, instructions=self.instructions, see=self.see or task.see, info_keys=())


_ALL = (
    Behavior(
        "hopper-backflip", "hopper", judges.backflip, judges.measure_backflip,
        "Do backflips: jump, turn a full circle backward in the air, land on the foot.",
        env_id="ShortHopper-v1", see=judges.see_backflip,
    ),
    Behavior(
        "walker-ballet", "walker", judges.ballet, judges.measure_ballet,
        "Stand still and tall on the right leg (brown), the left leg (purple) raised high.",
        env_id="ShortWalker-v1",
    ),
    Behavior(
        "cheetah-one-leg", "cheetah", judges.one_leg, judges.measure_one_leg,
        "Run to the right on the back leg only: the front foot never touches the ground.",
    ),
    Behavior(
        "reacher-spin", "reacher", judges.spin, judges.measure_spin,
        "Spin the stretched arm counter-clockwise, one turn in a clip. The target does not matter.",
    ),
    Behavior(
        "reacher-opposite", "reacher", judges.opposite, judges.measure_opposite,
        "Stretch the arm and point it exactly away from the target.",
    ),
)  # fmt: skip

BEHAVIORS: Mapping[str, Behavior] = {behavior.name: behavior for behavior in _ALL}
"""All behaviours by name."""


def resolve(env_id: str | None, behavior: str | None = None, horizon: str | None = None) -> EnvSpec:
    """The environment that `env_id` names, with a behaviour's judge for its true reward if one is asked for.

    Args:
        env_id: As for `tasks.resolve`; None: the behaviour's own task.
        behavior: A name of `BEHAVIORS`, or "package.module:function", a judge of the user's own; None: no behaviour.
        horizon: As for `tasks.resolve`.

    Raises:
        UserError: If there is no such environment or behaviour, they do not fit each other, or a judge cannot be used.
    """
    if behavior is None or ":" in behavior:
        if env_id is None:
            raise UserError("No environment given; it is needed unless --behavior names one of ours. Give -e/--env_id.")
        spec = tasks.resolve(env_id, horizon)
        return spec if behavior is None else judged_by(spec, behavior)
    if behavior not in BEHAVIORS:
        raise unknown("behavior", behavior, [*BEHAVIORS, "MODULE:FUNCTION for a judge of your own"])
    chosen = BEHAVIORS[behavior]
    spec = tasks.resolve(env_id or chosen.env_id or chosen.task, horizon)
    if spec.task is None or spec.task.name != chosen.task:
        raise UserError(
            f"-e {env_id} given with --behavior {behavior}, which is a behaviour of {chosen.task}. "
            f"Leave -e out, or give -e {chosen.task} or a variant of it."
        )
    return replace(spec, task=chosen.of(spec.task), behavior=behavior, instructions=chosen.instructions)
