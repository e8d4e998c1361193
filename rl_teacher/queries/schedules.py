"""How many answers there should be by now, by name. Schedules never fall."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass

from rl_teacher.errors import UserError, unknown
from rl_teacher.protocols import LabelSchedule
from rl_teacher.queries.curves import curve_at, load_curve


@dataclass(frozen=True, slots=True)
class BoundedSchedule(LabelSchedule):
    """So many answers and no more; the last is wanted when `spent_by` of the steps are done."""

    n_labels: int
    """All answers, pre-training included."""
    n_pretrain: int
    """Answers before the agent learns."""
    total_steps: int
    """Steps of the run."""
    spent_by: float = 1.0
    """Share of the run by which all are asked for."""

    def desired(self, steps: int, seconds: float = 0.0) -> int:
        """Answers wanted after `steps`."""
        del seconds
        done = steps / (self.spent_by * self.total_steps)
        if done >= 1.0:
            return self.n_labels
        # pre + (L - pre) share(t/T)
        return self.n_pretrain + int((self.n_labels - self.n_pretrain) * self.share(done) + 1e-9)

    @abstractmethod
    def share(self, done: float) -> float:
        """Share of the on-line answers wanted when a share `done` in [0, 1) of the time for them is over."""


@dataclass(frozen=True, slots=True)
class ExponentialSchedule(BoundedSchedule):
    """Many answers early, few late: the original's default with `-l`.

    The original (rl_teacher/label_schedules.py) stops at 99 % of the on-line answers; this one ends at the number asked
    for.
    """

    left_at_end: float = 0.01
    """How small the rate has become at the end, as a share of the first."""

    def share(self, done: float) -> float:
        """See `BoundedSchedule.share`."""
        # (1 - 0.01^(t/T)) / (1 - 0.01)
        return (1.0 - self.left_at_end**done) / (1.0 - self.left_at_end)


@dataclass(frozen=True, slots=True)
class HyperbolicSchedule(BoundedSchedule):
    """The paper's: the rate after T frames is in proportion to c / (T + c) (Christiano et al. 2017, appendix A.1)."""

    frames: float = 2e6
    """c: after so many steps the rate is half the first."""

    def share(self, done: float) -> float:
        """See `BoundedSchedule.share`."""
        last = self.spent_by * self.total_steps / self.frames
        # ∫₀ᵗ c/(τ+c) dτ / ∫₀ᵀ c/(τ+c) dτ = ln(1 + t/c) / ln(1 + T/c)
        return math.log1p(done * last) / math.log1p(last)


@dataclass(frozen=True, slots=True)
class LinearSchedule(BoundedSchedule):
    """The rate falls in a straight line to zero at the end: three quarters of the answers in the first half."""

    def share(self, done: float) -> float:
        """See `BoundedSchedule.share`."""
        # ∫₀ᵗ (1 - τ/T) dτ / ∫₀ᵀ (1 - τ/T) dτ = 1 - (1 - t/T)²
        return 1.0 - (1.0 - done) ** 2


@dataclass(frozen=True, slots=True)
class EvenSchedule(BoundedSchedule):
    """The same rate all along: `constant` with a number of labels."""

    def share(self, done: float) -> float:
        """See `BoundedSchedule.share`."""
        return done


@dataclass(frozen=True, slots=True)
class CurveSchedule(BoundedSchedule):
    """A user's own function, checked beforehand and known by its values on a grid."""

    values: tuple[float, ...] = (0.0, 1.0)
    """Shares at equal distances from 0 to 1, as `load_curve` gives them."""

    def share(self, done: float) -> float:
        """See `BoundedSchedule.share`."""
        return curve_at(self.values, done)


@dataclass(frozen=True, slots=True)
class ConstantSchedule(LabelSchedule):
    """One more answer every so many steps, without end."""

    n_pretrain: int
    steps_per_label: float

    def desired(self, steps: int, seconds: float = 0.0) -> int:
        """Answers wanted after `steps`."""
        del seconds
        return self.n_pretrain + int(steps / self.steps_per_label + 1e-9)


@dataclass(frozen=True, slots=True)
class ClockSchedule(LabelSchedule):
    """One more answer every few seconds, without end: the original's default without `-l`.

    Follows the wall clock, so no two runs are the same.
    """

    n_pretrain: int
    seconds_per_label: float = 3.0

    def desired(self, steps: int, seconds: float = 0.0) -> int:
        """Answers wanted after `seconds`."""
        del steps
        return self.n_pretrain + int(seconds / self.seconds_per_label)


_BOUNDED: dict[str, type[BoundedSchedule]] = {
    "constant": EvenSchedule,
    "exponential": ExponentialSchedule,
    "hyperbolic": HyperbolicSchedule,
    "linear": LinearSchedule,
}
ENDLESS = ("clock", "constant")
"""Schedules that need no number of labels."""
SCHEDULES = ("exponential", "hyperbolic", "linear", "constant", "clock")
"""Names for `make_schedule`, which also takes `package.module:function`."""


def make_schedule(
    name: str,
    n_labels: int | None,
    n_pretrain: int,
    total_steps: int,
    steps_per_label: int,
    spent_by: float = 1.0,
) -> LabelSchedule:
    """A schedule by name.

    Args:
        name: One of SCHEDULES, or `package.module:function` for a function from the share of the steps done to the
            share of the on-line answers wanted by then.
        n_labels: Answers in all; None: without end.
        n_pretrain: Answers before the agent learns.
        total_steps: Steps of the run.
        steps_per_label: For "constant" without n_labels; with them, they are spread evenly over the run.
        spent_by: Share of the run by which all n_labels are asked for, above 0 and at most 1; means nothing to a
            schedule without end.

    Raises:
        UserError: For an unknown name, a function or share that cannot be used, or a schedule that has to end given
            without a number of labels.
    """
    is_function = ":" in name
    if not is_function and name not in SCHEDULES:
        raise unknown("label schedule", name, (*SCHEDULES, "package.module:function"))
    if not 0.0 < spent_by <= 1.0:
        raise UserError(
            f"{spent_by} given as the share of the run by which all answers are asked for; allowed is a number above 0 "
            "and at most 1. Give 0.5, for example."
        )
    if name == "clock":
        return ClockSchedule(n_pretrain)
    if n_labels is None:
        if name in ENDLESS:
            return ConstantSchedule(n_pretrain, steps_per_label)
        raise UserError(
            f"Label schedule '{name}' given without a number of labels; it needs to know how many: give -l, or choose "
            f"one of {', '.join(ENDLESS)}."
        )
    if is_function:
        return CurveSchedule(n_labels, n_pretrain, total_steps, spent_by, load_curve(name))
    return _BOUNDED[name](n_labels, n_pretrain, total_steps, spent_by)
