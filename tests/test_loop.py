from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rl_teacher.errors import UserError
from rl_teacher.labels import Verdict
from rl_teacher.loop import Loop, TeachingLoop
from rl_teacher.pace import Pace
from rl_teacher.queries.pool import SegmentPool
from rl_teacher.queries.schedules import AnnealedSchedule, StepSchedule
from rl_teacher.queries.strategies import random_pairs
from rl_teacher.teachers.synthetic import SyntheticTeacher
from tests.fakes import FakeAgent, FakePerson, FakeReward, FakeStage, FakeWatch, trajectory

K = 5


def teaching(teacher, watch, pace: Pace, schedule) -> TeachingLoop:
    return TeachingLoop(
        FakeAgent(),
        pace,
        watch,
        stage=FakeStage(),
        pool=SegmentPool(K, 400, np.random.default_rng(0)),
        reward=FakeReward(),
        teacher=teacher,
        choose=random_pairs,
        schedule=schedule,
        pretrain_iters=77,
    )


def human_pace(total_steps: int | None = 5_000, n_pretrain: int = 4, n_labels: int | None = None) -> Pace:
    return Pace(total_steps, 100, 50, K, n_pretrain, n_labels, min_open=3, max_open=6, slack=2, stale_after=1_000)


def test_rl_mode_never_sees_a_learned_reward():
    watch, agent = FakeWatch(), FakeAgent()
    loop = Loop(agent, Pace(1_000, 100), watch)
    loop.run()
    assert loop.steps == 1_000
    assert agent.rewards == [None] * 10


def test_synthetic_run_asks_what_the_schedule_wants():
    watch, teacher = FakeWatch(), SyntheticTeacher()
    schedule = AnnealedSchedule(60, 15, 10_000)
    loop = teaching(teacher, watch, Pace(10_000, 100, 50, K, n_pretrain=15, n_labels=60), schedule)
    loop.run()
    assert teacher.n_answered == 60
    assert watch.n_idle == 0
    assert loop.stage.random[0]
    assert not any(loop.stage.random[2:])
    assert len(loop.comparisons) == 60
    assert all(reward == loop.reward.predict for reward in loop.agent.rewards)


def test_first_fit_is_made_of_the_pretraining_answers_only():
    loop = teaching(SyntheticTeacher(), FakeWatch(), Pace(1_000, 100, 50, K, 15, 60), AnnealedSchedule(60, 15, 1_000))
    loop.prepare()
    assert (loop.reward.seen, loop.reward.iters) == (15, 77)
    assert loop.agent.rewards == []


def test_stage_steps_count():
    loop = teaching(SyntheticTeacher(), FakeWatch(), Pace(2_000, 100, 50, K, 5, 20), AnnealedSchedule(20, 5, 2_000))
    loop.run()
    assert loop.steps == 100 * len(loop.agent.rewards) + 50 * loop.stage.n_played


@given(st.lists(st.integers(0, 8), min_size=1, max_size=30), st.integers(0, 5), st.sampled_from([None, 5, 40]))
@settings(max_examples=60, deadline=None)
def test_no_mix_of_slow_fast_and_absent_people_stops_it_for_ever(answers, n_pretrain, n_labels):
    """People answer so many questions at each wait; once the list is through they come by now and then."""
    n_pretrain = min(n_pretrain, n_labels or n_pretrain)
    person = FakePerson()
    watch = FakeWatch(lambda n: person.answer(answers[n - 1] if n <= len(answers) else int(n % 7 == 0)))
    schedule = AnnealedSchedule(n_labels, n_pretrain, 5_000) if n_labels else StepSchedule(n_pretrain, 100)
    loop = teaching(person, watch, human_pace(5_000, n_pretrain, n_labels), schedule)
    loop.run()
    assert loop.steps >= 5_000


@pytest.mark.parametrize("verdict", [Verdict.TIE, Verdict.ABSTAIN])
def test_people_who_never_decide_do_not_stop_it(verdict):
    person = FakePerson(lambda n: verdict)
    watch = FakeWatch(lambda n: person.answer(1))
    loop = teaching(person, watch, human_pace(3_000), StepSchedule(4, 100))
    loop.run()
    assert loop.steps >= 3_000
    if verdict is Verdict.ABSTAIN:
        assert loop.reward.n_fits == 0
        assert loop.agent.rewards == []
        assert any("no preference" in message for message in watch.messages)


