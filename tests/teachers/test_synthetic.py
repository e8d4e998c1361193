from __future__ import annotations

import numpy as np
import pytest

from rl_teacher.errors import NotFiniteError
from rl_teacher.labels import Verdict
from rl_teacher.teachers.synthetic import SyntheticTeacher, oracle
from rl_teacher.trajectory import Query
from tests.fakes import query, trajectory


def flat(value: float, seed: int) -> Query:
    whole = trajectory(5, seed)
    sides = [type(whole)(whole.obs + i, whole.act, np.full(5, value)).segment(0, 5) for i in range(2)]
    return Query(*sides)


def test_the_oracle_is_never_wrong():
    teacher = SyntheticTeacher()
    teacher.ask([query(i) for i in range(50)])
    for said in teacher.changes(0).comparisons:
        better = said.query.left.env_rew.sum() > said.query.right.env_rew.sum()
        assert said.mu.tolist() == ([1, 0] if better else [0, 1])


def test_equal_is_a_tie_not_right():
    assert oracle(flat(1.0, 0)) is Verdict.TIE
    teacher = SyntheticTeacher()
    teacher.ask([flat(1.0, 0)])
    assert teacher.changes(0).comparisons[0].mu.tolist() == [0.5, 0.5]


def test_it_answers_at_once_and_the_cursor_moves():
    teacher = SyntheticTeacher()
    teacher.ask([query(0), query(1)])
    first = teacher.changes(0)
    teacher.ask([query(2)])
    second = teacher.changes(first.cursor)
    assert (len(first.comparisons), len(second.comparisons)) == (2, 1)
    assert teacher.n_open == 0
    assert teacher.tally()["answered"] == 3
    assert teacher.changes(second.cursor).comparisons == ()


def test_cant_tell_is_kept_in_the_record_and_out_of_the_data():
    teacher = SyntheticTeacher(lambda asked: Verdict.ABSTAIN)
    teacher.ask([query(0)])
    assert teacher.changes(0).comparisons == ()
    assert teacher.n_decided == 0
    assert teacher.tally()["answered"] == teacher.tally()["abstain"] == 1


def test_saved_and_loaded_nothing_is_lost(tmp_path):
    first, second = SyntheticTeacher(), SyntheticTeacher()
    first.ask([query(i) for i in range(5)])
    first.save(tmp_path)
    second.load(tmp_path)
    for a, b in zip(first.changes(0).comparisons, second.changes(0).comparisons, strict=True):
        assert a.query.id == b.query.id
        assert a.query.left.source == b.query.left.source
        assert np.array_equal(a.mu, b.mu)
    assert first.tally() == second.tally()


def test_a_nan_reward_has_no_order():
    with pytest.raises(NotFiniteError, match="not a number"):
        oracle(flat(float("nan"), 0))
