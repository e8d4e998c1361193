from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rl_teacher.errors import UserError
from rl_teacher.trajectory import Comparison, ComparisonBatch, Query, Segment, Source, Trajectory
from tests.fakes import comparison, query, trajectory


def test_wrong_lengths_are_refused_with_both_numbers():
    with pytest.raises(ValueError, match="obs has 5 entries where 6 are needed"):
        Trajectory(np.zeros((5, 3)), np.zeros((5, 2)), np.zeros(5))
    with pytest.raises(ValueError, match="sim has 5 entries where 6 are needed"):
        Trajectory(np.zeros((6, 3)), np.zeros((5, 2)), np.zeros(5), np.zeros((5, 7)))


shapes = st.lists(st.integers(0, 4), min_size=0, max_size=3).map(tuple)


@given(st.integers(1, 4), shapes)
@example(4, (4, 1))
def test_the_true_reward_is_one_number_a_step(n_steps, shape):
    obs, act, env_rew = np.zeros((n_steps + 1, 3)), np.zeros((n_steps, 2)), np.zeros(shape)
    if shape == (n_steps,):
        assert len(Trajectory(obs, act, env_rew)) == len(Segment(obs[1:], act, env_rew)) == n_steps
        return
    said = re.escape(f"env_rew has shape {shape} where ({n_steps},) is needed")
    with pytest.raises(ValueError, match=said):
        Trajectory(obs, act, env_rew)
    with pytest.raises(ValueError, match=said):
        Segment(obs[1:], act, env_rew)


def test_arrays_are_read_only():
    whole = trajectory()
    for array in (whole.obs, whole.act, whole.env_rew, whole.segment(2, 3).obs, comparison().mu):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


@given(st.integers(1, 30), st.integers(-3, 35), st.integers(-1, 35))
def test_a_segment_lies_in_its_trajectory_or_is_refused(n_steps, start, k):
    whole = trajectory(n_steps, source=Source("run", 7, 3, 100))
    if start >= 0 and k >= 1 and start + k <= n_steps:
        part = whole.segment(start, k)
        assert len(part) == k
        assert np.array_equal(part.obs, whole.obs[start : start + k])
        assert part.source == Source("run", 7, 3, 100 + start)
    else:
        with pytest.raises(ValueError, match=f"{n_steps} steps"):
            whole.segment(start, k)


def test_left_is_not_right():
    part = trajectory().segment(0, 5)
    again = Segment(part.obs.copy(), part.act.copy(), part.env_rew.copy())
    with pytest.raises(ValueError, match="with itself"):
        Query(part, again)


sides = st.tuples(st.integers(1, 3), shapes, shapes)
"""Number of steps, shape of one observation, shape of one action."""


@given(sides.flatmap(lambda left: st.tuples(st.just(left), sides | st.just(left))))
@example(((5, (3,), (2,)), (4, (3,), (2,))))
@example(((5, (3,), (2,)), (5, (3,), (1,))))
def test_both_sides_of_a_query_have_the_same_shapes(pair):
    left, right = pair
    segments = [
        Segment(np.zeros((k, *obs), np.float32), np.full((k, *act), n), np.zeros(k), sim=np.full((k, 1), n))
        for n, (k, obs, act) in enumerate((left, right))
    ]
    if left == right:
        assert Query(*segments).id == Query(*reversed(segments)).id
        return
    name = "act" if left[:2] == right[:2] else "obs"
    ours, theirs = (getattr(segment, name).shape for segment in segments)
    with pytest.raises(ValueError, match=re.escape(f"right.{name} has shape {theirs} where {ours} is needed")):
        Query(*segments)


def test_a_pair_has_one_id_in_either_order():
    asked = query()
    assert Query(asked.right, asked.left).id == asked.id
    assert query(1).id != asked.id


def test_mu_must_be_two_shares():
    for mu in ([1.0, 1.0], [0.5], [np.nan, 1.0]):
        with pytest.raises(ValueError, match="sum to one"):
            Comparison(query(), np.array(mu))


def test_a_batch_stacks_and_refuses_mixed_lengths():
    batch = ComparisonBatch.of([comparison(i) for i in range(4)])
    assert batch.left_obs.shape == (4, 5, 3)
    assert batch.mu.shape == (4, 2)
    with pytest.raises(UserError, match=r"different length given: \[5, 6\]"):
        ComparisonBatch.of([comparison(0, 5), comparison(1, 6)])
    with pytest.raises(UserError, match="0 comparisons given"):
        ComparisonBatch.of([])
