"""The loop held by a person, or by a slow environment."""

from __future__ import annotations

from dataclasses import replace

from rl_teacher.queries.schedules import ConstantSchedule
from tests.fakes import FakePerson, FakeWatch, human_pace, teaching


def test_an_answer_taken_back_while_paused_is_no_news():
    """Else the loop would spin: news lets it go on, and there is nothing to learn from."""
    person = FakePerson()
    watch = FakeWatch()
    loop = teaching(person, watch, human_pace(None), ConstantSchedule(0, 100))
    watch.hold = True

    def change_of_mind(n: int) -> None:
        if n == 3:
            person.answer(1)
        if n == 6:
            person.undo()
        watch.hold = n < 9
        watch.stop = n > 30

    watch.on_idle = change_of_mind
    loop.run()
    assert watch.n_idle > 30
    assert len(watch.infos) < 5


def test_slow_rounds_get_shorter():
    person = FakePerson()
    pace = replace(human_pace(5_000, 4), round_seconds=1.0)
    loop = teaching(person, FakeWatch(lambda n: person.answer(1)), pace, ConstantSchedule(4, 300))
    loop.agent.learn_seconds = 2.0
    loop.run()
    assert loop.agent.rounds[:4] == [100, 50, 25, 12]


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
    loop = teaching(person, watch, human_pace(1_000), ConstantSchedule(4, 100))
    loop.run()
    assert watch.n_idle >= 50
    assert "paused" in watch.messages
    assert loop.agent.rewards


def test_a_pause_in_the_middle_holds_the_agent_though_answers_come():
    person = FakePerson()
    watch = FakeWatch()
    seen = []

    def visit(n: int) -> None:
        person.answer(1)
        watch.hold = 30 <= n < 60
        if watch.hold:
            seen.append(len(loop.agent.rewards))

    watch.on_idle = visit
    loop = teaching(person, watch, human_pace(None, 4), ConstantSchedule(4, 300))
    record = watch.record

    def finish(steps: int, info: dict) -> None:
        record(steps, info)
        watch.stop = watch.n_idle > 70

    watch.record = finish
    loop.run()
    assert len(set(seen[1:])) == 1
    assert len(loop.agent.rewards) > seen[-1]


def test_a_pause_within_a_round_ends_it_and_people_are_heard_meanwhile():
    person, watch = FakePerson(), FakeWatch()
    pace = replace(human_pace(1_000, 1), round_steps=400, round_seconds=10.0, bite_steps=100)
    loop = teaching(person, watch, pace, ConstantSchedule(1, 100))
    train = loop.agent.train
    heard = []

    def train_and_pause(n_steps, reward):
        watch.hold = loop.agent.n_steps == 100  # asked for in the second bite
        return train(n_steps, reward)

    def visit(n: int) -> None:
        if watch.hold:
            heard.append(len(loop.comparisons))
            watch.hold = len(heard) < 20
        person.answer(1)

    loop.agent.train, watch.on_idle = train_and_pause, visit
    loop.run()
    assert loop.agent.rounds[:3] == [100, 100, 100]
    assert [info["step"] - info["step"] % 100 for info in watch.infos][:1] == [200]
    assert heard[-1] > heard[0], "answers given while it is held are taken"


def test_a_finish_ends_every_wait():
    person = FakePerson()
    watch = FakeWatch()

    def finish(n: int) -> None:
        watch.stop = n == 3

    watch.on_idle = finish
    loop = teaching(person, watch, human_pace(None), ConstantSchedule(4, 100))
    loop.run()
    assert watch.n_idle == 3
