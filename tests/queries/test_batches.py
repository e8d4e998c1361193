from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_teacher.queries.batches import NEAR, best_of, distances, farthest_of
from rl_teacher.queries.candidates import Candidates


def candidates(looks: Any, moments: Any = None, doubt: Any = None) -> Candidates:
    """Of pairs whose two clips look like two numbers; every clip an episode of its own unless told."""
    looks = np.asarray(looks, dtype=float).reshape(len(looks), 2, -1)
    m = len(looks)
    if moments is None:
        moments = np.stack([np.arange(2 * m), np.zeros(2 * m, int)], -1).reshape(m, 2, 2)
    doubt = np.zeros(m, int) if doubt is None else np.array(doubt)
    return Candidates([], doubt, np.zeros((1, m)), looks, moments, 5)


PAIR = st.tuples(*[st.floats(-5, 5)] * 4)


@given(PAIR, PAIR, PAIR)
def test_the_distance_of_two_pairs_knows_no_sides(a, b, c):
    x, y, z = (np.array(v).reshape(1, 2, 2) for v in (a, b, c))
    assert distances(x, y) == pytest.approx(distances(y, x), abs=1e-5)
    assert distances(x, y) == pytest.approx(distances(x[:, ::-1], y), abs=1e-5)
    assert distances(x, x[:, ::-1]) == pytest.approx(0, abs=1e-5)
    assert distances(x, z) <= distances(x, y) + distances(y, z) + 1e-5
    straight, crossed = (np.linalg.norm(x - w) for w in (y, y[:, ::-1]))
    assert distances(x, y)[0, 0] == pytest.approx(min(straight, crossed), abs=1e-5)


def test_the_best_come_first_but_no_near_copies():
    c = candidates([[0, 1], [0, 1.01], [1.01, 0], [0, 5], [3, 1]])
    assert best_of(c, np.array([5, 4, 3, 2, 1]), 3) == [0, 3, 4]
    assert best_of(c, np.array([5, 4, 3, 2, 1]), 9) == [0, 3, 4, 1, 2]  # rather than none


def test_no_moment_twice_while_there_are_others():
    moments = [[[0, 0], [1, 0]], [[0, 4], [2, 0]], [[3, 0], [1, 5]], [[4, 0], [5, 0]]]
    c = candidates([[0, 0], [0, 10], [10, 10], [5, 5]], np.array(moments))
    assert best_of(c, np.array([4, 3, 2, 1]), 4) == [0, 2, 3, 1]  # 1 shows steps of 0's left; 2 only touches its right


def test_doubtful_pairs_wait_for_all_others():
    c = candidates([[0, 0], [9, 9], [0, 0.01], [5, 5]], doubt=[2, 1, 0, 0])
    assert best_of(c, np.array([9, 8, 1, 2]), 4) == [3, 2, 1, 0]


@given(st.integers(1, 40), st.integers(1, 20), st.integers(0, 1_000))
def test_a_batch_has_each_candidate_once_and_near_copies_last(m, n, seed):
    rng = np.random.default_rng(seed)
    c = candidates(rng.normal(size=(m, 2)))
    chosen = best_of(c, rng.random(m), n)
    apart = [distances(c.looks[[j]], c.looks[chosen[:i]]).min() for i, j in enumerate(chosen) if i]
    copies = [d < NEAR for d in apart]
    assert copies == sorted(copies)
    for some in (chosen, farthest_of(c, np.zeros((0, 2, 1)), n)[0]):
        assert len(some) == len(set(some)) == min(n, m)


def test_the_farthest_cover_what_others_leave_out():
    looks = [[x, x] for x in (0.0, 0.1, 0.2, 5.0, 5.1, -4.0)]
    chosen, far = farthest_of(candidates(looks), np.zeros((1, 2, 1)), 3)
    assert chosen[:2] == [4, 5]
    assert far[:2] == pytest.approx([np.sqrt(2) * 5.1, np.sqrt(2) * 4.0])
    assert farthest_of(candidates(looks), np.full((1, 2, 1), 5.0), 1)[0] == [5]
