"""`--fixed_horizon` and its warning, wherever an environment comes from, whatever it sees and does."""

from __future__ import annotations

from contextlib import closing
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from rl_teacher.envs.make import make_vec
from rl_teacher.envs.simulator import Simulator
from rl_teacher.envs.sources import fast_form, make_env
from rl_teacher.envs.stage import Stage
from rl_teacher.envs.tasks import resolve
from tests import falling
from tests.commands import refused, summary, teach
from tests.falling import FALL, LAST

HORIZONS = ("never-done", "absorbing")
LQR = "dm:lqr-lqr_2_1"
"""One of the two tasks of DeepMind Control that end early: when the state is 0."""


class Still:
    """Does nothing."""

    def __init__(self, space: gym.Space) -> None:
        self._space = space

    def act(self, obs: np.ndarray, *, explore: bool) -> np.ndarray:
        return np.zeros((len(obs), *(self._space.shape or ())), dtype=self._space.dtype)


def seen(obs: np.ndarray) -> list[int]:
    """The largest number of each of (T, *obs): how many steps it took."""
    return [int(one.max()) for one in obs]


@pytest.mark.parametrize("how", HORIZONS)
@pytest.mark.parametrize("env_id", falling.IDS)
def test_all_episodes_last_until_the_clock_for_learner_and_stage(env_id: str, how: str) -> None:
    spec = resolve(env_id, how)
    assert spec.episode_steps == LAST
    goes_on = how == "never-done"
    expected = list(range(LAST + 1)) if goes_on else [min(n, FALL) for n in range(LAST + 1)]
    paid = [1.0] * FALL + [5.0 if goes_on else 0.0] * (LAST - FALL)
    said: list[str] = []
    with closing(Stage(spec, 0, n_envs=1, warn=said.append)) as stage:
        for played in stage.play(Still(stage.act_space), 2 * LAST):
            assert [max(n, 1) for n in seen(played.obs)] == [max(n, 1) for n in expected]  # a light may be on at 0
            assert played.env_rew.tolist() == paid
            assert (played.terminated, played.truncated) == (False, True)
    assert not said
    with closing(make_vec(spec, 2, seed=0)) as env:
        env.reset()
        steps = [env.step(Still(env.act_space).act(np.zeros(2), explore=True)) for _ in range(LAST)]
        assert [step.env_rew.tolist() for step in steps] == [[rew] * 2 for rew in paid]
        assert not any(step.terminated.any() for step in steps)
        assert [bool(step.truncated.all()) for step in steps] == [False] * (LAST - 1) + [True]
        assert steps[-1].obs.dtype == (np.uint8 if spec.pixels else np.float32)


@pytest.mark.parametrize("env_id", falling.IDS)
def test_where_nothing_was_chosen_an_early_end_is_told_once(env_id: str) -> None:
    said: list[str] = []
    with closing(Stage(resolve(env_id), 0, warn=said.append)) as stage:
        stage.play(None, 4 * FALL)
        stage.play(None, 4 * FALL)
    (line,) = said
    assert line.startswith(f"'{env_id}' ends episodes early. ")
    assert "to have them last until the clock, begin a run with --fixed_horizon absorbing, or never-done." in line


def test_an_end_at_the_clock_is_none_before_it_and_where_there_is_no_clock_it_is_said_how_to_have_one() -> None:
    said: list[str] = []
    for name in ("falls_with_the_clock", "clockless"):
        with closing(Stage(resolve(f"tests.falling:{name}"), 0, warn=said.append)) as stage:
            stage.play(None, 4 * FALL)
    (line,) = said
    assert "'tests.falling:clockless' ends episodes early" in line
    assert "wrap it in gymnasium.wrappers.TimeLimit and begin a run with --fixed_horizon absorbing" in line


@pytest.mark.parametrize("source", ["tests.falling:row_chosen", "gym:tests.falling:FallsRowMoved-v0"])
def test_a_run_warns_where_nothing_was_chosen_and_is_quiet_where_it_was(source: str, capsys) -> None:
    words = f"-p synth -l 4 -e {source} -t 1500 -V -w 1"
    assert teach(f"{words} -n early") == 0
    assert capsys.readouterr().out.count(f"'{source}' ends episodes early") == 1
    for how, paid in (("absorbing", 3.0), ("never-done", 3.0 + 5.0 * (LAST - FALL))):
        assert teach(f"{words} -n {how} --fixed_horizon {how}") == 0
        assert "ends episodes early" not in capsys.readouterr().out
        assert summary(how)["true_return"]["mean"] == paid


