import itertools
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from rl_teacher.choices import choices
from rl_teacher.envs import stock
from rl_teacher.envs.make import make_vec
from rl_teacher.envs.simulator import Simulator
from rl_teacher.envs.stage import random_actions
from rl_teacher.envs.tasks import resolve
from rl_teacher.errors import UserError


class Shaped(gym.Env):
    """Observations in a square, actions counted from 5; ends after a given number of steps."""

    def __init__(self, obs_space: gym.Space, act_space: gym.Space, ends_after: int = 3) -> None:
        self.observation_space, self.action_space = obs_space, act_space
        self.ends_after = ends_after
        self.steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.steps = 0
        return self._obs(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert self.action_space.contains(action), action
        self.steps += 1
        return self._obs(), float(np.sum(action)), self.steps >= self.ends_after, False, {}

    def _obs(self) -> Any:
        if self.observation_space.shape is None:
            return self.observation_space.sample()
        return np.full(self.observation_space.shape, self.steps, dtype=self.observation_space.dtype)


@pytest.fixture
def register() -> Iterator[Any]:
    names: list[str] = []

    def add(obs_space: gym.Space, act_space: gym.Space, **kwargs: Any) -> str:
        names.append(f"RlTeacherTest{len(names)}-v0")
        gym.register(names[-1], lambda: Shaped(obs_space, act_space, **kwargs))
        return f"gym:{names[-1]}"

    yield add
    for name in names:
        del gym.registry[name]


SQUARE = gym.spaces.Box(-1.0, 1.0, (2, 3), np.float32)
ROW = gym.spaces.Box(-1.0, 1.0, (3,), np.float32)
PICTURE = gym.spaces.Box(0, 255, (8, 8, 3), np.uint8)


def test_a_stock_environment_keeps_its_own_reward_ending_and_clock() -> None:
    spec = resolve("gym:CartPole-v1")
    assert (spec.task, spec.gym_id, spec.episode_steps, spec.dt) == (None, "CartPole-v1", 500, 0.02)
    env = make_vec(spec, 3, seed=0)
    assert env.obs_space.shape == (4,)
    assert env.act_space == gym.spaces.Discrete(2)
    env.reset()
    lengths, ended = np.zeros(3, dtype=int), np.zeros(3, dtype=bool)
    while not ended.all():
        step = env.step(np.ones(3, dtype=np.int64))
        assert (step.env_rew[~ended] == 1.0).all()
        lengths += ~ended
        ended |= step.terminated
        assert not step.truncated.any()
    assert (lengths < 15).all()  # pushed to one side it falls soon
    env.close()


def test_clips_last_a_second_at_least_and_an_untrained_agent_lives_that_long() -> None:
    slow, falling = resolve("gym:Pendulum-v1"), resolve("gym:CartPole-v1")
    assert (slow.clip_steps, slow.fps) == (45, 30.0)
    assert 10 <= falling.clip_steps <= 30
    assert falling.clip_steps / falling.fps >= 1.0
    assert resolve("gym:CartPole-v1") == falling  # the same every time: it is written into the run's configuration


@pytest.mark.parametrize(
    ("act_space", "act", "rew"),
    [
        (gym.spaces.MultiDiscrete([2, 3], start=[5, 7]), [[0, 0], [1, 2]], [12.0, 15.0]),
        (gym.spaces.MultiDiscrete([[2, 3], [4, 2]]), [[0, 0, 0, 0], [1, 2, 3, 1]], [0.0, 7.0]),
        (gym.spaces.MultiBinary(3), [[0, 0, 0], [1, 0, 1]], [0.0, 2.0]),
        (gym.spaces.MultiBinary([2, 2]), [[0, 0, 0, 0], [1, 1, 1, 0]], [0.0, 3.0]),
    ],
)
def test_choices_at_once_are_counted_from_zero_in_a_row(
    register: Any, act_space: gym.Space, act: list[list[int]], rew: list[float]
) -> None:
    spec = resolve(register(ROW, act_space))
    env = make_vec(spec, 2, seed=0)
    assert isinstance(env.act_space, gym.spaces.MultiDiscrete)
    assert tuple(env.act_space.nvec) == spec.choices == choices(act_space)
    env.reset()
    assert env.step(np.array(act)).env_rew.tolist() == rew
    assert {tuple(one) for one in random_actions(env.act_space, 400, np.random.default_rng(0))} == set(
        itertools.product(*map(range, spec.choices))
    )


def test_a_clip_is_not_longer_than_an_episode(register: Any) -> None:
    assert resolve(register(ROW, gym.spaces.Discrete(2), ends_after=7)).clip_steps == 7


def test_observations_are_laid_out_in_a_row_and_actions_counted_from_zero(register: Any) -> None:
    env = make_vec(resolve(register(SQUARE, gym.spaces.Discrete(3, start=5))), 2, seed=0)
    assert env.obs_space.shape == (6,)
    assert env.act_space == gym.spaces.Discrete(3)
    assert env.reset().tolist() == [[0.0] * 6] * 2
    step = env.step(np.array([0, 2]))
    assert step.obs.tolist() == [[1.0] * 6] * 2
    assert step.env_rew.tolist() == [5.0, 7.0]


@pytest.mark.parametrize(
    ("obs_space", "act_space", "named"),
    [
        (gym.spaces.Discrete(4_000), gym.spaces.Discrete(2), "one of 4,000 choices; at most 1,000"),
        (gym.spaces.Text(4), gym.spaces.Discrete(2), "observation space Text"),
        (gym.spaces.Dict({"a": ROW, "b": gym.spaces.Text(4)}), gym.spaces.Discrete(2), r"Text\(.*\) in \['b'\]"),
        (gym.spaces.Tuple((ROW, PICTURE)), gym.spaces.Discrete(2), r"a picture in \[1\], for which nobody chose"),
        (PICTURE, gym.spaces.Discrete(2), "observation space Box"),
        (ROW, gym.spaces.Dict({"a": ROW}), "action space Dict"),
        (ROW, gym.spaces.Box(-np.inf, np.inf, (2,)), "action space Box"),
        (ROW, gym.spaces.Box(0, 4, (2,), np.int64), "action space Box"),
        (gym.spaces.Box(-1.0, 1.0, (0,)), gym.spaces.Discrete(2), "observation space Box"),
        (gym.spaces.Box(-1.0, 1.0, (3, 0)), gym.spaces.Discrete(2), "observation space Box"),
        (ROW, gym.spaces.Box(-1.0, 1.0, (0,)), "action space Box"),
    ],
)
def test_spaces_that_cannot_be_used_are_named(
    register: Any, obs_space: gym.Space, act_space: gym.Space, named: str
) -> None:
    with pytest.raises(UserError, match=named) as caught:
        resolve(register(obs_space, act_space))
    assert "Allowed:" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("gym:CartPole-v9", "Did you mean CartPole-v1"),
        ("gym:CratPole-v1", "Did you mean CartPole-v1"),
        ("gym:", "cannot be built here"),
        ("gym:two words", "cannot be built here"),
        ("gym:no_such_module:Foo-v0", "No module named"),
    ],
)
def test_a_stock_environment_that_is_not_there(given: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as caught:
        resolve(given)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", ["gym:CratPole-v1", "gym:CartPole-v9", "gym:zzz-v0", f"gym:{'x' * 900}-v0"])
def test_an_unknown_id_gets_the_near_ones_and_how_to_list_all(given: str) -> None:
    with pytest.raises(UserError) as caught:
        resolve(given)
    said = str(caught.value)
    assert len(said) < 300
    assert "pprint_registry" in said
    assert "gym:MODULE:ID" in said
    assert "Acrobot" not in said


@pytest.mark.parametrize("env_id", ["HalfCheetah-v5", "gym:HalfCheetah-v5"])
def test_mujocos_warnings_leave_no_file_behind(
    env_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    simulator = Simulator(resolve(env_id))
    simulator.reset(seed=0)
    behind: Any = simulator.mujoco
    behind.data.qvel[:] = 1e30
    with caplog.at_level(logging.DEBUG):
        simulator.step(np.zeros(6, dtype=np.float32))
    assert "huge value in QVEL" in caplog.text  # it did warn
    assert list(tmp_path.iterdir()) == []


def test_what_nobody_can_do_anything_about_is_no_warning(caplog: pytest.LogCaptureFixture) -> None:
    """MuJoCo from 3.9 on says so of the cheetah's model."""
    with caplog.at_level(logging.DEBUG):
        stock._warn("compiler: settotalmass is deprecated")
        stock._warn("something else")
    assert [record.levelno for record in caplog.records] == [logging.DEBUG, logging.WARNING]
