import math

import numpy as np
import pytest

from rl_teacher.envs.nine import NAMES, TASKS, double_pendulum_tip
from rl_teacher.envs.tasks import resolve
from rl_teacher.errors import UserError

TABLE = {  # name: step s, frames per second, clip steps, episode, short episode
    "reacher": (0.02, 10, 15, 50, 20),
    "hopper": (0.008, 40, 60, 1000, 300),
    "walker": (0.008, 30, 45, 1000, 300),
    "cheetah": (0.05, 20, 30, 1000, 300),
    "swimmer": (0.04, 40, 60, 1000, None),
    "ant": (0.05, 20, 30, 1000, None),
    "humanoid": (0.015, 40, 60, 1000, None),
    "pendulum": (0.04, 10, 15, 25, None),
    "doublependulum": (0.05, 10, 15, 50, None),
}


def test_the_nine_tasks_have_the_numbers_of_the_original() -> None:
    found = {t.name: (t.dt, t.fps, t.clip_steps, t.episode_steps, t.short_steps) for t in TASKS.values()}
    assert found == TABLE


def test_a_clip_lasts_one_to_one_and_a_half_seconds_on_screen() -> None:
    for task in TASKS.values():
        assert 1.0 <= task.clip_steps / task.fps <= 1.5
        assert task.clip_steps <= (task.short_steps or task.episode_steps)
        assert task.instructions == task.instructions.strip()
        assert "\n" not in task.instructions


REWARDS = {  # name: observation, info, true reward worked out by hand
    "reacher": ([0.0], {"reward_dist": -0.25}, -0.25),
    "hopper": ([1.25], {"x_velocity": 2.0}, 3.25),
    "walker": ([1.25], {"x_velocity": 2.0}, 2.25),
    "swimmer": ([9.0], {"x_velocity": 0.5}, 0.5),
    "cheetah": ([9.0], {"x_velocity": -0.5}, -0.5),
    "ant": ([0.7], {"x_velocity": 1.0}, 0.5),
    "humanoid": ([1.4], {"x_velocity": 2.0}, 4.5),
    "pendulum": ([0.0, 0.5], {}, 0.75),
    # upright at x = 1: tip at (1, 1.2)
    "doublependulum": ([1.0, 0, 0, 1, 1, 9, 10.0, 20.0, 9], {}, 10 - 0.01 - 0.64 - 0.1 - 2.0 + 2.0),
}


@pytest.mark.parametrize("name", TASKS)
def test_a_reward_is_the_tables_formula_for_one_and_for_many(name: str) -> None:
    values, info, wanted = REWARDS[name]
    obs = np.array(values, dtype=np.float64)
    assert TASKS[name].reward(obs, info) == pytest.approx(wanted, abs=1e-12)
    many = TASKS[name].reward(np.stack([obs, obs]), {key: np.full(2, value) for key, value in info.items()})
    assert many == pytest.approx([wanted, wanted], abs=1e-12)
    assert set(info) == set(TASKS[name].info_keys)


def test_the_double_pendulums_tip_hangs_where_geometry_says() -> None:
    first, second = 0.4, 0.7
    obs = np.array([0.3, math.sin(first), math.sin(second), math.cos(first), math.cos(second), 0, 0, 0, 0])
    x, y = double_pendulum_tip(obs)
    assert x == pytest.approx(0.3 + 0.6 * math.sin(first) + 0.6 * math.sin(first + second))
    assert y == pytest.approx(0.6 * math.cos(first) + 0.6 * math.cos(first + second))


def test_every_name_of_the_original_in_any_version_is_our_task() -> None:
    for name, task in NAMES.items():
        for version in ("", "-v1", "-v5", "-v17"):
            spec = resolve(name + version)
            assert spec.task is TASKS[task]
            assert spec.env_id == name + version
            assert spec.episode_steps == TASKS[task].episode_steps


@pytest.mark.parametrize(
    ("given", "task"),
    [
        ("Walker2d-v1", "walker"),
        ("InvertedPendulum-v2", "pendulum"),
        ("InvertedDoublePendulum-v5", "doublependulum"),
        ("cheetah", "cheetah"),
        ("halfcheetah-v5", "cheetah"),
        ("doublependulum", "doublependulum"),
    ],
)
def test_other_names(given: str, task: str) -> None:
    assert resolve(given).task is TASKS[task]


def test_short_variants_differ_in_nothing_but_the_clock() -> None:
    for name in ("Reacher", "Hopper", "Walker", "HalfCheetah"):
        short, full = resolve(f"Short{name}-v1"), resolve(f"{name}-v1")
        assert short.task is full.task
        assert short.clip_steps == full.clip_steps
        assert short.episode_steps == full.task.short_steps  # type: ignore[union-attr]


def test_a_task_without_a_short_variant_says_which_have_one() -> None:
    with pytest.raises(UserError, match=r"'ShortAnt-v1'.*ShortReacher, ShortHopper.*Use 'Ant-v1'"):
        resolve("ShortAnt-v1")


@pytest.mark.parametrize(
    ("given", "hint"),
    [
        ("Reachr-v1", "Did you mean Reacher"),
        ("Halfcheeta", "Did you mean HalfCheetah"),
        ("CartPole-v1", "Did you mean gym:CartPole-v1"),
        ("", "Allowed: Ant,"),
        ("Short", "Did you mean Short"),
        ("../Reacher", "Did you mean Reacher"),
    ],
)
def test_an_unknown_name_gets_one_line_with_near_names(given: str, hint: str) -> None:
    with pytest.raises(UserError) as caught:
        resolve(given)
    assert f"'{given}'" in str(caught.value)
    assert hint in str(caught.value)
    assert "\n" not in str(caught.value)
