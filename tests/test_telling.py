"""What the terminal says of a run."""

from __future__ import annotations

import math

from rl_teacher.telling import held_out


def test_an_accuracy_that_nobody_knows_yet_is_not_shown() -> None:
    assert held_out({}) == {}
    assert held_out({"reward/held_out_accuracy": math.nan}) == {}, "one answer: none is held out, and no one reads nan%"


def test_an_accuracy_that_is_known_is_shown() -> None:
    assert held_out({"reward/held_out_accuracy": 0.875}) == {"accuracy": "88% on held-out answers"}
