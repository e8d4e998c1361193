from __future__ import annotations

import numpy as np
import pytest

from rl_teacher.plug.paths import PathPredictor


class Lessons:
    def __init__(self) -> None:
        self.ticks = []

    def reward(self, obs, act):
        return obs[:, 0] + act[:, 0]

    def tick(self, n_steps, policy):
        self.ticks.append((n_steps, policy))


def test_the_two_calls_of_the_original():
    lessons, policy = Lessons(), np.tanh
    predictor = PathPredictor(lessons, policy)
    path = {"obs": np.ones((7, 3)), "actions": np.full((7, 2), 2.0), "original_rewards": np.zeros(7)}
    assert predictor.predict_reward(path).tolist() == [3.0] * 7
    predictor.path_callback(path)
    assert lessons.ticks == [(7, policy)]
    with pytest.raises(KeyError):
        predictor.predict_reward({})
