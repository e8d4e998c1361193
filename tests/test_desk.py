"""The run's place in the store: clips are made once, plays are shown, what people ask for and set is done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rl_teacher.clips.making import FromPictures, FromPoses, Maker, Played
from rl_teacher.clips.video import INSTALL
from rl_teacher.desk import Desk
from rl_teacher.envs.stage import Stage
from rl_teacher.envs.tasks import resolve
from rl_teacher.feedback.records import Submit
from rl_teacher.feedback.store import Store, open_store
from rl_teacher.labels import Verdict
from tests.feedback.lesson import Lesson, make_lesson

DRAWN = "gym:tests.selfdrawn:SelfDrawn-v0"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(tmp_path)
    yield made
    made.close()


def desk(store: Store, env_id: str, maker: Maker) -> Desk:
    about = {"name": "lesson", "seed": 0, "predictor": "human", "instructions": "", "is_new": False, "wanted": 9}
    return Desk(store, resolve(env_id), maker, **about)  # type: ignore[arg-type]


def test_a_segment_of_several_questions_is_filmed_once_and_the_last_play_is_shown(store):
    class Counting(FromPictures):
        n_made = 0

        def clip(self, played: Played):
            self.n_made += 1
            return super().clip(played)

    maker = Counting(20.0)
    with closing(Stage(resolve(DRAWN), seed=0, pictures=True)) as stage, closing(desk(store, DRAWN, maker)) as mine:
        played = stage.play(None, 60)[0]
        segment = played.segment(0, 5)
        assert mine.clip(segment) == mine.clip(segment)
        assert maker.n_made == 1
        mine.show(played, 100, 1.5)  # made aside; closing the desk waits for it
    [replay] = store.replays(store.run_by_name("lesson").id)
    assert (replay.step, replay.true_return) == (100, 1.5)
    assert replay.clip.kind == "video"
    assert replay.clip.n_frames == len(played) + 1


def test_films_asked_for_before_the_trainer_was_there_are_still_made_or_told_why_not(store, monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "nonsense")
    with closing(Stage(resolve("reacher"), seed=0)) as stage:
        maker = FromPoses(stage.model, "reacher", 10.0)
        with closing(desk(store, "reacher", maker)) as before:
            before.show(stage.play(None, 20)[0], 100, None)
        clip = store.replays(before.run_id)[0].clip.id
        film, _ = store.ask_render(before.experiment_id, clip)
        pause = store.add_job(before.experiment_id, "pause")
        with closing(desk(store, "reacher", maker)) as after:
            after.aside.submit(lambda: None).result(60)
            after.attend()
            assert not after.paused
    _, said = store.job(film.id)
    assert said is not None
    assert (said.ok, said.data) == (False, {"message": INSTALL})
    _, said = store.job(pause)
    assert said is not None
    assert "was started after this was asked" in said.data["message"]


def people_desk(lesson: Lesson, wanted: int | None, is_new: bool = True, **people) -> Desk:
    spec = resolve("Reacher-v1")
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
    first = people_desk(lesson, None, answers_per_pair=2)
    lesson.store.edit_experiment(first.experiment_id, instructions="Reach far.", wanted=9, repeat_rate=0.1)
    again = lesson.store.experiment_by_id(people_desk(lesson, None, is_new=False, answers_per_pair=3).experiment_id)
    assert (again.instructions, again.wanted, again.repeat_rate) == ("Reach far.", 9, 0.1)
    assert again.answers_per_pair == 3


@pytest.mark.parametrize(
    ("wanted", "cap", "ends"), [(None, 2, True), (10, 2, True), (2, 2, False), (None, None, False)]
)
def test_fewer_answers_than_the_run_was_to_have_end_it(lesson, wanted, cap, ends):
    taught = people_desk(lesson, wanted)
    lesson.store.edit_experiment(taught.experiment_id, wanted=cap)
    ann = lesson.store.labeller("ann")
    for number, query in enumerate(lesson.store.add_queries(taught.run_id, [lesson.new(n) for n in range(2)])):
        taught.attend()
        assert not taught.finish_asked
        lesson.store.submit(Submit(str(number), query, ann, Verdict.LEFT))
    taught.attend()
    assert taught.finish_asked is ends
