from __future__ import annotations

import dataclasses
import random
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from rl_teacher.errors import UserError
from rl_teacher.feedback.listing import AnswerFilter
from rl_teacher.feedback.records import ConflictError, Counts, NotFoundError, Submit
from rl_teacher.feedback.schema import labels
from rl_teacher.labels import Strength, Verdict


@pytest.fixture
def ann(lesson) -> str:
    return lesson.store.labeller("ann")


@pytest.fixture
def bob(lesson) -> str:
    return lesson.store.labeller("bob")


def n_rows(lesson) -> int:
    with lesson.store.read() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(labels)).scalar_one()


def test_everything_said_is_kept(lesson, ann):
    (query,) = lesson.ask(1)
    said = Submit("one", query, ann, Verdict.RIGHT, Strength.MUCH, None, 2.5, "ArrowRight", True, "poses 1")
    saved = lesson.store.submit(said)
    assert (saved.seq, saved.repeated, saved.late) == (1, False, False)
    (label,) = lesson.store.labels_since(lesson.experiment)
    assert (label.seq, label.query_id, label.labeller, label.verdict) == (1, query, ann, Verdict.RIGHT)
    assert (label.strength, label.seconds, label.key, label.given_at) == (
        Strength.MUCH,
        2.5,
        "ArrowRight",
        lesson.clock.now,
    )
    with lesson.store.read() as conn:
        row = conn.execute(sa.select(labels)).one()
    assert (row.id, row.swapped, row.renderer) == ("one", True, "poses 1")


def test_ten_times_the_same_submit_has_one_effect(lesson, ann):
    first, second = lesson.ask(2)
    one, two = Submit("one", first, ann, Verdict.LEFT), Submit("two", second, ann, Verdict.TIE)
    seqs = [lesson.store.submit(said).seq for said in (one, two, two, one) * 5]
    assert seqs == [1, 2, 2, 1] * 5
    assert n_rows(lesson) == 2
    assert lesson.store.counts(lesson.experiment) == Counts(asked=2, open=0, answered=2, decided=2, left=1, tie=1)


def test_an_id_belongs_to_one_answer(lesson, ann, bob):
    first, second = lesson.ask(2)
    said = Submit("one", first, ann, Verdict.LEFT)
    lesson.store.submit(said)
    for other in ({"query_id": second}, {"labeller_id": bob}, {"verdict": Verdict.RIGHT}):
        with pytest.raises(ConflictError, match="one"):
            lesson.store.submit(dataclasses.replace(said, **other))
    assert n_rows(lesson) == 1


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"verdict": "UP"}, UserError, "ABSTAIN, LEFT, RIGHT, TIE, WITHDRAWN"),
        ({"strength": "VERY"}, UserError, "MUCH, PLAIN, SLIGHT"),
        ({"query_id": "nothing"}, NotFoundError, "nothing"),
    ],
)
def test_what_makes_no_sense_is_refused_and_leaves_nothing(lesson, ann, change, error, said):
    (query,) = lesson.ask(1)
    with pytest.raises(error, match=said):
        lesson.store.submit(dataclasses.replace(Submit("one", query, ann, Verdict.LEFT), **change))
    assert n_rows(lesson) == 0
    assert lesson.store.submit(Submit("one", query, ann, Verdict.LEFT)).seq == 1  # no number was lost


def test_the_newest_label_of_each_person_counts(lesson, ann, bob):
    query, other = lesson.ask(2, answers_wanted=2)
    for number, (who, verdict) in enumerate([(ann, Verdict.LEFT), (bob, Verdict.TIE), (ann, Verdict.RIGHT)]):
        lesson.store.submit(Submit(str(number), query, who, verdict))
    newest = lesson.store.labels_of([query, other])
    assert {(label.labeller, label.verdict) for label in newest[query]} == {(ann, Verdict.RIGHT), (bob, Verdict.TIE)}
    assert list(newest) == [query]
    assert lesson.store.counts(lesson.experiment) == Counts(
        asked=2, open=1, unanswered=1, answered=1, decided=1, right=1, tie=1
    )
    shown = lesson.store.answers(lesson.experiment)
    assert [(answer.label.seq, answer.superseded) for answer in shown] == [(3, False), (2, False), (1, True)]
    assert [
        answer.label.seq for answer in lesson.store.answers(lesson.experiment, AnswerFilter(ann), before_seq=3)
    ] == [1]
    assert len(lesson.store.answers(lesson.experiment, limit=2)) == 2
    assert {answer.labeller_name for answer in shown} == {"ann", "bob"}


