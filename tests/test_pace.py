from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rl_teacher.pace import Pace

counts = st.integers(0, 300)


@given(counts, counts, counts, st.one_of(st.none(), st.integers(1, 300)))
def test_questions_stay_within_bounds(desired, n_answered, n_open, n_labels):
    pace = Pace(None, 100, 50, 5, n_labels=n_labels, min_open=8, max_open=20, slack=4)
    n = pace.to_ask(desired, n_answered, n_open)
    assert n >= 0
    assert n == 0 or n_open + n <= 20
    if n_labels is None:
        assert n_open + n >= 8
    else:
        assert n == 0 or n_answered + n_open + n <= n_labels


@given(counts, counts)
def test_a_teacher_that_answers_at_once_is_asked_exactly_what_is_missing(desired, n_answered):
    assert Pace(None, 100, 50, 5).to_ask(desired, n_answered, 0) == max(0, desired - n_answered)


@given(counts, counts)
def test_with_nothing_open_nobody_waits(desired, n_answered):
    assert Pace(None, 100, 50, 5, max_open=20).may_go_on(desired, n_answered, 0, news=False, steps=0)


def test_the_agent_waits_for_a_slow_person():
    pace = Pace(None, 100, 50, 5, min_open=8, max_open=20, slack=4)
    assert pace.may_go_on(14, 10, 8, news=False, steps=0)
    assert not pace.may_go_on(15, 10, 8, news=False, steps=0)


def test_without_an_end_every_answer_pays_for_a_round_however_far_the_schedule_is_ahead():
    pace = Pace(None, 100, 50, 5, min_open=8, max_open=20, slack=4)
    assert pace.may_go_on(1_000, 10, 8, news=True, steps=0)
    assert not pace.may_go_on(1_000, 10, 8, news=False, steps=0)


def test_an_answer_is_used_at_once_while_the_steps_suffice_for_all_to_come():
    pace = Pace(10_000, 100, 50, 5, n_labels=20, max_open=20, slack=4)
    assert not pace.may_go_on(18, 10, 8, news=False, steps=0)
    assert pace.may_go_on(18, 10, 8, news=True, steps=8_500)
    assert not pace.may_go_on(18, 10, 8, news=True, steps=8_501)
