from __future__ import annotations

from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

from rl_teacher.errors import NotFiniteError, UserError
from rl_teacher.labels import Verdict
from rl_teacher.pace import Pace
from rl_teacher.plug.lessons import Lessons, Outside
from rl_teacher.queries.schedules import ConstantSchedule, ExponentialSchedule
from rl_teacher.teachers.synthetic import SyntheticTeacher
from tests.fakes import FakePerson, FakeStage, FakeWatch, K, human_pace, teaching

OBS, ACT = gym.spaces.Box(-1.0, 1.0, (3,)), gym.spaces.Box(-1.0, 1.0, (2,))


def still(obs):
    return np.zeros((len(obs), 2), dtype=np.float32)


def lessons(teacher, watch, pace: Pace, schedule) -> tuple[Lessons, FakeStage]:
    loop = teaching(teacher, watch, pace, schedule)
    agent = Outside()
    loop.agent = agent
    return Lessons(loop, agent, watch, OBS, ACT), loop.stage


def synthetic(ticks: int, n_steps: int) -> tuple[list[dict], Lessons]:
    watch, teacher = FakeWatch(), SyntheticTeacher()
    schedule = ExponentialSchedule(60, 15, 10_000)
    given, _ = lessons(teacher, watch, Pace(10_000, 100, K, n_pretrain=15, n_labels=60), schedule)
    for _ in range(ticks):
        given.tick(n_steps, still)
    return watch.infos, given


def test_driven_from_outside_the_loop_does_what_it_does_by_itself():
    """Same rounds, same questions, same fits, whether an agent is told to learn or a learner says that it has."""
    watch, teacher = FakeWatch(), SyntheticTeacher()
    loop = teaching(
        teacher, watch, Pace(10_000, 100, K, n_pretrain=15, n_labels=60), ExponentialSchedule(60, 15, 10_000)
    )
    loop.run()
    inside = [(info["step"], info.get("reward/comparisons")) for info in watch.infos]
    infos, given = synthetic(ticks=10_000, n_steps=1)
    assert [(info["step"], info.get("reward/comparisons")) for info in infos] == inside
    assert given.over
    assert given.n_fits == loop.reward.n_fits


def test_a_round_ends_with_the_tick_that_completes_it():
    infos, given = synthetic(ticks=3, n_steps=40)
    assert [info["steps"] for info in infos] == [120]
    given.flush()
    assert len(infos) == 1  # nothing of a new round was taken
    given.tick(7, still)
    given.flush()
    assert infos[-1]["steps"] == 7


def test_what_comes_after_the_end_changes_nothing():
    infos, given = synthetic(ticks=300, n_steps=40)
    fits, rounds = given.n_fits, len(infos)
    given.tick(10_000, still)
    assert (given.n_fits, len(infos)) == (fits, rounds)


def test_the_learner_waits_for_people_and_they_see_what_it_does_now():
    person = FakePerson()
    watch = FakeWatch(on_idle=lambda n: person.answer(1))
    given, stage = lessons(person, watch, human_pace(2_000, n_pretrain=0, n_labels=20), ConstantSchedule(20, 100))
    assert stage.random == [False] * len(stage.random)  # it stands for the learner, who acts at random so far
    assert person.n_decided >= 1
    seen = []

    def policy(obs):
        seen.append(len(obs))
        return still(obs)

    asked = []
    stage.play, play = (
        lambda actor, n: (asked.append(actor.act(np.zeros((1, 3)), explore=True)), play(actor, n))[1],
        stage.play,
    )
    while not given.over:
        given.tick(100, policy)
    assert person.n_decided == 20
    assert seen
    assert all((act == 0).all() for act in asked)


def test_who_cannot_tell_yet_is_asked_on_and_the_reward_is_zero_until_they_can():
    says = iter([Verdict.ABSTAIN] * 5 + [Verdict.LEFT] * 100)
    person = FakePerson(lambda n: next(says))
    watch = FakeWatch(on_idle=lambda n: person.answer(1))
    given, _ = lessons(person, watch, human_pace(1_000, n_pretrain=0), ConstantSchedule(0, 100))
    assert given.n_fits == 1
    watch.stop = True
    assert given.over
    assert given.stop_asked


def test_the_reward_before_anything_was_said_is_zero():
    watch = FakeWatch()
    watch.stop = True  # as when somebody finished it at once
    given, _ = lessons(FakePerson(), watch, human_pace(1_000), ConstantSchedule(0, 100))
    assert given.reward(np.ones((2, 5, 3)), np.ones((2, 5, 2))).tolist() == [[0.0] * 5] * 2


def test_what_the_reward_cannot_use_is_named_with_both_shapes():
    _, given = synthetic(0, 0)
    assert given.reward(np.zeros(3), np.zeros(2)).shape == ()
    with pytest.raises(UserError, match=r"Observations of shape \(5, 4\) given; allowed is \(…, 3\)"):
        given.reward(np.zeros((5, 4)), np.zeros((5, 2)))
    with pytest.raises(UserError, match=r"Actions of shape \(5,\) given; allowed is \(…, 2\)"):
        given.reward(np.zeros((5, 3)), np.zeros(5))
    with pytest.raises(UserError, match=r"\(5,\) observations and \(4,\) actions"):
        given.reward(np.zeros((5, 3)), np.zeros((4, 2)))
    poisoned = np.zeros((5, 3))
    poisoned[2, 1] = np.nan
    with pytest.raises(NotFiniteError, match=r"1 of 15 numbers .* first is nan at \[2, 1\]"):
        given.reward(poisoned, np.zeros((5, 2)))


def test_the_stand_in_plays_at_random_within_bounds_until_it_hears_of_a_policy(tmp_path: Path):
    agent = Outside(3)
    agent.act_space = ACT
    first = agent.act(np.zeros((50, 3)), explore=True)
    assert first.shape == (50, 2)
    assert ACT.contains(first[0])
    assert first.std() > 0.3
    agent.restart(3)
    assert np.array_equal(agent.act(np.zeros((50, 3)), explore=False), first)
    agent.save(tmp_path)
    agent.load(tmp_path)
    with pytest.raises(RuntimeError, match="cannot be told to learn"):
        agent.train(1, None)
