"""Several people at one experiment: answers per pair, hidden checks, corrections, and what they say of each person."""

from __future__ import annotations

import dataclasses
import itertools
import json
import random
from collections import Counter

import pytest

from rl_teacher.errors import UserError
from rl_teacher.feedback.listing import AnswerFilter
from rl_teacher.feedback.records import Claim, ConflictError, Counts, Submit
from rl_teacher.feedback.store import open_store
from rl_teacher.labels import Verdict, preference
from tests.feedback.lesson import Lesson

NUMBERS = itertools.count()


@pytest.fixture
def ann(lesson) -> str:
    return lesson.store.labeller("ann")


@pytest.fixture
def bob(lesson) -> str:
    return lesson.store.labeller("bob")


def take(lesson: Lesson, who: str) -> Claim | None:
    lesson.clock.now += 3
    return next(iter(lesson.store.claim(lesson.experiment, who)), None)


def say(lesson: Lesson, who: str, claim: Claim, verdict: Verdict = Verdict.LEFT, **more) -> None:
    said = Submit(f"id-{next(NUMBERS)}", claim.query_id, who, verdict, lease=claim.lease, swapped=claim.swapped, **more)
    lesson.store.submit(said)


def correct(lesson: Lesson, who: str, query: str, verdict: Verdict) -> None:
    lesson.store.submit(Submit(f"id-{next(NUMBERS)}", query, who, verdict, overrules=True))


# Answers per pair ----------------------------------------------------------------------------------------------------


def test_as_many_people_as_wanted_answer_each_pair_and_nobody_twice(lesson, ann, bob):
    lesson.store.edit_experiment(lesson.experiment, answers_per_pair=2)
    asked = set(lesson.ask(5))
    cem = lesson.store.labeller("cem")
    seen = {who: [] for who in (ann, bob, cem)}
    for who in (ann, bob, cem) * 6:
        if claim := take(lesson, who):
            seen[who].append(claim.query_id)
            say(lesson, who, claim)
    assert all(len(queries) == len(set(queries)) for queries in seen.values())
    everything = [query for queries in seen.values() for query in queries]
    assert sorted(everything) == sorted([*asked, *asked])
    assert lesson.store.counts(lesson.experiment) == Counts(asked=5, answered=5, decided=5, left=10)


def test_what_others_have_begun_comes_before_what_is_new(lesson, ann, bob):
    lesson.store.edit_experiment(lesson.experiment, answers_per_pair=2)
    lesson.ask(1)
    first = take(lesson, ann)
    say(lesson, ann, first)
    lesson.ask(3)
    assert take(lesson, bob).query_id == first.query_id
    assert take(lesson, ann).query_id != first.query_id


def test_another_number_of_answers_holds_for_open_questions_too(lesson, ann, bob):
    first, second = lesson.ask(2)
    say(lesson, ann, next(claim for claim in lesson.store.claim(lesson.experiment, ann, 2) if claim.query_id == first))
    lesson.store.edit_experiment(lesson.experiment, answers_per_pair=2)
    assert lesson.store.counts(lesson.experiment) == Counts(
        asked=2, open=2, unanswered=1, answered=1, decided=1, left=1
    )
    assert [claim.query_id for claim in lesson.store.claim(lesson.experiment, bob, 2)] == [first, second]
    lesson.store.edit_experiment(lesson.experiment, answers_per_pair=1)
    assert lesson.store.counts(lesson.experiment).open == 1
    assert lesson.store.query(second).answers_wanted == 1


@pytest.mark.parametrize(
    ("name", "value"), [("answers_per_pair", 0), ("repeat_rate", 0.6), ("gold_rate", -0.1), ("status", "x")]
)
def test_settings_out_of_range_are_refused(lesson, name, value):
    with pytest.raises(UserError, match=r"[Aa]llowed"):
        lesson.store.edit_experiment(lesson.experiment, **{name: value})


