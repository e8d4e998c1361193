"""How many answers there should be by now. Schedules never fall."""

from __future__ import annotations

from dataclasses import dataclass

from rl_teacher.errors import unknown
from rl_teacher.protocols import LabelSchedule


@dataclass(frozen=True, slots=True)
class AnnealedSchedule:
    """Many answers early, few late, all of them by the end: the original's default with `-l`.

    The original (rl_teacher/label_schedules.py) stops at 99 % of the on-line answers; this one ends at the number asked
    for.
    """

    n_labels: int
    """All answers, pre-training included."""
    n_pretrain: int
    """Answers before the agent learns."""
    total_steps: int
    """Steps of the run."""
    left_at_end: float = 0.01
    """How small the rate has become at the end, as a share of the first."""

    def desired(self, steps: int, seconds: float = 0.0) -> int:
        """Answers wanted after `steps`."""
        del seconds
        done = min(1.0, steps / self.total_steps)
        # pre + (L - pre) (1 - 0.01^(t/T)) / (1 - 0.01)
        share = (1.0 - self.left_at_end**done) / (1.0 - self.left_at_end)
        return self.n_pretrain + int((self.n_labels - self.n_pretrain) * share + 1e-9)


@dataclass(frozen=True, slots=True)
class ClockSchedule:
    """One more answer every few seconds, without end: the original's default without `-l`.

    Follows the wall clock, so no two runs are the same.
    """

    n_pretrain: int
    seconds_per_label: float = 3.0

    def desired(self, steps: int, seconds: float = 0.0) -> int:
        """Answers wanted after `seconds`."""
        del steps
        return self.n_pretrain + int(seconds / self.seconds_per_label)


@dataclass(frozen=True, slots=True)
class StepSchedule:
    """One more answer every so many steps, without end."""

    n_pretrain: int
    steps_per_label: float

    def desired(self, steps: int, seconds: float = 0.0) -> int:
        """Answers wanted after `steps`."""
        del seconds
        return self.n_pretrain + int(steps / self.steps_per_label + 1e-9)


SCHEDULES = ("anneal", "steps", "clock")
"""Names for `make_schedule`."""


def make_schedule(
    name: str, n_labels: int | None, n_pretrain: int, total_steps: int, steps_per_label: int
) -> LabelSchedule:
    """A schedule by name.

    Args:
        name: One of SCHEDULES.
        n_labels: Answers in all; None: without end.
        n_pretrain: Answers before the agent learns.
        total_steps: Steps of the run.
        steps_per_label: For "steps" without n_labels; with them, they are spread evenly over the run.

    Raises:
        UserError: For an unknown name, or "anneal" without a number of labels.
    """
    if name == "anneal" and n_labels is not None:
        return AnnealedSchedule(n_labels, n_pretrain, total_steps)
    if name == "steps":
        later = None if n_labels is None else n_labels - n_pretrain
        return StepSchedule(n_pretrain, total_steps / max(1, later) if later is not None else steps_per_label)
    if name == "clock":
        return ClockSchedule(n_pretrain)
    raise unknown("label schedule", name, SCHEDULES if n_labels is not None else SCHEDULES[1:])
