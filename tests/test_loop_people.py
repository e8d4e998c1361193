"""The loop with people: slow, fast, absent, undecided, of two minds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_teacher.labels import Verdict
from rl_teacher.pace import Pace
from rl_teacher.queries.schedules import ENDLESS, SCHEDULES, ConstantSchedule, ExponentialSchedule, make_schedule
from tests.fakes import FakePerson, FakeWatch, K, human_pace, teaching

VISITS = st.tuples(
    st.integers(0, 8),
    st.sampled_from(["left", "left", "right", "tie", "abstain"]),
    st.sampled_from(["", "", "", "undo", "pause", "resume"]),
)
"""What a person does during one wait of the loop: so many answers of a kind, and perhaps a key more."""


@given(
    st.lists(VISITS, min_size=1, max_size=30),
    st.integers(0, 5),
    st.sampled_from([None, 5, 40]),
    st.sampled_from([*SCHEDULES]),
    st.sampled_from([2_000, 5_000, None]),
)
@settings(max_examples=150, deadline=None)
def test_no_mix_of_slow_fast_and_absent_people_stops_it_for_ever(visits, n_pretrain, n_labels, schedule, total):
    """Whatever people do at first; afterwards they come by now and then, undecided at times, and nobody pauses.

    Without an end somebody presses Finish late, and until then it must have gone on.
    """
    n_pretrain = min(n_pretrain, n_labels or n_pretrain)
    person, watch = FakePerson(), FakeWatch()

    def visit(n: int) -> None:
        n_answers, verdict, key = visits[n - 1] if n <= len(visits) else (int(n % 7 == 0), "left", "")
        person.answer(n_answers, Verdict.ABSTAIN if n % 21 == 0 else Verdict(verdict.upper()))
        if key == "undo":
            person.undo()
        watch.hold = n < len(visits) and (key == "pause" or (watch.hold and key != "resume"))

    def finish(steps: int, info: dict) -> None:
        record(steps, info)
        watch.stop = total is None and steps > 5_000

    record, watch.record = watch.record, finish
    watch.on_idle = visit
    name = schedule if n_labels is not None or schedule in ENDLESS else "constant"
    pace = human_pace(total, n_pretrain, n_labels)
    loop = teaching(person, watch, pace, make_schedule(name, n_labels, n_pretrain, total or 5_000, 100))
    loop.run()
    assert loop.steps >= (total or 5_000)


@pytest.mark.parametrize("n_labels", [None, 40])
def test_people_who_only_tie_do_not_stop_it(n_labels):
    person = FakePerson(lambda n: Verdict.TIE)
    watch = FakeWatch(lambda n: person.answer(1))
    schedule = ExponentialSchedule(n_labels, 4, 3_000) if n_labels else ConstantSchedule(4, 100)
    loop = teaching(person, watch, human_pace(3_000, 4, n_labels), schedule)
    loop.run()
    assert loop.steps >= 3_000


@pytest.mark.parametrize("n_labels", [None, 10])
def test_cant_tell_uses_up_no_labels_trains_nothing_and_says_so(n_labels):
    person = FakePerson(lambda n: Verdict.ABSTAIN if n < 60 else Verdict.LEFT)
    watch = FakeWatch()

    def answer(n: int) -> None:
        if len(person.record) == 60:
            assert loop.agent.rewards == []
            assert loop.reward.n_fits == 0
        person.answer(1)

    watch.on_idle = answer
    schedule = ExponentialSchedule(n_labels, 0, 3_000) if n_labels else ConstantSchedule(0, 100)
    loop = teaching(person, watch, human_pace(3_000, 0, n_labels), schedule)
    loop.run()
    assert any("no preference has been expressed yet" in message for message in watch.messages)
    assert loop.agent.rewards
    assert person.n_decided >= 5


@pytest.mark.parametrize("round_steps", [100, 400])
@pytest.mark.parametrize("total_steps", [5_000, 50_000])
def test_all_answers_are_asked_for_before_the_steps_run_out(round_steps, total_steps):
    """Under a steep schedule a round is worth many answers: the agent must not run through its steps on few."""
    person = FakePerson()
    watch = FakeWatch(lambda n: person.answer(1))
    pace = Pace(total_steps, round_steps, K, 50, 200, min_open=3, max_open=6, slack=2, stale_after=1_000)
    loop = teaching(person, watch, pace, ExponentialSchedule(200, 50, total_steps))
    loop.run()
    assert person.n_decided == 200


@pytest.mark.parametrize("schedule", ["exponential", "linear", "constant"])
@pytest.mark.parametrize(("n_labels", "n_pretrain"), [(1, 0), (5, 0), (10, 2), (50, 12)])
def test_who_is_asked_for_so_many_answers_gives_them_all(n_labels, n_pretrain, schedule):
    """Though they come only when they are waited for: the agent may be ahead by the slack, but not at the end."""
    person = FakePerson()
    watch = FakeWatch(lambda n: person.answer(1) if n % 3 == 0 else None)
    pace = human_pace(5_000, n_pretrain, n_labels)
    loop = teaching(person, watch, pace, make_schedule(schedule, n_labels, n_pretrain, 5_000, 100))
    loop.run()
    assert person.n_decided == n_labels
    if n_labels > 1:
        assert "no preference" not in watch.messages[-1]


def test_an_absent_person_is_waited_for_and_found_again():
    person = FakePerson()
    watch = FakeWatch(lambda n: person.answer(2) if n > 200 else None)
    loop = teaching(person, watch, human_pace(2_000), ConstantSchedule(4, 100))
    loop.run()
    assert watch.n_idle > 200
    assert loop.agent.rewards


def test_the_agent_does_not_outrun_its_teacher():
    person = FakePerson()
    watch = FakeWatch(lambda n: person.answer(1) if n % 5 == 0 else None)
    loop = teaching(person, watch, human_pace(20_000, 4), ConstantSchedule(4, 300))

    ahead = []
    record = watch.record

    def check(steps, info):
        record(steps, info)
        ahead.append(loop.schedule.desired(loop.steps) - person.n_decided)

    watch.record = check
    loop.run()
    assert max(ahead) <= human_pace().slack + 1


def test_questions_always_wait_for_the_person():
    person = FakePerson()
    seen = []

    def visit(n: int) -> None:
        seen.append(person.n_open)
        person.answer(1)

    loop = teaching(person, FakeWatch(visit), human_pace(5_000), ConstantSchedule(4, 100))
    loop.run()
    assert min(seen) >= human_pace().min_open
    assert max(seen) <= human_pace().max_open


def test_stale_questions_are_taken_back_and_replaced():
    person = FakePerson()

    def oldest_last(n: int) -> None:  # answers the newest, so that old ones lie about
        person.answer(1)

    loop = teaching(person, FakeWatch(oldest_last), human_pace(5_000), ConstantSchedule(4, 100))
    loop.run()
    assert person.expired
    assert all(q.left.source.step >= loop.steps - 2_000 for q in person.open)


def test_every_answer_given_during_the_run_is_followed_by_a_policy_update_before_the_next_wait():
    person = FakePerson()
    unused = []

    def answer(n: int) -> None:
        unused.append(len(loop._unused))
        person.answer(1)

    loop = teaching(person, FakeWatch(answer), human_pace(20_000, 4), ConstantSchedule(4, 300))
    loop.run()
    latencies = [info for info in loop.watch.infos if "label_latency_seconds" in info]
    assert len(latencies) >= 20
    assert set(unused[5:]) == {0}


def test_latency_is_counted_to_the_first_policy_update_of_the_round():
    person = FakePerson()
    loop = teaching(person, FakeWatch(lambda n: person.answer(1)), human_pace(5_000, 4), ConstantSchedule(4, 300))
    loop.agent.update_seconds = 1_000.0
    loop.run()
    latencies = [info["label_latency_seconds"] for info in loop.watch.infos if "label_latency_seconds" in info]
    assert latencies
    assert all(1_000 <= latency < 1_010 for latency in latencies)


def test_who_goes_back_and_forth_on_one_answer_does_not_drive_the_agent_on():
    person = FakePerson()
    watch = FakeWatch()

    def flip(n: int) -> None:
        if person.n_decided < 8:
            person.answer(1)
        else:
            person.undo()
            person.answer(1)
        watch.stop = n > 300

    watch.on_idle = flip
    loop = teaching(person, watch, human_pace(None, 4), ConstantSchedule(4, 300))
    loop.run()
    assert loop.agent.n_steps < 300 * (8 + human_pace().slack)


def test_cant_tell_to_everything_at_once_does_not_let_the_agent_run_on():
    person = FakePerson()
    watch = FakeWatch()

    def clear_the_table(n: int) -> None:
        person.answer(6, Verdict.ABSTAIN if person.n_decided >= 8 else Verdict.LEFT)
        watch.stop = n > 100

    watch.on_idle = clear_the_table
    loop = teaching(person, watch, human_pace(None, 4), ConstantSchedule(4, 300))
    loop.run()
    assert loop.agent.n_steps < 300 * (14 + human_pace().slack)