def test_nothing_is_begun_once_there_are_answers_enough(lesson, ann, bob):
    lesson.store.edit_experiment(lesson.experiment, wanted=1, answers_per_pair=2)
    lesson.ask(3)
    first = take(lesson, ann)
    say(lesson, ann, first)
    assert take(lesson, ann) is None
    assert take(lesson, bob).query_id == first.query_id  # the second answer to it is still wanted
    lesson.store.edit_experiment(lesson.experiment, wanted=None)
    assert take(lesson, ann) is not None


# Checks --------------------------------------------------------------------------------------------------------------


@pytest.fixture
def checked(tmp_path, database) -> Lesson:
    """A lesson in which every second pair is a repeat, as far as there is one to show."""
    from tests.feedback.lesson import Clock

    clock = Clock()
    store = open_store(tmp_path / "checked", database, clock=clock, draw=random.Random(1).random)
    experiment = store.experiment("hop", "hopper")
    store.edit_experiment(experiment, repeat_rate=0.5)
    lesson = Lesson(store, clock, experiment, store.run(experiment, "hop", 1, "human"), tmp_path / "checked", database)
    yield lesson
    store.close()


def test_repeats_come_swapped_look_like_questions_and_count_for_nothing(checked):
    ann = checked.store.labeller("ann")
    checked.ask(40)
    shown: list[tuple[Claim, str]] = []
    while claim := take(checked, ann):
        shown.append((claim, checked.store.query(claim.query_id).kind))
        say(checked, ann, claim)
    repeats = [claim for claim, kind in shown if kind == "repeat"]
    questions = {(claim.left.id, claim.right.id): claim for claim, kind in shown if kind == "question"}
    assert len(questions) == 40
    assert 20 < len(repeats) <= 40
    assert len({(claim.left.id, claim.right.id) for claim in repeats}) == len(repeats)  # each pair at most once
    for claim in repeats:
        first = questions[claim.left.id, claim.right.id]
        assert claim.query_id != first.query_id
        assert claim.swapped is not first.swapped
        order = [one.query_id for one, _ in shown]
        assert order.index(claim.query_id) - order.index(first.query_id) > 5
    assert checked.store.counts(checked.experiment) == Counts(asked=40, answered=40, decided=40, left=40)
    assert checked.store.counts(checked.experiment, checks=True).answered == len(shown)
    assert len(checked.store.labels_since(checked.experiment)) == 40
    assert len(checked.store.pairs(checked.experiment)) == 40


def test_a_repeat_keeps_its_sides_when_it_is_taken_back_or_lent_again(checked):
    ann = checked.store.labeller("ann")
    checked.ask(40)
    while checked.store.query((claim := take(checked, ann)).query_id).kind == "question":
        say(checked, ann, claim)
    for _ in range(8):
        say(checked, ann, claim)
        say(checked, ann, claim, Verdict.WITHDRAWN)
        again = take(checked, ann)
        assert (again.query_id, again.swapped) == (claim.query_id, claim.swapped)
        claim = again
    checked.clock.now += 1000  # the lease has ended
    again = checked.store.claim(checked.experiment, ann, 1)[0]
    assert again.swapped is claim.swapped or again.query_id != claim.query_id


def test_without_anything_open_nobody_is_tested(checked):
    ann = checked.store.labeller("ann")
    checked.ask(10)
    while claim := take(checked, ann):
        say(checked, ann, claim)
    assert take(checked, ann) is None


def test_nobody_gets_somebody_elses_check(checked):
    ann, bob = checked.store.labeller("ann"), checked.store.labeller("bob")
    checked.ask(30)
    while (claim := take(checked, ann)) and checked.store.query(claim.query_id).kind == "question":
        say(checked, ann, claim)
    checked.store.release(claim.lease, ann)
    seen = [one.query_id for one in checked.store.claim(checked.experiment, bob, 20)]
    assert claim.query_id not in seen
    assert seen


