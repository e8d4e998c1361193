"""The human teacher on a real store."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rl_teacher.aside import Aside
from rl_teacher.feedback.records import Submit
from rl_teacher.feedback.store import Store, open_store
from rl_teacher.labels import Verdict
from rl_teacher.teachers.human import HumanTeacher
from rl_teacher.trajectory import Query, Segment, Source, Trajectory

K = 5


def seen(seed: int) -> Query:
    """A question whose clips have simulator states."""
    rng = np.random.default_rng(seed)

    def played(episode: int) -> Trajectory:
        obs, sim = rng.normal(size=(K + 1, 3)).astype(np.float32), rng.normal(size=(K + 1, 4))
        act = rng.normal(size=(K, 2)).astype(np.float32)
        return Trajectory(obs, act, rng.normal(size=K), sim, source=Source("lesson", 10 * seed, episode))

    return Query(played(0).segment(0, K), played(1).segment(0, K))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = open_store(tmp_path)
    yield made
    made.close()


def teacher(
    store: Store,
    assumed_random: float = 0.0,
    aside: Aside | None = None,
    before: Callable[[], object] = lambda: None,
) -> HumanTeacher:
    """A teacher; `before` is called before each clip is made."""
    experiment = store.experiment("lesson", "Reacher-v1", "Reach.", None)
    run = store.run(experiment, "lesson", 1, "human")

    def clip(segment: Segment) -> str:
        before()
        sim = segment.sim
        assert sim is not None
        return store.add_clip("poses", sim.tobytes(), "application/octet-stream", b"{}", len(sim), 20.0, 0.05)

    return HumanTeacher(store, experiment, run, clip, assumed_random, aside)


def test_what_was_ever_asked_is_known_after_a_restart_whatever_became_of_it(store):
    before = teacher(store)
    queries = [seen(seed) for seed in range(1, 5)]
    before.ask(queries)
    assert before.expire(older_than=25) == 2
    after = teacher(store)
    assert after.asked() == {query.id for query in queries}
    assert after.n_open == 2


def test_a_question_is_as_old_as_its_newer_clip(store):
    """Sorting compares new clips with old ones: such a question must not be taken back at once."""
    human = teacher(store)
    old, new = seen(1), seen(3)
    human.ask([Query(old.left, new.right), Query(new.left, old.right)])
    assert human.expire(older_than=30) == 0
    assert human.expire(older_than=31) == 2


def test_an_answer_comes_back_with_the_very_segments_that_were_shown(store):
    asked = seen(1)
    before = teacher(store)
    before.ask([asked])
    assert before.changes(0).comparisons == ()
    experiment = store.experiments()[0].id
    ann = store.labeller("ann")
    claim = store.claim(experiment, ann)[0]
    store.submit(Submit("1", claim.query_id, ann, Verdict.RIGHT, lease=claim.lease))
    for human in (before, teacher(store)):
        changes = human.changes(0)
        (comparison,) = changes.comparisons
        assert comparison.query.id == asked.id
        assert comparison.mu.tolist() == [0, 1]
        for side in ("left", "right"):
            given, kept = getattr(asked, side), getattr(comparison.query, side)
            assert (kept.key, kept.source) == (given.key, given.source)
            assert np.array_equal(kept.env_rew, given.env_rew)
        assert human.n_decided == 1
    store.submit(Submit("2", claim.query_id, ann, Verdict.WITHDRAWN))
    assert before.changes(changes.cursor).withdrawn == (asked.id,)
    assert before.n_decided == 0


def test_several_peoples_answers_to_a_pair_are_averaged_and_do_not_hold_up_the_agent(store):
    human = teacher(store)
    experiment = store.experiments()[0].id
    store.edit_experiment(experiment, answers_per_pair=3)
    human.ask([seen(1)])
    cursor = 0
    for name, verdict, left in (("ann", Verdict.LEFT, 1), ("bob", Verdict.RIGHT, 1 / 2), ("cem", Verdict.LEFT, 2 / 3)):
        who = store.labeller(name)
        (claim,) = store.claim(experiment, who)
        store.submit(Submit(name, claim.query_id, who, verdict, lease=claim.lease))
        changes = human.changes(cursor)
        cursor = changes.cursor
        (comparison,) = changes.comparisons
        assert comparison.mu[0] == pytest.approx(left)
        assert (human.n_open, human.n_decided) == (0, 1)
    assert store.claim(experiment, store.labeller("dan")) == []


def test_what_unreliable_people_say_becomes_softer_where_the_experiment_wants_it(store):
    """Ann and Bob agree, Cem says the contrary of every third: with trust on, his lone answers are softer."""
    human = teacher(store, assumed_random=0.1)
    experiment = store.experiments()[0].id
    ids = {name: store.labeller(name) for name in ("ann", "bob", "cem")}
    store.edit_experiment(experiment, answers_per_pair=3)
    human.ask([seen(seed) for seed in range(1, 31)])
    for name, who in ids.items():
        for number, claim in enumerate(store.claim(experiment, who, 30)):
            wrong = name == "cem" and number % 3 == 0
            verdict = Verdict.RIGHT if wrong else Verdict.LEFT
            store.submit(Submit(f"{name}{number}", claim.query_id, who, verdict, lease=claim.lease))
    store.edit_experiment(experiment, answers_per_pair=1)
    human.ask([seen(31), seen(32)])
    for name in ("ann", "cem"):
        (claim,) = store.claim(experiment, ids[name])
        store.submit(Submit(f"{name} alone", claim.query_id, ids[name], Verdict.LEFT, lease=claim.lease))
    plain = human.changes(0)
    assert {round(float(one.mu[0]), 3) for one in plain.comparisons} == {1.0, 0.667}
    store.edit_experiment(experiment, trust=True)
    softened = human.changes(plain.cursor)
    assert len(softened.comparisons) == 32
    by_ann, by_cem = (float(one.mu[0]) for one in softened.comparisons[-2:])
    assert by_ann == 1.0  # no worse than r̂ assumes of everybody
    assert 0.65 < by_cem < 0.85
    assert human.changes(softened.cursor).comparisons == ()  # nothing new, nothing told
    store.edit_experiment(experiment, trust=False)
    hard = human.changes(softened.cursor).comparisons
    assert sorted(one.mu[0] for one in hard) == sorted(one.mu[0] for one in plain.comparisons)
    assert len(teacher(store, 0.1).changes(0).comparisons) == 32


def test_clips_that_take_long_are_made_aside_and_their_questions_count_as_open(store):
    go = threading.Event()
    with closing(Aside()) as aside:
        people = teacher(store, aside=aside, before=lambda: go.wait(20))
        people.ask([seen(1), seen(2)])
        assert people.n_open == 2
        assert people.tally()["asked"] == 0  # what cannot be played yet cannot be seen
        go.set()
        aside.submit(lambda: None).result(20)
        assert (people.n_open, people.tally()["asked"]) == (2, 2)


def test_what_became_stale_in_the_making_is_never_asked(store):
    go = threading.Event()
    with closing(Aside()) as aside:
        people = teacher(store, aside=aside, before=lambda: go.wait(20))
        people.ask([seen(1), seen(9)])  # at steps 10 and 90
        people.expire(older_than=50)
        go.set()
        aside.submit(lambda: None).result(20)
        assert people.asked() == {seen(9).id}
        assert people.n_open == 1


def test_a_clip_that_cannot_be_made_ends_the_run_where_it_asks(store):
    def fail() -> None:
        raise OSError("no room")

    with closing(Aside()) as aside:
        people = teacher(store, aside=aside, before=fail)
        people.ask([seen(1)])
        aside.submit(lambda: None).result(20)
        with pytest.raises(OSError, match="no room"):
            people.ask([seen(2)])
