from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_teacher.options import parse
from rl_teacher.pace import STAGE_SHARE, Pace, StageAccount, pace_for

counts = st.integers(0, 300)


@given(counts, counts, counts, st.one_of(st.none(), st.integers(1, 300)))
def test_questions_stay_within_bounds(desired, n_answered, n_open, n_labels):
    pace = Pace(None, 100, 5, n_labels=n_labels, min_open=8, max_open=20, slack=4)
    n = pace.to_ask(desired, n_answered, n_open)
    assert n >= 0
    assert n == 0 or n_open + n <= 20
    if n_labels is None:
        assert n_open + n >= 8
    else:
        assert n == 0 or n_answered + n_open + n <= n_labels


@given(counts, counts)
def test_a_teacher_that_answers_at_once_is_asked_exactly_what_is_missing(desired, n_answered):
    assert Pace(None, 100, 5).to_ask(desired, n_answered, 0) == max(0, desired - n_answered)


@given(counts, counts)
def test_with_nothing_open_nobody_waits(desired, n_answered):
    assert Pace(None, 100, 5, max_open=20).may_go_on(desired, n_answered, 0, n_unused=0, steps=0)


def test_the_agent_waits_for_a_slow_person():
    pace = Pace(None, 100, 5, min_open=8, max_open=20, slack=4)
    assert pace.may_go_on(14, 10, 8, n_unused=0, steps=0)
    assert not pace.may_go_on(15, 10, 8, n_unused=0, steps=0)


def test_without_an_end_every_answer_pays_for_a_round_however_far_the_schedule_is_ahead():
    pace = Pace(None, 100, 5, min_open=8, max_open=20, slack=4)
    assert pace.may_go_on(1_000, 10, 8, n_unused=1, steps=0)
    assert not pace.may_go_on(1_000, 10, 8, n_unused=0, steps=0)


def test_an_answer_is_used_at_once_while_the_steps_suffice_for_all_to_come():
    pace = Pace(10_000, 100, 5, n_labels=20, max_open=20, slack=4)
    assert not pace.may_go_on(18, 10, 8, n_unused=0, steps=0)
    assert pace.may_go_on(18, 10, 8, n_unused=1, steps=8_949)


def test_else_as_many_share_a_round_as_there_must():
    """10 answers to come besides those not used yet, and steps for 10, 5 and 1 rounds."""
    pace = Pace(10_000, 100, 5, n_labels=20, max_open=20, slack=4)
    assert not pace.may_go_on(18, 10, 8, n_unused=1, steps=8_950)
    for steps, together in ((8_950, 2), (9_475, 3)):
        assert not pace.may_go_on(18, 10, 8, n_unused=together - 1, steps=steps)
        assert pace.may_go_on(18, 10, 8, n_unused=together, steps=steps)
    assert not pace.may_go_on(20, 15, 1, n_unused=9, steps=9_950)  # the last round waits for the last answer
    assert pace.may_go_on(20, 20, 1, n_unused=9, steps=9_950)


@given(st.lists(st.tuples(st.integers(1, 2_000), st.integers(0, 30)), min_size=1, max_size=60))
def test_the_stage_takes_its_share_or_what_questions_are_worth(rounds):
    """Rounds of so many steps and questions: never more than both together, but for rounding to whole steps."""
    pace = Pace(None, 1_000, 5)
    account, steps, played, asked = StageAccount(pace), 0, 0, 0
    for taken, questions in rounds:
        steps += taken
        asked += questions
        account.promise(questions)
        if due := account.due(steps, exhausted=False):
            played += due
            steps += due
            account.played(due, steps)
    shortest = 4 * pace.clip_steps
    worth = asked * pace.clip_steps
    assert played <= STAGE_SHARE * steps + worth + len(rounds) / 2
    assert played >= worth - shortest


def test_a_burst_of_questions_is_paid_for_later_at_half_the_share():
    account = StageAccount(Pace(100_000, 1_000, 5, n_labels=200))
    account.promise(100)
    assert account.due(1_000, exhausted=True) == 500
    account.played(500, 1_500)
    account.promise(1)
    assert account.due(2_000, exhausted=False) == 0  # less than a play of 20 steps is due
    assert account.due(2_500, exhausted=False) == 25  # half of the share since then
    assert account.due(10_400, exhausted=False) == 50
    account.played(50, 10_450)
    assert account.due(11_300, exhausted=False) == 21
    assert account.due(12_000, exhausted=False) == 50  # paid: the whole share again


def test_questions_share_fresh_steps_where_they_are_many_for_the_run():
    assert StageAccount(Pace(1_000_000, 1_000, 30, n_labels=700)).per_question == 30
    assert StageAccount(Pace(200_000, 1_000, 30, n_labels=1_400)).per_question == pytest.approx(5_000 / 1_400)
    assert StageAccount(Pace(None, 1_000, 30, n_labels=None)).per_question == 30


def test_an_exhausted_pool_is_always_played_for():
    account = StageAccount(Pace(None, 1_000, 5))
    account.played(10_000, 100)
    assert account.due(100, exhausted=False) == 0
    assert account.due(100, exhausted=True) == 20


def of(words: str) -> Pace:
    return pace_for(parse(["-e", "hopper", "-n", "x", *words.split()])[0], 60)


def test_every_answer_of_a_person_can_have_a_policy_update_of_its_own_where_the_steps_allow_it():
    assert of("-p human").round_steps == 4_096
    assert of("-p human -l 700").round_steps == 4_096  # of 5 million
    tight = of("-p human -l 700 -t 1e6")
    assert 1_500 < tight.round_steps < 2_000
    assert (700 - 175) * tight.round_steps * (1 + STAGE_SHARE) < 1e6
    assert tight.warning() is None
    assert of("-p synth -l 700 -t 1e6").round_steps == 1_000_000 // 32


def test_steps_that_are_too_few_for_that_are_told():
    few = of("-p human -l 700 -t 1e5")
    assert few.round_steps == 24 * 64
    assert "100,000 steps are few for 525 answers: it will learn from 9 at a time" in (few.warning() or "")
    needed = float((few.warning() or "").split("-t ")[1].split()[0])
    assert of(f"-p human -l 700 -t {needed * 1.05}").warning() is None
    assert of("-p synth -l 700 -t 1e5").warning() is None
    assert of("-p human").warning() is None


def test_slow_environments_get_shorter_rounds_with_a_person_only():
    human, synth = of("-p human"), of("-p synth -l 10")
    assert human.steps_now(None) == human.steps_now(1e6) == 4_096
    assert human.steps_now(1_000.0) == 1_000
    assert human.steps_now(0.0) == 1
    assert synth.steps_now(1.0) == synth.round_steps
