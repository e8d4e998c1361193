"""The human teacher on a real store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rl_teacher.feedback.records import Submit
from rl_teacher.feedback.store import Store, open_store
from rl_teacher.labels import Verdict
from rl_teacher.teachers.human import HumanTeacher
from rl_teacher.trajectory import Query, Source, Trajectory

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


def teacher(store: Store, assumed_random: float = 0.0) -> HumanTeacher:
    experiment = store.experiment("lesson", "Reacher-v1", "Reach.", None)
    run = store.run(experiment, "lesson", 1, "human")

    def clip(sim: np.ndarray) -> str:
        return store.add_clip("poses", sim.tobytes(), "application/octet-stream", b"{}", len(sim), 20.0, 0.05)

    return HumanTeacher(store, experiment, run, clip, assumed_random)


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
