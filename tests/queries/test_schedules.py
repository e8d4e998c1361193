from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_teacher.errors import UserError
from rl_teacher.queries.schedules import (
    ENDLESS,
    SCHEDULES,
    ClockSchedule,
    ConstantSchedule,
    ExponentialSchedule,
    make_schedule,
)

BOUNDED = [name for name in SCHEDULES if name != "clock"]
USERS = f"{__name__}:late"


def late(done: float) -> float:
    """A user's own: most answers late."""
    return done**3


@given(
    st.sampled_from([*BOUNDED, USERS]),
    st.integers(1, 2_000),
    st.data(),
    st.integers(1, 5_000_000),
    st.floats(0.01, 1.0),
)
def test_schedules_never_fall_and_end_at_the_number_asked_for(name, n_labels, data, total, spent_by):
    n_pretrain = data.draw(st.integers(0, n_labels))
    schedule = make_schedule(name, n_labels, n_pretrain, total, 10, spent_by)
    wanted = [schedule.desired(step) for step in np.linspace(0, 1.2 * total, 50).astype(int)]
    assert wanted[0] == n_pretrain
    assert all(a <= b for a, b in pairwise(wanted))
    assert schedule.desired(math.ceil(spent_by * total)) == schedule.desired(total) == wanted[-1] == n_labels


def shares(name: str, *at: float, total: int = 5_000_000, spent_by: float = 1.0) -> list[float]:
    schedule = make_schedule(name, 101_000, 1_000, total, 10, spent_by)
    return [(schedule.desired(round(t * total)) - 1_000) / 100_000 for t in at]


def test_the_exponential_schedule_is_the_originals():
    schedule = ExponentialSchedule(1_400, 350, 1_000)
    original = [350 + 1_050 * (1 - 0.01**t) for t in (0, 0.1, 0.25, 0.5, 1)]
    ours = [schedule.desired(int(1_000 * t)) for t in (0, 0.1, 0.25, 0.5, 1)]
    assert all(abs(a - b) <= 11 for a, b in zip(ours, original, strict=True))


def test_the_hyperbolic_schedule_has_the_papers_rate():
    """65, 70 and 75 % in the first half of 5, 10 and 20 M steps; after c frames half the first rate."""
    halves = [shares("hyperbolic", 0.5, total=total)[0] for total in (5_000_000, 10_000_000, 20_000_000)]
    assert halves == pytest.approx([0.65, 0.70, 0.75], abs=0.01)
    at_first, after_c = np.diff(shares("hyperbolic", 0.0, 0.01, 0.4, 0.41))[[0, 2]]
    assert after_c / at_first == pytest.approx(0.5, abs=0.01)


def test_linear_and_constant_by_hand():
    assert shares("linear", 0.25, 0.5, 0.75) == pytest.approx([7 / 16, 3 / 4, 15 / 16], abs=2e-5)
    assert shares("constant", 0.25, 0.5, 0.75) == pytest.approx([0.25, 0.5, 0.75], abs=2e-5)
    assert shares(USERS, 0.25, 0.5, 0.75) == pytest.approx([1 / 64, 1 / 8, 27 / 64], abs=2e-5)


def test_all_answers_can_be_spent_by_a_share_of_the_run():
    for name in (*BOUNDED, USERS):
        early = shares(name, 0.1, 0.2, 0.4, total=1_000_000, spent_by=0.4)
        assert early[-1] == 1.0
        if name != "hyperbolic":  # whose rate is in frames, not in shares of the run
            assert early == pytest.approx(shares(name, 0.25, 0.5, 1.0), abs=2e-5)


def test_endless_schedules():
    assert [ConstantSchedule(5, 100).desired(s) for s in (0, 99, 100, 1_000)] == [5, 5, 6, 15]
    assert [ClockSchedule(5).desired(10**9, s) for s in (0, 2.9, 3, 31)] == [5, 5, 6, 15]


def test_schedules_by_name():
    assert isinstance(make_schedule("clock", None, 2, 100, 10), ClockSchedule)
    assert isinstance(make_schedule("clock", 10, 2, 100, 10), ClockSchedule)
    assert make_schedule("constant", None, 2, 100, 10) == ConstantSchedule(2, 10)
    for name in (*SCHEDULES, USERS):
        if name not in ENDLESS:
            with pytest.raises(UserError, match=f"'{name}' given without a number of labels.*give -l.*clock, constant"):
                make_schedule(name, None, 2, 100, 10)
    with pytest.raises(UserError, match=r"Unknown label schedule .exponental.\. Did you mean exponential.*hyperbolic"):
        make_schedule("exponental", 10, 2, 100, 10)


@pytest.mark.parametrize("share", [0.0, -0.5, 1.01, math.nan, math.inf])
def test_a_share_of_the_run_that_is_none_is_refused(share):
    with pytest.raises(UserError, match="above 0 and at most 1"):
        make_schedule("linear", 10, 2, 100, 10, share)