def test_taking_back_opens_the_question_and_brings_it_back_first(lesson, ann, bob):
    lesson.ask(3)
    held = lesson.store.claim(lesson.experiment, ann, 2)
    query = held[0].query_id
    lesson.store.submit(Submit("one", query, ann, Verdict.LEFT, lease=held[0].lease))
    assert query not in [claim.query_id for claim in lesson.store.claim(lesson.experiment, ann, 9)]
    lesson.store.submit(Submit("two", query, ann, Verdict.WITHDRAWN))
    assert lesson.store.counts(lesson.experiment) == Counts(asked=3, open=3, unanswered=3, withdrawn=1)
    assert query not in [claim.query_id for claim in lesson.store.claim(lesson.experiment, bob, 9)]  # lent to Ann
    assert lesson.store.claim(lesson.experiment, ann, 1)[0].query_id == query
    assert lesson.store.labels_of([query])[query][0].verdict is Verdict.WITHDRAWN


def test_late_answers_are_kept_and_marked(lesson, ann, bob):
    (query,) = lesson.ask(1)
    (mine,) = lesson.store.claim(lesson.experiment, ann, 1, lifetime_seconds=10.0)
    lesson.clock.now += 11
    (theirs,) = lesson.store.claim(lesson.experiment, bob)
    assert theirs.query_id == query
    assert lesson.store.submit(Submit("late", query, ann, Verdict.LEFT, lease=mine.lease)).late
    assert lesson.store.submit(Submit("late", query, ann, Verdict.LEFT, lease=mine.lease)).late  # said again
    assert not lesson.store.submit(Submit("on time", query, bob, Verdict.RIGHT, lease=theirs.lease)).late
    assert lesson.store.counts(lesson.experiment) == Counts(asked=1, answered=1, decided=1, left=1, right=1)


@pytest.mark.parametrize("jump", [-86_400.0, 86_400.0])
def test_a_clock_that_jumps_holds_up_nobody_and_loses_nothing(jump, lesson, ann, bob):
    (query,) = lesson.ask(1)
    (mine,) = lesson.store.claim(lesson.experiment, ann)
    lesson.clock.now += jump
    (theirs,) = lesson.store.claim(lesson.experiment, bob)
    assert theirs.query_id == query
    assert lesson.store.submit(Submit("before", query, ann, Verdict.LEFT, lease=mine.lease)).late
    assert not lesson.store.submit(Submit("after", query, bob, Verdict.RIGHT, lease=theirs.lease)).late
    assert [label.verdict for label in lesson.store.labels_since(lesson.experiment)] == [Verdict.LEFT, Verdict.RIGHT]
    assert lesson.store.answers_per_minute(lesson.experiment) >= 0.0


def test_an_answer_to_a_question_taken_back_is_kept_and_marked(lesson, ann):
    (query,) = lesson.ask(1, step=1)
    assert lesson.store.expire(lesson.run, 2) == 1
    assert lesson.store.submit(Submit("one", query, ann, Verdict.LEFT)).late
    assert lesson.store.counts(lesson.experiment) == Counts(asked=1, answered=1, decided=1, left=1)


def test_somebody_elses_lease_makes_an_answer_late_and_stays_theirs(lesson, ann, bob):
    (query,) = lesson.ask(1)
    (claim,) = lesson.store.claim(lesson.experiment, bob)
    assert lesson.store.submit(Submit("one", query, ann, Verdict.LEFT, lease=claim.lease)).late
    assert lesson.store.heartbeat([claim.lease], ann) == {}
    assert not lesson.store.release(claim.lease, ann)
    assert lesson.store.release(claim.lease, bob)
    assert not lesson.store.release(claim.lease, bob)


def test_changing_ones_mind_is_never_late(lesson, ann):
    (query,) = lesson.ask(1)
    (claim,) = lesson.store.claim(lesson.experiment, ann)
    lesson.store.submit(Submit("one", query, ann, Verdict.LEFT, lease=claim.lease))
    assert not lesson.store.submit(Submit("two", query, ann, Verdict.RIGHT, lease=claim.lease)).late
    assert not lesson.store.submit(Submit("three", query, ann, Verdict.TIE)).late


def test_heartbeats_keep_a_question(lesson, ann, bob):
    lesson.ask(1)
    (claim,) = lesson.store.claim(lesson.experiment, ann, 1, 10.0)
    for _ in range(5):
        lesson.clock.now += 9
        assert lesson.store.heartbeat([claim.lease, "unknown"], ann, 10.0) == {claim.lease: lesson.clock.now + 10}
        assert lesson.store.claim(lesson.experiment, bob) == []
    lesson.clock.now += 11
    assert lesson.store.heartbeat([claim.lease], ann) == {}
    assert len(lesson.store.claim(lesson.experiment, bob)) == 1