def test_gold_pairs_go_once_to_those_who_have_not_answered_them(lesson, ann, bob):
    store = lesson.store
    first, _ = lesson.ask(2)
    for claim in store.claim(lesson.experiment, ann, 2):
        say(lesson, ann, claim)
    store.edit_experiment(lesson.experiment, gold_rate=0.5, repeat_rate=0.0)
    store.draw = lambda: 0.0
    store.set_gold(first, Verdict.RIGHT, "boss")
    lesson.ask(20)
    kinds = {who: [] for who in (ann, bob)}
    for who in (ann, bob) * 4:
        claim = take(lesson, who)
        query = store.query(claim.query_id)
        kinds[who].append(query.kind)
        say(lesson, who, claim)
    assert kinds == {ann: ["question"] * 4, bob: ["gold", "question", "question", "question"]}
    people = {person.name: person for person in store.people(lesson.experiment).people}
    assert (people["bob"].n_golds, people["bob"].gold_accuracy) == (1, 0.0)
    assert (people["ann"].n_golds, people["ann"].gold_accuracy) == (0, None)
    assert people["bob"].wrong_share > people["ann"].wrong_share
    assert store.counts(lesson.experiment).answered == 2 + 7
    store.set_gold(first, None, "boss")
    assert {person.n_golds for person in store.people(lesson.experiment).people} == {0}


def test_only_an_answered_question_can_be_gold(lesson, ann):
    (query,) = lesson.ask(1)
    with pytest.raises(ConflictError, match="gold"):
        lesson.store.set_gold(query, Verdict.LEFT, "boss")
    say(lesson, ann, take(lesson, ann))
    with pytest.raises(ConflictError, match="LEFT, RIGHT or TIE"):
        lesson.store.set_gold(query, Verdict.ABSTAIN, "boss")


# Corrections ---------------------------------------------------------------------------------------------------------


def test_a_correction_is_an_event_of_the_researchers_and_alone_counts_while_it_stands(lesson, ann, bob):
    store = lesson.store
    (query,) = lesson.ask(1)
    boss = store.labeller("boss")
    say(lesson, ann, take(lesson, ann), Verdict.LEFT)
    correct(lesson, boss, query, Verdict.RIGHT)
    newest = store.labels_of([query])[query]
    assert [(label.labeller, label.verdict, label.overrules) for label in newest] == [
        (ann, Verdict.LEFT, False),
        (boss, Verdict.RIGHT, True),
    ]
    assert preference(newest).tolist() == [0, 1]
    assert [label.seq for label in store.labels_since(lesson.experiment)] == [1, 2]
    assert [person.name for person in store.people(lesson.experiment).people] == ["ann"]
    correct(lesson, boss, query, Verdict.ABSTAIN)
    assert preference(store.labels_of([query])[query]) is None
    assert store.counts(lesson.experiment).decided == 0
    correct(lesson, boss, query, Verdict.WITHDRAWN)
    assert preference(store.labels_of([query])[query]).tolist() == [1, 0]
    assert store.counts(lesson.experiment) == Counts(asked=1, answered=1, decided=1, left=1, withdrawn=1)
    assert take(lesson, bob) is None


def test_a_corrected_question_is_asked_no_more(lesson, ann, bob):
    lesson.store.edit_experiment(lesson.experiment, answers_per_pair=3)
    (query,) = lesson.ask(1)
    say(lesson, ann, take(lesson, ann))
    correct(lesson, lesson.store.labeller("boss"), query, Verdict.RIGHT)
    assert take(lesson, bob) is None
    lesson.store.edit_experiment(lesson.experiment, answers_per_pair=4)
    assert take(lesson, bob) is None


# Figures and the list ------------------------------------------------------------------------------------------------