@pytest.mark.parametrize(
    ("agent", "source"),
    [
        ("sb3:DQN", "tests.falling:parts_chosen"),
        ("sb3:SAC", "tests.falling:row_moved"),
        ("ppo", "tests.falling:picture_chosen"),
    ],
)
def test_each_kind_of_agent_learns_with_it(agent: str, source: str, capsys) -> None:
    if agent != "ppo":
        pytest.importorskip("stable_baselines3", reason="not installed: pip install 'rl-teacher[sb3]'")
    assert teach(f"-p synth -l 4 -a {agent} -e {source} -t 2500 -V -w 1 -n x --fixed-horizon absorbing") == 0
    assert "ends episodes early" not in capsys.readouterr().out
    assert summary("x")["true_return"]["mean"] == 3.0


def test_one_that_cannot_go_on_after_its_end_says_so_and_what_to_choose(capsys) -> None:
    line = refused("-p rl -n x -e tests.falling:brittle -t 1500 --fixed_horizon never-done", capsys)
    assert "--fixed_horizon never-done given, but <Falls instance> raised RuntimeError: it lies on the floor" in line
    assert "Allowed is absorbing: begin another run with --fixed_horizon absorbing" in line
    assert teach("-p rl -n y -e tests.falling:brittle -t 1500 -V --fixed_horizon absorbing") == 0


def test_a_clock_is_asked_for_in_one_line(capsys) -> None:
    line = refused("-p rl -n x -e tests.falling:clockless --fixed_horizon absorbing", capsys)
    assert "--fixed_horizon absorbing given, but <Falls instance> has no clock" in line
    assert "wrap it in gymnasium.wrappers.TimeLimit, or leave the option out" in line


def test_a_game_hides_its_end_and_takes_never_done_for_what_it_is(capsys) -> None:
    pytest.importorskip("envpool", reason="EnvPool is not installed here")
    assert resolve("atari:Pong", "never-done") == resolve("atari:Pong")
    line = refused("-p rl -n x -e atari:Pong --fixed_horizon absorbing", capsys)
    assert "--fixed_horizon absorbing given with 'atari:Pong', where the end of a game is hidden anyway" in line


# DeepMind Control


@pytest.fixture
def control() -> None:
    pytest.importorskip("dm_control.suite", reason="dm_control is not installed here: pip install 'rl-teacher[dmc]'")


@pytest.mark.usefixtures("control")
@pytest.mark.parametrize("how", HORIZONS)
def test_a_task_that_never_ends_early_takes_it_and_is_played_as_without(how: str) -> None:
    name = "dm:cartpole-balance"
    spec, plain = resolve(name, how), resolve(name)
    assert spec.fast == plain.fast == fast_form(name)

    def played(spec: Any) -> list[np.ndarray]:
        said: list[str] = []
        with closing(Stage(spec, 0, n_envs=1, warn=said.append)) as stage:
            (whole,) = stage.play(None, 1_000)
        assert (whole.truncated, said) == (True, [])
        with closing(make_vec(spec, 2, seed=0)) as env:
            return [whole.obs, whole.env_rew, env.reset(), env.step(np.ones((2, 1), np.float32)).obs]

    for with_it, without in zip(played(spec), played(plain), strict=True):
        np.testing.assert_array_equal(with_it, without)


def _at_the_goal(env: gym.Env) -> None:
    bare: Any = env.unwrapped
    with bare._control.physics.reset_context():
        bare.data.qpos[:], bare.data.qvel[:] = 0.0, 0.0


@pytest.mark.usefixtures("control")
@pytest.mark.parametrize("how", [None, *HORIZONS])
def test_the_two_that_do_go_on_where_they_are(how: str | None) -> None:
    env = make_env(LQR, horizon=how)
    env.reset(seed=0)
    _at_the_goal(env)
    rest = np.zeros(1, np.float32)
    steps = [env.step(rest) for _ in range(4)]
    assert steps[0][2] is (how is None)
    assert all(np.abs(step[0]).max() < 1e-9 for step in steps)  # no new episode began elsewhere
    pushed = env.step(np.ones(1, np.float32))
    assert bool(np.abs(pushed[0]).max() > 1e-4) is (how != "absorbing")
    env.close()


@pytest.mark.usefixtures("control")
def test_the_two_that_do_warn_where_nothing_was_chosen() -> None:
    said: list[str] = []
    with closing(Stage(resolve(LQR), 0, n_envs=1, warn=said.append)) as stage:
        sim: Simulator = stage._simulators[0]
        _at_the_goal(sim._env)
        stage.play(Still(stage.act_space), 2)
    (line,) = said
    assert f"'{LQR}' ends episodes early" in line
