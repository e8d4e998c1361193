"""What `--teacher` understands, and how a teacher is written down."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rl_teacher.errors import UserError
from rl_teacher.labels import Verdict
from rl_teacher.teachers.judging import (
    TeacherConfig,
    parse_teacher,
)

LEFT, RIGHT, TIE, ABSTAIN = Verdict.LEFT, Verdict.RIGHT, Verdict.TIE, Verdict.ABSTAIN
_ids = itertools.count()

rates = st.floats(0, 1)
configs = st.builds(TeacherConfig, st.none() | st.floats(0), rates, rates, rates, rates)


@given(configs)
def test_a_teacher_is_read_as_it_is_written(config):
    assert parse_teacher(str(config)) == config


@pytest.mark.parametrize(
    ("text", "config"),
    [
        ("oracle", TeacherConfig()),
        ("rational", TeacherConfig(rationality=1)),
        ("myopic", TeacherConfig(myopia=0.9)),
        ("mistake", TeacherConfig(mistake=0.1)),
        ("skip+equal", TeacherConfig(skip=0.1, equal=0.1)),
        (" equal:0.2 + rational : 1e+3 ", TeacherConfig(rationality=1_000, equal=0.2)),
        ("mistake:0", TeacherConfig()),
    ],
)
def test_names_and_their_usual_values(text, config):
    assert parse_teacher(text) == config


def test_the_canonical_text():
    assert str(parse_teacher("equal+mistake:.20+rational:1.0")) == "rational:1+mistake:0.2+equal:0.1"
    assert str(TeacherConfig()) == "oracle"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "Unknown teacher ''"),
        ("mistakes", "Did you mean mistake?"),
        ("mistake++skip", "Unknown teacher ''"),
        ("mistake:0.1+mistake:0.2", "'mistake' once only"),
        ("oracle+mistake", "by itself"),
        ("oracle:1", "by itself"),
        ("mistake:", "allowed is a number from 0 to 1"),
        ("mistake:often", "Give for example mistake:0.1"),
        ("skip:1.1", "allowed is a number from 0 to 1"),
        ("equal:nan", "allowed is a number from 0 to 1"),
        ("myopic:-0.1", "Give for example myopic:0.9"),
        ("rational:-1", "allowed is a number of 0 or more"),
        ("rational:1:2", "'rational:1:2' given"),
    ],
)
def test_what_cannot_be_understood_is_told_in_a_line(text, told):
    with pytest.raises(UserError) as error:
        parse_teacher(text)
    assert told in str(error.value)
    assert "\n" not in str(error.value)