def test_a_lease_shows_the_same_side_whenever_it_is_claimed_again(lesson, ann):
    lesson.ask(64)
    first = lesson.store.claim(lesson.experiment, ann, 64)
    again = lesson.store.claim(lesson.experiment, ann, 64)
    assert [(claim.query_id, claim.lease, claim.swapped) for claim in first] == [
        (claim.query_id, claim.lease, claim.swapped) for claim in again
    ]
    assert {claim.swapped for claim in first} == {True, False}  # fails by chance once in 2**63 times


def test_a_finished_experiment_lends_nothing(lesson, ann):
    lesson.ask(1)
    lesson.store.edit_experiment(lesson.experiment, status="finished")
    assert lesson.store.claim(lesson.experiment, ann) == []
    with pytest.raises(NotFoundError):
        lesson.store.claim("nothing", ann)


def test_reading_by_cursor_misses_nothing_and_repeats_nothing(lesson, ann):
    ids = lesson.ask(7)
    for number, query in enumerate(ids):
        lesson.store.submit(Submit(str(number), query, ann, Verdict.LEFT))
    cursor, seen = 0, []
    while page := lesson.store.labels_since(lesson.experiment, cursor, limit=3):
        seen += page
        cursor = page[-1].seq
    assert [label.query_id for label in seen] == ids
    assert [label.seq for label in seen] == list(range(1, 8))
    assert lesson.store.labels_since(lesson.store.experiment("other", "hopper")) == []


def test_answers_per_minute(lesson, ann):
    pace = lesson.store.answers_per_minute
    assert pace(lesson.experiment) == 0.0
    for number, query in enumerate(lesson.ask(30)):
        lesson.clock.now += 6.0
        lesson.store.submit(Submit(str(number), query, ann, Verdict.LEFT))
    assert pace(lesson.experiment) == pytest.approx(30 / (29 * 6 / 60))
    lesson.clock.now += 301
    assert pace(lesson.experiment) == 0.0


def test_claim_and_submit_stay_fast_with_ten_thousand_questions(lesson, ann):
    (template,) = lesson.ask(1)
    row = dataclasses.asdict(lesson.store.query(template))
    many = [row | {"id": f"{n:032x}", "pair": f"{n}", "number": n, "is_full": n % 2 == 0} for n in range(10, 10_010)]
    with lesson.store.write() as conn:
        conn.execute(sa.insert(labels.metadata.tables["queries"]), many)
    taken = []
    for number in range(20):
        start = time.perf_counter()
        (claim,) = lesson.store.claim(lesson.experiment, ann)
        lesson.store.submit(Submit(str(number), claim.query_id, ann, Verdict.LEFT, lease=claim.lease))
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.05  # the whole table read and sorted takes longer


@pytest.mark.parametrize("seed", range(3))
def test_every_submit_replayed_ten_times_in_any_order_by_many_at_once_has_one_effect(lesson, ann, bob, seed):
    rng = random.Random(seed)
    ids = lesson.ask(4, answers_wanted=2)
    said = [
        Submit(f"{who[:8]}-{query[:8]}-{number}", query, who, rng.choice(list(Verdict)))
        for who in (ann, bob)
        for query in ids
        for number in range(2)
    ]
    sent = said * 10
    rng.shuffle(sent)
    with ThreadPoolExecutor(4) as people:
        saved = list(people.map(lesson.store.submit, sent))
    numbers = {(one.id, result.seq) for one, result in zip(sent, saved, strict=True)}
    assert len(numbers) == len(said)
    assert sum(not result.repeated for result in saved) == len(said)
    events = lesson.store.labels_since(lesson.experiment)
    assert [event.seq for event in events] == list(range(1, len(said) + 1))
    newest = {(event.query_id, event.labeller): event.verdict for event in events}  # the last one stays
    stands = {
        (query, label.labeller): label.verdict
        for query, labels in lesson.store.labels_of(ids).items()
        for label in labels
    }
    assert stands == newest
    spoken = {query for (query, _), verdict in newest.items() if verdict is not Verdict.WITHDRAWN}
    counts = lesson.store.counts(lesson.experiment)
    assert counts.answered == len(spoken)
    kinds = (counts.left, counts.right, counts.tie, counts.abstain, counts.withdrawn)
    assert kinds == tuple(sum(verdict is kind for verdict in newest.values()) for kind in Verdict)
