from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from rl_teacher.queries.pool import SegmentPool
from rl_teacher.queries.ranking import Ranking, implied, rank
from rl_teacher.queries.sorting import UNDERWAY, sort
from rl_teacher.trajectory import Comparison, Query
from tests.fakes import FakeReward
from tests.queries.worlds import K, Members, clip, judged, level, pool_of


def sorted_list(n: int, batch: int, mistaken=lambda i: False, seed: int = 0) -> tuple[Ranking, dict[str, Comparison]]:
    """A pool of n clips is sorted until all are in the list; `mistaken` says which answers are wrong."""
    pool, answers = pool_of(np.linspace(-9, 9, n), seed, looks=1.0), {}
    ranking, n_asked = Ranking(), 0
    for _ in range(30 * n):
        if len(ranking.order) == n:
            return ranking, {id: c for id, c in answers.items() if c.query.why == "sort"}
        for query in sort(pool, min(batch, n - len(ranking.order)), FakeReward(), answers):
            pool.remember([query.id])
            if query.why == "sort":
                n_asked += 1
            answers[query.id] = judged(query, wrong=query.why == "sort" and mistaken(n_asked - 1))
        ranking = rank(answers.values())
    raise AssertionError(f"{n - len(ranking.order)} of {n} clips never came into the list")


def levels(ranking: Ranking) -> list[float]:
    return [level(ranking.clips[key]) for key in ranking.order]


def exchanged(values) -> int:
    """Pairs in the wrong order."""
    return sum(a > b for i, a in enumerate(values) for b in values[i + 1 :])


@pytest.mark.parametrize(("n", "batch"), [(64, 1), (100, 8)])
def test_a_clip_costs_about_log_n_questions_and_the_list_is_sorted(n, batch):
    ranking, answers = sorted_list(n, batch)
    assert levels(ranking) == sorted(levels(ranking))
    assert len(answers) / n <= np.log2(n) + 1


def test_with_one_answer_in_ten_wrong_the_list_is_nearly_sorted():
    for seed in range(2):
        wrong = np.random.default_rng(seed).random(10_000) < 0.1
        ranking, _ = sorted_list(64, 8, lambda i, wrong=wrong: wrong[i], seed)
        kendall_tau = 1 - 4 * exchanged(levels(ranking)) / (64 * 63)
        assert kendall_tau >= 0.8


def test_one_wrong_answer_does_not_spoil_the_rest():
    """Wherever it falls, at most one pair of the other clips changes places, and nearly always none does.

    A wrong answer that no later one contradicts cannot be told from a right one.
    """
    _, answers = sorted_list(16, 1)
    spoiled = []
    for place in range(0, len(answers), 5):
        ranking, given = sorted_list(16, 1, lambda i, place=place: i == place)
        query = list(given.values())[place].query
        without = [[x for x in levels(ranking) if x != level(side)] for side in (query.left, query.right)]
        spoiled.append(min(exchanged(some) for some in without))
    assert len(spoiled) > 10
    assert max(spoiled) <= 1
    assert np.mean(spoiled) <= 0.1


def test_many_at_once_go_on_side_by_side_and_the_rest_is_random():
    pool, answers = pool_of(np.linspace(-9, 9, 300), looks=1.0), {}
    for _ in range(4):
        asked = sort(pool, 50, FakeReward(), answers)
        assert len({q.id for q in asked}) == 50
        assert [q.why for q in asked] == ["sort"] * UNDERWAY + ["random"] * (50 - UNDERWAY)
        pool.remember(q.id for q in asked)
        answers |= {q.id: judged(q) for q in asked}
    known = rank(answers.values())
    started = {k for q in sort(pool, 20, FakeReward(), answers) for k in (q.left.key, q.right.key)}
    assert len(started & {s.key for s in known.waiting()}) >= 10


def test_a_clip_has_one_open_question_at_most():
    """Nobody answers for a while: no clip that is on its way is asked about a second time."""
    pool, answers = pool_of(np.linspace(-9, 9, 60), looks=1.0), {}
    for _ in range(5):
        asked = sort(pool, 10, FakeReward(), answers)
        pool.remember(q.id for q in asked)
        answers |= {q.id: judged(q) for q in asked if q.why == "sort"}
    under_way = {s.key for s in rank(answers.values()).waiting()}
    assert under_way
    seen: list[str] = []
    for _ in range(4):
        asked = [q for q in sort(pool, 6, FakeReward(), answers) if q.why == "sort"]
        pool.remember(q.id for q in asked)
        seen += [q.left.key for q in asked if q.left.key in under_way]
    assert len(seen) == len(set(seen))
    assert seen


