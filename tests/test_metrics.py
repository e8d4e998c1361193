from __future__ import annotations

import json
import math

import numpy as np
import pytest

from rl_teacher.metrics import Metrics, correlations, memory_mb
from rl_teacher.trajectory import Segment
from tests.fakes import FakeReward, trajectory


def lines(folder) -> list[dict]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


def test_every_line_has_its_step_and_no_nan(tmp_path):
    sink = Metrics(tmp_path)
    sink.write(10, {"a": 1, "b": math.nan, "reward/c": np.float32(0.5)})
    sink.close()
    sink.close()
    assert lines(tmp_path) == [{"step": 10, "a": 1.0, "reward/c": 0.5}]
    assert list((tmp_path / "tb").iterdir())


def test_going_on_forgets_what_came_after_the_checkpoint_and_half_lines(tmp_path):
    sink = Metrics(tmp_path)
    for step in (10, 20, 30):
        sink.write(step, {"a": step})
    sink.close()
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 40, "a"')
    sink = Metrics(tmp_path, from_step=20)
    sink.write(25, {"a": 25})
    sink.close()
    assert [line["step"] for line in lines(tmp_path)] == [10, 20, 25]


def test_correlation_is_one_for_the_true_reward_and_nan_where_there_is_nothing_to_compare():
    segments = [trajectory(5, seed=i).segment(0, 5) for i in range(20)]
    truth = {segment.obs.tobytes(): segment.env_rew for segment in segments}

    class Oracle(FakeReward):
        def predict(self, obs, act):
            return np.stack([truth[row.tobytes()] for row in obs])

    assert min(correlations(Oracle(), segments)) > 0.999
    assert all(math.isnan(r) for r in correlations(FakeReward(), segments))
    assert all(math.isnan(r) for r in correlations(Oracle(), segments[:2]))


def test_rank_correlation_sees_the_order_only():
    class Cubed(FakeReward):
        def predict(self, obs, act):
            return np.repeat(np.sign(obs[:, :1, 0]) * np.abs(obs[:, :1, 0]) ** 3, obs.shape[1], 1)

    def constant(value: float) -> Segment:
        return Segment(np.full((5, 3), value, np.float32), np.zeros((5, 2), np.float32), np.full(5, value))

    linear, by_rank = correlations(Cubed(), [constant(value) for value in (-2.0, 0.1, 0.3, 1.0, 3.0)])
    assert by_rank == pytest.approx(1.0)
    assert linear < 0.99


def test_memory_is_told_where_the_system_tells():
    assert math.isnan(memory_mb()) or 10 < memory_mb() < 20_000
