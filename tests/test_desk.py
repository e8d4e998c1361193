"""A run's place in the store: what people set on the page, and what it means for the run."""

from __future__ import annotations

from pathlib import Path

import pytest

from rl_teacher.desk import Desk
from rl_teacher.envs.behaviors import resolve
from rl_teacher.feedback.records import Submit
from rl_teacher.labels import Verdict
from tests.feedback.lesson import Lesson, make_lesson


def desk(lesson: Lesson, wanted: int | None, is_new: bool = True, **people) -> Desk:
    spec = resolve("Reacher-v1", None)
    return Desk(
        lesson.store,
        spec,
        None,
        name="taught",
        seed=1,
        predictor="human",
        instructions="Reach.",
        is_new=is_new,
        wanted=wanted,
        people=people,
    )


@pytest.fixture
def lesson(tmp_path: Path):
    made = make_lesson(tmp_path)
    yield made
    made.store.close()


def test_what_was_set_on_the_page_stays_when_a_run_goes_on_unless_the_command_says_otherwise(lesson):
    first = desk(lesson, None, answers_per_pair=2)
    lesson.store.edit_experiment(first.experiment_id, instructions="Reach far.", wanted=9, repeat_rate=0.1)
    again = lesson.store.experiment_by_id(desk(lesson, None, is_new=False, answers_per_pair=3).experiment_id)
    assert (again.instructions, again.wanted, again.repeat_rate) == ("Reach far.", 9, 0.1)
    assert again.answers_per_pair == 3


@pytest.mark.parametrize(
    ("wanted", "cap", "ends"), [(None, 2, True), (10, 2, True), (2, 2, False), (None, None, False)]
)
def test_fewer_answers_than_the_run_was_to_have_end_it(lesson, wanted, cap, ends):
    taught = desk(lesson, wanted)
    lesson.store.edit_experiment(taught.experiment_id, wanted=cap)
    ann = lesson.store.labeller("ann")
    for number, query in enumerate(lesson.store.add_queries(taught.run_id, [lesson.new(n) for n in range(2)])):
        taught.attend()
        assert not taught.finish_asked
        lesson.store.submit(Submit(str(number), query, ann, Verdict.LEFT))
    taught.attend()
    assert taught.finish_asked is ends
