from __future__ import annotations

import math

import pytest

from rl_teacher.insight.curves import Curves


@pytest.fixture
def curves(lesson) -> Curves:
    return Curves(lesson.store, lesson.run)


def learn(curves: Curves, rounds: range, accuracy, reward) -> list[str]:
    """Rounds with five new answers each; what was said."""
    news = []
    for i, n in enumerate(rounds):
        figures = {"labels/answered": n, "reward/comparisons": n, "reward/fitted": 1.0}
        figures |= {"reward/held_out_accuracy": accuracy(i / len(rounds)), "rew_mean": reward(i / len(rounds))}
        news.append(curves.add(4_096 * n, figures))
    return [line for line in news if line]


def test_what_was_not_measured_keeps_its_value(curves, lesson):
    curves.add(100, {"rew_mean": 0.5, "true_return": 30.0, "kl": 1.0})
    curves.add(200, {"rew_mean": 0.7, "true_return": math.nan})
    assert [dict(point.data) for point in lesson.store.points(lesson.run)] == [
        {"rew_mean": 0.5, "true_return": 30.0},
        {"rew_mean": 0.7, "true_return": 30.0},
    ]


def test_the_alarm_is_said_once_kept_with_the_points_and_taken_back(curves, lesson):
    said = learn(curves, range(100, 205, 5), lambda x: 0.9 - 0.35 * x, lambda x: x)
    assert len(said) == 1
    assert said[0].startswith("Look at the agent: over the last")
    assert curves.alarm is not None
    assert lesson.store.points(lesson.run)[-1].data["alarm"]["line"] == curves.alarm.line()
    said = learn(curves, range(205, 400, 5), lambda x: 0.6 + 0.3 * x, lambda x: 1 + x)
    assert said == ["r̂ no longer rises while its accuracy falls."]
    assert "alarm" not in lesson.store.points(lesson.run)[-1].data


def test_a_run_that_goes_on_knows_what_it_knew(curves, lesson):
    learn(curves, range(100, 205, 5), lambda x: 0.9 - 0.35 * x, lambda x: x)
    again = Curves(lesson.store, lesson.run, 4_096 * 200)
    assert again.alarm == curves.alarm
    assert again.add(4_096 * 201, {"rew_mean": 1.0}) is None  # it was said before
    fresh = Curves(lesson.store, lesson.run, 0)
    assert fresh.alarm is None
    assert lesson.store.points(lesson.run) == []
