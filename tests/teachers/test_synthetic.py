from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from rl_teacher.errors import NotFiniteError, UserError
from rl_teacher.labels import Verdict
from rl_teacher.loop import ONLY_TIES
from rl_teacher.pace import Pace
from rl_teacher.queries.schedules import ExponentialSchedule
from rl_teacher.teachers.judging import make_judge, oracle, parse_teacher
from rl_teacher.teachers.synthetic import SyntheticTeacher
from rl_teacher.trajectory import Query
from tests.fakes import FakeStage, FakeWatch, K, query, teaching, trajectory


def flat(value: float, seed: int) -> Query:
    whole = trajectory(5, seed)
    left, right = (type(whole)(whole.obs + i, whole.act, np.full(5, value)).segment(0, 5) for i in range(2))
    return Query(left, right)


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


def test_a_teacher_with_faults_goes_on_after_a_stop_as_if_there_had_been_none(tmp_path):
    faults = parse_teacher("rational+myopic+mistake+skip:0.8+equal")
    through, before, after = (SyntheticTeacher(make_judge(faults, seed)) for seed in (1, 1, 2))
    first, then = [query(i) for i in range(80)], [query(i) for i in range(80, 120)]
    for teacher in (through, before):
        teacher.ask(first)
    before.save(tmp_path)
    after.load(tmp_path)
    for teacher in (through, after):
        teacher.ask(then)
    assert [label.verdict for label in after.labels] == [label.verdict for label in through.labels]
    assert after.tally() == through.tally()
    assert len({label.verdict for label in through.labels[80:]}) == 4, "all of left, right, tie, abstain were said"


def test_the_record_of_a_run_from_before_there_were_faults_is_understood(tmp_path):
    first, second = SyntheticTeacher(), SyntheticTeacher()
    first.ask([query(i) for i in range(5)])
    first.save(tmp_path)
    path = tmp_path / "teacher.json"
    path.write_text(json.dumps(json.loads(path.read_text())["answers"]))
    second.load(tmp_path)
    assert second.tally() == first.tally()


def test_a_teacher_that_can_never_tell_says_so_and_ends_the_run():
    teacher = SyntheticTeacher(lambda asked: Verdict.ABSTAIN)
    pace = Pace(10_000_000, 100, K, n_pretrain=500, n_labels=2_000)
    loop = teaching(teacher, FakeWatch(), pace, ExponentialSchedule(2_000, 500, 10_000_000))
    with pytest.raises(UserError, match=r"could not tell 1,\d+ pairs in a row"):
        loop.run()
    assert loop.steps < 100_000, "of ten million"


def test_patience_is_for_a_row_and_outlasts_a_stop(tmp_path):
    says = [Verdict.ABSTAIN] * 999 + [Verdict.TIE] + [Verdict.ABSTAIN] * 1_000
    before = SyntheticTeacher(lambda asked: says.pop(0))
    before.ask([query(i, k=1) for i in range(1_500)])
    before.save(tmp_path)
    after = SyntheticTeacher(lambda asked: says.pop(0))
    after.load(tmp_path)
    after.ask([query(i, k=1) for i in range(1_500, 1_999)])
    with pytest.raises(UserError):
        after.ask([query(1_999, k=1)])


@pytest.mark.parametrize("faults", ["skip:1", "equal:1", "skip:1+equal:1", "rational:0+myopic:0+mistake:1"])
def test_however_faulty_it_is_a_run_ends_with_its_answers(faults):
    teacher = SyntheticTeacher(make_judge(parse_teacher(faults), 0))
    pace = Pace(50_000, 1_000, K, n_pretrain=50, n_labels=200)
    loop = teaching(teacher, FakeWatch(), pace, ExponentialSchedule(200, 50, 50_000))
    loop.run()
    assert teacher.n_decided == 200
    assert (teacher.tally()["abstain"] > 0) == ("skip" in faults)


def test_nothing_but_ties_is_said_and_the_run_goes_on():
    class AlikeStage(FakeStage):
        def play(self, actor, n_steps):
            return [replace(played, env_rew=1 + 0.1 * played.env_rew) for played in super().play(actor, n_steps)]

    watch, teacher = FakeWatch(), SyntheticTeacher(make_judge(parse_teacher("equal:1"), 0))
    loop = teaching(teacher, watch, Pace(5_000, 100, K, 10, 40), ExponentialSchedule(40, 10, 5_000))
    loop.stage = AlikeStage()
    loop.run()
    assert teacher.tally()["tie"] == teacher.n_decided == 40
    assert ONLY_TIES in watch.messages


def test_a_nan_reward_has_no_order():
    with pytest.raises(NotFiniteError, match="not a number"):
        oracle(flat(float("nan"), 0))
