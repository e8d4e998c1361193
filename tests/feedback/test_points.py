from __future__ import annotations

import math

import numpy as np
import pytest

from rl_teacher.feedback.points import MOST_POINTS


def test_points_come_back_in_the_order_of_their_steps(lesson):
    store = lesson.store
    for step in (100, 200, 300):
        store.add_point(lesson.run, step, {"rew_mean": np.float32(step / 100), "true_return": math.nan})
    points = store.points(lesson.run)
    assert [point.step for point in points] == [100, 200, 300]
    assert points[1].data == {"rew_mean": 2.0, "true_return": None}
    assert points[0].at == lesson.clock.now


def test_a_run_that_goes_on_measures_anew(lesson):
    store = lesson.store
    for step in (100, 200, 300):
        store.add_point(lesson.run, step, {"rew_mean": 1.0})
    store.add_point(lesson.run, 300, {"rew_mean": 9.0})
    assert store.points(lesson.run)[-1].data == {"rew_mean": 9.0}
    store.forget_points(lesson.run, 150)
    assert [point.step for point in store.points(lesson.run)] == [100]
    other = store.run(lesson.experiment, "second", 2, "human")
    assert store.points(other) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("database", "rounds"), [("sqlite", 700), ("sqlite", 4_000), ("postgresql", 700)], indirect=["database"]
)
def test_a_curve_of_any_length_keeps_a_few_hundred_points_all_over(lesson, rounds):
    store = lesson.store
    for step in range(1, rounds + 1):
        store.add_point(lesson.run, 4_096 * step, {"rew_mean": float(step)})
    steps = [point.step for point in store.points(lesson.run)]
    assert 200 <= len(steps) <= MOST_POINTS
    assert steps[0] == 4_096
    assert steps[-1] == 4_096 * rounds
    assert max(np.diff(steps)) <= 4_096 * rounds / 50
    assert len([step for step in steps if step <= 4_096 * rounds / 10]) >= 20