def test_an_absent_person_is_waited_for_and_found_again():
    person = FakePerson()
    watch = FakeWatch(lambda n: person.answer(2) if n > 200 else None)
    loop = teaching(person, watch, human_pace(2_000), StepSchedule(4, 100))
    loop.run()
    assert watch.n_idle > 200
    assert loop.agent.rewards


def test_the_agent_does_not_outrun_its_teacher():
    person = FakePerson()
    watch = FakeWatch(lambda n: person.answer(1) if n % 5 == 0 else None)
    loop = teaching(person, watch, human_pace(20_000, 4), StepSchedule(4, 300))

    ahead = []
    record = watch.record

    def check(steps, info):
        record(steps, info)
        ahead.append(loop.schedule.desired(loop.steps) - person.n_answered)

    watch.record = check
    loop.run()
    assert max(ahead) <= human_pace().slack + 1


def test_questions_always_wait_for_the_person():
    person = FakePerson()
    seen = []

    def visit(n: int) -> None:
        seen.append(person.n_open)
        person.answer(1)

    loop = teaching(person, FakeWatch(visit), human_pace(5_000), StepSchedule(4, 100))
    loop.run()
    assert min(seen) >= human_pace().min_open
    assert max(seen) <= human_pace().max_open


def test_stale_questions_are_taken_back_and_replaced():
    person = FakePerson()

    def oldest_last(n: int) -> None:  # answers the newest, so that old ones lie about
        person.answer(1)

    loop = teaching(person, FakeWatch(oldest_last), human_pace(5_000), StepSchedule(4, 100))
    loop.run()
    assert person.n_expired > 0
    assert all(q.left.source.step >= loop.steps - 2_000 for q in person.open)


def test_every_answer_is_followed_by_a_policy_update():
    person = FakePerson()
    watch = FakeWatch(lambda n: person.answer(1))
    loop = teaching(person, watch, human_pace(3_000), StepSchedule(4, 10_000))
    loop.run()
    assert sum("label_latency_seconds" in info for info in watch.infos) >= 1
    assert not loop._unused


def test_pause_holds_the_agent_and_resume_goes_on():
    person = FakePerson()
    watch = FakeWatch()
    watch.hold = True

    def resume(n: int) -> None:
        person.answer(1)
        if n == 50:
            assert loop.agent.rewards == []
            watch.hold = False

    watch.on_idle = resume
    loop = teaching(person, watch, human_pace(1_000), StepSchedule(4, 100))
    loop.run()
    assert "paused" in watch.messages
    assert loop.agent.rewards


def test_a_finish_ends_every_wait():
    person = FakePerson()
    watch = FakeWatch()

    def finish(n: int) -> None:
        watch.stop = n == 3

    watch.on_idle = finish
    loop = teaching(person, watch, human_pace(None), StepSchedule(4, 100))
    loop.run()
    assert watch.n_idle == 3


def test_episodes_shorter_than_a_segment_end_the_run_with_a_line():
    class ShortStage(FakeStage):
        def play(self, actor, n_steps):
            super().play(actor, n_steps)
            return [trajectory(K - 1, seed=i) for i in range(10)]

    loop = teaching(SyntheticTeacher(), FakeWatch(), Pace(1_000, 100, 50, K, 5, 20), AnnealedSchedule(20, 5, 1_000))
    loop.stage = ShortStage()
    with pytest.raises(UserError, match="Segments of 5 steps are longer than the episodes"):
        loop.run()


def test_a_withdrawn_answer_leaves_the_data():
    person = FakePerson()
    loop = teaching(person, FakeWatch(), human_pace(1_000), StepSchedule(0, 100))
    loop.ask(None)
    person.answer(3)
    loop.listen()
    taken_back = next(iter(loop.comparisons))
    changes = person.changes

    def withdraw(cursor):
        from dataclasses import replace

        return replace(changes(cursor), withdrawn=(taken_back,))

    person.changes = withdraw
    loop.listen()
    assert taken_back not in loop.comparisons
    assert len(loop.comparisons) == 2
    assert loop.fit()["reward/comparisons"] == 2
