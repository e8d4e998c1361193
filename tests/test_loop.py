from __future__ import annotations

import pytest

from rl_teacher.errors import UserError
from rl_teacher.labels import Verdict
from rl_teacher.pace import Pace
from rl_teacher.queries.schedules import ConstantSchedule, ExponentialSchedule
from rl_teacher.rounds import Loop
from rl_teacher.teachers.synthetic import SyntheticTeacher
from tests.fakes import FakeAgent, FakePerson, FakeStage, FakeWatch, K, human_pace, teaching, trajectory


def test_rl_mode_never_sees_a_learned_reward():
    watch, agent = FakeWatch(), FakeAgent()
    loop = Loop(agent, Pace(1_000, 100, K), watch)
    loop.run()
    assert loop.steps == 1_000
    assert agent.rewards == [None] * 10


def test_synthetic_run_asks_what_the_schedule_wants():
    watch, teacher = FakeWatch(), SyntheticTeacher()
    schedule = ExponentialSchedule(60, 15, 10_000)
    loop = teaching(teacher, watch, Pace(10_000, 100, K, n_pretrain=15, n_labels=60), schedule)
    loop.run()
    assert teacher.n_decided == 60
    assert watch.n_idle == 0
    assert loop.stage.random[0]
    assert not any(loop.stage.random[2:])
    assert len(loop.comparisons) == 60
    assert all(reward == loop.reward.incentive for reward in loop.agent.rewards)


def test_first_fit_is_made_of_the_pretraining_answers_only():
    loop = teaching(SyntheticTeacher(), FakeWatch(), Pace(1_000, 100, K, 15, 60), ExponentialSchedule(60, 15, 1_000))
    loop.prepare()
    assert (loop.reward.seen, loop.reward.iters) == (15, 77)
    assert loop.agent.rewards == []


def test_stage_steps_count_and_stay_near_what_questions_need():
    loop = teaching(SyntheticTeacher(), FakeWatch(), Pace(2_000, 100, K, 5, 20), ExponentialSchedule(20, 5, 2_000))
    loop.run()
    assert loop.steps == loop.agent.n_steps + loop.stage.n_steps
    assert loop.stage.n_steps <= (5 * K + 0.05 * 2_000) + 4 * K


@pytest.mark.parametrize("n_labels", [20, 200, 2_000])
def test_however_many_the_answers_the_stage_takes_its_share(n_labels):
    """Pretraining has a share of its own, and where questions are few, so are plays."""
    pace = Pace(50_000, 1_000, K, n_labels // 4, n_labels)
    loop = teaching(SyntheticTeacher(), FakeWatch(), pace, ExponentialSchedule(n_labels, n_labels // 4, 50_000))
    loop.run()
    assert loop.teacher.n_decided == n_labels
    share = loop.stage.n_steps / loop.steps
    assert share <= 0.05 * 1.25 + 0.005
    assert share >= 0.04 or n_labels == 20


def test_a_judge_that_can_never_tell_ends_with_the_steps():
    teacher = SyntheticTeacher(lambda asked: Verdict.ABSTAIN)
    loop = teaching(teacher, FakeWatch(), Pace(3_000, 100, K, 5, 20), ExponentialSchedule(20, 5, 3_000))
    loop.run()
    assert loop.agent.rewards == []
    assert loop.steps >= 3_000


def test_episodes_shorter_than_a_segment_end_the_run_with_a_line():
    class ShortStage(FakeStage):
        def play(self, actor, n_steps):
            super().play(actor, n_steps)
            return [trajectory(K - 1, seed=i) for i in range(10)]

    loop = teaching(SyntheticTeacher(), FakeWatch(), Pace(10_000, 100, K, 5, 20), ExponentialSchedule(20, 5, 10_000))
    loop.stage = ShortStage()
    with pytest.raises(UserError, match="Segments of 5 steps are longer than the episodes"):
        loop.run()


def test_a_withdrawn_answer_leaves_the_data():
    person = FakePerson()
    loop = teaching(person, FakeWatch(), human_pace(1_000), ConstantSchedule(0, 100))
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
