from __future__ import annotations

import numpy as np
import pytest

from rl_teacher.labels import Label, Strength, Verdict, preference


def label(verdict: Verdict, strength: Strength = Strength.PLAIN, who: str = "a") -> Label:
    return Label(1, "q", who, verdict, strength)


@pytest.mark.parametrize(
    ("verdict", "mu"),
    [(Verdict.LEFT, [1, 0]), (Verdict.RIGHT, [0, 1]), (Verdict.TIE, [0.5, 0.5])],
)
def test_each_verdict_has_its_mu(verdict, mu):
    assert preference([label(verdict)]).tolist() == mu


@pytest.mark.parametrize("verdict", [Verdict.ABSTAIN, Verdict.WITHDRAWN])
def test_no_preference_has_no_mu(verdict):
    assert preference([label(verdict)]) is None
    assert preference([]) is None


def test_slight_is_softer_and_mirrored():
    left = preference([label(Verdict.LEFT, Strength.SLIGHT)])
    right = preference([label(Verdict.RIGHT, Strength.SLIGHT)])
    assert 0.5 < left[0] < 1
    assert np.allclose(left, right[::-1])


def test_several_people_are_averaged_and_abstainers_left_out():
    said = [label(Verdict.LEFT), label(Verdict.RIGHT, who="b"), label(Verdict.LEFT, who="c"), label(Verdict.ABSTAIN)]
    assert preference(said) == pytest.approx([2 / 3, 1 / 3])
