"""The loop before the agent learns: answers about random behaviour, and the first fit."""

from __future__ import annotations

from rl_teacher.labels import Verdict
from rl_teacher.queries.schedules import ConstantSchedule
from tests.fakes import FakePerson, FakeWatch, K, human_pace, teaching


def test_questions_asked_one_by_one_do_not_play_the_stage_each():
    person = FakePerson()
    watch = FakeWatch(lambda n: person.answer(1))
    loop = teaching(person, watch, human_pace(None, 175), ConstantSchedule(175, 100))
    loop.prepare()
    assert person.n_decided == 175
    assert loop.steps <= 2 * 175 * K


def test_the_answer_that_ends_the_wait_is_in_the_first_fit_with_the_iterations_asked_for():
    for n_pretrain in (0, 1, 4):
        person = FakePerson()
        watch = FakeWatch(lambda n, person=person: person.answer(1))
        loop = teaching(person, watch, human_pace(2_000, n_pretrain), ConstantSchedule(n_pretrain, 100))
        fits = []
        fit = loop.reward.fit

        def note(comparisons, n_iters=None, fits=fits, fit=fit):
            fits.append((len(comparisons), n_iters))
            return fit(comparisons, n_iters)

        loop.reward.fit = note
        loop.run()
        assert fits[0] == (max(1, n_pretrain), 77)
        assert {n_iters for _, n_iters in fits[1:]} == {None}


def test_who_cannot_tell_is_told_that_this_is_not_counted():
    person = FakePerson(lambda n: Verdict.LEFT if n else Verdict.ABSTAIN)
    watch = FakeWatch(lambda n: person.answer(1))
    teaching(person, watch, human_pace(None, 2), ConstantSchedule(2, 100)).prepare()
    counted = [line.partition("behaviour: ")[2] for line in watch.messages if "random behaviour" in line]
    assert counted[:3] == ["0 of 2 given", "0 of 2 given, can't tell left out", "1 of 2 given, can't tell left out"]


def test_a_stop_before_the_agent_learns_leaves_the_first_fit_for_later():
    person = FakePerson()
    watch = FakeWatch()

    def stop(n: int) -> None:
        person.answer(1)
        watch.stop = n == 3

    watch.on_idle = stop
    loop = teaching(person, watch, human_pace(None, 50), ConstantSchedule(50, 100))
    loop.run()
    assert not loop.ready
    assert person.open
    assert person.expired == []  # the same questions wait when it goes on
    assert loop.reward.n_fits == 0


def test_after_the_pretraining_answers_nothing_random_is_asked_again():
    person = FakePerson()
    watch = FakeWatch(lambda n: person.answer(1))
    loop = teaching(person, watch, human_pace(5_000, 12), ConstantSchedule(12, 100))
    loop.prepare()
    random_until = loop.steps
    assert person.n_open == 0  # what was open is about random behaviour: taken back
    before = {q.id for q, _ in person.record}
    loop.run()
    later = [q for q in [*person.open, *(q for q, _ in person.record)] if q.id not in before]
    assert later
    assert all(min(q.left.source.step, q.right.source.step) >= random_until for q in later)


def test_a_run_that_goes_on_asks_nothing_about_random_behaviour():
    """Even if answers were taken back, so that there are fewer than before the agent learned."""
    person = FakePerson()
    watch = FakeWatch(lambda n: person.answer(1))
    before = teaching(person, watch, human_pace(2_000, 6), ConstantSchedule(6, 100))
    before.run()
    for _ in range(person.n_decided - 2):
        person.undo()
    n_open = person.n_open
    loop = teaching(person, watch, human_pace(4_000, 6), ConstantSchedule(6, 100))
    loop.ready, loop.steps = True, before.steps
    loop.prepare()
    assert person.n_open == n_open
    assert not all(loop.pool.is_new(q) for q in person.open)  # and knows what was asked before
    loop.run()
    assert not any(loop.stage.random)


def test_the_answers_before_training_are_no_news():
    person = FakePerson()
    loop = teaching(person, FakeWatch(lambda n: person.answer(1)), human_pace(5_000, 6), ConstantSchedule(6, 1_000))
    loop.run()
    assert "label_latency_seconds" not in loop.watch.infos[0]