def test_the_newcomer_is_left_and_shown_what_is_now():
    pool, answers = pool_of(np.linspace(-9, -1, 30), looks=1.0), {}
    for _ in range(60):
        for q in sort(pool, 1, FakeReward(), answers):
            pool.remember([q.id])
            answers[q.id] = judged(q)
    pool.forget()
    pool.add([clip(x, 100 + i, looks=1.0) for i, x in enumerate(np.linspace(1, 9, 30))])
    asked = sort(pool, 10, FakeReward(), answers)
    waiting = {s.key for s in rank(answers.values()).waiting()}
    assert all(level(q.left) > 0 or q.left.key in waiting for q in asked)
    assert all(level(q.right) < 0 for q in asked)


def test_a_withdrawn_or_changed_answer_needs_no_care():
    _, answers = sorted_list(20, 1, lambda i: i == 40)
    wrong = list(answers)[40]
    mended = rank((answers | {wrong: judged(answers[wrong].query)}).values())
    assert levels(mended) == sorted(levels(mended))
    without = rank(c for id, c in answers.items() if id != wrong)
    assert exchanged(levels(without)) == 0
    assert len(without.order) + len(without.waiting()) == 20
    for cut in range(0, len(answers), 7):  # whatever is withdrawn, what is left is a list
        some = rank(list(answers.values())[cut:])
        assert len(set(some.order)) == len(some.order)
    assert rank([]).order == []


def test_other_strategies_answers_are_no_part_of_the_list():
    pair = Query(clip(0, 0).segment(0, K), clip(1, 1).segment(0, K), "random")
    assert rank([judged(pair)]).order == []


def test_ties_do_not_stop_it():
    """Somebody to whom all clips are alike."""
    pool, answers = pool_of(np.linspace(-9, 9, 12), looks=1.0), {}
    for _ in range(80):
        for q in sort(pool, 1, FakeReward(), answers):
            pool.remember([q.id])
            answers[q.id] = Comparison(q, np.array([0.5, 0.5], dtype=np.float32))
    assert len(rank(answers.values()).order) > 8


def test_a_pivot_that_looks_like_the_clip_is_passed_over():
    """The list's middle is what the newcomers look like; its neighbours will do as well."""
    order = [-2.0, -1.0, 0.0, 1.0, 2.0]
    clips = [clip(x, i).segment(0, K) for i, x in enumerate(order)]
    known = [judged(Query(a, b, "sort")) for i, a in enumerate(clips) for b in clips[:i]]
    pool = SegmentPool(K, 3, np.random.default_rng(0))
    pool.add([clip(x, 10 + i) for i, x in enumerate([0.0] * 8 + [5.0, -5.0])])
    for q in sort(pool, 8, Members(lambda x: x), {c.query.id: c for c in known}):
        assert q.why != "sort" or abs(level(q.left) - level(q.right)) > 0.5


def test_implied_pairs_are_right_new_and_as_sure_as_they_say():
    ranking, answers = sorted_list(30, 1)
    further = implied(ranking, 100)
    assert 0 < len(further) <= 100
    assert len({c.query.id for c in further}) == len(further)
    assert not {c.query.id for c in further} & set(answers)
    for comparison in further:
        assert level(comparison.query.left) > level(comparison.query.right)
        assert 0.8 <= comparison.mu[0] <= 1
        assert comparison.query.score == pytest.approx(comparison.mu[0])
    assert len(implied(ranking, 10_000, 0.99)) < len(implied(ranking, 10_000, 0.8))
    assert implied(Ranking(), 10) == []


def test_implied_pairs_far_apart_in_the_list_are_surer():
    ranking, _ = sorted_list(30, 1)
    place = {key: i for i, key in enumerate(ranking.order)}
    by_gap: dict[int, list[float]] = {}
    for c in implied(ranking, 10_000, 0.0):
        by_gap.setdefault((place[c.query.left.key] - place[c.query.right.key]) // 10, []).append(float(c.mu[0]))
    assert all(np.mean(by_gap[a]) < np.mean(by_gap[b]) for a, b in pairwise(sorted(by_gap)))


def test_implied_pairs_with_mistakes_are_right_as_often_as_they_say():
    wrong = np.random.default_rng(5).random(10_000) < 0.1
    ranking, _ = sorted_list(48, 8, lambda i: wrong[i], 5)
    further = implied(ranking, 10_000)
    right = np.mean([level(c.query.left) > level(c.query.right) for c in further])
    assert right >= np.mean([c.mu[0] for c in further]) - 0.1