def taught(lesson: Lesson, n: int = 12) -> dict[str, str]:
    """Ann and Bob agree on 9 of 12; Ann is always quick and chooses the left of the screen."""
    ids = {name: lesson.store.labeller(name) for name in ("ann", "bob")}
    lesson.store.edit_experiment(lesson.experiment, answers_per_pair=2)
    lesson.ask(n, why="disagreement")
    for place in range(n):
        for name, seconds in (("ann", 1.5), ("bob", 4.0)):
            claim = take(lesson, ids[name])
            verdict = Verdict.RIGHT if claim.swapped else Verdict.LEFT
            if name == "bob":
                verdict = Verdict(
                    next(label.verdict for label in lesson.store.labels_of([claim.query_id])[claim.query_id])
                )
                if place % 4 == 0:
                    verdict = Verdict.LEFT if verdict is Verdict.RIGHT else Verdict.RIGHT
            say(lesson, ids[name], claim, verdict, seconds=seconds)
    return ids


def test_the_figures_of_each_person(lesson):
    taught(lesson)
    found = lesson.store.people(lesson.experiment)
    ann, bob = found.people
    assert (ann.name, ann.n_answers, ann.n_shared, ann.median_seconds) == ("ann", 12, 12, 1.5)
    assert (bob.median_seconds, bob.n_sided) == (4.0, 12)
    assert ann.screen_left == 1.0
    assert ann.screen_left_interval[0] > 0.7
    assert ann.per_minute == pytest.approx(60 / 6)
    assert found.alpha == pytest.approx(ann.alpha) == pytest.approx(bob.alpha)
    said = Counter(label.verdict for label in lesson.store.labels_since(lesson.experiment))
    by_chance = 1 - sum(n * (n - 1) for n in said.values()) / (24 * 23)  # depends on which sides were drawn
    assert found.alpha == pytest.approx(1 - (3 / 12) / by_chance)
    assert ann.consistency is None


def test_the_list_can_be_narrowed(lesson):
    ids = taught(lesson)
    lesson.ask(1, why="random 100%")
    say(lesson, ids["ann"], take(lesson, ids["ann"]), Verdict.TIE)

    def n(**only) -> int:
        return len(lesson.store.answers(lesson.experiment, AnswerFilter(**only), limit=100))

    assert (n(), n(labeller_id=ids["bob"]), n(disputed=True), n(verdict=Verdict.TIE)) == (25, 12, 6, 1)
    assert (n(why="DISAGREE"), n(why="0%"), n(why="%"), n(run="hop"), n(run="other")) == (24, 1, 1, 25, 0)
    assert (n(kind="question"), n(kind="gold")) == (25, 0)


def test_the_export_tells_everything_once(lesson, ann):
    (query,) = lesson.ask(1, why="=HYPERLINK(1)")
    claim = take(lesson, ann)
    say(lesson, ann, claim)
    say(lesson, ann, claim, Verdict.RIGHT)
    lines = [json.loads(line) for line in lesson.store.export(lesson.experiment, "jsonl")]
    assert [line["type"] for line in lines] == ["experiment", "query", "label", "label"]
    assert (lines[1]["id"], lines[1]["left"]["run"], lines[1]["left"]["step"]) == (query, "hop", 0)
    assert [line["verdict"] for line in lines[2:]] == ["LEFT", "RIGHT"]
    assert lines[2]["labeller"] == {"id": ann, "name": "ann"}
    table = "".join(lesson.store.export(lesson.experiment, "csv"))
    assert table.count("\n") == 3
    assert ",'=HYPERLINK(1)," in table  # a spreadsheet would run it


def test_unreliable_people_are_softened_in_the_one_place(lesson, ann, bob):
    (query,) = lesson.ask(1)
    say(lesson, ann, take(lesson, ann))
    (label,) = lesson.store.labels_of([query])[query]
    assert preference([label], {ann: 0.4}).tolist() == pytest.approx([0.8, 0.2])
    other = dataclasses.replace(label, labeller=bob, verdict=Verdict.RIGHT)
    assert preference([label, other], {ann: 1.0}).tolist() == pytest.approx([0.25, 0.75])
